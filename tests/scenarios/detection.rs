//! How soon a failure is noticed, as `conductor check` says it.

use std::time::Duration;

use crate::common::{SOON, WEB, host_with, tell};

const FILE: &str = "/etc/conductor/services/web.toml";

#[test]
fn a_failure_is_noticed_as_soon_as_check_says() {
    // The slowest way to fail: each check takes all of its time.
    let host = host_with(WEB);
    let said = host.run(["conductor", "check", FILE]).unwrap();
    // (3 × 0.5 s + 0.5 s) × 1.1, and as the timeout is the interval, each check leaves one out: two more intervals.
    assert!(
        said.stderr.contains("web: a container that stops answering is noticed within 3s 300ms"),
        "{}",
        said.describe()
    );
    let bound = Duration::from_millis(3300);
    let mark = host.mark().unwrap();
    let mut log = host.follow(&mark).unwrap();
    tell(&host, "/mode/hang");
    let told = log.until_message(SOON, "web.service", "payload: mode is hang now").unwrap();
    let noticed = log.until_message(SOON, "web-health.service", "-> terminating").unwrap();
    let took = noticed.sent().saturating_sub(told.sent());
    // Generous: test machines are always busy, and what is late for that is not counted as a failure.
    assert!(took < bound * 3, "noticed after {took:?}");
    conductor_tests::announce(format_args!("noticed after {took:?}, of {bound:?}"));
}
