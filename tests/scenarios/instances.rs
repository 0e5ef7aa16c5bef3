//! Several instances of one service.

use crate::common::{SOON, WEB, ask, define, host, invocation, journal, only_containers, state};
use crate::stage::Stage;

#[test]
fn two_instances_with_ports_of_their_own() {
    two_instances_on(&Stage::podman());
}

pub(crate) fn two_instances_on(host: &Stage) {
    host.define("web", &format!("instances = 2\n{WEB}"));
    host.ok(["systemctl", "start", "web.target"]).unwrap();
    // The target's start job has waited for both.
    assert_eq!(ask(host, 20000, "/instance").unwrap(), "1");
    assert_eq!(ask(host, 20001, "/instance").unwrap(), "2");
    host.only_containers(&["conductor-web.1", "conductor-web.2"]);
    let both = || Ok(host.property("web-health.service", "StatusText")?.contains("2/2 healthy"));
    host.eventually(SOON, "one checker watches both", both).unwrap();

    // One fails, the other does not notice.
    let (first, checker) = (invocation(host, "web@1.service"), invocation(host, "web-health.service"));
    let mut log = journal(host);
    ask(host, 20001, "/mode/500").unwrap();
    log.until_message(SOON, "web@2.service", "Scheduled restart job").unwrap();
    log.until_message(SOON, "web@2.service", "Started ").unwrap();
    assert_eq!(invocation(host, "web@1.service"), first);
    assert_eq!(invocation(host, "web-health.service"), checker, "the checker lives through it");

    let third = host.run(["systemctl", "start", "web@3.service"]).unwrap();
    assert!(!third.success() && third.stderr.contains("Assertion failed"), "{}", third.describe());

    host.ok(["systemctl", "stop", "web@1.service"]).unwrap();
    host.only_containers(&["conductor-web.2"]);
    host.ok(["systemctl", "stop", "web.target"]).unwrap();
    for unit in ["web@1.service", "web@2.service", "web-health.service"] {
        host.wait_property(unit, "ActiveState", "inactive", SOON).unwrap();
    }
    host.only_containers(&[]);
}

#[test]
fn fewer_instances_stop_in_good_order() {
    let host = host();
    define(&host, "web", &format!("instances = 2\n{WEB}"));
    host.ok(["systemctl", "start", "web.target"]).unwrap();
    define(&host, "web", &WEB.replace("20000", "20005"));
    // The old instances still know how they are stopped.
    host.ok(["systemctl", "stop", "web@1.service", "web@2.service"]).unwrap();
    only_containers(&host, &[]);
    host.ok(["systemctl", "daemon-reload"]).unwrap();
    assert_eq!(host.property("web@1.service", "LoadState").unwrap(), "not-found");
    host.ok(["systemctl", "start", "web.service"]).unwrap();
    assert_eq!(state(&host, "web.service"), "active");
    assert_eq!(ask(&host, 20005, "/healthz").unwrap(), "ok");
}

#[test]
fn services_are_ordered_after_each_other_by_name() {
    let host = host();
    define(&host, "web", &format!("instances = 2\n{WEB}\n[environment]\nPAYLOAD_START_DELAY = \"1\"\n"));
    define(&host, "api", &format!("requires = [\"web\"]\n{}", WEB.replace("20000", "20005")));
    host.ok(["systemctl", "start", "api.service"]).unwrap();
    let at = |unit: &str, property: &str| host.property(unit, property).unwrap().parse::<u64>().unwrap();
    let healthy = at("web@1.service", "ActiveEnterTimestampMonotonic")
        .max(at("web@2.service", "ActiveEnterTimestampMonotonic"));
    assert!(at("api.service", "InactiveExitTimestampMonotonic") >= healthy);
}
