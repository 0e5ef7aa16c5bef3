//! Something happens between a failed check and the signal that would follow from it, or between the two signals.

use std::time::{Duration, Instant};

use conductor_tests::{Entry, Follower, Host};

use crate::common::{
    SOON, WEB, ask, host_with, invocation, journal, only_containers, state, tell, undisturbed,
};

const CHECKER: &str = "web-health.service";

/// A line of the checker's.
fn says(text: &'static str) -> impl Fn(&Entry) -> bool {
    move |entry| entry.unit() == CHECKER && entry.message().contains(text)
}

/// How often the checker said it since `mark`.
fn count(host: &Host, mark: &str, text: &'static str) -> usize {
    host.entries_since(mark).unwrap().iter().filter(|entry| says(text)(entry)).count()
}

/// A service that ignores SIGTERM, and has just got it.
fn terminated(grace: &str) -> (Host, String, Follower) {
    let host = host_with(&WEB.replace("kill-grace = \"2s\"", &format!("kill-grace = \"{grace}\"")));
    tell(&host, "/ignore-term");
    let mark = host.mark().unwrap();
    let mut log = host.follow(&mark).unwrap();
    tell(&host, "/mode/500");
    log.until(SOON, "SIGTERM", says("SIGTERM sent")).unwrap();
    (host, mark, log)
}

/// It is killed and comes back.
fn ends(host: &Host, mark: &str, log: &mut Follower) {
    log.until(SOON, "SIGKILL", says("SIGKILL sent")).unwrap();
    log.until_message(SOON, "web.service", "Started ").unwrap();
    assert_eq!(count(host, mark, "SIGKILL sent"), 1);
    assert_eq!(ask(host, 20000, "/healthz").unwrap(), "ok");
    assert_eq!(host.property("web.service", "NRestarts").unwrap(), "1");
    only_containers(host, &["conductor-web"]);
}

#[test]
fn a_checker_that_is_killed_between_the_signals_leaves_it_to_the_next_one() {
    let (host, mark, mut log) = terminated("5s");
    let web = invocation(&host, "web.service");
    host.ok(["systemctl", "kill", "--signal=KILL", CHECKER]).unwrap();
    // The next one does not believe what it has not seen. Its first words may come before systemd's about it.
    for seen in ["1 of 3", "SIGTERM sent"] {
        log.until(SOON, seen, says(seen)).unwrap();
    }
    assert_eq!(invocation(&host, "web.service"), web);
    ends(&host, &mark, &mut log);
}

#[test]
fn a_reload_between_the_signals_changes_nothing() {
    let (host, mark, mut log) = terminated("5s");
    for verb in ["daemon-reload", "daemon-reexec"] {
        host.ok(["systemctl", verb]).unwrap();
    }
    ends(&host, &mark, &mut log);
    assert_eq!(count(&host, &mark, "SIGTERM sent"), 1);
}

#[test]
fn a_bus_that_restarts_between_the_signals_changes_nothing() {
    let (host, mark, mut log) = terminated("8s");
    host.ok(["systemctl", "restart", "dbus.service"]).unwrap();
    log.until(SOON, "it is connected again", says("connected to systemd")).unwrap();
    ends(&host, &mark, &mut log);
    assert_eq!(count(&host, &mark, "SIGTERM sent"), 1);
}

#[test]
fn a_bus_that_restarts_disturbs_nothing() {
    let host = host_with(WEB);
    let web = invocation(&host, "web.service");
    let mut log = journal(&host);
    // Not in good order.
    host.ok(["systemctl", "kill", "--signal=KILL", "dbus.service"]).unwrap();
    log.until(SOON, "it is connected again", says("connected to systemd")).unwrap();
    undisturbed(&host, "web.service", Duration::from_secs(3));
    assert_eq!(invocation(&host, "web.service"), web);
    // And it still works.
    tell(&host, "/mode/500");
    log.until_message(SOON, "web.service", "Scheduled restart job").unwrap();
    log.until_message(SOON, "web.service", "Started ").unwrap();
}

#[test]
fn a_stop_between_the_signals_has_the_time_that_the_engine_gives() {
    let (host, mark, _log) = terminated("2s");
    let before = Instant::now();
    host.ok(["systemctl", "stop", "web.service"]).unwrap();
    assert!(before.elapsed() > Duration::from_secs(8), "stopped after {:?}", before.elapsed());
    // Killed by the engine in the end, which is no success; it is over all the same.
    assert_eq!(state(&host, "web.service"), "failed");
    assert_eq!(count(&host, &mark, "SIGKILL sent"), 0);
    undisturbed(&host, "web.service", Duration::from_secs(4));
    only_containers(&host, &[]);
}

#[test]
fn cleaning_up_is_not_disturbed() {
    let slow = "[systemd.service]\nExecStopPost = \"/bin/sleep 5\"\n";
    let host = host_with(&format!("{WEB}\n{slow}"));
    let mark = host.mark().unwrap();
    let mut log = host.follow(&mark).unwrap();
    tell(&host, "/mode/500");
    log.until(SOON, "SIGTERM", says("SIGTERM sent")).unwrap();
    // Longer than the checks and the grace would take.
    let ended = log.until(SOON, "it waits", says("checks deferred")).unwrap();
    let restart = log.until_message(SOON, "web.service", "Scheduled restart job").unwrap();
    let took = restart.at().saturating_sub(ended.at());
    assert!(took > Duration::from_secs(6), "five seconds of cleaning and two of delay took {took:?}");
    log.until_message(SOON, "web.service", "Started ").unwrap();
    assert_eq!((count(&host, &mark, "SIGTERM sent"), count(&host, &mark, "SIGKILL")), (1, 0));
    let log = host.journal("web.service").unwrap();
    assert!(!log.contains("code=killed"), "{log}");
    only_containers(&host, &["conductor-web"]);
}

#[test]
fn a_frozen_service_is_not_asked() {
    let host = host_with(WEB);
    let mark = host.mark().unwrap();
    let mut log = host.follow(&mark).unwrap();
    let web = invocation(&host, "web.service");
    host.ok(["systemctl", "freeze", "web.service"]).unwrap();
    log.until(SOON, "it stands back", says("frozen, checks deferred")).unwrap();
    // Twice as long as a verdict would take.
    undisturbed(&host, "web.service", Duration::from_secs(5));
    host.ok(["systemctl", "thaw", "web.service"]).unwrap();
    log.until(SOON, "it is healthy", says("-> healthy")).unwrap();
    assert_eq!(invocation(&host, "web.service"), web);
    assert_eq!(count(&host, &mark, "SIGTERM"), 0);
}

#[test]
fn a_checker_that_was_halted_believes_nothing_of_before() {
    let host = host_with(WEB);
    let mark = host.mark().unwrap();
    let mut log = host.follow(&mark).unwrap();
    tell(&host, "/mode/500");
    log.until(SOON, "a failure", says("1 of 3")).unwrap();
    host.ok(["systemctl", "kill", "--signal=STOP", CHECKER]).unwrap();
    let web = invocation(&host, "web.service");
    undisturbed(&host, "web.service", Duration::from_secs(7));
    // Another run meanwhile, of which it knows nothing yet when it wakes up.
    host.ok(["systemctl", "restart", "web.service"]).unwrap();
    host.ok(["systemctl", "kill", "--signal=CONT", CHECKER]).unwrap();
    log.until(SOON, "it notices", says("counting from zero")).unwrap();
    undisturbed(&host, "web.service", Duration::from_secs(4));
    assert_ne!(invocation(&host, "web.service"), web);
    assert_eq!(count(&host, &mark, "SIGTERM sent"), 0);
}

#[test]
fn a_checker_that_was_halted_between_the_signals_gives_the_grace_anew() {
    let (host, mark, mut log) = terminated("5s");
    host.ok(["systemctl", "kill", "--signal=STOP", CHECKER]).unwrap();
    undisturbed(&host, "web.service", Duration::from_secs(7));
    // So that something else than its own timer wakes it up.
    host.ok(["systemctl", "daemon-reload"]).unwrap();
    host.ok(["systemctl", "kill", "--signal=CONT", CHECKER]).unwrap();
    log.until(SOON, "it notices", says("counting from zero")).unwrap();
    undisturbed(&host, "web.service", Duration::from_secs(3));
    assert_eq!(count(&host, &mark, "SIGKILL sent"), 0);
    ends(&host, &mark, &mut log);
}

/// What the checker asks of systemd is read on the bus: a run by its own name, and right before the signal whether that
/// is as it was.
#[test]
fn a_signal_is_for_one_run_which_is_looked_at_once_more() {
    let host = host_with(WEB);
    let web = host.invocation_path("web.service").unwrap();
    host.ok([
        "systemd-run",
        "--quiet",
        "--unit=monitor",
        "--property=StandardOutput=file:/run/calls",
        "--property=StandardError=file:/run/monitor",
        "stdbuf",
        "-oL",
        "busctl",
        "monitor",
        "org.freedesktop.systemd1",
    ])
    .unwrap();
    host.eventually(SOON, "it monitors", || Ok(!host.run(["cat", "/run/monitor"])?.stdout.is_empty()))
        .unwrap();
    let mark = host.mark().unwrap();
    let mut log = host.follow(&mark).unwrap();
    tell(&host, "/mode/500");
    log.until(SOON, "SIGTERM", says("SIGTERM sent")).unwrap();
    let mut seen: Vec<String> = Vec::new();
    host.eventually(SOON, "it was on the bus", || {
        let calls = host.ok(["cat", "/run/calls"])?;
        seen = calls.split("Type=method_call").map(str::to_owned).collect();
        Ok(seen.iter().any(|call| call.contains("Member=Kill")))
    })
    .unwrap();
    let kills: Vec<usize> = (0..seen.len()).filter(|at| seen[*at].contains("Member=Kill")).collect();
    let [kill] = kills[..] else { panic!("{kills:?} of {seen:#?}") };
    let path = format!("Path={web} ");
    assert!(seen[kill].contains(&path), "{}", seen[kill]);
    let sender = seen[kill].split("Sender=").nth(1).unwrap().split_whitespace().next().unwrap();
    let before = seen[..kill].iter().rfind(|call| call.contains(&format!("Sender={sender} "))).unwrap();
    assert!(before.contains(&path) && before.contains("Properties"), "{before}");
}

#[test]
fn a_signal_for_the_run_before_hits_nobody() {
    let host = host_with(WEB);
    let before = host.invocation_path("web.service").unwrap();
    host.ok(["systemctl", "restart", "web.service"]).unwrap();
    let web = invocation(&host, "web.service");
    let unit = "org.freedesktop.systemd1.Unit";
    let words = ["runuser", "-u", "conductor-health", "--", "busctl", "call", "org.freedesktop.systemd1"];
    for signal in ["15", "9"] {
        let call = [before.as_str(), unit, "Kill", "si", "main", signal];
        let output = host.run(words.iter().chain(&call)).unwrap();
        assert!(!output.success() && output.stderr.contains("invocation"), "{}", output.describe());
    }
    undisturbed(&host, "web.service", Duration::from_secs(2));
    assert_eq!(invocation(&host, "web.service"), web);
}
