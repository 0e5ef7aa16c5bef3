//! What only networks have: `[[subnets]]`, `ipv6`, `[dns]`, `interface`.

use std::ops::Range;

use super::Check;
use super::object::{Options, place_of};
use crate::value::{Address, DriverName, InterfaceName};
use crate::written::{self, Spanned};
use crate::{Diagnostic, NetworkSettings, Runtime, SubnetSettings};

/// What is written about it.
pub(super) struct Written<'a> {
    pub(super) driver: Option<&'a DriverName>,
    pub(super) subnets: Vec<Spanned<written::NetworkSubnet>>,
    pub(super) ipv6: Option<Spanned<bool>>,
    pub(super) internal: bool,
    pub(super) dns: written::NetworkDns,
    pub(super) interface: Option<Spanned<InterfaceName>>,
    pub(super) options: &'a Options,
}

/// The driver of either engine if none is named.
const BRIDGE: &str = "bridge";

impl Check {
    /// The settings, and where each subnet stands.
    pub(super) fn network_settings(
        &mut self,
        written: Written<'_>,
        runtime: Runtime,
    ) -> (NetworkSettings, Vec<Range<usize>>) {
        let Written { driver, subnets, ipv6, internal, dns, interface, options } = written;
        let subnets = self.subnets(subnets);
        let of_ipv6 = subnets.iter().find(|(subnet, _)| subnet.subnet.is_ipv6());
        if let (Some(written), Some((subnet, place))) =
            (ipv6.as_ref().filter(|written| !*written.get_ref()), of_ipv6)
        {
            self.report(
                Diagnostic::error("contradiction", format!("{} is a subnet of IPv6", subnet.subnet))
                    .at(written.span(), "switched off here")
                    .and(place.clone(), "in this subnet")
                    .help("leave `ipv6` out, or the subnet"),
            );
        }
        if let (Runtime::Docker, None, Some(written)) =
            (runtime, of_ipv6, ipv6.as_ref().filter(|written| *written.get_ref()))
        {
            self.report(
                Diagnostic::warning(
                    "no-subnet",
                    "docker 26 chooses no subnet of IPv6 and makes no such network",
                )
                .at(written.span(), "without a subnet of IPv6")
                .help("add one: [[subnets]] subnet = \"fd00:4::/64\""),
            );
        }
        let ipv6 = of_ipv6.is_some() || ipv6.is_some_and(Spanned::into_inner);
        let (dns, dns_servers) = self.network_dns(dns, runtime);
        if let Some(interface) = &interface {
            self.interface(interface, driver, options, runtime);
        }
        let (subnets, places) = subnets.into_iter().unzip();
        let interface = interface.map(Spanned::into_inner);
        (NetworkSettings { subnets, ipv6, internal, dns, dns_servers, interface }, places)
    }

    fn subnets(
        &mut self,
        written: Vec<Spanned<written::NetworkSubnet>>,
    ) -> Vec<(SubnetSettings, Range<usize>)> {
        let mut subnets: Vec<(SubnetSettings, Range<usize>)> = Vec::new();
        for (index, entry) in written.into_iter().enumerate() {
            let place = entry.span();
            let Some(settings) = self.subnet(index, entry) else { continue };
            match subnets.iter().find(|(other, _)| settings.subnet.overlaps(other.subnet)) {
                Some((other, there)) => self.report(
                    Diagnostic::error(
                        "subnet-clash",
                        format!("{} and {} overlap", settings.subnet, other.subnet),
                    )
                    .at(place, "shares addresses")
                    .and(there.clone(), "with this subnet")
                    .help("choose another, or leave one out"),
                ),
                None => subnets.push((settings, place)),
            }
        }
        subnets
    }

    fn subnet(&mut self, index: usize, written: Spanned<written::NetworkSubnet>) -> Option<SubnetSettings> {
        let table = written.span();
        let written::NetworkSubnet { subnet, gateway, ip_range } = written.into_inner();
        let Some(subnet) = subnet else {
            let help = "say which addresses it has: subnet = \"10.89.4.0/24\"";
            self.missing(&format!("subnets.{index}.subnet"), "subnet", Some(table), help);
            return None;
        };
        let outside = |what: String, span| {
            Diagnostic::error("outside-subnet", format!("{what} is not in {subnet}"))
                .at(span, "outside of the subnet")
                .help("change it, or `subnet`")
        };
        if let Some(gateway) = &gateway {
            let Address(address) = *gateway.get_ref();
            if !subnet.contains(address) {
                self.report(outside(format!("the gateway {address}"), gateway.span()));
            } else if !subnet.has_machine(address) {
                self.report(
                    Diagnostic::error("outside-subnet", format!("no machine in {subnet} can be {address}"))
                        .at(gateway.span(), "not the address of a machine")
                        .help(format!("leave it out, or say {} for one", subnet.first())),
                );
            }
        }
        if let Some(range) = ip_range.as_ref().filter(|range| !subnet.covers(*range.get_ref())) {
            self.report(outside(format!("the range {}", range.get_ref()), range.span()));
        }
        Some(SubnetSettings {
            subnet,
            gateway: gateway.map(Spanned::into_inner).map(|Address(address)| address),
            ip_range: ip_range.map(Spanned::into_inner),
        })
    }

    fn network_dns(
        &mut self,
        written: written::NetworkDns,
        runtime: Runtime,
    ) -> (bool, Vec<std::net::IpAddr>) {
        let written::NetworkDns { enabled, servers } = written;
        let off = enabled.filter(|enabled| !*enabled.get_ref()).map(|enabled| enabled.span());
        let servers = servers.filter(|servers| !servers.get_ref().is_empty());
        match (runtime, &off, &servers) {
            (Runtime::Docker, Some(span), _) => self.report(
                Diagnostic::error("contradiction", "docker always resolves names in a network of one's own")
                    .at(span.clone(), "not possible with docker")
                    .help("leave it out"),
            ),
            (Runtime::Docker, None, Some(servers)) => self.report(
                Diagnostic::error("contradiction", "docker knows name servers of containers only")
                    .at(servers.span(), "not possible for a network")
                    .help("write them into [dns] of the services"),
            ),
            (Runtime::Podman, Some(span), Some(servers)) => self.report(
                Diagnostic::error("contradiction", "a network that resolves no names asks no name servers")
                    .at(servers.span(), "never asked")
                    .and(span.clone(), "because of this")
                    .help("leave one of the two out"),
            ),
            (Runtime::Podman | Runtime::Docker, _, _) => {}
        }
        let servers = servers.map(Spanned::into_inner).unwrap_or_default();
        (off.is_none(), servers.into_iter().map(|Address(address)| address).collect())
    }

    /// podman has an option for it. docker has one for each of its drivers, none for those of others.
    fn interface(
        &mut self,
        interface: &Spanned<InterfaceName>,
        driver: Option<&DriverName>,
        options: &Options,
        runtime: Runtime,
    ) {
        let driver = driver.map_or(BRIDGE, DriverName::as_str);
        let option = match (runtime, driver) {
            (Runtime::Docker, "bridge") => Some("com.docker.network.bridge.name"),
            (_, "macvlan" | "ipvlan") => Some("parent"),
            (Runtime::Docker, _) => {
                return self.report(
                    Diagnostic::error(
                        "contradiction",
                        format!("docker's driver {driver} takes no interface of the host"),
                    )
                    .at(interface.span(), "not possible here")
                    .help("leave it out, or write what the driver takes into [options]"),
                );
            }
            (Runtime::Podman, _) => None,
        };
        if let Some((option, place)) = option.and_then(|option| Some((option, place_of(option, options)?))) {
            self.report(
                Diagnostic::error("contradiction", "the interface is named twice")
                    .at(interface.span(), "named here")
                    .and(place, "and here")
                    .help(format!("leave `interface` out, or `{option}`")),
            );
        }
    }
}
