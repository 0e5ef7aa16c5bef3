//! The unit that fetches the image.

use conductor_definition::{PullPolicy, Scope, Service};

use crate::container::{conditions, slice};
use crate::manager::network;
use crate::names::Names;
use crate::runtime::{engine, pull};
use crate::unit_file::UnitFile;

/// A oneshot of its own, so that a slow registry does not use up the container's start timeout. Each
/// start and each restart of the container pulls it in again; with the image there it is done at once.
pub(crate) fn unit(service: &Service, names: &Names<'_>, scope: Scope) -> String {
    let engine = engine(service.runtime);
    let image = service.process.image.as_str();
    let only_missing = service.pull.policy != PullPolicy::Always;
    UnitFile::of(service, scope)
        .section("Unit")
        .text("Description", &format!("Image of {}: {}", names.start_unit(), image))
        .set("Documentation", "man:conductor-service(5)")
        .source_path(&service.source_path)
        // Stopping the service ends a download that nobody waits for any more.
        .set("PartOf", names.start_unit())
        .list("Wants", engine.needs())
        .list("After", network(scope).iter().chain(engine.needs()))
        // It runs before each start of the container, whose own limit is the one that counts.
        .set("StartLimitIntervalSec", 0)
        .set_some("RequiresMountsFor", engine.storage(scope))
        .with(|unit| conditions(unit, service))
        .section("Service")
        .set("Type", "oneshot")
        .set("TimeoutStartSec", "15min")
        .exec("ExecStart", &pull(engine, image, service.pull, only_missing))
        .set("Slice", slice(service))
        .set("SyslogIdentifier", format!("{}-pull", service.name))
        .log_fields(service)
        .finish(service)
}
