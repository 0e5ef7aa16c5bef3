//! The checker stands back whenever systemd or the administrator is at work on the unit.

use std::time::{Duration, Instant};

use crate::common::{SOON, WEB, host_with, invocation, journal, only_containers, state, tell, undisturbed};

#[test]
fn nobody_is_asked_while_a_restart_is_pending() {
    let host = host_with(&WEB.replace("delay = \"2s\"", "delay = \"6s\""));
    let checker = invocation(&host, "web-health.service");
    let mut log = journal(&host);
    tell(&host, "/exit/1");
    log.until_message(SOON, "web-health.service", "deferred").unwrap();
    let status = host.property("web-health.service", "StatusText").unwrap();
    assert!(status.contains("deferred"), "{status}");
    // Somebody who listens where the container did: six checks would have come by now.
    let listener = host.run(["timeout", "3", "busybox", "nc", "-l", "-p", "20000"]).unwrap();
    assert_eq!(
        listener.code,
        Some(124),
        "somebody connected, or nobody could listen: {}",
        listener.describe()
    );
    assert_eq!(invocation(&host, "web-health.service"), checker, "it waits, it does not end");
    log.until_message(SOON, "web.service", "Started ").unwrap();
    assert_eq!(host.property("web.service", "NRestarts").unwrap(), "1");
}

#[test]
fn a_stop_during_failing_checks_is_not_undone() {
    let host = host_with(WEB);
    let mut log = journal(&host);
    tell(&host, "/mode/500");
    log.until_message(SOON, "web-health.service", "1 of 3").unwrap();
    host.ok(["systemctl", "stop", "web.service"]).unwrap();
    assert_eq!(state(&host, "web.service"), "inactive");
    undisturbed(&host, "web.service", Duration::from_secs(3));
    assert_eq!(state(&host, "web.service"), "inactive");
    only_containers(&host, &[]);
}

#[test]
fn a_slow_stop_is_not_cut_short() {
    let host = host_with(WEB);
    tell(&host, "/ignore-term");
    let mut log = journal(&host);
    tell(&host, "/mode/500");
    log.until_message(SOON, "web-health.service", "1 of 3").unwrap();
    let before = Instant::now();
    host.ok(["systemctl", "stop", "web.service"]).unwrap();
    // The engine's own ten seconds, and not the two of kill-grace.
    assert!(before.elapsed() > Duration::from_secs(9), "stopped after {:?}", before.elapsed());
    only_containers(&host, &[]);
}

#[test]
fn a_reload_disturbs_nothing() {
    let host = host_with(WEB);
    let web = invocation(&host, "web.service");
    for verb in ["daemon-reload", "daemon-reexec", "daemon-reload"] {
        host.ok(["systemctl", verb]).unwrap();
    }
    undisturbed(&host, "web.service", Duration::from_secs(2));
    assert_eq!(invocation(&host, "web.service"), web);
    // The checker still works after that.
    let mut log = journal(&host);
    tell(&host, "/mode/500");
    log.until_message(SOON, "web.service", "Scheduled restart job").unwrap();
    log.until_message(SOON, "web.service", "Started ").unwrap();
}
