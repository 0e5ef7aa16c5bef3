//! An administrator types systemctl, and it does what it does for any other service.

use std::time::Duration;

use conductor_tests::announce;

use crate::common::{
    SOON, WEB, ask, host_with, invocation, journal, only_containers, state, tell, undisturbed,
};
use crate::stage::{Engine, Stage};

#[test]
fn stop_start_restart_and_kill() {
    let host = host_with(WEB);
    only_containers(&host, &["conductor-web"]);

    host.ok(["systemctl", "stop", "web.service"]).unwrap();
    assert_eq!(state(&host, "web.service"), "inactive", "a stop is no failure");
    host.wait_property("web-health.service", "ActiveState", "inactive", SOON).unwrap();
    only_containers(&host, &[]);
    assert!(ask(&host, 20000, "/healthz").is_err());

    host.ok(["systemctl", "start", "web.service"]).unwrap();
    assert_eq!(ask(&host, 20000, "/healthz").unwrap(), "ok");
    host.wait_active("web-health.service", SOON).unwrap();

    let web = invocation(&host, "web.service");
    host.ok(["systemctl", "restart", "web.service"]).unwrap();
    assert_ne!(invocation(&host, "web.service"), web);
    host.wait_active("web-health.service", SOON).unwrap();
    assert_eq!(ask(&host, 20000, "/healthz").unwrap(), "ok");

    let mut log = journal(&host);
    host.ok(["systemctl", "kill", "--signal=KILL", "web.service"]).unwrap();
    log.until_message(SOON, "web.service", "Scheduled restart job").unwrap();
    log.until_message(SOON, "web.service", "Started ").unwrap();
    only_containers(&host, &["conductor-web"]);
    assert_eq!(host.ok(["systemctl", "--failed", "--no-legend"]).unwrap(), "");
}

#[test]
fn status_and_cat_tell_everything() {
    let host = host_with(WEB);
    let status = host.ok(["systemctl", "status", "--no-pager", "--full", "web.service"]).unwrap();
    for expected in
        ["Active: active (running)", "web (localhost/web:1)", "payload: listening on port 8080", "conmon"]
    {
        assert!(status.contains(expected), "{expected} is not in:\n{status}");
    }
    let checker = || Ok(host.property("web-health.service", "StatusText")?.contains("1/1 healthy"));
    host.eventually(SOON, "the checker's status counts it as healthy", checker).unwrap();

    let cat = host.ok(["systemctl", "cat", "web.service", "web-health.service", "web-pull.service"]).unwrap();
    for expected in [
        "# /run/systemd/generator/web.service",
        "from /etc/conductor/services/web.toml",
        "SourcePath=/etc/conductor/services/web.toml",
        "ExecStart=/usr/bin/conductor-health watch",
    ] {
        assert!(cat.contains(expected), "{expected} is not in:\n{cat}");
    }
    assert_eq!(host.property("web.service", "NeedDaemonReload").unwrap(), "no");
    // An edit shows as for any unit file.
    host.sh("touch -d '+1 hour' /etc/conductor/services/web.toml").unwrap();
    assert_eq!(host.property("web.service", "NeedDaemonReload").unwrap(), "yes");
}

#[test]
fn stopping_the_checks_stops_nothing_else() {
    let host = host_with(WEB);
    host.ok(["systemctl", "stop", "web-health.service"]).unwrap();
    tell(&host, "/mode/500");
    assert!(ask(&host, 20000, "/healthz").is_err());
    // Twice as long as the checks would have needed.
    undisturbed(&host, "web.service", Duration::from_secs(4));
    assert_eq!(state(&host, "web.service"), "active");

    let mut log = journal(&host);
    host.ok(["systemctl", "start", "web-health.service"]).unwrap();
    log.until_message(SOON, "web.service", "Scheduled restart job").unwrap();
    log.until_message(SOON, "web.service", "Started ").unwrap();
}

#[test]
fn restarting_the_checker_restarts_nothing_else() {
    let host = host_with(WEB);
    let web = invocation(&host, "web.service");
    for _ in 0..3 {
        host.ok(["systemctl", "restart", "web-health.service"]).unwrap();
    }
    let mut log = journal(&host);
    host.ok(["systemctl", "kill", "--signal=KILL", "web-health.service"]).unwrap();
    log.until_message(SOON, "web-health.service", "Started ").unwrap();
    undisturbed(&host, "web.service", Duration::from_secs(3));
    assert_eq!(invocation(&host, "web.service"), web);
}

#[test]
fn the_checker_is_neither_root_nor_unconfined() {
    let host = host_with(WEB);
    host.wait_active("web-health.service", SOON).unwrap();
    let user = host.sh("ps -C conductor-health -o user:20=,args= | grep ' watch '").unwrap();
    assert!(user.starts_with("conductor-health "), "{user}");
    host.ok(["systemctl", "start", "conductor-status.socket"]).unwrap();
    host.ok(["curl", "-sS", "http://127.0.0.1:9580/health/web"]).unwrap();
    let bookworm = Stage::bookworm(Engine::Podman);
    if let Some(bookworm) = &bookworm {
        bookworm.start(WEB);
    }
    let machines = [Some((&host, "257")), bookworm.as_deref().map(|host| (host, "252"))];
    for (host, systemd) in machines.into_iter().flatten() {
        for unit in ["web-health.service", "conductor-status.service"] {
            let rating = host.ok(["systemd-analyze", "security", "--no-pager", unit]).unwrap();
            let exposure = rating.lines().last().unwrap();
            announce(format_args!("systemd {systemd}: {exposure}"));
            let number = exposure.split_whitespace().find_map(|word| word.parse::<f32>().ok()).unwrap();
            assert!(number <= 1.5, "{exposure}");
        }
    }

    // Of the two, the one that the network talks to cannot even ask systemd.
    let asks = |unit: &str| {
        let process = host.property(unit, "MainPID").unwrap();
        let inside = ["nsenter", "--mount", "--target", &process, "runuser", "-u", "conductor-health", "--"];
        let list = [
            "busctl",
            "--no-pager",
            "call",
            "org.freedesktop.systemd1",
            "/",
            "org.freedesktop.DBus.Peer",
            "Ping",
        ];
        host.run([&inside[..], &list].concat()).unwrap()
    };
    asks("web-health.service").ok().unwrap();
    assert!(!asks("conductor-status.service").success(), "it has a bus");
}
