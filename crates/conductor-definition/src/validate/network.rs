//! The network: `[[ports]]`, `network`, `[dns]`, `[extra-hosts]`, `[sysctls]`.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr};
use std::ops::Range;

use toml::Spanned;

use super::{Check, PORTS};
use crate::value::{HostName, Text};
use crate::written::{self, Networks, Number};
use crate::{Diagnostic, Network, NetworkMode, Port, Protocol};

const PROTOCOLS: &[(&str, Protocol)] = &[("tcp", Protocol::Tcp), ("udp", Protocol::Udp)];

/// What is written about the network.
pub(super) struct Networking {
    pub(super) network: Option<Spanned<Networks>>,
    pub(super) ports: Vec<Spanned<written::Port>>,
    pub(super) instances: u16,
    pub(super) hostname: Option<HostName>,
    pub(super) dns: written::Dns,
    pub(super) extra_hosts: BTreeMap<Spanned<String>, Spanned<Text>>,
    pub(super) sysctls: BTreeMap<Spanned<String>, Number>,
}

impl Check {
    pub(super) fn network(&mut self, written: Networking) -> Network {
        let Networking { network, ports, instances, hostname, dns, extra_hosts, sysctls } = written;
        let mode_span = network.as_ref().map(Spanned::span);
        let mode = network.map(|network| self.mode(network)).unwrap_or_default();
        if let (NetworkMode::None, Some(port), Some(span)) = (&mode, ports.first(), mode_span) {
            self.report(
                Diagnostic::error("contradiction", "a container without a network cannot publish a port")
                    .at(port.span(), "published here")
                    .and(span, "no network"),
            );
        }
        let ports = self.ports(ports, instances, mode == NetworkMode::Host);
        let written::Dns { servers, search, options } = dns;
        let dns_options =
            options.unwrap_or_default().iter().filter_map(|option| self.option(option)).collect();
        for address in extra_hosts.values() {
            self.extra_host(address);
        }
        Network {
            mode,
            ports,
            hostname,
            dns_servers: servers.unwrap_or_default(),
            dns_search: search.unwrap_or_default(),
            dns_options,
            extra_hosts: self.table(extra_hosts, |address| {
                let Text(address) = address.into_inner();
                address
            }),
            sysctls: self.table(sysctls, |Number(value)| value),
        }
    }

    /// Both engines know `host-gateway`, the host's own address.
    fn extra_host(&mut self, written: &Spanned<Text>) {
        let Text(address) = written.get_ref();
        if address != "host-gateway" && address.parse::<IpAddr>().is_err() {
            self.report(
                Diagnostic::error("invalid-value", format!("`{}` is not an address", address.escape_debug()))
                    .at(written.span(), "not possible here")
                    .help("write an IP address, or \"host-gateway\" for the host's own"),
            );
        }
    }

    fn mode(&mut self, written: Spanned<Networks>) -> NetworkMode {
        let span = written.span();
        let Networks(names) = written.into_inner();
        let special = |name: &str| ["bridge", "host", "none"].contains(&name);
        match names.as_slice() {
            [] => NetworkMode::None,
            [name] if special(name.as_str()) => match name.as_str() {
                "host" => NetworkMode::Host,
                "none" => NetworkMode::None,
                _ => NetworkMode::Bridge,
            },
            _ => {
                if let Some(name) = names.iter().find(|name| special(name.as_str())) {
                    self.report(
                        Diagnostic::error(
                            "contradiction",
                            format!("`{name}` cannot be combined with other networks"),
                        )
                        .at(span, "only alone"),
                    );
                }
                NetworkMode::Named(names)
            }
        }
    }

    fn ports(&mut self, written: Vec<Spanned<written::Port>>, instances: u16, in_host: bool) -> Vec<Port> {
        let mut ports: Vec<(Port, Range<usize>)> = Vec::new();
        for entry in written {
            let Some((port, place)) = self.port(entry, instances, in_host) else { continue };
            if port.host < self.abilities.lowest_port {
                self.low_ports.push((port.host, place.clone()));
            }
            let width = |port: &Port| u32::from(port.count) * u32::from(instances);
            let overlap = ports.iter().find(|(other, _)| {
                let (a, b) = (u32::from(port.host), u32::from(other.host));
                port.protocol == other.protocol
                    && a < b + width(other)
                    && b < a + width(&port)
                    && meets(port.address, other.address)
            });
            let Some((other, there)) = overlap else {
                ports.push((port, place));
                continue;
            };
            let message = if instances == 1 && port.count == 1 && other.count == 1 {
                format!("host port {} is published twice", port.host)
            } else {
                format!(
                    "with {instances} instances, the ports from {} and from {} on overlap",
                    port.host, other.host
                )
            };
            self.report(
                Diagnostic::error("port-clash", message)
                    .at(place, "claimed here")
                    .and(there.clone(), "and here")
                    .help("instance i gets host + i - 1: leave room for all instances"),
            );
        }
        ports.into_iter().map(|(port, _)| port).collect()
    }

    fn port(
        &mut self,
        entry: Spanned<written::Port>,
        instances: u16,
        in_host: bool,
    ) -> Option<(Port, Range<usize>)> {
        let table = entry.span();
        let written::Port { container, host, address, protocol } = entry.into_inner();
        match (&container, in_host) {
            (None, false) => self.missing(
                "ports.container",
                "container",
                Some(table.clone()),
                "say which port the program listens on, such as container = 8080",
            ),
            (Some(container), true) => self.report(
                Diagnostic::error(
                    "contradiction",
                    "in the host's network a container has no ports of its own",
                )
                .at(container.span(), "has no meaning with network = \"host\"")
                .help("leave it out; the program gets its port in the variable PORT"),
            ),
            _ => {}
        }
        if host.is_none() {
            self.missing(
                "ports.host",
                "host",
                Some(table.clone()),
                "say which of the host's ports it gets, such as host = 20000",
            );
        }
        let protocol = protocol.and_then(|protocol| self.word(&protocol, PROTOCOLS)).unwrap_or_default();
        let (first, place) = match host {
            Some(port) => (self.number::<u16>(&port, PORTS), port.span()),
            None => (None, table),
        };
        let (container, count) = match container {
            Some(range) => self.range(&range)?,
            None if in_host => (first?, 1),
            None => return None,
        };
        let host = first?;
        let last = u32::from(host) + u32::from(instances) * u32::from(count) - 1;
        if last > 65_535 {
            self.report(
                Diagnostic::error(
                    "out-of-range",
                    format!("{instances} instances from port {host} on need ports up to {last}"),
                )
                .at(place, "ports end at 65535")
                .help("choose a lower port; instance i gets host + i - 1"),
            );
            return None;
        }
        let address = address.unwrap_or(IpAddr::V4(Ipv4Addr::LOCALHOST));
        Some((Port { container, count, host, address, protocol }, place))
    }

    fn range(&mut self, written: &Spanned<written::Ports>) -> Option<(u16, u16)> {
        let written::Ports { first, last } = *written.get_ref();
        let end = |port: i64| Spanned::new(written.span(), port);
        let first = self.number::<u16>(&end(first), PORTS)?;
        let last = if last == i64::from(first) { first } else { self.number::<u16>(&end(last), PORTS)? };
        Some((first, last - first + 1))
    }
}

/// Whether two listeners on these addresses would be in each other's way.
fn meets(a: IpAddr, b: IpAddr) -> bool {
    a == b || a.is_unspecified() || b.is_unspecified()
}
