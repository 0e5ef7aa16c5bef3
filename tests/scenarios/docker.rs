//! Services on docker: the same as on podman, and what only a daemon brings with it.

use std::time::{Duration, Instant};

use conductor_tests::{Entry, Host, Suite};

use crate::common::{SOON, WEB, ask, invocation, journal, state};
use crate::stage::{Engine, Stage, docker_image};
use crate::{failures, instances, keys};

#[test]
fn keys_are_in_force() {
    keys::process_storage_and_rights_on(&Stage::docker());
}

#[test]
fn secrets_are_in_the_container_and_nowhere_else() {
    let on = Stage::docker();
    keys::secrets_on(&on);
    keys::encrypted_secrets_on(&on);
    keys::places_of_secrets_on(&on);
    keys::entrypoint_filter_and_reload_on(&on);
}

#[test]
fn networks_and_conditions() {
    let on = Stage::docker();
    keys::networks_on(&on);
    keys::conditions_on(&on);
    // The container is in the slice too, where the slice's limits hold for it.
    let pid = on.cli(["inspect", "--format", "{{.State.Pid}}", "conductor-web"]);
    let id = on.cli(["inspect", "--format", "{{.Id}}", "conductor-web"]);
    let group = format!("0::/team.slice/team-store.slice/docker-{id}.scope");
    let groups = on.read(&format!("/proc/{pid}/cgroup")).unwrap();
    assert!(groups.lines().any(|line| line == group), "{groups}");
}

#[test]
fn containers_that_die_are_restarted_after_the_delay() {
    failures::dies_on(&Stage::docker());
}

#[test]
fn containers_that_answer_wrongly_are_terminated() {
    failures::answers_wrongly_on(&Stage::docker());
}

#[test]
fn containers_that_ignore_sigterm_are_killed() {
    failures::ignores_sigterm_on(&Stage::docker());
}

#[test]
fn a_docker_client_that_is_killed_leaves_no_container_behind() {
    failures::monitor_killed_on(&Stage::docker());
}

#[test]
fn two_instances() {
    instances::two_instances_on(&Stage::docker());
}

#[test]
fn start_returns_only_once_it_answers() {
    let on = Stage::docker();
    on.start(&format!("{WEB}\n[environment]\nPAYLOAD_START_DELAY = \"3\"\n"));
    assert_eq!(ask(&on, 20000, "/healthz").unwrap(), "ok");
    // Nothing complained, neither about a container that was not there before nor about one that has gone.
    on.ok(["systemctl", "restart", "web.service"]).unwrap();
    let log = on.journal("web.service").unwrap();
    assert!(!log.contains("No such container") && !log.contains("rror"), "{log}");
}

#[test]
fn stops_by_signal_and_by_force() {
    let on = Stage::docker();
    // The definition's signal, not the client's SIGTERM.
    on.start(&format!("{WEB}\n[stop]\nsignal = \"INT\"\ntimeout = \"2s\"\n"));
    on.ok(["systemctl", "stop", "web.service"]).unwrap();
    assert!(on.journal("web.service").unwrap().contains("payload: ending on SIGINT"));
    assert_eq!(state(&on, "web.service"), "inactive");

    on.ok(["systemctl", "start", "web.service"]).unwrap();
    ask(&on, 20000, "/ignore-term").unwrap();
    let before = Instant::now();
    on.ok(["systemctl", "stop", "web.service"]).unwrap();
    let took = before.elapsed();
    assert!((2..8).contains(&took.as_secs()), "it was given {took:?}");
    assert!(on.journal("web.service").unwrap().contains("payload: ignoring SIGINT"));
    on.only_containers(&[]);
}

#[test]
fn services_come_up_at_boot() {
    let mut host = Host::prepare(&docker_image(Suite::Trixie)).unwrap();
    let definition = format!("runtime = \"docker\"\n{WEB}");
    host.write("/etc/conductor/services/web.toml", &definition).unwrap();
    host.power_on().unwrap();
    assert_works(&host);
    host.reboot().unwrap();
    assert_works(&host);
    // docker's books on disk say that a container of this name runs.
    host.crash();
    host.power_on().unwrap();
    assert_works(&host);
}

fn assert_works(host: &Host) {
    assert_eq!(state(host, "web.service"), "active");
    assert_eq!(ask(host, 20000, "/healthz").unwrap(), "ok");
    assert_eq!(host.ok(["systemctl", "is-system-running"]).unwrap(), "running");
    crate::common::only_containers_of(Engine::Docker, host, &["conductor-web"]);
}

#[test]
fn stopped_stops_services_and_does_not_come_back() {
    let on = Stage::docker();
    on.start(WEB);
    let mark = on.mark().unwrap();
    on.ok(["systemctl", "stop", "docker.service"]).unwrap();
    // In good order: the container got its signal while docker still worked.
    let entries = on.entries_since(&mark).unwrap();
    let place = |unit: &str, text: &str| {
        let found = |entry: &Entry| entry.unit() == unit && entry.message().contains(text);
        entries.iter().position(found).unwrap_or_else(|| panic!("{unit}: no {text:?}"))
    };
    assert!(place("web.service", "Stopped ") < place("docker.service", "Stopping "));
    assert!(place("web.service", "payload: ending on SIGTERM") < place("web.service", "Stopped "));
    // Longer than the restart delay: neither the stop nor a restart brought docker back by its socket.
    std::thread::sleep(Duration::from_secs(4));
    assert_eq!(state(&on, "docker.service"), "inactive");
    assert_eq!(state(&on, "web.service"), "inactive");

    // Whoever wants it back says so.
    on.ok(["systemctl", "start", "conductor.target"]).unwrap();
    on.wait_active("web.service", SOON).unwrap();
    assert_eq!(ask(&on, 20000, "/healthz").unwrap(), "ok");
}

#[test]
fn restarted_or_killed_brings_services_back() {
    let on = Stage::docker();
    on.start(WEB);
    let before = invocation(&on, "web.service");
    on.ok(["systemctl", "restart", "docker.service"]).unwrap();
    on.wait_active("web.service", SOON).unwrap();
    assert_ne!(invocation(&on, "web.service"), before);
    assert_eq!(on.property("web.service", "NRestarts").unwrap(), "0", "it was restarted, it did not fail");
    on.only_containers(&["conductor-web"]);

    let mut log = journal(&on);
    on.ok(["systemctl", "kill", "--kill-whom=main", "--signal=KILL", "docker.service"]).unwrap();
    let ended = log.until_message(SOON, "web.service", "Main process exited").unwrap();
    let started = log.until_message(SOON, "web.service", "Started ").unwrap();
    // Seconds, not a time-out: nobody waited for somebody who waited for him.
    let took = started.at().saturating_sub(ended.at());
    assert!(took < Duration::from_secs(15), "it took {took:?}");
    assert_eq!(ask(&on, 20000, "/healthz").unwrap(), "ok");
    on.only_containers(&["conductor-web"]);
}

#[test]
fn output_is_in_the_journal_once() {
    let on = Stage::docker();
    let mark = on.mark().unwrap();
    on.start(WEB);
    // Both streams are the unit's, and nobody else wrote them down too.
    on.cli(["exec", "conductor-web", "sh", "-c", "echo to-stderr > /proc/1/fd/2"]);
    let written = |text: &str| {
        let entries = on.entries_since(&mark).unwrap();
        let of: Vec<String> = entries
            .iter()
            .filter(|entry| entry.message() == text)
            .map(|entry| format!("{} {}", entry.unit(), entry.get("SYSLOG_IDENTIFIER")))
            .collect();
        of
    };
    on.eventually(SOON, "it is in the journal", || Ok(!written("to-stderr").is_empty())).unwrap();
    for line in ["payload: listening on port 8080", "to-stderr"] {
        assert_eq!(written(line), ["web.service web"], "{line}");
    }
    let shown = on.ok(["journalctl", "--unit=web", "--output=cat"]).unwrap();
    assert_eq!(shown.matches("payload: listening on port 8080").count(), 1, "{shown}");
    let shown = on.ok(["conductor", "logs", "web"]).unwrap();
    assert_eq!(shown.matches("payload: listening on port 8080").count(), 1, "{shown}");

    // Another driver has it alone, and `systemctl stop` still reaches the program.
    on.define("web", &format!("{WEB}\n[log]\ndriver = \"local\"\noptions = {{ max-size = \"1m\" }}\n"));
    let mark = on.mark().unwrap();
    on.ok(["systemctl", "restart", "web.service"]).unwrap();
    let logs = on.run(["docker", "logs", "conductor-web"]).unwrap();
    assert!(logs.stdout.contains("payload: listening"), "{}", logs.describe());
    on.ok(["systemctl", "stop", "web.service"]).unwrap();
    let entries = on.entries_since(&mark).unwrap();
    let listening = entries.iter().filter(|entry| entry.message().contains("payload: listening")).count();
    assert_eq!(listening, 0);
}

#[test]
fn containers_are_reached_by_conductor() {
    let on = Stage::docker();
    on.define("web", &format!("instances = 2\n{WEB}"));
    on.ok(["systemctl", "start", "web.target"]).unwrap();
    let version = on.ok(["conductor", "exec", "web", "-i", "2", "--", "payload", "--version"]).unwrap();
    assert!(version.starts_with("payload "), "{version}");
    // A run of its own, with the service's limits, ends with the command's status and leaves nothing behind.
    let run =
        on.run(["conductor", "run", "web", "--", "sh", "-c", "echo $CONDUCTOR_INSTANCE-; exit 7"]).unwrap();
    assert_eq!((run.code, run.stdout.as_str()), (Some(7), "-\n"), "{}", run.describe());
    on.only_containers(&["conductor-web.1", "conductor-web.2"]);
    let labels = on.cli(["inspect", "--format", "{{json .Config.Labels}}", "conductor-web.1"]);
    assert!(labels.contains("\"conductor.service\":\"web\""), "{labels}");

    let healthy = || {
        let status = on.ok(["conductor", "status", "--json"])?;
        Ok(status.matches("\"health\": \"healthy\"").count() == 2)
    };
    on.eventually(SOON, "both are healthy", healthy).unwrap();
    // A status never starts docker.
    on.ok(["systemctl", "stop", "docker.service"]).unwrap();
    on.ok(["conductor", "status"]).unwrap();
    assert_eq!(state(&on, "docker.service"), "inactive");
}

#[test]
fn makes_no_directory_of_a_volume_that_is_missing() {
    let on = Stage::docker();
    on.define("web", &format!("{WEB}\n[[volumes]]\nsource = \"/srv/nothing\"\ntarget = \"/data\"\n"));
    let start = on.run(["systemctl", "start", "web.service"]).unwrap();
    assert!(!start.success(), "{}", start.describe());
    let log = on.journal("web.service").unwrap();
    assert!(log.contains("bind source path does not exist: /srv/nothing"), "{log}");
    on.ok(["test", "!", "-e", "/srv/nothing"]).unwrap();

    on.ok(["mkdir", "/srv/nothing"]).unwrap();
    on.wait_active("web.service", SOON).unwrap();
}
