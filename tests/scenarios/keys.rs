//! What a definition says is in force: the container is asked.

use crate::common::{SOON, WEB, ask};
use crate::stage::{Engine, Stage};

#[test]
fn process_storage_and_rights() {
    process_storage_and_rights_on(&Stage::podman());
}

#[test]
fn secrets_are_in_the_container_and_nowhere_else() {
    secrets_on(&Stage::podman());
}

#[test]
fn encrypted_secrets_are_decrypted_on_the_machine() {
    encrypted_secrets_on(&Stage::podman());
}

#[test]
fn secrets_in_variables_and_other_places() {
    places_of_secrets_on(&Stage::podman());
}

#[test]
fn entrypoint_filter_time_zone_and_reload() {
    entrypoint_filter_and_reload_on(&Stage::podman());
}

#[test]
fn the_program_says_itself_when_it_is_ready() {
    let on = Stage::podman();
    on.define(
        "web",
        "image = \"localhost/web:1\"\ncommand = [\"payload\"]\nnotify = true\n\
         [[ports]]\ncontainer = 8080\nhost = 20000\n",
    );
    on.ok(["systemctl", "start", "--no-block", "web.service"]).unwrap();
    on.eventually(SOON, "it listens", || Ok(ask(&on, 20000, "/healthz").is_ok())).unwrap();
    assert_eq!(on.property("web.service", "ActiveState").unwrap(), "activating");
    assert_eq!(ask(&on, 20000, "/ready").unwrap(), "ok");
    on.eventually(SOON, "it has started", || Ok(on.property("web.service", "ActiveState")? == "active"))
        .unwrap();
    on.ok(["systemctl", "stop", "web.service"]).unwrap();
    on.only_containers(&[]);
}

#[test]
fn the_hosts_network_and_other_addresses() {
    networks_on(&Stage::podman());
}

#[test]
fn conditions_slices_and_directives() {
    conditions_on(&Stage::podman());
}

#[test]
fn what_is_mounted_at_a_volumes_source_is_mounted_first() {
    let on = Stage::podman();
    let mount = "[Mount]\nWhat=tmpfs\nWhere=/srv/data\nType=tmpfs\nOptions=size=3M\n";
    on.write("/etc/systemd/system/srv-data.mount", mount).unwrap();
    start(&on, "", "[[volumes]]\nsource = \"/srv/data\"\ntarget = \"/data\"\n");
    assert_eq!(on.inside("df -k /data | awk 'NR>1{print $2}'"), "3072");
    assert_eq!(on.property("srv-data.mount", "ActiveState").unwrap(), "active");
}

/// Starts `web` with more keys at the top and at the end.
fn start(on: &Stage, top: &str, tables: &str) {
    on.start(&format!("{top}\n{WEB}\n{tables}"));
}

pub(crate) fn process_storage_and_rights_on(on: &Stage) {
    on.sh("mkdir -p /srv/data; echo from-host > /srv/data/file; echo FROM_FILE=yes > /etc/web.env").unwrap();
    let top = r#"
user = "1234:5678"
groups = ["44"]
working-directory = "/www"
hostname = "shop.example.com"
init = true
read-only = true
environment-files = ["/etc/web.env"]
devices = ["/dev/fuse"]
"#;
    // Only podman gives a volume to the container's user; with docker the image's directory is anybody's.
    let own = if on.engine == Engine::Podman { "options = [\"U\"]" } else { "" };
    // nproc is there because podman 4.3 raises what is not, and machines that tests run on may not permit that.
    let tables = r#"
[labels]
"com.example.team" = "store front"
[resources]
shm = "1M"
[[volumes]]
source = "/srv/data"
target = "/data"
read-only = true
[[volumes]]
source = "cache"
target = "/cache"
OWN
[[tmpfs]]
target = "/scratch"
size = "1M"
[ulimits]
nofile = { soft = 100, hard = 200 }
nproc = 4000
[sysctls]
"net.ipv4.ip_unprivileged_port_start" = 1
[dns]
servers = ["192.0.2.1"]
search = ["example.org"]
[extra-hosts]
db = "192.0.2.7"
[security]
no-new-privileges = true
capabilities = { add = ["NET_ADMIN"], drop = ["ALL"] }
[stop]
signal = "INT"
"#;
    start(on, top, &tables.replace("OWN", own));

    assert_eq!(on.inside("id -u; id -g; id -G"), "1234\n5678\n5678 44");
    assert_eq!(on.inside("readlink /proc/self/cwd; hostname"), "/www\nshop.example.com");
    assert!(ask(on, 20000, "/env").unwrap().lines().any(|line| line == "FROM_FILE=yes"));
    // An init is the first process, and the root file system is read-only but for what was asked for.
    assert_ne!(ask(on, 20000, "/pid").unwrap(), "1");
    let touch = "touch /x 2>/dev/null || echo no; touch /data/x 2>/dev/null || echo no; touch /scratch/x /cache/x; cat /data/file";
    assert_eq!(on.inside(touch), "no\nno\nfrom-host");
    assert_eq!(on.inside("df -k /scratch /dev/shm | awk 'NR>1{print $2}'"), "1024\n1024");
    // Of the container's first process; what `exec` starts has others with some engines.
    let limits = on.inside("awk '/^Max (processes|open)/{print $(NF-2), $(NF-1)}' /proc/1/limits");
    assert_eq!(limits, "4000 4000\n100 200");
    assert_eq!(on.inside("cat /proc/sys/net/ipv4/ip_unprivileged_port_start"), "1");
    let resolver = on.inside("cat /etc/resolv.conf");
    assert!(
        resolver.contains("nameserver 192.0.2.1") && resolver.contains("search example.org"),
        "{resolver}"
    );
    assert!(on.inside("cat /etc/hosts").contains("192.0.2.7\tdb"));
    assert_eq!(on.inside("ls /dev/fuse"), "/dev/fuse");
    // Only CAP_NET_ADMIN (bit 12) is left in the bounding set.
    assert_eq!(
        on.inside("awk '/CapBnd/{print $2} /NoNewPrivs/{print $2}' /proc/1/status"),
        "0000000000001000\n1"
    );
    let label = "{{index .Config.Labels \"com.example.team\"}}";
    let shown = on.cli(["inspect", "--format", label, "conductor-web"]);
    assert_eq!(shown, "store front");

    on.ok(["systemctl", "stop", "web.service"]).unwrap();
    assert!(on.journal("web.service").unwrap().contains("payload: ending on SIGINT"));
    on.only_containers(&[]);
}

pub(crate) fn secrets_on(on: &Stage) {
    let (word, engine) = ("correct-horse", on.engine.name());
    on.sh(&format!("install -m 600 /dev/null /etc/plain; echo {word} > /etc/plain")).unwrap();
    let secrets = "[secrets]\ndatabase-url = \"/etc/plain\"\n\
                   own = { path = \"/etc/plain\", uid = 1234, gid = 5678 }\n\
                   roots = { path = \"/etc/plain\", mode = \"0400\" }\n";
    start(on, "user = \"1234:5678\"", secrets);
    assert_eq!(on.inside("cat /run/secrets/database-url /run/secrets/own"), format!("{word}\n{word}"));
    let owners =
        on.inside("stat -c '%u:%g %a' /run/secrets/database-url /run/secrets/own /run/secrets/roots");
    assert_eq!(owners, "0:0 444\n1234:5678 440\n0:0 400");
    assert_eq!(on.inside("cat /run/secrets/roots 2>/dev/null || echo no"), "no");
    // Neither in the unit, nor in the environment, nor in the engine's books, nor readable for others.
    on.sh(&format!(
        "! systemctl cat web | grep {word}
         ! systemctl show web | grep {word}
         ! {engine} inspect conductor-web | grep {word}
         ! grep --text --quiet {word} /proc/[0-9]*/environ
         test -e /run/credentials/web.service/database-url
         ! runuser -u nobody -- cat /run/credentials/web.service/database-url
         test -e /run/conductor/secrets/web/database-url
         ! runuser -u nobody -- cat /run/conductor/secrets/web/database-url"
    ))
    .unwrap();
    on.ok(["systemctl", "stop", "web.service"]).unwrap();
    on.sh("! test -e /run/credentials/web.service && ! test -e /run/conductor/secrets/web").unwrap();
}

pub(crate) fn places_of_secrets_on(on: &Stage) {
    let (word, engine) = ("postgres://shop:correct#horse = \"$HOME\" 50%", on.engine.name());
    on.sh("umask 077; mkdir -p /etc/places").unwrap();
    on.write("/etc/places/url", &format!("{word}\n")).unwrap();
    on.write("/etc/places/empty", "").unwrap();
    on.write("/etc/places/lines", "one\ntwo\n").unwrap();
    let secrets = r#"[secrets]
url = { path = "/etc/places/url", environment = "DATABASE_URL" }
empty = { path = "/etc/places/empty", environment = "EMPTY" }
named = { path = "/etc/places/url", target = "other-name" }
placed = { path = "/etc/places/lines", target = "/etc/app/lines" }
"#;
    start(on, "", secrets);
    let variables = ask(on, 20000, "/env").unwrap();
    for line in [&format!("DATABASE_URL={word}"), "EMPTY="] {
        assert!(variables.lines().any(|one| one == line), "{line} is not in {variables}");
    }
    assert_eq!(
        on.inside("cat /run/secrets/other-name /etc/app/lines; ls /run/secrets"),
        format!("{word}\none\ntwo\nother-name")
    );
    // Neither in the unit nor on any command line, and the file is root's.
    on.sh("! systemctl cat web | grep 'correct#hors[e]'
         ! systemctl show web | grep 'correct#hors[e]'
         ! grep --text --quiet 'correct#hors[e]' /proc/[0-9]*/cmdline
         test \"$(stat -c '%U %a' /run/conductor/secrets/web/.environment)\" = 'root 600'
         ! runuser -u nobody -- cat /run/conductor/secrets/web/.environment")
        .unwrap();
    // The same for what runs once.
    let once = on.ok(["conductor", "run", "web", "--", "sh", "-c", "echo $DATABASE_URL"]).unwrap();
    assert!(once.contains(word), "{once}");
    on.ok(["systemctl", "stop", "web.service"]).unwrap();
    on.sh("! test -e /run/conductor/secrets/web").unwrap();

    start_fails(on, "[secrets]\nlines = { path = \"/etc/places/lines\", environment = \"LINES_OF_IT\" }\n");
    let journal = on.journal("web.service").unwrap();
    assert!(
        journal.contains("secret lines has several lines, and variable LINES_OF_IT can have one"),
        "{journal}"
    );
    on.sh(&format!("! {engine} ps --all | grep conductor-web; systemctl stop web.service")).unwrap();
}

pub(crate) fn entrypoint_filter_and_reload_on(on: &Stage) {
    let filter = r#"{ "defaultAction": "SCMP_ACT_ALLOW",
        "syscalls": [{ "names": ["mkdir", "mkdirat"], "action": "SCMP_ACT_ERRNO" }] }"#;
    on.write("/etc/no-mkdir.json", filter).unwrap();
    let top = r#"
entrypoint = ["sh", "-c", "FROM=entrypoint exec \"$0\" \"$@\""]
timezone = "UTC"
"#;
    let tables = r#"
[security]
seccomp = "/etc/no-mkdir.json"
[reload]
command = ["sh", "-c", "date +%Z > /reloaded"]
"#;
    start(on, top, tables);
    let variables = ask(on, 20000, "/env").unwrap();
    assert!(variables.lines().any(|line| line == "FROM=entrypoint"), "{variables}");
    assert_eq!(on.inside("touch /x && ls /x; mkdir /y 2>/dev/null || echo no"), "/x\nno");
    match on.engine {
        // The end of the file is the rule of the zone (tzfile(5)).
        Engine::Podman => assert_eq!(on.inside("tail -n 1 /etc/localtime"), "UTC0"),
        Engine::Docker => assert!(variables.lines().any(|line| line == "TZ=UTC"), "{variables}"),
    }
    on.ok(["systemctl", "reload", "web.service"]).unwrap();
    assert_eq!(on.inside("cat /reloaded"), "UTC");

    start(on, "", "[reload]\nsignal = \"INT\"\n");
    on.ok(["systemctl", "reload", "web.service"]).unwrap();
    on.eventually(SOON, "the signal arrives", || {
        Ok(on.journal("web.service")?.contains("payload: ending on SIGINT"))
    })
    .unwrap();
}

pub(crate) fn encrypted_secrets_on(on: &Stage) {
    // Of the machine's own key; there is no TPM.
    let word = "battery-staple";
    let file = "/etc/credstore.encrypted/shop-key";
    on.sh(&format!(
        "mkdir -p /etc/credstore.encrypted
         systemd-creds setup
         printf {word} | systemd-creds encrypt --with-key=host --name=key - {file}
         ! grep {word} {file}"
    ))
    .unwrap();
    start(on, "", &format!("[secrets]\nkey = {{ path = \"{file}\", encrypted = true }}\n"));
    assert_eq!(on.inside("cat /run/secrets/key"), word);
    on.sh(&format!("! {} inspect conductor-web | grep {word}", on.engine.name())).unwrap();

    // systemd binds the name into the file: under another one it is not decrypted, and the start fails.
    start_fails(on, &format!("[secrets]\nother = {{ path = \"{file}\", encrypted = true }}\n"));
}

/// `web` cannot start with these tables.
fn start_fails(on: &Stage, tables: &str) {
    on.define("web", &format!("{WEB}\n{tables}"));
    let restarted = on.run(["systemctl", "restart", "web.service"]).unwrap();
    assert!(!restarted.success(), "{}", restarted.describe());
}

pub(crate) fn networks_on(on: &Stage) {
    let in_host = WEB.replace("container = 8080\n", "");
    on.define("web", &format!("network = \"host\"\n{in_host}"));
    on.ok(["systemctl", "start", "web.service"]).unwrap();
    assert_eq!(ask(on, 20000, "/healthz").unwrap(), "ok");

    let wide = WEB.replace("host = 20000", "host = 20001\naddress = \"0.0.0.0\"");
    on.define("wide", &wide);
    on.ok(["systemctl", "start", "wide.service"]).unwrap();
    assert_eq!(ask(on, 20001, "/healthz").unwrap(), "ok");

    on.define("alone", "image = \"localhost/web:1\"\ncommand = [\"payload\"]\nnetwork = \"none\"\n");
    on.ok(["systemctl", "start", "alone.service"]).unwrap();
    let interfaces = || on.run([on.engine.name(), "exec", "conductor-alone", "ls", "/sys/class/net"]);
    on.eventually(SOON, "it has no network but itself", || Ok(interfaces()?.stdout == "lo\n")).unwrap();
}

pub(crate) fn conditions_on(on: &Stage) {
    let tables = "[resources]\nslice = \"team-store\"\n[systemd.service]\nNice = 7\nExecStartPre = \"/usr/bin/touch /run/before-%N\"\n";
    start(on, "hosts = [\"nowhere\", \"conductor-*\"]", tables);
    assert_eq!(
        on.property("web.service", "ControlGroup").unwrap(),
        "/team.slice/team-store.slice/web.service"
    );
    assert_eq!(on.property("web.service", "Nice").unwrap(), "7");
    on.ok(["test", "-e", "/run/before-web"]).unwrap();

    on.define("other", &format!("hosts = [\"nowhere\"]\n{}", WEB.replace("20000", "20009")));
    on.ok(["systemctl", "start", "other.service"]).unwrap();
    assert_eq!(on.property("other.service", "ConditionResult").unwrap(), "no");
    assert_eq!(on.property("other.service", "ActiveState").unwrap(), "inactive");
}
