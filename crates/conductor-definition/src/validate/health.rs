//! `[health]`

use std::ops::Range;

use super::Check;
use super::question::Asked;
use crate::written::{self, PortNumber, Spanned, Whole, default};
use crate::{Diagnostic, Health, Port, Protocol};

impl Check {
    pub(super) fn health(
        &mut self,
        written: Spanned<written::Health>,
        ports: &[Port],
        wrote_ports: bool,
    ) -> Option<Health> {
        let table = written.span();
        let written::Health {
            protocol,
            path,
            service,
            port,
            method,
            headers,
            body,
            expect_status,
            expect_body,
            tls,
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
        let asked = Asked { path, service, method, headers, body, expect_status, expect_body, tls };
        let question = self.question(protocol.unwrap_or_default(), asked, table.clone());
        let port = self.port_of("a health check needs a port to ask", port, ports, wrote_ports, table);
        let interval = self.timer(interval, default::INTERVAL);
        let timeout_span = timeout.as_ref().map(Spanned::span);
        let timeout = self.timer(timeout, default::TIMEOUT);
        let unhealthy_after =
            unhealthy_after.and_then(|n| self.number(&n)).unwrap_or(default::UNHEALTHY_AFTER);
        let healthy_after = healthy_after.and_then(|n| self.number(&n)).unwrap_or(default::HEALTHY_AFTER);
        let start_within = self.timer(start_within, default::START_WITHIN);
        if let (true, Some(span)) = (timeout > start_within, timeout_span) {
            self.report(
                Diagnostic::error("contradiction", "one check may take longer than the whole start")
                    .at(span, format!("longer than start-within, which is {start_within}"))
                    .help("raise start-within, or lower timeout"),
            );
        }
        let kill_grace = self.timer(kill_grace, default::KILL_GRACE);
        let max_unavailable =
            max_unavailable.and_then(|n| self.number(&n)).unwrap_or(default::MAX_UNAVAILABLE);
        let max_pressure = max_pressure.and_then(|n| self.number(&n)).unwrap_or(default::MAX_PRESSURE);
        let max_hold = self.timer(max_hold, default::MAX_HOLD);
        Some(Health {
            question: question?,
            port: port?,
            interval,
            timeout,
            unhealthy_after,
            healthy_after,
            start_within,
            kill_grace,
            on_unhealthy: on_unhealthy.unwrap_or_default(),
            max_unavailable,
            max_pressure,
            max_hold,
        })
    }

    /// The one of the published ports that something else is about.
    pub(super) fn port_of(
        &mut self,
        needed: &str,
        written: Option<Spanned<PortNumber>>,
        ports: &[Port],
        wrote_ports: bool,
        table: Range<usize>,
    ) -> Option<Port> {
        let Some(wanted) = written else {
            if ports.is_empty() && !wrote_ports && !self.removed.contains("ports") {
                self.report(
                    Diagnostic::error("missing-key", needed)
                        .at(table, "no [[ports]] in this file")
                        .help("add [[ports]] with container = and host ="),
                );
            }
            return ports.iter().find(|port| port.protocol == Protocol::Tcp).copied();
        };
        let Whole(number) = *wanted.get_ref();
        let found =
            ports.iter().find(|port| port.protocol == Protocol::Tcp && i64::from(port.container) == number);
        if found.is_none() && (!ports.is_empty() || !wrote_ports) && !self.removed.contains("ports") {
            let known: Vec<String> = ports.iter().map(|port| port.container.to_string()).collect();
            self.report(
                Diagnostic::error("no-such-port", format!("port {number} is not in [[ports]]"))
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
