//! The package's life with services of users.

use conductor_tests::{Entry, Host, newest_package};

use crate::common::{SOON, WEB, ask};
use crate::rootless::{alice, host_with_alice};

const DEB: &str = "/root/conductor.deb";

fn busy_host() -> Host {
    let host = host_with_alice();
    host.copy_in(&newest_package().unwrap(), DEB).unwrap();
    let alice = alice(&host);
    alice.define("web", WEB);
    alice.ok(&["systemctl", "--user", "start", "web.service"]);
    alice.wait_active("web-health.service");
    host
}

#[test]
fn an_upgrade_restarts_a_users_checkers_only() {
    let host = busy_host();
    let alice = alice(&host);
    let invocation = |unit: &str| alice.property(unit, "InvocationID");
    let (web, checker) = (invocation("web.service"), invocation("web-health.service"));
    host.sh(&format!(
        "dpkg-deb --raw-extract {DEB} /root/next
         sed -i 's/^Version: .*/&+next/' /root/next/DEBIAN/control
         dpkg-deb -Znone --build /root/next /root/next.deb
         dpkg --install /root/next.deb"
    ))
    .unwrap();
    assert_eq!(invocation("web.service"), web);
    alice.wait_active("web-health.service");
    assert_ne!(invocation("web-health.service"), checker, "the checker runs the new program");
}

#[test]
fn removal_stops_a_users_services_and_leaves_her_definitions() {
    let host = busy_host();
    let alice = alice(&host);
    let mark = host.mark().unwrap();
    host.ok(["dpkg", "--purge", "conductor"]).unwrap();
    alice.only_containers(&[]);
    let entries = host.entries_since(&mark).unwrap();
    let log: Vec<&str> =
        entries.iter().filter(|entry| entry.user_unit() == "web.service").map(Entry::message).collect();
    assert!(log.iter().any(|line| line.contains("payload: ending on SIGTERM")), "{log:#?}");
    let gone = || Ok(alice.property("web.service", "LoadState") == "not-found");
    host.eventually(SOON, "her systemd has let go of the unit", gone).unwrap();
    assert_eq!(alice.ok(&["systemctl", "--user", "--failed", "--no-legend"]), "");
    host.sh("! test -e /run/user/1001/conductor && test -e /home/alice/.config/conductor/services/web.toml")
        .unwrap();
    host.sh("! test -e /etc/systemd/user/default.target.wants/conductor.target && ! test -e /etc/conductor")
        .unwrap();

    // Installed again, it runs again.
    host.ok(["dpkg", "--install", DEB]).unwrap();
    alice.wait_active("web.service");
    assert_eq!(ask(&host, 20000, "/healthz").unwrap(), "ok");
}
