//! A definition is edited while the service runs: until somebody restarts the service, what runs is what
//! is checked, whatever becomes of the checker meanwhile.

use std::time::Duration;

use conductor_tests::Host;

use crate::common::{SOON, WEB, ask, define, host, host_with, invocation, journal, undisturbed};

const CHECKER: &str = "web-health.service";

/// Waits until the checker has started and counts so many healthy instances.
fn counts(host: &Host, healthy: &str) -> String {
    let mut status = String::new();
    let counted = || {
        status = host.property(CHECKER, "StatusText")?;
        Ok(host.property(CHECKER, "ActiveState")? == "active" && status.starts_with(healthy))
    };
    host.eventually(SOON, &format!("the checker's status says {healthy}"), counted).unwrap();
    status
}

/// Breaks the instance that listens on `port` and waits until `unit` has been restarted for it.
fn is_restarted_when_it_fails(host: &Host, unit: &str, port: u16) {
    let before = invocation(host, unit);
    let mut log = journal(host);
    ask(host, port, "/mode/500").unwrap();
    log.until_message(SOON, unit, "Scheduled restart job").unwrap();
    log.until_message(SOON, unit, "Started ").unwrap();
    assert_ne!(invocation(host, unit), before);
}

#[test]
fn another_port_waits_for_the_next_start() {
    let host = host_with(WEB);
    counts(&host, "1/1 healthy");
    let status = host.property("web.service", "StatusText").unwrap();
    assert!(status.starts_with("Healthy at http://127.0.0.1:20000/healthz after "), "{status}");
    let web = invocation(&host, "web.service");

    let mut log = journal(&host);
    define(&host, "web", &WEB.replace("20000", "20010"));
    log.until_message(SOON, CHECKER, "its definition changed: starting again").unwrap();
    log.until_message(SOON, CHECKER, "asked at http://127.0.0.1:20000/healthz until it restarts").unwrap();
    let pending = "1/1 healthy, web.service: still runs with an older definition";
    assert_eq!(counts(&host, "1/1 healthy"), pending);

    for _ in 0..2 {
        host.ok(["systemctl", "restart", CHECKER]).unwrap();
        counts(&host, pending);
        let mut log = journal(&host);
        host.ok(["systemctl", "kill", "--signal=KILL", CHECKER]).unwrap();
        log.until_message(SOON, CHECKER, "Started ").unwrap();
        counts(&host, pending);
    }
    // Twice as long as a wrong address would have needed to end it.
    undisturbed(&host, "web.service", Duration::from_secs(4));
    assert_eq!(invocation(&host, "web.service"), web, "restarting the checker restarts nothing else");

    is_restarted_when_it_fails(&host, "web.service", 20000);
    assert_eq!(ask(&host, 20010, "/healthz").unwrap(), "ok");
    assert!(ask(&host, 20000, "/healthz").is_err(), "the old port is closed");
    assert_eq!(counts(&host, "1/1 healthy"), "1/1 healthy");
    is_restarted_when_it_fails(&host, "web.service", 20010);
}

#[test]
fn one_more_instance_is_checked_as_soon_as_it_runs() {
    let host = host();
    define(&host, "web", &format!("instances = 2\n{WEB}"));
    host.ok(["systemctl", "start", "web.target"]).unwrap();
    counts(&host, "2/2 healthy");
    let others = ["web@1.service", "web@2.service"].map(|unit| (unit, invocation(&host, unit)));

    define(&host, "web", &format!("instances = 3\n{WEB}"));
    host.ok(["systemctl", "start", "web.target"]).unwrap();
    assert_eq!(ask(&host, 20002, "/instance").unwrap(), "3");
    assert_eq!(counts(&host, "3/3 healthy"), "3/3 healthy");
    is_restarted_when_it_fails(&host, "web@3.service", 20002);
    counts(&host, "3/3 healthy");
    for (unit, before) in others {
        assert_eq!(invocation(&host, unit), before, "{unit} has no part in it");
    }
}

#[test]
fn a_reload_that_changes_nothing_leaves_the_checker_alone() {
    // Characters that a unit file writes otherwise than a command line has them.
    let host = host_with(&WEB.replace("/healthz", "/healthz?a=$$HOME&b=%25%20$$"));
    counts(&host, "1/1 healthy");
    let checker = invocation(&host, CHECKER);
    for verb in ["daemon-reload", "daemon-reexec", "daemon-reload"] {
        host.ok(["systemctl", verb]).unwrap();
    }
    undisturbed(&host, CHECKER, Duration::from_secs(3));
    assert_eq!(invocation(&host, CHECKER), checker);
    assert_eq!(counts(&host, "1/1 healthy"), "1/1 healthy");
}
