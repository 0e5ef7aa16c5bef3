//! Several instances fail, and not all of them are restarted at once.

use std::time::Duration;

use conductor_tests::{Entry, Host};

use crate::common::{SOON, WEB, ask, define, host, invocation, journal, undisturbed};

const CHECKER: &str = "web-health.service";
const UNITS: [&str; 3] = ["web@1.service", "web@2.service", "web@3.service"];
const PORTS: [u16; 3] = [20000, 20001, 20002];

/// Three instances whose mode can be changed for good, by a file.
fn three() -> Host {
    let host = host();
    host.sh("mkdir -p /srv/ctl && echo ok >/srv/ctl/mode").unwrap();
    let volume = "[[volumes]]\nsource = \"/srv/ctl\"\ntarget = \"/ctl\"\n";
    define(&host, "web", &format!("instances = 3\n{WEB}\n{volume}"));
    host.ok(["systemctl", "start", "web.target"]).unwrap();
    says(&host, "3/3 healthy");
    host
}

fn says(host: &Host, what: &str) {
    let said = || Ok(host.property(CHECKER, "StatusText")?.contains(what));
    host.eventually(SOON, &format!("the checker says {what:?}"), said).unwrap();
}

/// What Prometheus would get of the checker.
fn figures(host: &Host) -> String {
    let socket = "/run/conductor/health/web/socket";
    host.ok(["curl", "-sS", "--unix-socket", socket, "http://checker/metrics"]).unwrap()
}

fn invocations(host: &Host) -> [String; 3] {
    UNITS.map(|unit| invocation(host, unit))
}

#[test]
fn instances_that_fail_for_the_same_reason_are_held_until_it_is_gone() {
    let host = three();
    let before = invocations(&host);
    let mark = host.mark().unwrap();
    let mut log = host.follow(&mark).unwrap();
    host.write("/srv/ctl/mode", "500\n").unwrap();
    let sent = log.until_message(SOON, CHECKER, "SIGTERM sent").unwrap();
    let held = UNITS.into_iter().find(|unit| !sent.message().starts_with(unit)).unwrap();
    says(&host, "held, because no other instance is healthy");
    // As long as two rounds of starts that never get healthy, and many of checks.
    undisturbed(&host, held, Duration::from_secs(10));
    let entries = host.entries_since(&mark).unwrap();
    let count = |text| entries.iter().filter(|e| e.unit() == CHECKER && e.message().contains(text)).count();
    assert_eq!(count("SIGTERM sent"), 1, "one shows whether a restart helps");
    assert_eq!(count("-> unhealthy and held"), 2, "said once for each");
    let after = invocations(&host);
    let same = before.iter().filter(|invocation| after.contains(invocation)).count();
    assert_eq!(same, 2, "{before:?} {after:?}");
    says(&host, "held, because no other instance is healthy");
    // Wherever one looks.
    let fields = ["CONDUCTOR_SERVICE=web", "STATE_TO=held", "HOLD=together", &format!("UNIT={held}")];
    let found = host.ok([&["journalctl", "--quiet", "--output=cat"], &fields[..]].concat()).unwrap();
    assert_eq!(found.lines().count(), 1, "{found}");
    let told = figures(&host);
    for sample in [
        format!("conductor_health_state{{service=\"web\",unit=\"{held}\",state=\"held\"}} 1"),
        format!("conductor_health_holds_total{{service=\"web\",unit=\"{held}\",reason=\"together\"}} 1"),
    ] {
        assert!(told.lines().any(|line| line == sample), "{sample} is not in\n{told}");
    }

    // The database is back.
    host.write("/srv/ctl/mode", "ok\n").unwrap();
    says(&host, "3/3 healthy");
    let after = invocations(&host);
    assert_eq!(
        before.iter().filter(|invocation| after.contains(invocation)).count(),
        2,
        "nobody else was touched"
    );
    let told = figures(&host);
    let is_held =
        |line: &str| line.starts_with("conductor_health_state{") && line.ends_with("state=\"held\"} 1");
    assert!(!told.lines().any(is_held), "a hold ends by itself:\n{told}");
}

#[test]
fn instances_that_a_restart_cures_are_restarted_one_after_the_other() {
    let host = three();
    let before = invocations(&host);
    let mark = host.mark().unwrap();
    for port in PORTS {
        ask(&host, port, "/mode/500").unwrap();
    }
    let cured = || Ok(invocations(&host).iter().all(|invocation| !before.contains(invocation)));
    host.eventually(SOON * 3, "all were restarted", cured).unwrap();
    says(&host, "3/3 healthy");
    // From each SIGTERM until that instance is healthy again there is no other SIGTERM.
    let entries = host.entries_since(&mark).unwrap();
    let mut ended: Option<String> = None;
    let mut signals = 0;
    for entry in entries.iter().filter(|entry| entry.unit() == CHECKER) {
        let unit = entry.message().split(':').next().unwrap_or_default().to_owned();
        if entry.message().contains("SIGTERM sent") {
            assert_eq!(ended, None, "{}", entry.message());
            ended = Some(unit);
            signals += 1;
        } else if entry.message().ends_with("-> healthy") {
            ended = ended.filter(|ended| *ended != unit);
        }
    }
    assert_eq!(signals, 3);
}

#[test]
fn the_past_of_a_stable_run_is_forgiven() {
    let host = crate::common::host_with(WEB);
    let mut log = journal(&host);
    ask(&host, 20000, "/exit/1").unwrap_err();
    log.until_message(SOON, "web.service", "Started ").unwrap();
    assert_eq!(host.property("web.service", "NRestarts").unwrap(), "1");
    host.ok(["systemctl", "stop", CHECKER]).unwrap();
    // The same checker, with less patience than its generated unit has.
    host.write(
        "/run/systemd/system/web-health.service.d/impatient.conf",
        "[Service]\nExecStart=\nExecStart=/usr/bin/conductor-health watch \
         --unit web.service=http://127.0.0.1:20000/healthz --interval 500ms --stable-for 3s\n",
    )
    .unwrap();
    host.ok(["systemctl", "daemon-reload"]).unwrap();
    let web = invocation(&host, "web.service");
    host.ok(["systemctl", "start", CHECKER]).unwrap();
    log.until_message(SOON, CHECKER, "its past restarts are forgiven").unwrap();
    assert_eq!(host.property("web.service", "NRestarts").unwrap(), "0");
    assert_eq!(invocation(&host, "web.service"), web, "and nothing else happened to it");
    undisturbed(&host, "web.service", Duration::from_secs(4));
}

#[test]
fn a_slow_service_is_excused_while_the_machine_is_busy_but_not_for_ever() {
    let definition = WEB.replace("max-pressure = 100", "max-pressure = 1\nmax-hold = \"6s\"");
    let host = crate::common::host_with(&definition);
    // More loops than processors, so that somebody always waits.
    host.sh("for i in $(seq 4); do systemd-run --quiet sh -c 'while :; do :; done'; done").unwrap();
    host.eventually(SOON, "the machine is under pressure", || {
        let text = host.sh("cat /sys/fs/cgroup/cpu.pressure /proc/pressure/cpu")?;
        Ok(text.lines().filter(|line| line.starts_with("some ")).all(|line| !line.contains("avg10=0.")))
    })
    .unwrap();
    let mut log = journal(&host);
    let held = |entry: &Entry| entry.unit() == CHECKER && entry.message().contains("the machine is busy");
    let sent = |entry: &Entry| entry.unit() == CHECKER && entry.message().contains("SIGTERM sent");
    ask(&host, 20000, "/mode/hang").unwrap();
    let held = log.until(SOON, "it is held", held).unwrap();
    let sent = log.until(SOON, "it is terminated all the same", sent).unwrap();
    let pause = sent.at().saturating_sub(held.at());
    assert!(pause >= Duration::from_millis(5900), "held for {pause:?}");
}
