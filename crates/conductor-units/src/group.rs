//! The target that stands for all instances of a service.

use conductor_definition::{Scope, Service};

use crate::container::{conditions, description};
use crate::names::Names;
use crate::unit_file::UnitFile;

/// Starting it starts all instances, and the start job ends when all are healthy: a target is ordered
/// after what it wants (systemd.target(5)).
pub(crate) fn unit(service: &Service, names: &Names<'_>, scope: Scope) -> String {
    let health = service.health.as_ref().map(|_| names.health_unit());
    UnitFile::of(service, scope)
        .section("Unit")
        .text("Description", &format!("{}, all {} instances", description(service), service.instances))
        .set("Documentation", "man:conductor-service(5)")
        .source_path(&service.source_path)
        .set("PartOf", "conductor.target")
        .list("Wants", names.instance_units().chain(health))
        .with(|unit| conditions(unit, service))
        .finish(service)
}
