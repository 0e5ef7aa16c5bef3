//! More instances than the bus allows match rules.

use crate::common::{SOON, host, journal};

/// Two rules each would be more than the 512 that dbus-daemon(1) lets a connection have.
const UNITS: usize = 300;

#[test]
fn a_checker_of_many_units_hears_of_each() {
    let host = host();
    let unit = "[Service]\nExecStart=/bin/sleep infinity\nRestart=always\nRestartSec=5s\n";
    host.write("/run/systemd/system/crowd@.service", unit).unwrap();
    host.ok(["systemctl", "daemon-reload"]).unwrap();
    // Any server does; what they share is who tells of them.
    host.ok(["systemctl", "start", "nginx.service"]).unwrap();
    let units: Vec<String> = (1..=UNITS).map(|number| format!("crowd@{number}.service")).collect();
    host.ok(["systemctl", "start"].into_iter().chain(units.iter().map(String::as_str))).unwrap();
    let watched = units.iter().flat_map(|unit| ["--unit".to_owned(), format!("{unit}=http://127.0.0.1/")]);
    let run = [
        "systemd-run",
        "--quiet",
        "--unit=crowd-health",
        "--property=Type=notify",
        "conductor-health",
        "watch",
    ];
    host.ok(run.into_iter().map(str::to_owned).chain(watched)).unwrap();
    let status = || host.property("crowd-health.service", "StatusText");
    host.eventually(SOON * 3, "all are healthy", || Ok(status()?.starts_with("300/300 healthy"))).unwrap();
    // And it hears of one, and only of that.
    let mut log = journal(&host);
    host.ok(["systemctl", "kill", "--signal=KILL", "crowd@250.service"]).unwrap();
    log.until_message(SOON, "crowd-health.service", "crowd@250.service: healthy -> ").unwrap();
    host.eventually(SOON * 3, "it is healthy again", || Ok(status()?.starts_with("300/300 healthy")))
        .unwrap();
}
