//! The .deb on a bare host: install, upgrade, remove, purge.

use std::collections::BTreeSet;
use std::time::Duration;

use conductor_tests::{Host, Image, Suite, newest_package};

use crate::fake;

const DEB: &str = "/root/conductor.deb";

fn bare_host() -> Host {
    bare_host_of(Suite::Trixie)
}

fn bare_host_of(suite: Suite) -> Host {
    let host = Host::boot(&Image::base(suite).unwrap()).unwrap();
    host.copy_in(&newest_package().unwrap(), DEB).unwrap();
    host
}

/// Every path on the disk, without what logs, caches and dpkg's own backups add by themselves.
fn files(host: &Host) -> BTreeSet<String> {
    let listed = host.ok(["find", "/", "-xdev"]).unwrap();
    let passing = ["/var/log/", "/var/cache/", "/var/lib/dpkg/", "/tmp/", "/var/tmp/", "/var/lib/systemd/"];
    let backup = |path: &str| path.ends_with('-') || path.ends_with("-old") || path == "/etc/.pwd.lock";
    let paths =
        listed.lines().filter(|path| !passing.iter().any(|dir| path.starts_with(dir)) && !backup(path));
    paths.map(str::to_owned).collect()
}

#[test]
fn install_remove_and_purge_leave_nothing_behind() {
    for suite in Suite::of_our_package() {
        install_and_purge(&bare_host_of(*suite));
    }
}

fn install_and_purge(host: &Host) {
    let before = files(host);
    host.ok(["dpkg", "--install", DEB]).unwrap();

    assert_eq!(host.ok(["dpkg", "--verify", "conductor"]).unwrap(), "", "files are as packaged");
    host.sh("dpkg --listfiles conductor | while read -r path; do test -e \"$path\" || echo \"$path\"; done")
        .unwrap();
    host.wait_active("conductor.target", Duration::from_secs(20)).unwrap();
    assert_eq!(host.ok(["systemctl", "is-enabled", "conductor.target"]).unwrap(), "enabled");
    host.ok(["getent", "passwd", "conductor-health"]).unwrap();
    let generator = "/usr/lib/systemd/system-generators/conductor-generator";
    host.ok(["test", "-x", generator]).unwrap();
    assert_eq!(host.ok(["systemctl", "is-system-running"]).unwrap(), "running");

    host.ok(["dpkg", "--remove", "conductor"]).unwrap();
    assert_ne!(host.property("conductor.target", "ActiveState").unwrap(), "active");
    host.ok(["dpkg", "--purge", "conductor"]).unwrap();
    let after = files(host);
    assert_eq!(after.difference(&before).collect::<Vec<_>>(), Vec::<&String>::new(), "left behind");
    assert_eq!(before.difference(&after).collect::<Vec<_>>(), Vec::<&String>::new(), "taken along");
    assert_eq!(host.ok(["systemctl", "list-units", "--all", "--no-legend", "conductor*"]).unwrap(), "");
    assert_eq!(host.ok(["systemctl", "is-system-running"]).unwrap(), "running");
    host.sh("! test -e /run/conductor && ! test -e /run/conductor-is-new").unwrap();
}

#[test]
fn definitions_survive_a_purge() {
    let host = bare_host();
    host.ok(["dpkg", "--install", DEB]).unwrap();
    // Too broken to start anything.
    host.write("/etc/conductor/services/mine.toml", "mine\n").unwrap();
    host.ok(["dpkg", "--purge", "conductor"]).unwrap();
    assert_eq!(host.read("/etc/conductor/services/mine.toml").unwrap(), "mine\n");
}

#[test]
fn upgrade_restarts_checkers_only_and_removal_stops_in_good_order() {
    let host = bare_host();
    host.ok(["dpkg", "--install", DEB]).unwrap();
    fake::install(&host, true).unwrap();
    let service = "# wanted\nExecStart=sleep infinity\nExecStop=sh -c 'sleep 1; echo web >> /root/stopped'";
    fake::unit(&host, "web.service", true, service).unwrap();
    fake::unit(&host, "web-health.service", true, "ExecStart=sleep infinity").unwrap();
    fake::unit(&host, "idle-health.service", true, "ExecStart=sleep infinity").unwrap();
    fake::unit(&host, "parked.service", true, "# wanted\nExecStart=sleep infinity").unwrap();
    host.sh("systemctl daemon-reload; systemctl start web web-health conductor-status.socket").unwrap();
    host.ok(["curl", "--silent", "http://127.0.0.1:9580/health"]).unwrap();
    let status = invocation(&host, "conductor-status.service");

    // An upgrade, to a version that differs in nothing but its number.
    let (web, checker) = (invocation(&host, "web.service"), invocation(&host, "web-health.service"));
    host.sh(&format!(
        "dpkg-deb --raw-extract {DEB} /root/next
         sed -i 's/^Version: .*/&+next/' /root/next/DEBIAN/control
         dpkg-deb -Znone --build /root/next /root/next.deb
         dpkg --install /root/next.deb"
    ))
    .unwrap();
    assert_eq!(invocation(&host, "web.service"), web, "the service was left alone");
    assert_ne!(invocation(&host, "web-health.service"), checker, "its checker runs the new code");
    assert_ne!(invocation(&host, "conductor-status.service"), status, "who answers for them, too");
    host.ok(["curl", "--silent", "http://127.0.0.1:9580/health"]).unwrap();
    for unit in ["idle-health.service", "parked.service"] {
        assert_eq!(host.property(unit, "ActiveState").unwrap(), "inactive", "{unit} was not started");
    }
    host.sh("! test -e /root/stopped").unwrap();

    host.ok(["dpkg", "--remove", "conductor"]).unwrap();
    assert_eq!(
        host.read("/root/stopped").unwrap(),
        "web\n",
        "ExecStop= ran, once, before the removal was done"
    );
    assert_eq!(host.property("web.service", "LoadState").unwrap(), "not-found");
    assert_eq!(host.ok(["systemctl", "list-units", "--all", "--no-legend", "web*"]).unwrap(), "");

    host.ok(["dpkg", "--install", DEB]).unwrap();
    // Installed anew, all is started.
    host.wait_active("web.service", Duration::from_secs(20)).unwrap();
}

#[test]
fn a_package_with_a_definition_causes_one_reload() {
    let host = bare_host();
    host.ok(["dpkg", "--install", DEB]).unwrap();
    host.write(
        "/root/shop/usr/lib/conductor/services/shop.toml",
        "image = \"localhost/web:1\"\nenabled = false\n",
    )
    .unwrap();
    let control =
        "Package: shop\nVersion: 1\nArchitecture: all\nMaintainer: T <t@t.example>\nDescription: t\n";
    host.write("/root/shop/DEBIAN/control", control).unwrap();
    let mark = host.mark().unwrap();
    let mut journal = host.follow(&mark).unwrap();
    host.sh("dpkg-deb --build /root/shop /root/shop.deb; dpkg --install /root/shop.deb").unwrap();
    journal.until_message(Duration::from_secs(10), "init.scope", "Reload").unwrap();
}

fn invocation(host: &Host, unit: &str) -> String {
    host.property(unit, "InvocationID").unwrap()
}
