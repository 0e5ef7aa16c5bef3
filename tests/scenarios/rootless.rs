//! Services of users: without root, run by the user's own systemd.

use conductor_tests::{Entry, Host, Image, Output, Suite, announce, newest_package};

use crate::common::{SOON, WEB, ask, define, invocation, only_containers, tell};

const BROKEN: &str = "imgae = \"localhost/web:1\"\n";

/// Somebody who is not root.
pub(crate) struct User<'a> {
    host: &'a Host,
    name: &'static str,
    uid: u16,
}

/// Whose services run without her being logged in.
pub(crate) fn alice(host: &Host) -> User<'_> {
    User { host, name: "alice", uid: 1001 }
}

/// Who has nothing to do with hers.
fn bob(host: &Host) -> User<'_> {
    User { host, name: "bob", uid: 1002 }
}

impl User<'_> {
    /// Runs a command as if the user had logged in.
    pub(crate) fn run(&self, arguments: &[&str]) -> Output {
        let home = format!("/home/{}", self.name);
        let environment = [format!("HOME={home}"), format!("XDG_RUNTIME_DIR=/run/user/{}", self.uid)];
        let login = ["runuser", "--user", self.name, "--", "env", "--chdir", &home];
        let words =
            login.into_iter().chain(environment.iter().map(String::as_str)).chain(arguments.iter().copied());
        self.host.run(words).unwrap()
    }

    pub(crate) fn ok(&self, arguments: &[&str]) -> String {
        self.run(arguments).ok().unwrap()
    }

    /// Writes a definition and reloads the user's systemd.
    pub(crate) fn define(&self, name: &str, definition: &str) {
        self.write(name, definition);
        self.ok(&["systemctl", "--user", "daemon-reload"]);
    }

    pub(crate) fn write(&self, name: &str, definition: &str) {
        let script = r#"mkdir -p ~/.config/conductor/services
            printf %s "$1" > ~/.config/conductor/services/"$0".toml"#;
        self.ok(&["sh", "-euc", script, name, definition]);
    }

    pub(crate) fn property(&self, unit: &str, property: &str) -> String {
        self.ok(&["systemctl", "--user", "show", "--value", "--property", property, "--", unit])
    }

    /// Waits until the unit is active: the systemd that PID 1 starts for her is not waited for at boot.
    pub(crate) fn wait_active(&self, unit: &str) {
        let active = || Ok(self.run(&["systemctl", "--user", "is-active", unit]).stdout == "active\n");
        self.host.eventually(SOON, &format!("{unit} of {} is active", self.name), active).unwrap();
    }

    /// Exactly these containers exist, and all run.
    pub(crate) fn only_containers(&self, names: &[&str]) {
        let listed = self.ok(&["podman", "ps", "--all", "--format", "{{.Names}} {{.State}}"]);
        let mut listed: Vec<&str> = listed.lines().collect();
        listed.sort_unstable();
        let expected: Vec<String> = names.iter().map(|name| format!("{name} running")).collect();
        assert_eq!(listed, expected, "containers of {}", self.name);
    }
}

/// A machine with Conductor and users, on which alice has the payload's image too.
pub(crate) fn host_with_alice() -> Host {
    host_of(Suite::Trixie)
}

fn host_of(suite: Suite) -> Host {
    let image = Image::base(suite).unwrap().add_payload().unwrap().add_users().unwrap();
    let host = Host::boot(&image.add_package(&newest_package().unwrap()).unwrap()).unwrap();
    alice(&host).wait_active("conductor.target");
    host.sh("podman save --output=/tmp/web.tar localhost/web:1; chmod a+r /tmp/web.tar").unwrap();
    alice(&host).ok(&["podman", "load", "--quiet", "--input=/tmp/web.tar"]);
    host
}

/// What the user's systemd says about `unit`, or the unit itself.
fn of_users(unit: &'static str, text: &'static str) -> impl Fn(&Entry) -> bool {
    move |entry| entry.user_unit() == unit && entry.message().contains(text)
}

#[test]
fn a_users_service_is_hers_alone() {
    let host = host_with_alice();
    // One of the same name, of the machine's.
    define(&host, "web", &WEB.replace("20000", "20001"));
    host.ok(["systemctl", "start", "web.service"]).unwrap();
    let machines = invocation(&host, "web.service");

    let alice = alice(&host);
    alice.ok(&["sh", "-euc", "umask 077; echo correct-horse > ~/key"]);
    let more = "[environment]\nPAYLOAD_START_DELAY = \"1.5\"\n[secrets]\nkey = \"/home/alice/key\"\n\
                own = { path = \"/home/alice/key\", uid = 1000, gid = 1001 }\n";
    alice.define("web", &format!("{WEB}{more}"));
    // Returns when it answers, not before.
    alice.ok(&["systemctl", "--user", "start", "web.service"]);
    assert_eq!(ask(&host, 20000, "/healthz").unwrap(), "ok");
    assert!(alice.property("web.service", "StatusText").starts_with("Healthy at "));
    alice.wait_active("web-health.service");

    // Everything of it is hers, in her manager's control groups.
    alice.only_containers(&["conductor-web"]);
    for program in ["payload", "conmon", "conductor-health"] {
        let owners = host.sh(&format!("ps -C {program} -o user= | sort -u")).unwrap();
        assert!(owners.lines().any(|owner| owner == "alice"), "{program} runs as {owners}");
    }
    let group = alice.property("web.service", "ControlGroup");
    assert_eq!(group, "/user.slice/user-1001.slice/user@1001.service/conductor.slice/web.service");

    // Her commands show it …
    let healthy = || Ok(alice.ok(&["conductor", "--user", "status"]).contains("running  healthy"));
    host.eventually(SOON, "status shows it as healthy", healthy).unwrap();
    assert!(alice.ok(&["conductor", "logs", "--user", "web"]).contains("payload: listening on port 8080"));
    let secret = alice.ok(&["conductor", "exec", "--user", "web", "--", "cat", "/run/secrets/key"]);
    assert_eq!(secret, "correct-horse");
    let owner = ["stat", "-c", "%u:%g %a", "/run/secrets/own"];
    assert_eq!(
        alice.ok(&[&["conductor", "exec", "--user", "web", "--"], &owner[..]].concat()),
        "1000:1001 440"
    );
    let ran =
        alice.run(&["conductor", "run", "--user", "web", "--", "sh", "-c", "cat /run/secrets/key; exit 3"]);
    assert_eq!((ran.stdout.as_str(), ran.code), ("correct-horse\n", Some(3)), "{}", ran.describe());
    assert_eq!(alice.ok(&["conductor", "diff", "--user"]), "");
    // … and nobody else's do.
    let refused = alice.run(&["conductor", "exec", "web", "--", "true"]).stderr;
    assert!(refused.contains("with --user for your own"), "{refused}");
    host.ok(["systemctl", "start", "user@1002.service"]).unwrap();
    let bob = bob(&host);
    assert!(bob.ok(&["conductor", "--user", "status"]).starts_with("no services: "));
    assert_eq!(bob.ok(&["systemctl", "--user", "list-units", "--all", "--no-legend", "web*"]), "");
    assert!(!bob.run(&["ls", "/run/user/1001"]).success());

    // The machine's own service of that name has not noticed anything.
    assert_eq!(invocation(&host, "web.service"), machines);
    let listed = host.ok(["podman", "ps", "--all", "--format", "{{.Names}} {{.State}}"]).unwrap();
    assert_eq!(listed, "conductor-web running");
    alice.ok(&["systemctl", "--user", "stop", "web.service"]);
    alice.only_containers(&[]);
    assert_eq!(ask(&host, 20001, "/healthz").unwrap(), "ok");
    only_containers(&host, &["conductor-web"]);
}

#[test]
fn a_sick_container_is_restarted_by_the_users_own_systemd() {
    let host = host_with_alice();
    let alice = alice(&host);
    alice.define("web", WEB);
    alice.ok(&["systemctl", "--user", "start", "web.service"]);
    alice.wait_active("web-health.service");
    for (ignores, how) in [(false, "SIGTERM sent"), (true, "SIGKILL sent")] {
        if ignores {
            tell(&host, "/ignore-term");
        }
        let mut log = host.follow(&host.mark().unwrap()).unwrap();
        tell(&host, "/mode/500");
        log.until(SOON, "the checker ends it", of_users("web-health.service", how)).unwrap();
        let ended = log
            .until(SOON, "the restart is scheduled", of_users("web.service", "Scheduled restart job"))
            .unwrap();
        let started = log.until(SOON, "it has started", of_users("web.service", "Started ")).unwrap();
        assert!(started.at() >= ended.at(), "in this order");
        assert_eq!(ask(&host, 20000, "/healthz").unwrap(), "ok");
        alice.only_containers(&["conductor-web"]);
        alice.wait_active("web-health.service");
    }
    assert_eq!(alice.property("web.service", "NRestarts"), "2");

    // One that dies by itself, or whose monitor does, comes back as well.
    let before = alice.property("web.service", "InvocationID");
    let mut log = host.follow(&host.mark().unwrap()).unwrap();
    host.sh("pkill --signal KILL --uid alice conmon").unwrap();
    log.until(SOON, "it has started", of_users("web.service", "Started ")).unwrap();
    assert_ne!(alice.property("web.service", "InvocationID"), before);
    alice.only_containers(&["conductor-web"]);
}

#[test]
fn her_services_run_after_a_reboot_although_she_does_not_log_in() {
    let mut host = host_with_alice();
    alice(&host).write("web", WEB);
    alice(&host).write("idle", &format!("enabled = false\n{}", WEB.replace("20000", "20001")));
    alice(&host).define("api", &format!("instances = 2\n{}", WEB.replace("20000", "20002")));
    host.reboot().unwrap();
    assert_runs(&host);
    host.reboot().unwrap();
    assert_runs(&host);
    // In good order: it was asked to end, and did.
    let log = host.ok(["journalctl", "--boot=-1", "_SYSTEMD_USER_UNIT=web.service", "--output=cat"]).unwrap();
    assert!(log.contains("payload: ending on SIGTERM"), "{log}");
    // podman's records on disk still say that containers of these names run.
    host.crash();
    host.power_on().unwrap();
    assert_runs(&host);
}

fn assert_runs(host: &Host) {
    let alice = alice(host);
    for unit in ["web.service", "web-health.service", "api.target", "api@1.service", "api@2.service"] {
        alice.wait_active(unit);
    }
    for port in [20000, 20002, 20003] {
        assert_eq!(ask(host, port, "/healthz").unwrap(), "ok", "port {port}");
    }
    assert_eq!(ask(host, 20003, "/instance").unwrap(), "2");
    alice.only_containers(&["conductor-api.1", "conductor-api.2", "conductor-web"]);
    assert_eq!(alice.property("idle.service", "ActiveState"), "inactive");
    assert_eq!(host.ok(["systemctl", "is-system-running"]).unwrap(), "running");
}

#[test]
fn broken_definitions_hurt_nobody_and_explain_themselves() {
    let host = host_with_alice();
    let alice = alice(&host);
    alice.write("api", BROKEN);
    alice.define("web", WEB);
    alice.ok(&["systemctl", "--user", "start", "web.service"]);
    // A stub, whose status says what is wrong.
    assert!(!alice.run(&["systemctl", "--user", "start", "api.service"]).success());
    let status = alice.run(&["systemctl", "--user", "status", "--no-pager", "--full", "api.service"]).stdout;
    for expected in [
        "/home/alice/.config/conductor/services/api.toml:1:1",
        "did you mean `image`?",
        "systemctl --user daemon-reload",
    ] {
        assert!(status.contains(expected), "{expected} is not in:\n{status}");
    }
    let said = host.ok(["journalctl", "_UID=1001", "--grep=conductor-generator", "--output=cat"]).unwrap();
    assert!(said.contains("api.toml:1:1: unknown key `imgae`"), "{said}");

    // What runs keeps its last good units, and stops in good order.
    let running = alice.property("web.service", "InvocationID");
    alice.define("web", BROKEN);
    assert_eq!(alice.property("web.service", "InvocationID"), running);
    assert!(alice.ok(&["systemctl", "--user", "cat", "web.service"]).contains("podman stop"));
    let shown = alice.ok(&["conductor", "status", "--user", "web"]);
    assert!(shown.contains("the units are those of its last good definition"), "{shown}");
    alice.ok(&["sh", "-c", "rm ~/.config/conductor/services/web.toml"]);
    alice.ok(&["systemctl", "--user", "daemon-reload"]);
    alice.ok(&["systemctl", "--user", "stop", "web.service"]);
    alice.only_containers(&[]);
    alice.ok(&["systemctl", "--user", "daemon-reload"]);
    assert_eq!(alice.property("web.service", "LoadState"), "not-found");
}

#[test]
fn definitions_for_all_users_and_what_a_user_makes_of_them() {
    let host = host_with_alice();
    let alice = alice(&host);
    host.write("/etc/conductor/users/services/web.toml", WEB).unwrap();
    host.write("/etc/conductor/users/services/api.toml", &WEB.replace("20000", "20001")).unwrap();
    alice.ok(&[
        "sh",
        "-euc",
        "mkdir -p ~/.config/conductor/services/web.toml.d
        cd ~/.config/conductor/services; ln -s /dev/null api.toml
        printf '[environment]\\nCOLOUR = \"blue\"\\n' > web.toml.d/10-mine.toml",
    ]);
    alice.ok(&["systemctl", "--user", "daemon-reload"]);
    assert_eq!(alice.property("api.service", "LoadState"), "not-found");
    // PID 1 has nothing to do with these.
    host.ok(["systemctl", "daemon-reload"]).unwrap();
    assert_eq!(host.property("web.service", "LoadState").unwrap(), "not-found");

    let refused = alice.run(&["conductor", "disable", "--user", "web"]).stderr;
    assert!(refused.contains("copy it first with `install -D"), "{refused}");
    let copy = "cp /etc/conductor/users/services/web.toml ~/.config/conductor/services/";
    alice.ok(&["sh", "-c", copy]);
    alice.ok(&["conductor", "disable", "--user", "web"]);
    alice.ok(&["conductor", "enable", "--user", "--now", "web"]);
    assert!(ask(&host, 20000, "/env").unwrap().contains("COLOUR=blue"));
    alice.ok(&["conductor", "disable", "--user", "--now", "web"]);
    assert_eq!(alice.property("web.service", "ActiveState"), "inactive");
}

#[test]
fn who_logs_out_takes_the_services_along() {
    let host = host_with_alice();
    alice(&host).define("web", WEB);
    alice(&host).ok(&["systemctl", "--user", "start", "web.service"]);
    let mark = host.mark().unwrap();
    // Without lingering, the last logout ends the user's manager.
    host.ok(["systemctl", "stop", "user@1001.service"]).unwrap();
    let entries = host.entries_since(&mark).unwrap();
    let ended = entries.iter().any(of_users("web.service", "payload: ending on SIGTERM"));
    assert!(ended, "it was asked to end");
    assert_eq!(host.sh("pgrep --uid alice conmon || true").unwrap(), "");
    host.ok(["systemctl", "start", "user@1001.service"]).unwrap();
    alice(&host).wait_active("web.service");
    alice(&host).only_containers(&["conductor-web"]);
    assert_eq!(ask(&host, 20000, "/healthz").unwrap(), "ok");
}

#[test]
fn a_user_has_networks_and_volumes_of_her_own() {
    let host = host_with_alice();
    let alice = alice(&host);
    let script = r#"mkdir -p ~/.config/conductor/networks ~/.config/conductor/volumes
        cd ~/.config/conductor; echo '# any subnet' > networks/backend.toml; echo '# empty' > volumes/data.toml"#;
    alice.ok(&["sh", "-euc", script]);
    alice.write("db", "image = \"localhost/web:1\"\nnetwork = \"backend\"\n");
    let volume = "[[volumes]]\nsource = \"data\"\ntarget = \"/data\"\n";
    alice.define("web", &format!("network = \"backend\"\n{WEB}{volume}"));
    alice.ok(&["systemctl", "--user", "start", "db.service", "web.service"]);
    let inside =
        |script: &str| alice.run(&["conductor", "exec", "--user", "web", "--", "sh", "-euc", script]);
    let found = || Ok(inside("wget -qO- http://db:8080/healthz").stdout == "ok\n");
    host.eventually(SOON, "web finds db by its name", found).unwrap();
    inside("echo kept > /data/file").ok().unwrap();

    alice.ok(&["systemctl", "--user", "restart", "web.service"]);
    assert_eq!(inside("cat /data/file").ok().unwrap(), "kept");
    assert_eq!(ask(&host, 20000, "/healthz").unwrap(), "ok");
    // root has none of these.
    for kind in ["network", "volume"] {
        assert!(!host.run(["podman", kind, "exists", "backend"]).unwrap().success());
        assert!(!host.run(["podman", kind, "exists", "data"]).unwrap().success());
    }
}

/// A container's stand-in: what the user's manager, the generator, the gate and the checker do is the same. podman 4.3
/// would leave the unit for a scope of its own here, because it takes a hierarchy of cgroup v1, which machines that
/// tests run on may have besides v2, for one in which its control group is not the user's.
const FAKE: &str = r#"
image = "localhost/web:1"
pull = { policy = "never" }

[[ports]]
container = 8080
host = 20000

[health]
path = "/healthz"
interval = "500ms"
unhealthy-after = 2

[restart]
delay = "1s"

[systemd.service]
Type = "exec"
ExecStart = ["", "/bin/busybox httpd -f -p 127.0.0.1:20000 -h %h/www"]
ExecStop = ""
ExecStopPost = ["", "/bin/sh -c 'echo ok > %h/www/healthz'"]
"#;

/// Root's containers cannot have user namespaces of their own on these machines: the kernel refuses to mount sysfs below
/// somebody else's. A user's can.
#[test]
fn a_user_namespace_in_which_she_is_herself() {
    let host = host_with_alice();
    let alice = alice(&host);
    alice.ok(&["sh", "-euc", "umask 077; echo correct-horse > ~/key"]);
    let tables = "[security]\nuser-namespace = \"keep-id\"\n[secrets]\nkey = \"/home/alice/key\"\n";
    alice.define("web", &format!("{WEB}\n{tables}"));
    alice.ok(&["systemctl", "--user", "start", "web.service"]);
    let script = "id -u; cat /run/secrets/key";
    let inside = alice.ok(&["conductor", "exec", "--user", "web", "--", "sh", "-c", script]);
    assert_eq!(inside, "1001\ncorrect-horse");
}

#[test]
fn the_oldest_systemd_runs_users_services_too() {
    if !Suite::of_our_package().contains(&Suite::Bookworm) {
        announce("left out: a package built here does not run on bookworm");
        return;
    }
    let host = host_of(Suite::Bookworm);
    let alice = alice(&host);
    alice.ok(&["sh", "-c", "mkdir www; echo ok > www/healthz"]);
    let mark = host.mark().unwrap();
    alice.define("web", FAKE);
    alice.ok(&["systemctl", "--user", "start", "web.service"]);
    assert!(alice.property("web.service", "StatusText").starts_with("Healthy at "));
    let healthy = || Ok(alice.ok(&["conductor", "status", "--user"]).contains("running  healthy"));
    host.eventually(SOON, "status shows it as healthy", healthy).unwrap();

    let mut log = host.follow(&mark).unwrap();
    alice.ok(&["rm", "www/healthz"]);
    log.until(SOON, "the checker ends it", of_users("web-health.service", "SIGTERM sent")).unwrap();
    log.until(SOON, "the restart is scheduled", of_users("web.service", "Scheduled restart job")).unwrap();
    log.until(SOON, "it has started", of_users("web.service", "Started ")).unwrap();
    assert_eq!(ask(&host, 20000, "/healthz").unwrap(), "ok");

    // It runs still when its definition is broken, and so its units stay: the links to what runs are there.
    alice.define("web", BROKEN);
    alice.ok(&["sh", "-c", "rm ~/.config/conductor/services/web.toml"]);
    alice.ok(&["systemctl", "--user", "daemon-reload"]);
    assert_eq!(alice.property("web.service", "LoadState"), "loaded");
    let entries = host.entries_since(&mark).unwrap();
    let said: Vec<&str> =
        entries.iter().map(Entry::message).filter(|text| text.contains("ignoring")).collect();
    assert!(said.is_empty(), "no directive is unknown: {said:?}");
}

#[test]
fn what_her_checkers_see_is_told_to_her_alone() {
    let host = host_with_alice();
    let alice = alice(&host);
    alice.define("web", WEB);
    alice.ok(&["systemctl", "--user", "start", "web.service", "conductor-status.socket"]);
    let socket = "/run/user/1001/conductor/status.socket";
    let asked = |path: &str| {
        let url = format!("http://hers{path}");
        alice.ok(&["curl", "-sS", "--max-time", "5", "--unix-socket", socket, &url])
    };
    let up = || Ok(asked("/health/web") == "up, 1 of 1 instances are healthy");
    host.eventually(SOON, "it is up", up).unwrap();
    assert!(asked("/metrics").contains("conductor_health_checker_up{service=\"web\"} 1"));
    let refused = bob(&host).run(&["curl", "-sS", "--unix-socket", socket, "http://hers/health"]);
    assert!(!refused.success(), "bob may ask");
    alice.ok(&[
        "sh",
        "-c",
        "mkdir -p /run/user/1001/conductor/drain && touch /run/user/1001/conductor/drain/web",
    ]);
    assert!(asked("/health/web").starts_with("drain, because /run/user/1001/conductor/drain/web is there"));
    alice.ok(&["rm", "/run/user/1001/conductor/drain/web"]);

    // Fields as her systemd has them.
    let run = alice.property("web.service", "InvocationID");
    let mut log = host.follow(&host.mark().unwrap()).unwrap();
    tell(&host, "/mode/500");
    let failing = |entry: &Entry| entry.get("STATE_TO") == "failing";
    let entry = log.until(SOON, "it fails", failing).unwrap();
    for (field, value) in [
        ("USER_UNIT", "web.service"),
        ("USER_INVOCATION_ID", &run),
        ("CONDUCTOR_SERVICE", "web"),
        ("_SYSTEMD_USER_UNIT", "web-health.service"),
    ] {
        assert_eq!(entry.get(field), value, "{field}");
    }
    log.until(SOON, "it is restarted", of_users("web.service", "Started ")).unwrap();
    host.eventually(SOON, "it is up again", up).unwrap();

    // Most of the rating is for what takes root (`WITHOUT_ROOT` in the units' crate), so this is no 1.5.
    for unit in ["web-health.service", "conductor-status.service"] {
        let rating = alice.ok(&["systemd-analyze", "--user", "security", "--no-pager", unit]);
        let exposure = rating.lines().last().unwrap();
        announce(format_args!("of a user: {exposure}"));
        let number = exposure.split_whitespace().find_map(|word| word.parse::<f32>().ok()).unwrap();
        assert!(number <= 6.5, "{rating}");
    }
}
