//! The sidecar's unit.

use conductor_definition::{Health, Service};

use crate::container::{compact, conditions};
use crate::exec::{Exec, Word};
use crate::names::Names;
use crate::question;
use crate::unit_file::UnitFile;

/// It needs to reach the container and the bus, and nothing else of the machine.
const SANDBOX: &[(&str, &str)] = &[
    ("CapabilityBoundingSet", ""),
    ("NoNewPrivileges", "yes"),
    ("LockPersonality", "yes"),
    ("MemoryDenyWriteExecute", "yes"),
    ("PrivateDevices", "yes"),
    ("PrivateTmp", "yes"),
    ("PrivateUsers", "yes"),
    ("ProcSubset", "pid"),
    ("ProtectClock", "yes"),
    ("ProtectControlGroups", "yes"),
    ("ProtectHome", "yes"),
    ("ProtectHostname", "yes"),
    ("ProtectKernelLogs", "yes"),
    ("ProtectKernelModules", "yes"),
    ("ProtectKernelTunables", "yes"),
    ("ProtectProc", "invisible"),
    ("ProtectSystem", "strict"),
    ("RestrictAddressFamilies", "AF_UNIX AF_INET AF_INET6"),
    ("RestrictNamespaces", "yes"),
    ("RestrictRealtime", "yes"),
    ("RestrictSUIDSGID", "yes"),
    ("SystemCallArchitectures", "native"),
    ("SystemCallFilter", "@system-service"),
    ("SystemCallFilter", "~@privileged @resources"),
    ("UMask", "0077"),
];

/// One sidecar watches all instances.
///
/// `PartOf=`: it stops with the service, and a restart of a single instance, systemd's own included, starts
/// a fresh one once the container is healthy. That loses nothing: what it counts is counted anew for each
/// invocation. `StopPropagatedFrom=` would be wrong, because it also stops the sidecar in the moment in which
/// the container dies by itself (seen on 257; `UNIT_ATOM_RETROACTIVE_STOP_ON_STOP` in src/core/unit-dependency-atom.c).
pub(crate) fn unit(service: &Service, health: &Health, names: &Names<'_>) -> String {
    let unit = UnitFile::of(service)
        .section("Unit")
        .text("Description", &format!("Health checks of {}", names.start_unit()))
        .set("Documentation", "man:conductor-health(1)")
        .source_path(&service.source_path)
        .set("PartOf", names.start_unit())
        .list("After", names.instance_units())
        // Checks that stop because the checker failed a few times would be noticed too late.
        .set("StartLimitIntervalSec", 0)
        .with(|unit| conditions(unit, service))
        .section("Service")
        .set("Type", "notify")
        .exec("ExecStart", &watch(service, health, names))
        .set("Restart", "always")
        .set("RestartSec", "1s")
        .set("WatchdogSec", "30s")
        // Not in conductor.slice: a limit that slows the containers down must not slow down who judges them.
        .set("User", "conductor-health")
        .set("SyslogIdentifier", format!("{}-health", service.name))
        .log_fields(service);
    SANDBOX.iter().fold(unit, |unit, (key, value)| unit.set(key, value)).finish(service)
}

fn watch(service: &Service, health: &Health, names: &Names<'_>) -> Exec {
    let mut exec = Exec::new("/usr/bin/conductor-health").arg("watch").line();
    for number in service.instance_numbers() {
        let unit = names.instance_unit(number);
        let authority = std::net::SocketAddr::new(health.port.local_address(), health.port.host_port(number));
        let authority = Word::from(authority.to_string());
        exec = exec
            .arg("--unit")
            .arg(Word::literal(&format!("{unit}=")).then(&question::url(&health.question, &authority)))
            .line();
    }
    question::options(exec, &health.question)
        .arg("--interval")
        .arg(compact(health.interval))
        .arg("--timeout")
        .arg(compact(health.timeout))
        .line()
        .arg("--unhealthy-after")
        .arg(health.unhealthy_after.to_string())
        .arg("--healthy-after")
        .arg(health.healthy_after.to_string())
        .arg("--kill-grace")
        .arg(compact(health.kill_grace))
}
