//! A service that never works says so and comes to an end.

use std::time::{Duration, Instant};

use crate::common::{SOON, WEB, define, host, only_containers, state};

fn never_healthy(mode: &str, start_within: &str) -> String {
    let text = WEB.replace("start-within = \"20s\"", &format!("start-within = \"{start_within}\""));
    let text = text.replace("delay = \"2s\"", "delay = \"100ms\"");
    format!("{text}limit = {{ starts = 3, within = \"auto\" }}\n[environment]\nPAYLOAD_MODE = \"{mode}\"\n")
}

#[test]
fn a_start_that_never_gets_healthy_fails_and_says_what_was_seen() {
    let host = host();
    define(&host, "web", &never_healthy("500", "2s"));
    let before = Instant::now();
    let start = host.run(["systemctl", "start", "web.service"]).unwrap();
    assert!(!start.success());
    assert!(before.elapsed() < Duration::from_secs(8), "failed only after {:?}", before.elapsed());

    host.wait_property("web.service", "ActiveState", "failed", SOON).unwrap();
    let log = host.journal("web.service").unwrap();
    let said: Vec<&str> =
        log.lines().filter(|line| line.contains("did not become healthy within 2s")).collect();
    assert_eq!(said.len(), 3, "once for each start:\n{log}");
    assert!(said[0].contains("http://127.0.0.1:20000/healthz") && said[0].contains("500"), "{}", said[0]);
    let status = host.run(["systemctl", "status", "--no-pager", "--full", "web.service"]).unwrap();
    assert!(status.stdout.contains("did not become healthy"), "{}", status.stdout);
    only_containers(&host, &[]);

    // As with any unit: mend it, reset it, start it.
    define(&host, "web", WEB);
    host.ok(["systemctl", "reset-failed", "web.service"]).unwrap();
    host.ok(["systemctl", "start", "web.service"]).unwrap();
    assert_eq!(state(&host, "web.service"), "active");
}

#[test]
fn a_container_that_dies_at_once_is_not_waited_for() {
    let host = host();
    define(&host, "web", &never_healthy("crash", "60s"));
    let before = Instant::now();
    assert!(!host.run(["systemctl", "start", "web.service"]).unwrap().success());
    host.wait_property("web.service", "ActiveState", "failed", SOON).unwrap();
    assert!(before.elapsed() < Duration::from_secs(20), "three starts took {:?}", before.elapsed());
    only_containers(&host, &[]);
}

#[test]
fn a_health_loop_reaches_the_start_limit() {
    // Each start works at first; then the checks fail. With systemd's default window this would go on for ever.
    let host = crate::common::host_with(&format!("{WEB}limit = {{ starts = 3, within = \"auto\" }}\n"));
    loop {
        crate::common::tell(&host, "/mode/500");
        let before = crate::common::invocation(&host, "web.service");
        let over = || {
            let now = host.property("web.service", "ActiveState")?;
            Ok(now == "failed"
                || (now == "active" && host.property("web.service", "InvocationID")? != before))
        };
        host.eventually(SOON, "it is up again or has given up", over).unwrap();
        if state(&host, "web.service") == "failed" {
            break;
        }
    }
    assert_eq!(host.property("web.service", "NRestarts").unwrap(), "3");
    only_containers(&host, &[]);
}

#[test]
fn an_image_that_is_not_there_is_named() {
    let host = host();
    define(&host, "web", &WEB.replace("localhost/web:1", "localhost/nowhere:1"));
    assert!(!host.run(["systemctl", "start", "web.service"]).unwrap().success());
    let log = host.journal("web.service").unwrap();
    assert!(log.contains("localhost/nowhere:1: image not known"), "{log}");
    host.ok(["systemctl", "stop", "web.service"]).unwrap();
    only_containers(&host, &[]);
}
