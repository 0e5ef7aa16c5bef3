//! From what is written to what it means.
//!
//! Every check here is about more than one value, or about a number's range: what a single value may
//! look like is its type's business.

mod engine;
mod health;
mod lint;
mod network;
mod object;
mod question;
mod release;
mod relied;
mod restart;
mod rights;
mod runtime;
mod secrets;
mod stages;
mod storage;
mod subnets;
mod volume;

use std::collections::BTreeMap;
use std::ops::Range;
use std::path::Path;

use conductor_timespan::TimeSpan;

use crate::together::{Places as Claimed, host_ports};
use crate::value::{Description, ServiceName, Text};
use crate::written::{self, Read, Removed, Spanned, Timer, Whole, default};
use crate::{Abilities, Diagnostic, Process, Service, Source, Storage};
use lint::Places;
use network::Networking;
use release::{Released, Releasing};
use runtime::Asked;

pub(crate) use object::{network, volume};

/// A service and the places of what it claims, unless something needed is missing, and all diagnostics: those of reading
/// included.
pub(crate) fn service(
    name: Result<ServiceName, Diagnostic>,
    source: &Source,
    read: Read<written::Service>,
    abilities: Abilities,
) -> (Option<(Service, Claimed)>, Vec<Diagnostic>) {
    let Read { written, removed, diagnostics } = read;
    let mut check = Check::new(diagnostics, removed, abilities);
    let written::Service {
        image,
        description,
        revision,
        entrypoint,
        command,
        instances,
        enabled,
        hosts,
        runtime,
        runtime_args,
        user,
        groups,
        working_directory,
        hostname,
        timezone,
        init,
        notify,
        read_only,
        environment_files,
        devices,
        network,
        network_aliases,
        network_addresses,
        after,
        wants,
        requires,
        environment,
        labels,
        secrets,
        resources,
        ports,
        volumes,
        tmpfs,
        dns,
        extra_hosts,
        ulimits,
        sysctls,
        security,
        stop,
        pull,
        reload,
        log,
        systemd,
        health,
        restart,
        deploy,
        proxy,
    } = written;

    if image.is_none() {
        check.missing("image", "image", None, "say what to run: image = \"registry.example.com/web:1.4.2\"");
    }
    let limit = restart.as_ref().and_then(|restart| restart.limit.as_ref());
    let places = Places {
        image: image.as_ref().map(Spanned::span).unwrap_or_default(),
        limit: limit.map(Spanned::span).unwrap_or_default(),
        health: health.as_ref().map(Spanned::span).unwrap_or_default(),
    };
    let instances = instances.and_then(|n| check.number(&n)).unwrap_or(default::INSTANCES);
    let runtime = runtime.map(|runtime| check.runtime(&runtime)).unwrap_or_default();
    let (resources, security) = (resources.unwrap_or_default(), security.unwrap_or_default());
    let log = log.unwrap_or_default();
    check.engine(runtime, Asked::of(timezone.as_ref(), notify.as_ref(), &resources, &security, &log));
    let shm = resources.shm;
    let storage = Storage {
        read_only: read_only.unwrap_or(false),
        mounts: check.mounts(volumes.unwrap_or_default()),
        tmpfs: check.tmpfs(tmpfs.unwrap_or_default()),
        shm,
        devices: devices.unwrap_or_default(),
    };
    let wrote_ports = ports.as_ref().is_some_and(|ports| !ports.is_empty());
    let Released { deploy, slots, proxy } = check.releasing(Releasing {
        deploy,
        proxy,
        has_ports: wrote_ports,
        has_health: health.is_some(),
        instances,
    });
    let network = check.network(Networking {
        network,
        aliases: network_aliases,
        addresses: network_addresses,
        ports: ports.unwrap_or_default(),
        instances,
        slots,
        hostname,
        dns: dns.unwrap_or_default(),
        extra_hosts: extra_hosts.unwrap_or_default(),
        sysctls: sysctls.unwrap_or_default(),
    });
    let health = health.and_then(|health| check.health(health, &network.ports, wrote_ports));
    let proxy = proxy.and_then(|proxy| {
        let taken: Vec<_> = host_ports(&network.ports, instances, slots).collect();
        check.proxy(proxy, &network.ports, wrote_ports, &taken)
    });
    let restart = check.restart(restart.unwrap_or_default());
    // All is looked at before anything is put together: what is missing hides nothing else.
    let ulimits = check.ulimits(ulimits.unwrap_or_default());
    let secrets = check.secrets(
        secrets.unwrap_or_default(),
        environment.as_ref().map(Spanned::get_ref),
        security.user_namespace.as_ref(),
    );
    let security = check.security(security);
    let directives = check.directives(systemd.unwrap_or_default());
    let runtime_args = check.runtime_args(runtime_args.unwrap_or_default());
    if let Some(environment) = &environment {
        check.own_variables(environment, &network, instances);
    }
    let resources = check.resources(resources);
    let stop = check.stop(stop.unwrap_or_default());
    let reload = reload.and_then(|reload| check.reload(reload));
    let pull = check.pull(pull.unwrap_or_default());
    let name = name.map_err(|error| check.diagnostics.push(error)).ok();
    let process = image.map(|image| Process {
        image: image.into_inner(),
        entrypoint: entrypoint.map(texts),
        command: texts(command.unwrap_or_default()),
        user,
        groups: groups.unwrap_or_default(),
        working_directory,
        timezone: timezone.map(Spanned::into_inner),
        init: init.unwrap_or(false),
        notify: notify.is_some_and(Spanned::into_inner),
        environment: values(environment.map(Spanned::into_inner)),
        environment_files: environment_files.unwrap_or_default(),
        labels: values(labels),
        ulimits,
    });

    let references = [&requires, &wants, &after].into_iter().flatten().flatten();
    let references = references.filter(|name| name.get_ref().may_be_ours()).map(Spanned::span).collect();
    let claimed = Claimed { references, ports: std::mem::take(&mut check.port_places) };
    let plain = |list: Option<Vec<Spanned<_>>>| {
        list.unwrap_or_default().into_iter().map(Spanned::into_inner).collect()
    };
    let service = name.zip(process).map(|(name, process)| Service {
        name,
        source_path: source.path().to_owned(),
        is_release: false,
        drop_ins: source.drop_ins().map(Path::to_owned).collect(),
        description: description
            .map(|Description(text)| text)
            .filter(|description| !description.trim().is_empty()),
        revision: revision.map(|Text(text)| text),
        runtime,
        runtime_args,
        instances,
        enabled: enabled.unwrap_or(true),
        hosts: hosts.unwrap_or_default(),
        after: plain(after),
        wants: plain(wants),
        requires: plain(requires),
        process,
        secrets,
        resources,
        storage,
        network,
        security,
        stop,
        reload,
        pull,
        log: Check::log(log),
        health,
        restart,
        deploy,
        slots,
        proxy,
        directives,
    });
    // Errors first: what does not work needs no advice.
    if let Some(service) = service.as_ref().filter(|_| check.diagnostics.is_empty()) {
        check.lint(service, places);
    }
    (service.map(|service| (service, claimed)), check.diagnostics)
}

fn texts(list: Vec<Text>) -> Vec<String> {
    list.into_iter().map(|Text(text)| text).collect()
}

fn values<K: Ord>(table: Option<BTreeMap<K, Text>>) -> BTreeMap<K, String> {
    table.unwrap_or_default().into_iter().map(|(key, Text(value))| (key, value)).collect()
}

struct Check {
    diagnostics: Vec<Diagnostic>,
    removed: Removed,
    abilities: Abilities,
    /// Host ports that root alone may publish, and where they stand.
    low_ports: Vec<(u16, Range<usize>)>,
    /// Where each of the host ports stands.
    port_places: Vec<Range<usize>>,
    /// Where something is mounted, and where that stands.
    targets: BTreeMap<String, Range<usize>>,
}

impl Check {
    fn new(diagnostics: Vec<Diagnostic>, removed: Removed, abilities: Abilities) -> Self {
        Self {
            diagnostics,
            removed,
            abilities,
            low_ports: Vec::new(),
            port_places: Vec::new(),
            targets: BTreeMap::new(),
        }
    }

    fn report(&mut self, diagnostic: Diagnostic) {
        self.diagnostics.push(diagnostic);
    }

    /// A key that has to be there, unless it was there and could not be read.
    fn missing(&mut self, path: &str, key: &str, table: Option<Range<usize>>, help: &str) {
        if !self.removed.contains(path) {
            let diagnostic = Diagnostic::error("missing-key", format!("`{key}` is missing")).help(help);
            self.report(match table {
                Some(span) => diagnostic.at(span, format!("has no `{key}`")),
                None => diagnostic,
            });
        }
    }

    /// A number within the bounds of its type.
    fn number<T: TryFrom<i64>, const MIN: i64, const MAX: i64>(
        &mut self,
        number: &Spanned<Whole<MIN, MAX>>,
    ) -> Option<T> {
        let Whole(value) = *number.get_ref();
        let found = if (MIN..=MAX).contains(&value) { T::try_from(value).ok() } else { None };
        if found.is_none() {
            self.report(
                Diagnostic::error("out-of-range", format!("{value} is not between {MIN} and {MAX}"))
                    .at(number.span(), "out of range"),
            );
        }
        found
    }

    /// A span that is used as a timer: neither nothing nor for ever.
    fn timer(&mut self, span: Option<Spanned<Timer>>, default: TimeSpan) -> TimeSpan {
        let Some(span) = span else { return default };
        let Timer(value) = *span.get_ref();
        if (Timer::SHORTEST..=Timer::LONGEST).contains(&value) {
            return value;
        }
        self.report(
            Diagnostic::error(
                "out-of-range",
                format!("`{value}` is not between {} and {}", Timer::SHORTEST, Timer::LONGEST),
            )
            .at(span.span(), "out of range"),
        );
        default
    }
}
