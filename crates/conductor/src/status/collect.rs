//! Puts together what definitions, units and systemd say.

use std::path::Path;
use std::time::{Duration, SystemTime};

use conductor_definition::{Kind, Live, Releases, Scope, Site};
use conductor_generator::{Converted, Host, convert, established, preview, read_all};
use conductor_systemd::{LoadState, Systemd, UnitStatus};
use conductor_units::{InstanceUnit, ServiceUnits, Tree, services_in, systemctl};

use super::health::Health;
use super::model::{Instance, Service, Status};
use super::release::running;
use super::usage::{Elsewhere, Usage};
use crate::ask::ask;
use crate::services::Silent;

/// Reads everything about the services that were asked for, or about all.
pub(super) async fn collect(site: &Site, asked: &[String], systemd: &Systemd) -> Result<Status, String> {
    let (tree, _) = preview(site, &mut Silent);
    let (host, _) = Host::look(site);
    let mut definitions = convert(read_all(site).definitions, &host, &established(site));
    definitions.retain(|definition| definition.kind == Kind::Service);
    let defined =
        definitions.iter().filter_map(|definition| definition.name.as_ref()).map(ToString::to_string);
    let mut names: Vec<String> = services_in(&tree).into_iter().map(str::to_owned).chain(defined).collect();
    names.sort();
    names.dedup();
    names.retain(|name| asked.is_empty() || asked.contains(name));
    let instances: Vec<InstanceUnit> =
        names.iter().flat_map(|name| ServiceUnits::find(&tree, name).instances).collect();
    let elsewhere = Elsewhere::find(&instances, systemd).await?;
    let mut status = Status::default();
    for name in names {
        let is_named = |found: &&Converted| found.name.as_ref().is_some_and(|known| known.as_str() == name);
        let definition = definitions.iter().find(is_named);
        status.services.push(service(site, name, definition, &tree, &elsewhere, systemd).await?);
    }
    if asked.is_empty() {
        status.services.extend(definitions.iter().filter(|found| found.name.is_none()).map(nameless));
    }
    Ok(status)
}

/// A file whose name cannot be a service's becomes no unit at all; here is where it shows.
fn nameless(definition: &Converted) -> Service {
    let path = definition.source.path();
    Service {
        name: path.file_name().unwrap_or_default().to_string_lossy().escape_debug().to_string(),
        definition: Some(path.display().to_string()),
        problem: first_error(definition),
        ..Service::default()
    }
}

fn first_error(definition: &Converted) -> Option<String> {
    let (source, error) = definition.findings().find(|(_, diagnostic)| diagnostic.is_error())?;
    Some(error.one_line(source))
}

async fn service(
    site: &Site,
    name: String,
    definition: Option<&Converted>,
    tree: &Tree,
    elsewhere: &Elsewhere,
    systemd: &Systemd,
) -> Result<Service, String> {
    let units = ServiceUnits::find(tree, &name);
    let checker = match &units.health {
        Some(unit) => Some(ask(systemd, unit).await?),
        None => None,
    };
    // Of a service that was deployed the definition is the next release's: nothing that runs is to change with it.
    let deployed = Releases::read(site, &name).is_some_and(|releases| releases.live != Live::Never);
    let edited = definition.filter(|_| !deployed).and_then(|definition| edited(site, definition));
    let mut instances = Vec::new();
    for unit in &units.instances {
        let seen = ask(systemd, &unit.unit).await?;
        let usage = elsewhere.usage(unit, &seen, systemd).await?;
        let release = running(site, &unit.unit).or_else(|| unit.release.clone());
        let told = instance(unit, &seen, usage, checker.as_ref(), edited);
        instances.push(Instance { release, ..told });
    }
    let problem = definition.and_then(first_error);
    let checks = checker.filter(UnitStatus::is_active).and_then(|checker| checker.status_text);
    let mut service = Service {
        definition: definition.map(|definition| definition.source.path().display().to_string()),
        notes: Vec::new(),
        problem,
        checks,
        instances,
        deploy: super::deploy::unfinished(site, &name, systemd).await,
        name,
    };
    service.notes = notes(&service, deployed, &units.start, site.scope());
    Ok(service)
}

/// When the definition or a drop-in of it was last changed, after the beginning of 1970.
fn edited(site: &Site, definition: &Converted) -> Option<Duration> {
    let changed = |path: &Path| std::fs::metadata(site.real(path)).ok()?.modified().ok();
    let changed = definition.source.parts().filter_map(|part| changed(part.path)).max()?;
    changed.duration_since(SystemTime::UNIX_EPOCH).ok()
}

fn instance(
    unit: &InstanceUnit,
    seen: &UnitStatus,
    usage: Usage,
    checker: Option<&UnitStatus>,
    edited: Option<Duration>,
) -> Instance {
    let active = seen.is_active();
    let health = checker.map(|checker| match &checker.status_text {
        _ if !checker.is_active() || !active => Health::Unchecked,
        Some(text) => Health::from_status(text),
        None => Health::Unknown,
    });
    let missing = seen.load_state == LoadState::NotFound;
    let reload = missing || seen.need_daemon_reload;
    Instance {
        number: unit.number,
        release: None,
        unit: unit.unit.clone(),
        load: seen.load_state.as_str().to_owned(),
        active: seen.active_state.as_str().to_owned(),
        sub: seen.sub_state.clone(),
        result: seen.result.clone(),
        health,
        since: seen.since,
        restarts: seen.restarts.filter(|_| !missing),
        memory: usage.memory,
        cpu: usage.cpu,
        daemon_reload_needed: reload,
        // systemd knows the new unit; what runs was started from an earlier one.
        restart_needed: active && !reload && edited > seen.since,
    }
}

fn notes(service: &Service, deployed: bool, start: &str, scope: Scope) -> Vec<String> {
    let systemctl = systemctl(scope);
    let any = |wanted: fn(&Instance) -> bool| service.instances.iter().any(wanted);
    let mut notes: Vec<String> =
        service.deploy.iter().map(|deploy| deploy.note(&service.name, scope)).collect();
    match (&service.definition, service.instances.is_empty()) {
        (Some(_), false) if service.problem.is_some() && deployed => {
            notes.push("what is live is not affected".to_owned());
        }
        (Some(_), false) if service.problem.is_some() => {
            notes.push("the units are those of its last good definition".to_owned());
        }
        (None, false) => notes.push("its definition is gone; its units stay until it stops".to_owned()),
        _ => {}
    }
    if any(|instance| instance.daemon_reload_needed) {
        notes.push(format!(
            "daemon-reload needed: the definition has changed; run `{systemctl} daemon-reload`"
        ));
    }
    if any(|instance| instance.restart_needed) {
        notes.push(format!(
            "restart needed: the definition has changed since the start; run `{systemctl} restart {start}`"
        ));
    }
    notes
}
