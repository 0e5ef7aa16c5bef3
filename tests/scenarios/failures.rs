//! Containers fail in every way there is, and systemd brings them back by its own rules.

use std::time::Duration;

use conductor_tests::Entry;

use crate::common::{SOON, WEB, ask, invocation, journal, tell};
use crate::stage::{Engine, Stage};

#[test]
fn a_process_that_dies_is_restarted_after_the_delay() {
    dies_on(&Stage::podman());
}

#[test]
fn a_process_that_answers_wrongly_or_not_at_all_is_terminated() {
    answers_wrongly_on(&Stage::podman());
}

#[test]
fn a_process_that_ignores_sigterm_is_killed_after_the_grace() {
    ignores_sigterm_on(&Stage::podman());
}

#[test]
fn a_monitor_that_is_killed_leaves_no_container_behind() {
    monitor_killed_on(&Stage::podman());
}

/// `RestartSec=` of [`WEB`], less what the clock of the log may be off.
const DELAY: Duration = Duration::from_millis(1990);

/// Breaks `web` and waits until it is up again. Returns the checker's lines, and asserts what holds for
/// every failure: the delay was kept, one container is left, checks go on.
fn breaks(on: &Stage, how: &str) -> Vec<String> {
    let before = invocation(on, "web.service");
    let checker = invocation(on, "web-health.service");
    let mark = on.mark().unwrap();
    let mut log = on.follow(&mark).unwrap();
    tell(on, how);
    let web = |text: &'static str| {
        move |entry: &Entry| entry.unit() == "web.service" && entry.message().contains(text)
    };
    // A program that obeys SIGTERM ends with success, which systemd words otherwise.
    let ended = |entry: &Entry| web("Main process exited")(entry) || web("Deactivated successfully")(entry);
    let ended = log.until(SOON, "the main process ends", ended).unwrap();
    log.until(SOON, "the restart is scheduled", web("Scheduled restart job")).unwrap();
    let starting = log.until(SOON, "it starts again", web("Starting ")).unwrap();
    log.until(SOON, "it has started", web("Started ")).unwrap();
    let pause = starting.at().saturating_sub(ended.at());
    assert!(pause >= DELAY, "{how}: started again after {pause:?}");

    assert_eq!(ask(on, 20000, "/healthz").unwrap(), "ok", "after {how}");
    assert_ne!(invocation(on, "web.service"), before);
    assert_eq!(invocation(on, "web-health.service"), checker, "the checker lives through it");
    on.only_containers(&["conductor-web"]);
    let entries = on.entries_since(&mark).unwrap();
    let lines = entries.iter().filter(|entry| entry.unit() == "web-health.service");
    lines.map(|entry| entry.message().to_owned()).collect()
}

pub(crate) fn dies_on(on: &Stage) {
    on.start(WEB);
    for how in ["/exit/1", "/exit/0", "/exit/143"] {
        let said = breaks(on, how);
        assert!(!said.iter().any(|line| line.contains("SIGTERM")), "the checker had no part in it: {said:?}");
    }
    assert_eq!(on.property("web.service", "NRestarts").unwrap(), "3");
}

pub(crate) fn answers_wrongly_on(on: &Stage) {
    on.start(WEB);
    // docker's proxy takes the connection even so, and resets it.
    let refused = if on.engine == Engine::Docker { "connection" } else { "refused" };
    for (how, reason) in [("/mode/500", "500"), ("/mode/hang", "500ms"), ("/mode/refuse", refused)] {
        let said = breaks(on, how);
        let failing: Vec<&String> = said.iter().filter(|line| line.contains("of 3")).collect();
        assert!(!failing.is_empty() && said.iter().any(|line| line.contains(reason)), "{how}: {said:#?}");
        let terminated = said.iter().filter(|line| line.contains("SIGTERM")).count();
        assert_eq!(terminated, 1, "{how}: one SIGTERM: {said:#?}");
        assert!(!said.iter().any(|line| line.contains("SIGKILL")), "{how}: it obeyed: {said:#?}");
    }
}

pub(crate) fn ignores_sigterm_on(on: &Stage) {
    on.start(WEB);
    tell(on, "/ignore-term");
    let said = breaks(on, "/mode/500");
    assert!(said.iter().any(|line| line.contains("SIGTERM")), "{said:#?}");
    assert!(said.iter().any(|line| line.contains("SIGKILL")), "{said:#?}");
    let log = on.journal("web.service").unwrap();
    assert!(log.contains("payload: ignoring SIGTERM"), "{log}");
}

#[test]
fn restarts_are_never_closer_than_the_delay() {
    // Healthy for a moment at each start, and broken right after.
    let on = &Stage::podman();
    on.start(WEB);
    let mark = on.mark().unwrap();
    let mut log = on.follow(&mark).unwrap();
    let mut ends = Vec::new();
    for _ in 0..3 {
        tell(on, "/mode/500");
        let pending = log.until_message(SOON, "web.service", "Scheduled restart job").unwrap();
        log.until_message(SOON, "web.service", "Started ").unwrap();
        ends.push(pending.at());
    }
    for pair in ends.windows(2) {
        let spacing = pair[1].saturating_sub(pair[0]);
        // The delay and three failed checks lie between two restarts.
        assert!(spacing >= DELAY + Duration::from_secs(1), "{ends:?}");
    }
    on.only_containers(&["conductor-web"]);
}

pub(crate) fn monitor_killed_on(on: &Stage) {
    on.start(WEB);
    let mut log = journal(on);
    on.ok(["systemctl", "kill", "--kill-whom=main", "--signal=KILL", "web.service"]).unwrap();
    log.until_message(SOON, "web.service", "Started ").unwrap();
    on.only_containers(&["conductor-web"]);
    assert_eq!(ask(on, 20000, "/healthz").unwrap(), "ok");
}

#[test]
fn a_paused_container_whose_monitor_is_killed_is_replaced() {
    paused_on(&Stage::podman());
}

/// podman goes on believing that such a container is paused, and would neither remove nor replace it.
pub(crate) fn paused_on(on: &Stage) {
    on.start(WEB);
    let mut log = journal(on);
    on.cli(["pause", "conductor-web"]);
    // Of which systemd knows nothing; the checks fail, and SIGTERM does not reach who is paused.
    log.until_message(SOON, "web-health.service", "SIGKILL sent").unwrap();
    log.until_message(SOON, "web.service", "Started ").unwrap();
    assert_eq!(on.property("web.service", "NRestarts").unwrap(), "1");
    on.only_containers(&["conductor-web"]);
    assert_eq!(ask(on, 20000, "/healthz").unwrap(), "ok");
}

#[test]
fn a_monitor_that_is_killed_for_good_leaves_nothing_behind() {
    let on = &Stage::podman();
    on.start(&WEB.replace("[restart]\n", "[restart]\nlimit = { starts = 1, within = \"1h\" }\n"));
    on.ok(["systemctl", "kill", "--kill-whom=main", "--signal=KILL", "web.service"]).unwrap();
    let failed = || Ok(on.property("web.service", "ActiveState")? == "failed");
    on.eventually(SOON, "systemd gives up", failed).unwrap();
    // No further start is there to replace what podman believes to run.
    on.only_containers(&[]);
}
