//! A machine boots with a definition on its disk, and nobody types anything.

use std::time::{Duration, Instant};

use conductor_tests::{Host, Image};

use crate::common::{SOON, WEB, ask, define, host, invocation, only_containers, state};

/// A unit of somebody else that needs the service to work when it starts.
const DEPENDENT: &str = "\
[Unit]
After=web.service
[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=curl -sS --fail http://127.0.0.1:20000/healthz
[Install]
WantedBy=multi-user.target
";

#[test]
fn comes_up_healthy_at_boot_and_dependents_start_only_then() {
    let mut host = Host::prepare(&Image::with_conductor().unwrap()).unwrap();
    let slow = format!("{WEB}\n[environment]\nPAYLOAD_START_DELAY = \"1.5\"\n");
    host.write("/etc/conductor/services/web.toml", &slow).unwrap();
    host.write("/etc/systemd/system/dependent.service", DEPENDENT).unwrap();
    host.ok(["systemctl", "enable", "dependent.service"]).unwrap();

    host.power_on().unwrap();
    assert_works(&host);
    host.reboot().unwrap();
    assert_works(&host);
    // podman's records on disk still say that a container of this name runs.
    host.crash();
    host.power_on().unwrap();
    assert_works(&host);
}

fn assert_works(host: &Host) {
    assert_eq!(state(host, "web.service"), "active");
    // Its one request came only when the container answered: it would have failed before.
    assert_eq!(state(host, "dependent.service"), "active", "{}", host.journal("dependent.service").unwrap());
    assert_eq!(ask(host, 20000, "/healthz").unwrap(), "ok");
    assert_eq!(host.ok(["systemctl", "is-system-running"]).unwrap(), "running");
    host.wait_active("web-health.service", SOON).unwrap();
    only_containers(host, &["conductor-web"]);
}

#[test]
fn start_returns_only_once_it_answers() {
    let host = host();
    define(&host, "web", &format!("{WEB}\n[environment]\nPAYLOAD_START_DELAY = \"3\"\n"));
    host.ok(["systemctl", "start", "--no-block", "web.service"]).unwrap();
    host.wait_property("web.service", "ActiveState", "activating", SOON).unwrap();
    // Meanwhile `systemctl status` says what is being waited for.
    let waits = || Ok(host.property("web.service", "StatusText")?.contains("127.0.0.1:20000/healthz"));
    host.eventually(SOON, "systemctl status shows what the start waits for", waits).unwrap();
    // It asks as the checker's user, not as root.
    let user = host.sh("ps -C conductor-health -o user:20=,args= | grep ' wait '").unwrap();
    assert!(user.starts_with("conductor-health "), "{user}");
    assert!(ask(&host, 20000, "/healthz").is_err());

    host.ok(["systemctl", "start", "web.service"]).unwrap();
    assert_eq!(ask(&host, 20000, "/healthz").unwrap(), "ok");
    assert_eq!(state(&host, "web.service"), "active");
}

#[test]
fn a_disabled_service_waits_for_a_command() {
    let mut host = Host::prepare(&Image::with_conductor().unwrap()).unwrap();
    host.write("/etc/conductor/services/web.toml", &format!("enabled = false\n{WEB}")).unwrap();
    host.power_on().unwrap();
    assert_eq!(state(&host, "web.service"), "inactive");
    only_containers(&host, &[]);
    host.ok(["systemctl", "start", "web.service"]).unwrap();
    only_containers(&host, &["conductor-web"]);
}

#[test]
fn shutdown_stops_containers_in_good_order() {
    let mut host = crate::common::host_with(WEB);
    let before = Instant::now();
    host.power_off().unwrap();
    // The payload ends on SIGTERM; if it did not get one, podman would wait ten seconds.
    assert!(before.elapsed() < Duration::from_secs(9), "shutting down took {:?}", before.elapsed());
    host.power_on().unwrap();
    let log = host.ok(["journalctl", "--boot=-1", "--unit=web.service", "--output=cat"]).unwrap();
    assert!(log.contains("payload: ending on SIGTERM"), "{log}");
    assert!(log.contains("web.service: Deactivated successfully."), "{log}");
    assert_ne!(invocation(&host, "web.service"), "");
}
