//! From what is written to what it means.
//!
//! Every check here is about more than one value, or about a number's range: what a single value may
//! look like is its type's business.

use std::collections::BTreeMap;
use std::ops::{Range, RangeInclusive};
use std::path::Path;

use conductor_timespan::TimeSpan;
use toml::Spanned;

use crate::value::{EnvironmentName, InvalidValue, ServiceName, Text};
use crate::written::{self, Limit, Read, Removed, Within};
use crate::{Diagnostic, Health, Port, Resources, Restart, Service, StartLimit};

const PORTS: RangeInclusive<i64> = 1..=65_535;
/// Thresholds and counts that are larger are a slip of the finger.
const COUNTS: RangeInclusive<i64> = 1..=10_000;

/// Spans that may be neither zero nor endless.
const SHORTEST: TimeSpan = TimeSpan::from_millis(10);
const LONGEST: TimeSpan = TimeSpan::from_secs(7 * 24 * 60 * 60);

/// A service, unless something needed is missing, and all diagnostics: those of reading included.
pub(crate) fn service(
    name: Result<ServiceName, Diagnostic>,
    source_path: &Path,
    read: Read<written::Service>,
) -> (Option<Service>, Vec<Diagnostic>) {
    let Read { written, removed, diagnostics } = read;
    let mut check = Check { diagnostics, removed };
    let written::Service {
        description,
        image,
        command,
        instances,
        enabled,
        after,
        wants,
        requires,
        environment,
        resources,
        ports,
        health,
        restart,
    } = written;

    let description = description.and_then(|text| check.description(text));
    if image.is_none() {
        check.missing("image", "image", None, "say what to run: image = \"registry.example.com/web:1.4.2\"");
    }
    let instances = instances.and_then(|n| check.number(&n, 1..=1_000)).unwrap_or(1);
    let environment = check.environment(environment.unwrap_or_default());
    let resources = check.resources(resources.unwrap_or_default());
    let wrote_ports = ports.is_some();
    let ports = check.ports(ports.unwrap_or_default(), instances);
    let health = health.and_then(|health| check.health(health, &ports, wrote_ports));
    let restart = check.restart(restart.unwrap_or_default());
    let name = name.map_err(|error| check.diagnostics.push(error)).ok();

    let plain = |list: Option<Vec<Spanned<_>>>| {
        list.unwrap_or_default().into_iter().map(Spanned::into_inner).collect()
    };
    let service = name.zip(image).map(|(name, image)| Service {
        name,
        source_path: source_path.to_owned(),
        description,
        image: image.into_inner(),
        command: command.unwrap_or_default().into_iter().map(|Text(argument)| argument).collect(),
        instances,
        enabled: enabled.unwrap_or(true),
        after: plain(after),
        wants: plain(wants),
        requires: plain(requires),
        environment,
        resources,
        ports,
        health,
        restart,
    });
    (service, check.diagnostics)
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

    fn environment(&mut self, written: BTreeMap<Spanned<String>, Text>) -> BTreeMap<EnvironmentName, String> {
        let mut environment = BTreeMap::new();
        for (key, Text(value)) in written {
            match key.get_ref().parse::<EnvironmentName>() {
                Ok(name) => {
                    environment.insert(name, value);
                }
                Err(InvalidValue(message)) => {
                    self.report(Diagnostic::error("invalid-value", message).at(key.span(), "not a name"));
                }
            }
        }
        environment
    }

    fn resources(&mut self, written: written::Resources) -> Resources {
        let written::Resources { memory, cpus, pids } = written;
        // TasksMax= counts podman while it starts the container (some ten threads), and conmon later.
        let pids = pids.and_then(|pids| self.number(&pids, 32..=4_194_304));
        Resources { memory, cpus, pids }
    }

    fn ports(&mut self, written: Vec<Spanned<written::Port>>, instances: u16) -> Vec<Port> {
        let mut ports: Vec<(Port, Range<usize>)> = Vec::new();
        for entry in written {
            let table = entry.span();
            let written::Port { container, host } = entry.into_inner();
            if container.is_none() {
                self.missing(
                    "ports.container",
                    "container",
                    Some(table.clone()),
                    "say which port the program listens on, such as container = 8080",
                );
            }
            if host.is_none() {
                self.missing(
                    "ports.host",
                    "host",
                    Some(table.clone()),
                    "say which of the host's ports it gets, such as host = 20000",
                );
            }
            let container = container.and_then(|port| self.number(&port, PORTS));
            let (host, place) = match host {
                Some(port) => (self.number::<u16>(&port, PORTS), port.span()),
                None => (None, table),
            };
            let Some((container, host)) = container.zip(host) else { continue };
            let last = u32::from(host) + u32::from(instances) - 1;
            if last > 65_535 {
                self.report(
                    Diagnostic::error(
                        "out-of-range",
                        format!("{instances} instances from port {host} on need ports up to {last}"),
                    )
                    .at(place, "ports end at 65535")
                    .help("choose a lower port; instance i gets host + i - 1"),
                );
                continue;
            }
            let overlap = ports.iter().find(|(other, _)| host.abs_diff(other.host) < instances);
            if let Some((other, there)) = overlap {
                self.report(
                    Diagnostic::error(
                        "port-clash",
                        if instances == 1 {
                            format!("host port {host} is published twice")
                        } else {
                            format!(
                                "with {instances} instances, the ports from {host} and from {} on overlap",
                                other.host
                            )
                        },
                    )
                    .at(place, "claimed here")
                    .and(there.clone(), "and here")
                    .help("instance i gets host + i - 1: leave room for all instances"),
                );
                continue;
            }
            ports.push((Port { container, host }, place));
        }
        ports.into_iter().map(|(port, _)| port).collect()
    }

    fn health(
        &mut self,
        written: Spanned<written::Health>,
        ports: &[Port],
        wrote_ports: bool,
    ) -> Option<Health> {
        let table = written.span();
        let written::Health {
            path,
            port,
            interval,
            timeout,
            unhealthy_after,
            healthy_after,
            start_within,
            kill_grace,
        } = written.into_inner();
        if path.is_none() {
            self.missing(
                "health.path",
                "path",
                Some(table.clone()),
                "say what to ask for, such as path = \"/healthz\"",
            );
        }
        let port = self.health_port(port, ports, wrote_ports, table);
        let interval = self.timer(interval, TimeSpan::from_secs(5));
        let timeout_span = timeout.as_ref().map(Spanned::span);
        let timeout = self.timer(timeout, TimeSpan::from_secs(2));
        let unhealthy_after = unhealthy_after.and_then(|n| self.number(&n, COUNTS)).unwrap_or(3);
        let healthy_after = healthy_after.and_then(|n| self.number(&n, COUNTS)).unwrap_or(1);
        let start_within = self.timer(start_within, TimeSpan::from_secs(60));
        if let (true, Some(span)) = (timeout > start_within, timeout_span) {
            self.report(
                Diagnostic::error("contradiction", "one check may take longer than the whole start")
                    .at(span, format!("longer than start-within, which is {start_within}"))
                    .help("raise start-within, or lower timeout"),
            );
        }
        let kill_grace = self.timer(kill_grace, TimeSpan::from_secs(10));
        Some(Health {
            path: path?.into_inner(),
            port: port?,
            interval,
            timeout,
            unhealthy_after,
            healthy_after,
            start_within,
            kill_grace,
        })
    }

    fn health_port(
        &mut self,
        written: Option<Spanned<i64>>,
        ports: &[Port],
        wrote_ports: bool,
        table: Range<usize>,
    ) -> Option<Port> {
        let Some(wanted) = written else {
            if ports.is_empty() && !wrote_ports && !self.removed.contains("ports") {
                self.report(
                    Diagnostic::error("missing-key", "a health check needs a port to ask")
                        .at(table, "no [[ports]] in this file")
                        .help("add [[ports]] with container = and host ="),
                );
            }
            return ports.first().copied();
        };
        let found = ports.iter().find(|port| i64::from(port.container) == *wanted.get_ref());
        if found.is_none() && (!ports.is_empty() || !wrote_ports) && !self.removed.contains("ports") {
            let known: Vec<String> = ports.iter().map(|port| port.container.to_string()).collect();
            self.report(
                Diagnostic::error("missing-key", format!("port {} is not in [[ports]]", wanted.get_ref()))
                    .at(wanted.span(), "not published")
                    .help(if known.is_empty() {
                        "add [[ports]] with this port as container =".to_owned()
                    } else {
                        format!("published are the container's ports {}", known.join(", "))
                    }),
            );
        }
        found.copied()
    }

    fn restart(&mut self, written: written::Restart) -> Restart {
        let written::Restart { delay, max_delay, limit } = written;
        let delay_span = delay.as_ref().map(Spanned::span);
        let max_span = max_delay.as_ref().map(Spanned::span);
        let delay = self.timer(delay, TimeSpan::from_secs(5));
        let mut max_delay = self.timer(max_delay, delay.max(TimeSpan::from_secs(60)));
        if max_delay < delay {
            if let Some(span) = max_span {
                let shorter = Diagnostic::error("contradiction", "`max-delay` is shorter than `delay`")
                    .at(span, format!("shorter than {delay}"))
                    .help("the delay grows from `delay` to `max-delay` while restarts follow each other");
                self.report(match delay_span {
                    Some(delay) => shorter.and(delay, "the delay"),
                    None => shorter,
                });
            }
            max_delay = delay;
        }
        Restart { delay, max_delay, limit: self.limit(limit) }
    }

    fn limit(&mut self, written: Option<Limit>) -> Option<StartLimit> {
        let starts = match written {
            Some(Limit::None) => return None,
            Some(Limit::Starts(starts)) => starts,
            None => written::Starts::default(),
        };
        let written::Starts { starts, within } = starts;
        let within = match within {
            Some(within) => match *within.get_ref() {
                Within::Auto => None,
                Within::Span(span) => {
                    let spanned = Spanned::new(within.span(), span);
                    Some(self.timer(Some(spanned), span))
                }
            },
            None => None,
        };
        Some(StartLimit { starts: starts.and_then(|n| self.number(&n, COUNTS)).unwrap_or(10), within })
    }
}
