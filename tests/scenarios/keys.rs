//! What a definition says is in force: the container is asked.

use conductor_tests::Host;

use crate::common::{WEB, ask, define, host, only_containers};

/// Starts `web` with more keys at the top and at the end.
fn start(host: &Host, top: &str, tables: &str) {
    define(host, "web", &format!("{top}\n{WEB}\n{tables}"));
    host.ok(["systemctl", "start", "web.service"]).unwrap();
}

/// A command in the container.
fn inside(host: &Host, script: &str) -> String {
    host.ok(["podman", "exec", "conductor-web", "sh", "-c", script]).unwrap()
}

#[test]
fn process_storage_and_rights() {
    let host = host();
    host.sh("mkdir -p /srv/data; echo from-host > /srv/data/file; echo FROM_FILE=yes > /etc/web.env")
        .unwrap();
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
options = ["U"]
[[tmpfs]]
target = "/scratch"
size = "1M"
[ulimits]
nofile = { soft = 100, hard = 200 }
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
    start(&host, top, tables);

    assert_eq!(inside(&host, "id -u; id -g; id -G"), "1234\n5678\n5678 44");
    assert_eq!(inside(&host, "readlink /proc/self/cwd; hostname"), "/www\nshop.example.com");
    assert!(ask(&host, 20000, "/env").unwrap().lines().any(|line| line == "FROM_FILE=yes"));
    // An init is the first process, and the root file system is read-only but for what was asked for.
    assert_ne!(ask(&host, 20000, "/pid").unwrap(), "1");
    let touch = "touch /x 2>/dev/null || echo no; touch /data/x 2>/dev/null || echo no; touch /scratch/x /cache/x; cat /data/file";
    assert_eq!(inside(&host, touch), "no\nno\nfrom-host");
    assert_eq!(inside(&host, "df -k /scratch /dev/shm | awk 'NR>1{print $2}'"), "1024\n1024");
    assert_eq!(inside(&host, "ulimit -Sn; ulimit -Hn"), "100\n200");
    assert_eq!(inside(&host, "cat /proc/sys/net/ipv4/ip_unprivileged_port_start"), "1");
    let resolver = inside(&host, "cat /etc/resolv.conf");
    assert!(
        resolver.contains("nameserver 192.0.2.1") && resolver.contains("search example.org"),
        "{resolver}"
    );
    assert!(inside(&host, "cat /etc/hosts").contains("192.0.2.7\tdb"));
    assert_eq!(inside(&host, "ls /dev/fuse"), "/dev/fuse");
    // Only CAP_NET_ADMIN (bit 12) is left in the bounding set.
    assert_eq!(
        inside(&host, "awk '/CapBnd/{print $2} /NoNewPrivs/{print $2}' /proc/1/status"),
        "0000000000001000\n1"
    );
    let label = "{{index .Config.Labels \"com.example.team\"}} {{.Config.StopSignal}}";
    let shown = host.ok(["podman", "inspect", "--format", label, "conductor-web"]).unwrap();
    assert_eq!(shown, "store front SIGINT");

    host.ok(["systemctl", "stop", "web.service"]).unwrap();
    assert!(host.journal("web.service").unwrap().contains("payload: ending on SIGINT"));
    only_containers(&host, &[]);
}

#[test]
fn secrets_are_in_the_container_and_nowhere_else() {
    let host = host();
    let word = "correct-horse";
    host.sh(&format!("install -m 600 /dev/null /etc/plain; echo {word} > /etc/plain")).unwrap();
    start(&host, "", "[secrets]\ndatabase-url = \"/etc/plain\"\n");
    assert_eq!(inside(&host, "cat /run/secrets/database-url"), word);
    // Neither in the unit, nor in the environment, nor in the engine's books, nor readable for others.
    host.sh(&format!(
        "! systemctl cat web | grep {word}
         ! systemctl show web | grep {word}
         ! podman inspect conductor-web | grep {word}
         ! grep --text --quiet {word} /proc/[0-9]*/environ
         ! runuser -u nobody -- cat /run/credentials/web.service/database-url"
    ))
    .unwrap();
    host.ok(["systemctl", "stop", "web.service"]).unwrap();
    host.sh("! test -e /run/credentials/web.service").unwrap();
}

#[test]
fn the_hosts_network_and_other_addresses() {
    let host = host();
    let in_host = WEB.replace("container = 8080\n", "");
    define(&host, "web", &format!("network = \"host\"\n{in_host}"));
    host.ok(["systemctl", "start", "web.service"]).unwrap();
    assert_eq!(ask(&host, 20000, "/healthz").unwrap(), "ok");

    let wide = WEB.replace("host = 20000", "host = 20001\naddress = \"0.0.0.0\"");
    define(&host, "wide", &wide);
    host.ok(["systemctl", "start", "wide.service"]).unwrap();
    assert_eq!(ask(&host, 20001, "/healthz").unwrap(), "ok");
}

#[test]
fn conditions_slices_and_directives() {
    let host = host();
    let tables = "[resources]\nslice = \"team-store\"\n[systemd.service]\nNice = 7\nExecStartPre = \"/usr/bin/touch /run/before-%N\"\n";
    start(&host, "hosts = [\"nowhere\", \"conductor-*\"]", tables);
    assert_eq!(
        host.property("web.service", "ControlGroup").unwrap(),
        "/team.slice/team-store.slice/web.service"
    );
    assert_eq!(host.property("web.service", "Nice").unwrap(), "7");
    host.ok(["test", "-e", "/run/before-web"]).unwrap();

    define(&host, "other", &format!("hosts = [\"nowhere\"]\n{}", WEB.replace("20000", "20001")));
    host.ok(["systemctl", "start", "other.service"]).unwrap();
    assert_eq!(host.property("other.service", "ConditionResult").unwrap(), "no");
    assert_eq!(host.property("other.service", "ActiveState").unwrap(), "inactive");
}
