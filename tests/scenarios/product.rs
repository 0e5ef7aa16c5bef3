//! The package's life with real containers.

use conductor_tests::{Host, newest_package};

use crate::common::{SOON, WEB, ask, define, host, invocation, only_containers};

const DEB: &str = "/root/conductor.deb";

/// A service and a group, both running.
fn busy_host() -> Host {
    let host = host();
    host.copy_in(&newest_package().unwrap(), DEB).unwrap();
    define(&host, "web", WEB);
    define(&host, "api", &format!("instances = 2\n{}", WEB.replace("20000", "20005")));
    host.ok(["systemctl", "start", "web.service", "api.target"]).unwrap();
    only_containers(&host, &["conductor-api.1", "conductor-api.2", "conductor-web"]);
    host
}

fn containers(host: &Host) -> String {
    host.ok(["podman", "ps", "--all", "--no-trunc", "--format", "{{.Names}} {{.ID}}"]).unwrap()
}

#[test]
fn an_upgrade_touches_no_container() {
    let host = busy_host();
    let (before, checker) = (containers(&host), invocation(&host, "web-health.service"));
    let units = ["web.service", "api@1.service", "api@2.service"];
    let invocations: Vec<String> = units.iter().map(|unit| invocation(&host, unit)).collect();
    host.sh(&format!(
        "dpkg-deb --raw-extract {DEB} /root/next
         sed -i 's/^Version: .*/&+next/' /root/next/DEBIAN/control
         dpkg-deb -Znone --build /root/next /root/next.deb
         dpkg --install /root/next.deb"
    ))
    .unwrap();
    assert_eq!(containers(&host), before);
    assert_eq!(units.iter().map(|unit| invocation(&host, unit)).collect::<Vec<_>>(), invocations);
    assert_ne!(invocation(&host, "web-health.service"), checker, "the checker runs the new program");
    assert_eq!(ask(&host, 20006, "/instance").unwrap(), "2");
}

#[test]
fn removal_stops_everything_and_leaves_definitions() {
    let host = busy_host();
    host.ok(["dpkg", "--purge", "conductor"]).unwrap();
    only_containers(&host, &[]);
    for unit in ["web.service", "api@1.service", "web-health.service"] {
        assert_eq!(host.property(unit, "LoadState").unwrap(), "not-found", "{unit}");
    }
    assert_eq!(host.ok(["systemctl", "--failed", "--no-legend"]).unwrap(), "");
    let log = host.journal("api@2.service").unwrap();
    assert!(log.contains("payload: ending on SIGTERM"), "{log}");
    host.ok(["test", "-e", "/etc/conductor/services/web.toml"]).unwrap();

    // Installed again, it runs again, and dpkg does not wait for that.
    host.ok(["dpkg", "--install", DEB]).unwrap();
    host.wait_active("web.service", SOON).unwrap();
    assert_eq!(ask(&host, 20000, "/healthz").unwrap(), "ok");
}

#[test]
fn a_service_that_hangs_does_not_keep_dpkg() {
    let host = host();
    host.copy_in(&newest_package().unwrap(), DEB).unwrap();
    host.ok(["dpkg", "--remove", "conductor"]).unwrap();
    // Not healthy for minutes.
    let hangs = WEB.replace("start-within = \"20s\"", "start-within = \"10min\"");
    let definition = format!("{hangs}[environment]\nPAYLOAD_MODE = \"500\"\n");
    host.write("/etc/conductor/services/web.toml", &definition).unwrap();
    host.ok(["timeout", "60", "dpkg", "--install", DEB]).unwrap();
    host.wait_property("web.service", "ActiveState", "activating", SOON).unwrap();
}
