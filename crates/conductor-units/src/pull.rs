//! The unit that fetches the image.

use conductor_definition::Service;

use crate::names::Names;
use crate::runtime::{Engine, Podman};
use crate::unit_file::UnitFile;

/// A oneshot of its own, so that a slow registry does not use up the container's start timeout. Each
/// start and each restart of the container pulls it in again; with the image there it is done at once.
pub(crate) fn unit(service: &Service, names: &Names<'_>) -> String {
    let engine = Podman;
    UnitFile::generated_from(&service.source_path)
        .section("Unit")
        .text("Description", &format!("Image of {}: {}", names.start_unit(), service.image))
        .set("Documentation", "man:conductor-service(5)")
        .source_path(&service.source_path)
        // Stopping the service ends a download that nobody waits for any more.
        .set("PartOf", names.start_unit())
        .set("After", "network.target")
        // It runs before each start of the container, whose own limit is the one that counts.
        .set("StartLimitIntervalSec", 0)
        .set("RequiresMountsFor", engine.storage())
        .section("Service")
        .set("Type", "oneshot")
        .set("TimeoutStartSec", "15min")
        .exec("ExecStart", &engine.pull(&service.image))
        .set("Slice", "conductor.slice")
        .set("SyslogIdentifier", format!("{}-pull", service.name))
        .set("LogExtraFields", format!("CONDUCTOR_SERVICE={}", service.name))
        .finish(service)
}
