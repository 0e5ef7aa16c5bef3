//! The target that stands for all instances of a service.

use conductor_definition::{Scope, Service, Slot};

use crate::container::{conditions, description};
use crate::names::Names;
use crate::unit_file::UnitFile;

/// Starting it starts all instances, and the start job ends when all are healthy: a target is ordered
/// after what it wants (systemd.target(5)).
pub(crate) fn unit(service: &Service, names: &Names<'_>, scope: Scope) -> String {
    let health = service.health.as_ref().map(|_| names.health_unit());
    UnitFile::of(service, scope)
        .section("Unit")
        .text("Description", &what(service, names))
        .set("Documentation", "man:conductor-service(5)")
        .source_path(&service.source_path)
        // Whoever stops or restarts the service means each release that runs.
        .list("PartOf", names.whole().into_iter().chain(["conductor.target"]))
        .list("Wants", names.instance_units().chain(health))
        .with(|unit| conditions(unit, service))
        .finish(service)
}

fn what(service: &Service, names: &Names<'_>) -> String {
    let description = description(service);
    match (names.slot(), service.instances) {
        (None, instances) => format!("{description}, all {instances} instances"),
        (Some(slot), 1) => format!("{description}, {slot}"),
        (Some(slot), instances) => format!("{description}, {slot}, all {instances} instances"),
    }
}

/// The target that stands for a service that is deployed blue-green: it wants the live release.
pub(crate) fn whole(service: &Service, live: Slot, names: &Names<'_>, scope: Scope) -> String {
    UnitFile::of(service, scope)
        .section("Unit")
        .text("Description", &format!("{}, live in {live}", description(service)))
        .set("Documentation", "man:conductor-service(5)")
        .source_path(&service.source_path)
        .set("PartOf", "conductor.target")
        .set("Wants", names.start_unit())
        // Said, because systemd puts no target after another by itself, lest there be circles (src/core/unit.c,
        // `unit_add_default_target_dependency()`).
        .set("After", names.start_unit())
        .with(|unit| conditions(unit, service))
        .finish_slot(service, live)
}
