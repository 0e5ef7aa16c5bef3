//! `[deploy]` and `[proxy]`.

use std::ops::Range;

use super::Check;
use super::stages::Staging;
use crate::value::Text;
use crate::written::{self, DriverWord, Spanned, default};
use crate::{Before, Deploy, Diagnostic, Port, Proxy, ProxyDriver, Strategy};

/// What is written about releases, and what of the rest it depends on.
pub(super) struct Releasing {
    pub(super) deploy: Option<Spanned<written::Deploy>>,
    pub(super) proxy: Option<Spanned<written::Proxy>>,
    pub(super) has_ports: bool,
    pub(super) has_health: bool,
    pub(super) instances: u16,
}

/// What is to be known before ports are looked at.
pub(super) struct Released {
    pub(super) deploy: Deploy,
    /// Whether its units are those of a slot.
    pub(super) slots: bool,
    pub(super) proxy: Option<Spanned<written::Proxy>>,
}

impl Check {
    pub(super) fn releasing(&mut self, written: Releasing) -> Released {
        let Releasing { deploy, proxy, has_ports, has_health, instances } = written;
        let beside = has_ports && (has_health || proxy.is_some());
        let asked = deploy.is_some() || proxy.is_some();
        let written::Deploy { strategy, settle, drain, before, keep, canary, bake } =
            deploy.map(Spanned::into_inner).unwrap_or_default();
        let place = strategy.as_ref().map(Spanned::span);
        let strategy = strategy
            .map_or(if beside { Strategy::BlueGreen } else { Strategy::Recreate }, Spanned::into_inner);
        if let (Strategy::Recreate, Some(proxy), Some(place)) = (strategy, &proxy, place.clone()) {
            self.report(
                Diagnostic::error(
                    "contradiction",
                    "with recreate there is nothing that a proxy could switch",
                )
                .at(place, "each release has the ports of the one before")
                .and(proxy.span(), "the proxy")
                .help("write \"blue-green\", or leave [proxy] out and configure the proxy by hand"),
            );
        }
        let (canary, bake) = self.stages(Staging {
            canary,
            bake,
            recreate: place.filter(|_| strategy == Strategy::Recreate),
            has_proxy: proxy.is_some(),
            has_health,
            instances,
        });
        let deploy = Deploy {
            strategy,
            settle: self.timer(settle, default::SETTLE),
            drain: self.timer(drain, default::DRAIN),
            before: before.and_then(|before| self.before(before)),
            keep: keep.and_then(|n| self.number(&n)).unwrap_or(default::KEEP),
            canary,
            bake,
        };
        Released { deploy, slots: asked && strategy == Strategy::BlueGreen, proxy }
    }

    fn before(&mut self, written: Spanned<written::Before>) -> Option<Before> {
        let table = written.span();
        let written::Before { command, timeout } = written.into_inner();
        let timeout = self.timer(timeout, default::BEFORE_TIMEOUT);
        let Some(command) = command else {
            self.missing(
                "deploy.before.command",
                "command",
                Some(table),
                "say what to run, such as command = [\"bin/rake\", \"db:migrate\"]",
            );
            return None;
        };
        if command.get_ref().is_empty() {
            self.report(
                Diagnostic::error("contradiction", "there is nothing to run before a release")
                    .at(command.span(), "is empty")
                    .help("name a command, or leave `before` out"),
            );
            return None;
        }
        let command = command.into_inner().into_iter().map(|Text(text)| text).collect();
        Some(Before { command, timeout })
    }

    pub(super) fn proxy(
        &mut self,
        written: Spanned<written::Proxy>,
        ports: &[Port],
        wrote_ports: bool,
        own_ports: &[(u16, u16)],
    ) -> Option<Proxy> {
        let table = written.span();
        let written::Proxy { upstream, driver, port, socket, dark } = written.into_inner();
        if !self.abilities.proxy {
            self.report(
                Diagnostic::error("not-for-users", "the machine's proxy is not a user's to configure")
                    .at(table.clone(), "not possible here")
                    .help("leave [proxy] out, or define the service for the machine, in /etc/conductor"),
            );
        }
        if upstream.is_none() {
            self.missing(
                "proxy.upstream",
                "upstream",
                Some(table.clone()),
                "name the upstream that the proxy's configuration passes requests to",
            );
        }
        let driver = driver.map(Spanned::into_inner).unwrap_or_default();
        let dark = dark.and_then(|dark| self.dark(dark, driver, own_ports));
        let driver = self.driver(driver, socket);
        let port =
            self.port_of("the proxy needs a port to pass requests to", port, ports, wrote_ports, table);
        Some(Proxy { upstream: upstream?.into_inner(), port: port?, driver: driver?, dark })
    }

    fn driver(
        &mut self,
        driver: DriverWord,
        socket: Option<Spanned<crate::FilePath>>,
    ) -> Option<ProxyDriver> {
        match (driver, socket) {
            (DriverWord::Nginx, None) => Some(ProxyDriver::Nginx),
            (DriverWord::Nginx, Some(socket)) => {
                self.report(
                    Diagnostic::error("contradiction", "nginx has no socket for a runtime API")
                        .at(socket.span(), "has no meaning with nginx")
                        .help("leave it out, or write driver = \"haproxy\""),
                );
                None
            }
            (DriverWord::Haproxy, Some(socket)) => Some(ProxyDriver::Haproxy { socket: socket.into_inner() }),
            (DriverWord::Haproxy, None) => {
                let socket = default::HAPROXY_SOCKET.parse().ok()?;
                Some(ProxyDriver::Haproxy { socket })
            }
        }
    }

    /// Time in which nothing is asked proves nothing.
    pub(super) fn lint_settle(
        &mut self,
        deploy: &Deploy,
        interval: conductor_timespan::TimeSpan,
        place: Range<usize>,
    ) {
        if deploy.settle < interval {
            self.report(
                Diagnostic::warning("no-checks", "a new release may take over without a second check")
                    .at(place, format!("settle is {}, and interval is {interval}", deploy.settle))
                    .help("raise settle in [deploy], or lower interval"),
            );
        }
    }
}
