//! From what is written to what it means.
//!
//! Every check here is about more than one value, or about a number's range: what a single value may
//! look like is its type's business.

mod engine;
mod health;
mod lint;
mod network;
mod object;
mod restart;
mod runtime;
mod storage;
mod subnets;
mod volume;

use std::collections::BTreeMap;
use std::ops::{Range, RangeInclusive};
use std::path::Path;
use std::str::FromStr;

use conductor_timespan::TimeSpan;
use toml::Spanned;

use crate::suggest::nearest;
use crate::value::{InvalidValue, ServiceName, Text};
use crate::written::{self, Read, Removed};
use crate::{Diagnostic, Process, Runtime, Secret, Service, Source, Storage};
use lint::Places;
use network::Networking;
use runtime::Asked;

pub(crate) use object::{network, volume};

const PORTS: RangeInclusive<i64> = 1..=65_535;
/// Thresholds and counts that are larger are a slip of the finger.
const COUNTS: RangeInclusive<i64> = 1..=10_000;

/// Spans that may be neither zero nor endless.
const SHORTEST: TimeSpan = TimeSpan::from_millis(10);
const LONGEST: TimeSpan = TimeSpan::from_secs(7 * 24 * 60 * 60);

/// A service, unless something needed is missing, and all diagnostics: those of reading included.
pub(crate) fn service(
    name: Result<ServiceName, Diagnostic>,
    source: &Source,
    read: Read<written::Service>,
) -> (Option<Service>, Vec<Diagnostic>) {
    let Read { written, removed, diagnostics } = read;
    let mut check = Check { diagnostics, removed };
    let written::Service {
        description,
        image,
        revision,
        entrypoint,
        command,
        instances,
        enabled,
        runtime,
        runtime_args,
        hosts,
        after,
        wants,
        requires,
        user,
        groups,
        working_directory,
        hostname,
        init,
        read_only,
        labels,
        environment,
        environment_files,
        secrets,
        resources,
        ports,
        volumes,
        tmpfs,
        network,
        dns,
        extra_hosts,
        ulimits,
        sysctls,
        devices,
        security,
        stop,
        pull,
        log,
        health,
        restart,
        systemd,
    } = written;

    let description = description.and_then(|text| check.description(text));
    if image.is_none() {
        check.missing("image", "image", None, "say what to run: image = \"registry.example.com/web:1.4.2\"");
    }
    let places = Places {
        image: image.as_ref().map(Spanned::span).unwrap_or_default(),
        health: health.as_ref().map(Spanned::span).unwrap_or_default(),
    };
    let instances = instances.and_then(|n| check.number(&n, 1..=1_000)).unwrap_or(1);
    let runtime = runtime.and_then(|text| check.word(&text, Runtime::NAMES)).unwrap_or_default();
    let (resources, security) = (resources.unwrap_or_default(), security.unwrap_or_default());
    let log = log.unwrap_or_default();
    check.engine(runtime, Asked::of(&resources, &security, &log));
    let shm = resources.shm;
    let storage = Storage {
        read_only: read_only.unwrap_or(false),
        mounts: check.mounts(volumes.unwrap_or_default()),
        tmpfs: check.tmpfs(tmpfs.unwrap_or_default()),
        shm,
        devices: devices.unwrap_or_default(),
    };
    let wrote_ports = ports.as_ref().is_some_and(|ports| !ports.is_empty());
    let network = check.network(Networking {
        network,
        ports: ports.unwrap_or_default(),
        instances,
        hostname,
        dns: dns.unwrap_or_default(),
        extra_hosts: extra_hosts.unwrap_or_default(),
        sysctls: sysctls.unwrap_or_default(),
    });
    let health = health.and_then(|health| check.health(health, &network.ports, wrote_ports));
    let restart = check.restart(restart.unwrap_or_default());
    // All is looked at before anything is put together: what is missing hides nothing else.
    let environment = check.table(environment.unwrap_or_default(), |Text(value)| value);
    let labels = check.table(labels.unwrap_or_default(), |Text(value)| value);
    let ulimits = check.ulimits(ulimits.unwrap_or_default());
    let secrets = check
        .table(secrets.unwrap_or_default(), |written::Secret { path, encrypted }| Secret { path, encrypted });
    let resources = check.resources(resources);
    let security = check.security(security);
    let stop = check.stop(stop.unwrap_or_default());
    let pull = check.pull(pull.unwrap_or_default());
    let log = check.log(log);
    let directives = check.directives(systemd.unwrap_or_default());
    let name = name.map_err(|error| check.diagnostics.push(error)).ok();
    let process = image.map(|image| Process {
        image: image.into_inner(),
        entrypoint: entrypoint.map(texts),
        command: texts(command.unwrap_or_default()),
        user,
        groups: groups.unwrap_or_default(),
        working_directory,
        init: init.unwrap_or(false),
        environment,
        environment_files: environment_files.unwrap_or_default(),
        labels,
        ulimits,
    });

    let plain = |list: Option<Vec<Spanned<_>>>| {
        list.unwrap_or_default().into_iter().map(Spanned::into_inner).collect()
    };
    let service = name.zip(process).map(|(name, process)| Service {
        name,
        source_path: source.path().to_owned(),
        drop_ins: source.drop_ins().map(Path::to_owned).collect(),
        description,
        revision: revision.map(|Text(text)| text),
        runtime,
        runtime_args: texts(runtime_args.unwrap_or_default()),
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
        pull,
        log,
        health,
        restart,
        directives,
    });
    // Errors first: what does not work needs no advice.
    if let Some(service) = service.as_ref().filter(|_| check.diagnostics.is_empty()) {
        check.lint(service, places);
    }
    (service, check.diagnostics)
}

fn texts(list: Vec<Text>) -> Vec<String> {
    list.into_iter().map(|Text(text)| text).collect()
}

struct Check {
    diagnostics: Vec<Diagnostic>,
    removed: Removed,
}

impl Check {
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

    fn number<T: TryFrom<i64>>(&mut self, number: &Spanned<i64>, range: RangeInclusive<i64>) -> Option<T> {
        let value = *number.get_ref();
        let found = if range.contains(&value) { T::try_from(value).ok() } else { None };
        if found.is_none() {
            self.report(
                Diagnostic::error(
                    "out-of-range",
                    format!("{value} is not between {} and {}", range.start(), range.end()),
                )
                .at(number.span(), "out of range"),
            );
        }
        found
    }

    /// A span that is used as a timer: neither nothing nor for ever.
    fn timer(&mut self, span: Option<Spanned<TimeSpan>>, default: TimeSpan) -> TimeSpan {
        let Some(span) = span else { return default };
        let value = *span.get_ref();
        if (SHORTEST..=LONGEST).contains(&value) {
            return value;
        }
        self.report(
            Diagnostic::error("out-of-range", format!("`{value}` is not between {SHORTEST} and {LONGEST}"))
                .at(span.span(), "out of range"),
        );
        default
    }

    /// A word of a closed list.
    fn word<T: Copy>(&mut self, written: &Spanned<String>, list: &[(&str, T)]) -> Option<T> {
        let word = written.get_ref().as_str();
        if let Some((_, value)) = list.iter().find(|(known, _)| *known == word) {
            return Some(*value);
        }
        let known: Vec<String> = list.iter().map(|(known, _)| format!("\"{known}\"")).collect();
        let help = match nearest(word, list.iter().map(|(known, _)| *known)) {
            Some(near) => format!("did you mean \"{near}\"?"),
            None => format!("write one of {}", known.join(", ")),
        };
        self.report(
            Diagnostic::error("invalid-value", format!("`{}` is not known here", word.escape_debug()))
                .at(written.span(), "not known")
                .help(help),
        );
        None
    }

    /// A table whose keys have a type of their own.
    fn table<K: FromStr<Err = InvalidValue> + Ord, W, V>(
        &mut self,
        written: BTreeMap<Spanned<String>, W>,
        value: impl Fn(W) -> V,
    ) -> BTreeMap<K, V> {
        let mut table = BTreeMap::new();
        for (key, written) in written {
            match key.get_ref().parse() {
                Ok(name) => {
                    table.insert(name, value(written));
                }
                Err(InvalidValue(message)) => {
                    self.report(Diagnostic::error("invalid-value", message).at(key.span(), "not a name"));
                }
            }
        }
        table
    }

    fn description(&mut self, text: Spanned<Text>) -> Option<String> {
        let span = text.span();
        let Text(description) = text.into_inner();
        if description.chars().any(char::is_control) {
            self.report(
                Diagnostic::error("invalid-value", "a description is one line of text")
                    .at(span, "holds a control character"),
            );
            return None;
        }
        (!description.trim().is_empty()).then_some(description)
    }
}
