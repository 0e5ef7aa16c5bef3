//! Containers fail in every way there is, and systemd brings them back by its own rules.

use std::time::Duration;

use conductor_tests::{Entry, Host};

use crate::common::{SOON, WEB, ask, host_with, invocation, journal, only_containers, tell};

/// `RestartSec=` of [`WEB`], less what the clock of the log may be off.
const DELAY: Duration = Duration::from_millis(1990);

/// Breaks `web` and waits until it is up again. Returns the checker's lines, and asserts what holds for
/// every failure: the delay was kept, one container is left, checks go on.
fn breaks(host: &Host, how: &str) -> Vec<String> {
    let before = invocation(host, "web.service");
    let checker = invocation(host, "web-health.service");
    let mark = host.mark().unwrap();
    let mut log = host.follow(&mark).unwrap();
    tell(host, how);
    let web = |text: &'static str| {
        move |entry: &Entry| entry.unit() == "web.service" && entry.message().contains(text)
    };
    let ended = log.until(SOON, "the main process ends", web("Main process exited")).or_else(|_| {
        // A program that obeys SIGTERM ends with success, which systemd words otherwise.
        host.follow(&mark)?.until(SOON, "the unit ends", web("Deactivated successfully"))
    });
    let ended = ended.unwrap();
    let mut log = host.follow(&mark).unwrap();
    log.until(SOON, "the restart is scheduled", web("Scheduled restart job")).unwrap();
    let starting = log.until(SOON, "it starts again", web("Starting ")).unwrap();
    log.until(SOON, "it has started", web("Started ")).unwrap();
    let pause = starting.at().saturating_sub(ended.at());
    assert!(pause >= DELAY, "{how}: started again after {pause:?}");

    assert_eq!(ask(host, 20000, "/healthz").unwrap(), "ok", "after {how}");
    assert_ne!(invocation(host, "web.service"), before);
    assert_eq!(invocation(host, "web-health.service"), checker, "the checker lives through it");
    only_containers(host, &["conductor-web"]);
    let entries = host.entries_since(&mark).unwrap();
    let lines = entries.iter().filter(|entry| entry.unit() == "web-health.service");
    lines.map(|entry| entry.message().to_owned()).collect()
}

#[test]
fn a_process_that_dies_is_restarted_after_the_delay() {
    let host = host_with(WEB);
    for how in ["/exit/1", "/exit/0", "/exit/143"] {
        let said = breaks(&host, how);
        assert!(!said.iter().any(|line| line.contains("SIGTERM")), "the checker had no part in it: {said:?}");
    }
    assert_eq!(host.property("web.service", "NRestarts").unwrap(), "3");
}

#[test]
fn a_process_that_answers_wrongly_or_not_at_all_is_terminated() {
    let host = host_with(WEB);
    for (how, reason) in [("/mode/500", "500"), ("/mode/hang", "500ms"), ("/mode/refuse", "refused")] {
        let said = breaks(&host, how);
        let failing: Vec<&String> = said.iter().filter(|line| line.contains("of 3")).collect();
        assert!(!failing.is_empty() && said.iter().any(|line| line.contains(reason)), "{how}: {said:#?}");
        let terminated = said.iter().filter(|line| line.contains("SIGTERM")).count();
        assert_eq!(terminated, 1, "{how}: one SIGTERM: {said:#?}");
        assert!(!said.iter().any(|line| line.contains("SIGKILL")), "{how}: it obeyed: {said:#?}");
    }
}

#[test]
fn a_process_that_ignores_sigterm_is_killed_after_the_grace() {
    let host = host_with(WEB);
    tell(&host, "/ignore-term");
    let said = breaks(&host, "/mode/500");
    assert!(said.iter().any(|line| line.contains("SIGTERM")), "{said:#?}");
    assert!(said.iter().any(|line| line.contains("SIGKILL")), "{said:#?}");
    let log = host.journal("web.service").unwrap();
    assert!(log.contains("payload: ignoring SIGTERM"), "{log}");
}

#[test]
fn restarts_are_never_closer_than_the_delay() {
    // Healthy for a moment at each start, and broken right after.
    let host = host_with(WEB);
    let mark = host.mark().unwrap();
    let mut log = host.follow(&mark).unwrap();
    let mut ends = Vec::new();
    for _ in 0..3 {
        tell(&host, "/mode/500");
        let pending = log.until_message(SOON, "web.service", "Scheduled restart job").unwrap();
        log.until_message(SOON, "web.service", "Started ").unwrap();
        ends.push(pending.at());
    }
    for pair in ends.windows(2) {
        let spacing = pair[1].saturating_sub(pair[0]);
        // The delay and three failed checks lie between two restarts.
        assert!(spacing >= DELAY + Duration::from_secs(1), "{ends:?}");
    }
    only_containers(&host, &["conductor-web"]);
}

#[test]
fn a_monitor_that_is_killed_leaves_no_container_behind() {
    let host = host_with(WEB);
    let mut log = journal(&host);
    host.ok(["systemctl", "kill", "--kill-whom=main", "--signal=KILL", "web.service"]).unwrap();
    log.until_message(SOON, "web.service", "Started ").unwrap();
    only_containers(&host, &["conductor-web"]);
    assert_eq!(ask(&host, 20000, "/healthz").unwrap(), "ok");
}
