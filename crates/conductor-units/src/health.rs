//! The sidecar's unit.

use conductor_definition::{Health, OnUnhealthy, Scope, Service};

use crate::container::{compact, conditions};
use crate::exec::{Exec, Word};
use crate::limits::{recover_within, stable_for};
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
    // No ProcSubset=pid: it would hide /proc/pressure.
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

/// Where sidecars have their directories, within the directory of what runs (`%t`).
const RUNTIME: &str = "conductor/health";

/// One sidecar watches all instances, and lives as long as any of them is up or will be.
///
/// `StopWhenUnneeded=`: every instance wants it. A container that is being restarted, by systemd itself too, still
/// counts as wanting it (`unit_will_restart()` in `unit_is_unneeded()`, src/core/unit.c; tried on 252 and 257), so
/// that what it has counted lives through restarts. `PartOf=` the service would restart it with each of them, and
/// `StopPropagatedFrom=` stops it in the moment in which the container dies by itself.
pub(crate) fn unit(service: &Service, health: &Health, names: &Names<'_>, scope: Scope) -> String {
    let unit = UnitFile::of(service, scope)
        .section("Unit")
        .text("Description", &format!("Health checks of {}", names.start_unit()))
        .set("Documentation", "man:conductor-health(1)")
        .source_path(&service.source_path)
        // Removing the package stops what is part of this, and waits for it.
        .set("PartOf", "conductor.target")
        .list("After", names.instance_units())
        .set("StopWhenUnneeded", "yes")
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
        // For the socket that tells others; what it says is no secret, but nobody's business either.
        .set("RuntimeDirectory", directory(service, names))
        .set("RuntimeDirectoryMode", "0700")
        .set("RuntimeDirectoryPreserve", "restart")
        .set("SyslogIdentifier", format!("{}-health", service.name))
        .log_fields(service);
    SANDBOX
        .iter()
        .filter(|(key, _)| scope == Scope::System || WITHOUT_ROOT.contains(key))
        .fold(unit, |unit, (key, value)| unit.set(key, value))
        .finish(service)
}

/// Of the sidecar, within the directory of what runs. No service has a name with `@`.
fn directory(service: &Service, names: &Names<'_>) -> String {
    let name = &service.name;
    names.slot().map_or_else(|| format!("{RUNTIME}/{name}"), |slot| format!("{RUNTIME}/{name}@{slot}"))
}

fn watch(service: &Service, health: &Health, names: &Names<'_>, scope: Scope) -> Exec {
    let mut exec = Exec::new("/usr/bin/conductor-health").arg("watch");
    if scope == Scope::User {
        exec = exec.arg("--user-manager");
    }
    exec = exec.arg("--name").arg(service.name.to_string());
    if let Some(slot) = names.slot() {
        exec = exec.arg("--slot").arg(slot.to_string());
    }
    exec = exec.arg("--listen");
    exec = exec.arg(Word::expanding(&format!("%t/{}/socket", directory(service, names)))).line();
    for number in service.instance_numbers() {
        let unit = names.instance_unit(number);
        let authority =
            std::net::SocketAddr::new(health.port.local_address(), names.host_port(health.port, number));
        let authority = Word::from(authority.to_string());
        exec = exec
            .arg("--unit")
            .arg(Word::literal(&format!("{unit}=")).then(&question::url(&health.question, &authority)))
            .line();
    }
    let Health {
        question,
        port: _,
        interval,
        timeout,
        unhealthy_after,
        healthy_after,
        start_within,
        kill_grace,
        on_unhealthy,
        max_unavailable,
        max_pressure,
        max_hold,
    } = health;
    exec = question::options(exec, question);
    exec = exec.arg("--interval").arg(compact(*interval)).arg("--timeout").arg(compact(*timeout));
    exec = exec.arg("--start-within").arg(compact(*start_within)).line();
    exec = exec.arg("--unhealthy-after").arg(unhealthy_after.to_string());
    exec = exec.arg("--healthy-after").arg(healthy_after.to_string()).line();
    if *on_unhealthy == OnUnhealthy::None {
        return exec.arg("--on-unhealthy").arg(on_unhealthy.to_string());
    }
    exec = exec.arg("--kill-grace").arg(compact(*kill_grace));
    exec = exec.arg("--max-pressure").arg(max_pressure.to_string());
    exec = exec.arg("--max-hold").arg(compact(*max_hold));
    if let Some(stable) = stable_for(service) {
        exec = exec.arg("--stable-for").arg(compact(stable));
    }
    if names.is_group() {
        exec = exec.line().arg("--max-unavailable").arg(max_unavailable.to_string());
        exec = exec.arg("--recover-within").arg(compact(recover_within(service)));
    }
    exec
}
