//! The unit that runs the container.

use std::collections::BTreeMap;
use std::net::IpAddr;

use conductor_definition::{
    Dependency, Directive, Health, MountSource, NetworkMode, PullPolicy, Scope, Service, SliceName,
};

use crate::exec::{Exec, Word};
use crate::instance::{INSTANCE, host_ports};
use crate::limits::{start_limit_window, start_timeout};
use crate::manager::network;
use crate::names::{Names, start_unit};
use crate::object::Used;
use crate::question;
use crate::quote;
use crate::runtime::{Container, SCRIPT, engine, remove};
use crate::unit_file::UnitFile;
use crate::{Context, SystemdVersion, secrets};

/// Restarts until the delay has grown from `delay` to `max-delay`.
const RESTART_STEPS: u32 = 5;

pub(crate) fn unit(service: &Service, names: &Names<'_>, context: &Context) -> String {
    let engine = engine(service.runtime);
    let container = container(service, names);
    let peer = |dependency: &Dependency| unit_of(dependency, context);
    let pull = (service.pull.policy != PullPolicy::Never).then(|| names.pull_unit());
    let own_units = [pull.clone(), service.health.as_ref().map(|_| names.health_unit())];
    let needs = || engine.needs().iter().map(ToString::to_string);
    let used = Used::by(service, &context.objects);
    let volumes = used.volumes();

    UnitFile::of(service, context.scope)
        .section("Unit")
        .text("Description", &description(service))
        .set("Documentation", "man:conductor-service(5)")
        .source_path(&service.source_path)
        // Stopping the group, or Conductor as a whole, stops it. An instance is part of both directly, so
        // that `systemctl show conductor.target` names everything that stops with it. So does the stop of what
        // the engine needs: while it still works, and not started again by the stopping.
        .list(
            "PartOf",
            names
                .is_group()
                .then(|| names.start_unit())
                .into_iter()
                .chain(["conductor.target".to_owned()])
                .chain(needs()),
        )
        .list("Requires", service.requires.iter().map(peer))
        .list(
            "Wants",
            own_units
                .into_iter()
                .flatten()
                .chain(used.units())
                .chain(needs())
                .chain(service.wants.iter().map(peer)),
        )
        .list(
            "After",
            network(context.scope)
                .map(str::to_owned)
                .into_iter()
                .chain(needs())
                .chain(pull)
                .chain(used.units())
                .chain(service.requires.iter().chain(&service.wants).chain(&service.after).map(peer)),
        )
        .list(
            "RequiresMountsFor",
            engine.storage(context.scope).map(str::to_owned).into_iter().chain(directories(service)),
        )
        // An instance that the definition does not have has no port either.
        .set_some("AssertPathExists", names.is_group().then(|| names.own_drop_in()))
        .with(|unit| conditions(unit, service))
        .with(|unit| start_limit(unit, service))
        .with(|unit| directives(unit, &service.directives.unit, |key| !is_condition(key)))
        .section("Service")
        .with(|unit| engine.supervision(unit, service))
        .with(|unit| restart(unit, service, context.systemd))
        .set_some("TimeoutStartSec", start_timeout(service))
        .with(|unit| secrets::in_unit(unit, service, &names.instance(), context.scope))
        .with(|unit| {
            if volumes.is_empty() {
                return unit;
            }
            unit.exec("ExecStartPre", &engine.check_volumes(Exec::new(SCRIPT), &volumes))
        })
        .with(|unit| match engine.prepare(&container) {
            Some(prepare) => unit.exec("ExecStartPre", &prepare),
            None => unit,
        })
        .exec("ExecStart", &engine.run(&container))
        .with(|unit| match &service.health {
            Some(health) => unit.exec("ExecStartPost", &wait(service, health, names, context.scope)),
            None => unit,
        })
        .with(|unit| match &service.reload {
            Some(reload) => unit.exec("ExecReload", &engine.reload(&container, reload)),
            None => unit,
        })
        .exec("ExecStop", &engine.stop(&container))
        .exec("ExecStopPost", &remove(engine, &container))
        .with(|unit| if engine.is_in_unit() { resources(unit, service) } else { unit })
        .set("Slice", slice(service))
        .set("SyslogIdentifier", &service.name)
        .log_fields(service)
        .with(|unit| directives(unit, &service.directives.service, |_| true))
        .finish_container(service, names.slot())
}

/// What the container sees of the host's files has to be mounted: an empty mount point in its place would be written
/// to without anybody noticing.
fn directories(service: &Service) -> impl Iterator<Item = String> {
    service.storage.mounts.iter().filter_map(|mount| match &mount.source {
        MountSource::Path(path) => Some(quote::path(path.as_str())),
        MountSource::Volume(_) => None,
    })
}

/// The machines it is meant for: one of the patterns has to match (`|`, systemd.unit(5)). The user's own conditions,
/// such as `ConditionUser=`, hold for all units too: of what is not started there is nothing to fetch or to check.
pub(crate) fn conditions(unit: UnitFile, service: &Service) -> UnitFile {
    let unit =
        service.hosts.iter().fold(unit, |unit, pattern| unit.set("ConditionHost", format!("|{pattern}")));
    directives(unit, &service.directives.unit, is_condition)
}

fn is_condition(directive: &Directive) -> bool {
    directive.as_str().starts_with("Condition")
}

/// The slice that the container, and the download of its image, share with others.
pub(crate) fn slice(service: &Service) -> String {
    service.resources.slice.as_ref().map_or_else(|| "conductor.slice".to_owned(), SliceName::unit)
}

/// The user's own lines, as they are: specifiers expand, later values win.
fn directives(
    unit: UnitFile,
    directives: &BTreeMap<Directive, Vec<String>>,
    wanted: impl Fn(&Directive) -> bool,
) -> UnitFile {
    directives
        .iter()
        .filter(|(key, _)| wanted(key))
        .flat_map(|(key, lines)| lines.iter().map(move |line| (key, line)))
        .fold(unit, |unit, (key, line)| unit.set_named(key.as_str(), line))
}

/// What people see in `systemctl status` and at boot. systemctl shows the unit's name beside it, so
/// instances need no number here.
pub(crate) fn description(service: &Service) -> String {
    // Of a release the image's name is mostly digest.
    let release = service.release().filter(|_| service.is_release);
    let what = || release.unwrap_or_else(|| service.process.image.as_str());
    service.description.clone().unwrap_or_else(|| format!("{} ({})", service.name, what()))
}

/// Whether the units depend on the definition of no other service: then they can be made as soon as this one is read.
/// The one question to the context that is asked of services' names is [`unit_of`]; networks and volumes are known
/// before services are read.
pub(crate) fn stands_alone(service: &Service) -> bool {
    let mut all = service.requires.iter().chain(&service.wants).chain(&service.after);
    all.all(Dependency::is_unit)
}

/// The unit that stands for a dependency.
fn unit_of(dependency: &Dependency, context: &Context) -> String {
    let name = dependency.as_str();
    if dependency.is_unit() { name.to_owned() } else { start_unit(name, context.groups.contains(name)) }
}

fn container<'a>(service: &'a Service, names: &Names<'_>) -> Container<'a> {
    let number = if names.is_group() { Word::expanding("%i") } else { Word::literal("1") };
    let ports: Vec<_> = (0..service.network.ports.len())
        .filter_map(|index| Some((host_ports(service, names, index)?, *service.network.ports.get(index)?)))
        .collect();
    // In the host's network nothing translates ports: the program has to be told its own.
    let in_host = service.network.mode == NetworkMode::Host;
    let own_port = ports.first().filter(|_| in_host).map(|(host, _)| ("PORT", host.first.clone()));
    Container {
        name: names.container(),
        service,
        own_environment: [(INSTANCE, number)].into_iter().chain(own_port).collect(),
        ports,
        secrets: secrets::place(&names.instance()),
        once: false,
    }
}

fn start_limit(unit: UnitFile, service: &Service) -> UnitFile {
    match service.restart.limit {
        Some(limit) => unit
            .set("StartLimitBurst", limit.starts)
            .set("StartLimitIntervalSec", start_limit_window(service, limit)),
        None => unit.set("StartLimitIntervalSec", 0),
    }
}

fn restart(unit: UnitFile, service: &Service, systemd: SystemdVersion) -> UnitFile {
    let restart = &service.restart;
    // Not on-failure: a program that obeys the sidecar's SIGTERM ends with success.
    let unit = unit.set("Restart", "always").set("RestartSec", restart.delay);
    if systemd.has_restart_steps() && restart.max_delay > restart.delay {
        unit.set("RestartSteps", RESTART_STEPS).set("RestartMaxDelaySec", restart.max_delay)
    } else {
        unit
    }
}

fn resources(unit: UnitFile, service: &Service) -> UnitFile {
    let resources = &service.resources;
    unit.set_some("MemoryMax", resources.memory)
        .set_some("MemoryHigh", resources.memory_high)
        .set_some("CPUQuota", resources.cpus)
        .set_some("CPUWeight", resources.cpu_weight)
        .set_some("IOWeight", resources.io_weight)
        .set_some("TasksMax", resources.pids)
}

/// Holds the unit in `activating` until the container answers, so that `systemctl start` and `After=`
/// mean "works". It gives root up before it opens a socket; a user has none to give up.
fn wait(service: &Service, health: &Health, names: &Names<'_>, scope: Scope) -> Exec {
    let ports = &service.network.ports;
    let index = ports.iter().position(|port| *port == health.port).unwrap_or(0);
    let port = host_ports(service, names, index).map(|ports| ports.first).unwrap_or_default();
    let host = match health.port.local_address() {
        IpAddr::V4(address) => format!("{address}:"),
        IpAddr::V6(address) => format!("[{address}]:"),
    };
    let url = question::url(&health.question, &Word::literal(&host).then(&port));
    let unit = if names.is_group() { Word::expanding("%n") } else { names.container_unit().into() };
    let whose: &[&str] = match scope {
        Scope::System => &["--user", "conductor-health"],
        Scope::User => &["--user-manager"],
    };
    let exec = Exec::new("/usr/bin/conductor-health")
        .arg("wait")
        .args(whose.iter().copied())
        .arg("--unit")
        .arg(unit)
        .line()
        .arg("--within")
        .arg(compact(health.start_within))
        .arg("--interval")
        .arg(compact(start_interval(health)))
        .arg("--timeout")
        .arg(compact(health.timeout))
        .arg("--healthy-after")
        .arg(health.healthy_after.to_string())
        .line();
    question::options(exec, &health.question).arg(url)
}

/// While it starts it is asked more often than later: a second at the most between an answer and the
/// end of `systemctl start`.
fn start_interval(health: &Health) -> conductor_timespan::TimeSpan {
    health.interval.min(conductor_timespan::TimeSpan::from_secs(1))
}

/// A span as one word: systemd reads `1min30s` as well as `1min 30s`.
pub(crate) fn compact(span: conductor_timespan::TimeSpan) -> String {
    span.to_string().replace(' ', "")
}
