//! The sidecar's unit.

use conductor_definition::{Health, Scope, Service};

use crate::container::{compact, conditions};
use crate::exec::{Exec, Word};
use crate::names::Names;
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

/// Those of them that a process without rights can put on itself. The others take root, or at least a user
/// namespace, which not every machine lets its users have; 252 fails with some even then (218/CAPABILITIES,
/// seen). It is little that they could take away: who may talk to a user's manager may do all that the user may.
const WITHOUT_ROOT: &[&str] = &[
    "NoNewPrivileges",
    "LockPersonality",
    "MemoryDenyWriteExecute",
    "RestrictAddressFamilies",
    "RestrictNamespaces",
    "RestrictRealtime",
    "RestrictSUIDSGID",
    "SystemCallArchitectures",
    "SystemCallFilter",
    "UMask",
];

/// One sidecar watches all instances.
///
/// `PartOf=`: it stops with the service, and a restart of a single instance, systemd's own included, starts
/// a fresh one once the container is healthy. That loses nothing: what it counts is counted anew for each
/// invocation. `StopPropagatedFrom=` would be wrong, because it also stops the sidecar in the moment in which
/// the container dies by itself (seen on 257; `UNIT_ATOM_RETROACTIVE_STOP_ON_STOP` in src/core/unit-dependency-atom.c).
pub(crate) fn unit(service: &Service, health: &Health, names: &Names<'_>, scope: Scope) -> String {
    let unit = UnitFile::of(service, scope)
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
        .exec("ExecStart", &watch(service, health, names, scope))
        .set("Restart", "always")
        .set("RestartSec", "1s")
        .set("WatchdogSec", "30s")
        // Not in conductor.slice: a limit that slows the containers down must not slow down who judges them.
        .set_some("User", (scope == Scope::System).then_some("conductor-health"))
        .set("SyslogIdentifier", format!("{}-health", service.name))
        .log_fields(service);
    SANDBOX
        .iter()
        .filter(|(key, _)| scope == Scope::System || WITHOUT_ROOT.contains(key))
        .fold(unit, |unit, (key, value)| unit.set(key, value))
        .finish(service)
}

fn watch(service: &Service, health: &Health, names: &Names<'_>, scope: Scope) -> Exec {
    let mut exec = Exec::new("/usr/bin/conductor-health").arg("watch");
    if scope == Scope::User {
        exec = exec.arg("--user-manager");
    }
    exec = exec.line();
    for number in service.instance_numbers() {
        let unit = names.instance_unit(number);
        let authority = std::net::SocketAddr::new(health.port.local_address(), health.port.host_port(number));
        exec = exec
            .arg("--unit")
            .arg(Word::literal(&format!("{unit}=http://{authority}")).then(&health.path.as_str().into()))
            .line();
    }
    exec.arg("--interval")
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
