//! `[health]`

use conductor_timespan::TimeSpan;
use std::ops::Range;
use toml::Spanned;

use super::{COUNTS, Check};
use crate::{Diagnostic, Health, OnUnhealthy, Port, Protocol, written};

const ON_UNHEALTHY: &[(&str, OnUnhealthy)] =
    &[("restart", OnUnhealthy::Restart), ("none", OnUnhealthy::None)];

impl Check {
    pub(super) fn health(
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
            on_unhealthy,
            max_unavailable,
            max_pressure,
            max_hold,
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
        let on_unhealthy = on_unhealthy.and_then(|word| self.word(&word, ON_UNHEALTHY)).unwrap_or_default();
        let max_unavailable = max_unavailable.and_then(|n| self.number(&n, COUNTS)).unwrap_or(1);
        let max_pressure = max_pressure.and_then(|n| self.number(&n, 0..=100)).unwrap_or(80);
        let max_hold = self.timer(max_hold, TimeSpan::from_secs(60));
        Some(Health {
            path: path?.into_inner(),
            port: port?,
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
            return ports.iter().find(|port| port.protocol == Protocol::Tcp).copied();
        };
        let found = ports
            .iter()
            .find(|port| port.protocol == Protocol::Tcp && i64::from(port.container) == *wanted.get_ref());
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
}
