//! The network: `[[ports]]`, `network`, `[dns]`, `[extra-hosts]`, `[sysctls]`.

use std::collections::BTreeMap;
use std::fmt;
use std::net::IpAddr;
use std::ops::Range;

use super::Check;
use crate::value::{Address, EngineOption, EnvironmentName, HostAddress, HostName, SysctlName, Text};
use crate::written::{self, Networks, Number, PortNumber, Spanned, Whole, default};
use crate::{Diagnostic, Network, NetworkMode, Port, Service};

/// `[[ports]]` that a definition may have: each is compared with each.
const MOST_PORTS: usize = 256;

/// Ports that a service may publish, on all addresses together: each is a line in some unit, or an option.
const MOST_PUBLISHED: u32 = 65_535;

/// What is written about the network.
pub(super) struct Networking {
    pub(super) network: Option<Spanned<Networks>>,
    pub(super) aliases: Option<Spanned<Vec<HostName>>>,
    pub(super) addresses: Option<Spanned<Vec<Address>>>,
    pub(super) ports: Vec<Spanned<written::Port>>,
    pub(super) instances: u16,
    /// Whether each instance has a port in either slot.
    pub(super) slots: bool,
    pub(super) hostname: Option<HostName>,
    pub(super) dns: written::Dns,
    pub(super) extra_hosts: BTreeMap<HostName, HostAddress>,
    pub(super) sysctls: BTreeMap<SysctlName, Number>,
}

/// How often each port is published.
struct Copies {
    instances: u16,
    slots: bool,
}

impl Copies {
    fn number(&self) -> u32 {
        u32::from(self.instances) * u32::from(Service::stride(self.slots))
    }

    fn rule(&self) -> &'static str {
        if self.slots { "host + 2 * (i - 1), and one more in the other slot" } else { "host + i - 1" }
    }
}

impl fmt::Display for Copies {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { instances, slots } = self;
        let plural = if *instances == 1 { "instance" } else { "instances" };
        write!(f, "{instances} {plural}{}", if *slots { " in each of two slots" } else { "" })
    }
}

impl Check {
    /// Variables that Conductor sets, so that program, published port and health check agree.
    pub(super) fn own_variables(
        &mut self,
        environment: &Spanned<BTreeMap<EnvironmentName, Text>>,
        network: &Network,
        instances: u16,
    ) {
        let own_port = network.ports.first().filter(|_| network.mode == NetworkMode::Host);
        for (name, Text(value)) in environment.get_ref() {
            let (why, help) = match (name.as_str(), own_port) {
                ("CONDUCTOR_INSTANCE", _) => ("the number of the instance", "choose another name"),
                ("PORT", Some(port)) if instances > 1 || *value != port.host.to_string() => (
                    "in the host's network the port of each instance",
                    "leave it out: the program finds its `host` port in it",
                ),
                _ => continue,
            };
            self.report(
                Diagnostic::error(
                    "contradiction",
                    format!("`{}` is set by Conductor: it is {why}", name.as_str()),
                )
                .at(environment.span(), format!("sets `{}`", name.as_str()))
                .help(help),
            );
        }
    }

    pub(super) fn network(&mut self, written: Networking) -> Network {
        let Networking {
            network,
            aliases,
            addresses,
            ports,
            instances,
            slots,
            hostname,
            dns,
            extra_hosts,
            sysctls,
        } = written;
        let mode_span = network.as_ref().map(Spanned::span);
        let mode = network.map(|network| self.mode(network)).unwrap_or_default();
        if let (NetworkMode::None, Some(port), Some(span)) = (&mode, ports.first(), mode_span) {
            self.report(
                Diagnostic::error("contradiction", "a container without a network cannot publish a port")
                    .at(port.span(), "published here")
                    .and(span, "no network"),
            );
        }
        let aliases = aliases.map(|aliases| self.aliases(aliases, &mode)).unwrap_or_default();
        let copies = u32::from(instances) * if slots { 2 } else { 1 };
        let addresses =
            addresses.map(|addresses| self.addresses(&addresses, &mode, copies)).unwrap_or_default();
        let ports = self.ports(ports, &Copies { instances, slots }, mode == NetworkMode::Host);
        let written::Dns { servers, search, options } = dns;
        let options = options.unwrap_or_default().into_iter().map(|EngineOption(option)| option);
        Network {
            mode,
            aliases,
            addresses,
            ports,
            hostname,
            dns_servers: servers.unwrap_or_default().into_iter().map(|Address(address)| address).collect(),
            dns_search: search.unwrap_or_default(),
            dns_options: options.collect(),
            extra_hosts: extra_hosts.into_iter().map(|(name, HostAddress(text))| (name, text)).collect(),
            sysctls: sysctls.into_iter().map(|(name, Number(value))| (name, value)).collect(),
        }
    }

    fn mode(&mut self, written: Spanned<Networks>) -> NetworkMode {
        let span = written.span();
        let Networks(names) = written.into_inner();
        let special = |name: &str| Networks::WORDS.contains(&name);
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

    /// Only networks that have names resolve names.
    fn aliases(&mut self, written: Spanned<Vec<HostName>>, mode: &NetworkMode) -> Vec<HostName> {
        if !matches!(mode, NetworkMode::Named(_)) && !written.get_ref().is_empty() {
            self.report(
                Diagnostic::error(
                    "contradiction",
                    "only in a network that has a name a container has aliases",
                )
                .at(written.span(), "nobody would find it by these")
                .help("name one: network = \"backend\""),
            );
        }
        written.into_inner()
    }

    /// An address is one container's, in one network.
    fn addresses(&mut self, written: &Spanned<Vec<Address>>, mode: &NetworkMode, copies: u32) -> Vec<IpAddr> {
        let addresses: Vec<IpAddr> = written.get_ref().iter().map(|Address(address)| *address).collect();
        let several = |is: fn(&IpAddr) -> bool| addresses.iter().filter(|address| is(address)).count() > 1;
        let mistake = if addresses.is_empty() {
            None
        } else if !matches!(mode, NetworkMode::Named(names) if names.len() == 1) {
            Some((
                "only in one network that has a name a container can choose its address",
                "name one: network = \"backend\"",
            ))
        } else if copies > 1 {
            Some((
                "several containers would have one address",
                "leave it out: others find the service by its name, or by `network-aliases`",
            ))
        } else if several(IpAddr::is_ipv4) || several(IpAddr::is_ipv6) {
            Some((
                "a container has one address of each version in a network",
                "leave one of them, or one and one of the other version",
            ))
        } else {
            None
        };
        if let Some((message, help)) = mistake {
            self.report(
                Diagnostic::error("contradiction", message).at(written.span(), "not possible").help(help),
            );
        }
        addresses
    }

    fn ports(&mut self, written: Vec<Spanned<written::Port>>, copies: &Copies, in_host: bool) -> Vec<Port> {
        if let Some(first) = written.get(MOST_PORTS) {
            self.report(
                Diagnostic::error("too-many", format!("there are more than {MOST_PORTS} [[ports]]"))
                    .at(first.span(), "this one and those behind it are left out")
                    .help("publish a range: container = \"8000-8009\""),
            );
        }
        let mut ports: Vec<(Port, Range<usize>)> = Vec::new();
        let mut left = MOST_PUBLISHED;
        for (index, entry) in written.into_iter().enumerate().take(MOST_PORTS) {
            let Some((port, place)) = self.port(index, entry, copies, in_host) else { continue };
            if port.host < self.abilities.lowest_port {
                self.low_ports.push((port.host, place.clone()));
            }
            let width = |port: &Port| u32::from(port.count) * copies.number();
            let overlap = ports.iter().find(|(other, _)| {
                let (a, b) = (u32::from(port.host), u32::from(other.host));
                port.protocol == other.protocol
                    && a < b + width(other)
                    && b < a + width(&port)
                    && meets(port.address, other.address)
            });
            let Some((other, there)) = overlap else {
                let Some(rest) = left.checked_sub(width(&port)) else {
                    self.report(
                        Diagnostic::error(
                            "too-many",
                            format!(
                                "its ports, those of all instances together, are more than {MOST_PUBLISHED}"
                            ),
                        )
                        .at(place, "too many with this one")
                        .help("publish fewer ports, or have fewer instances"),
                    );
                    break;
                };
                left = rest;
                ports.push((port, place));
                continue;
            };
            let message = if copies.number() == 1 && port.count == 1 && other.count == 1 {
                format!("host port {} is published twice", port.host)
            } else {
                format!("with {copies}, the ports from {} and from {} on overlap", port.host, other.host)
            };
            self.report(
                Diagnostic::error("port-clash", message)
                    .at(place, "claimed here")
                    .and(there.clone(), "and here")
                    .help(format!("instance i gets {}: leave room for all instances", copies.rule())),
            );
        }
        let (ports, places) = ports.into_iter().unzip();
        self.port_places = places;
        ports
    }

    fn port(
        &mut self,
        index: usize,
        entry: Spanned<written::Port>,
        copies: &Copies,
        in_host: bool,
    ) -> Option<(Port, Range<usize>)> {
        let table = entry.span();
        let written::Port { container, host, address, protocol } = entry.into_inner();
        match (&container, in_host) {
            (None, false) => self.missing(
                &format!("ports.{index}.container"),
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
                &format!("ports.{index}.host"),
                "host",
                Some(table.clone()),
                "say which of the host's ports it gets, such as host = 20000",
            );
        }
        let (first, place) = match host {
            Some(port) => (self.number(&port), port.span()),
            None => (None, table),
        };
        let (container, count) = match container {
            Some(range) => self.range(&range)?,
            None if in_host => (first?, 1),
            None => return None,
        };
        let host = first?;
        let last = u32::from(host) + copies.number() * u32::from(count) - 1;
        if last > 65_535 {
            self.report(
                Diagnostic::error(
                    "contradiction",
                    format!("{copies} from port {host} on need ports up to {last}"),
                )
                .at(place, "ports end at 65535")
                .help(format!("choose a lower port; instance i gets {}", copies.rule())),
            );
            return None;
        }
        let address = address.map_or(default::ADDRESS, |Address(address)| address);
        Some((Port { container, count, host, address, protocol: protocol.unwrap_or_default() }, place))
    }

    fn range(&mut self, written: &Spanned<written::Ports>) -> Option<(u16, u16)> {
        let written::Ports { first, last } = *written.get_ref();
        if last < first {
            self.report(
                Diagnostic::error("contradiction", written::Ports::MISTAKEN)
                    .at(written.span(), "ends before it begins"),
            );
            return None;
        }
        let end = |port: i64| -> Spanned<PortNumber> { Spanned::new(written.span(), Whole(port)) };
        let first: u16 = self.number(&end(first))?;
        let last = if last == i64::from(first) { first } else { self.number(&end(last))? };
        Some((first, last - first + 1))
    }
}

/// Whether two listeners on these addresses would be in each other's way.
fn meets(a: IpAddr, b: IpAddr) -> bool {
    a == b || a.is_unspecified() || b.is_unspecified()
}
