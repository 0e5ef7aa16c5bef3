//! Networks and volumes as written.

use std::collections::BTreeMap;
use std::net::IpAddr;

use serde::Deserialize;
use toml::Spanned;

use super::OptionValue;
use crate::value::{DriverName, FileSystem, InterfaceName, Subnet, Text};

/// The top level of a network's `NAME.toml`.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct Network {
    /// One line for people; the unit's `Description=`.
    pub(crate) description: Option<Spanned<Text>>,
    /// The engine that has it: `podman` or `docker`.
    pub(crate) runtime: Option<Spanned<String>>,
    /// Further options for the engine's `network create`, before the name.
    pub(crate) runtime_args: Option<Vec<Text>>,
    /// The engine's network driver, such as `macvlan`; `bridge` if left out.
    pub(crate) driver: Option<DriverName>,
    /// Its subnets; the engine chooses one if left out.
    pub(crate) subnets: Option<Vec<Spanned<NetworkSubnet>>>,
    /// Whether containers get addresses of IPv6 too. True if one of the subnets has them.
    pub(crate) ipv6: Option<Spanned<bool>>,
    /// Whether it is cut off from all other networks, so that its containers reach nobody else.
    pub(crate) internal: Option<bool>,
    /// How names are resolved in it.
    pub(crate) dns: Option<NetworkDns>,
    /// The bridge on the host; with `macvlan` and `ipvlan` the host's interface that it is on. Not with
    /// podman 4.3.
    pub(crate) interface: Option<Spanned<InterfaceName>>,
    /// Options of the driver, such as `mtu`.
    pub(crate) options: Option<BTreeMap<Spanned<String>, OptionValue>>,
    /// The network's labels.
    pub(crate) labels: Option<BTreeMap<Spanned<String>, Text>>,
}

/// `[[subnets]]`
#[derive(Debug, Default, Deserialize)]
#[serde(
    rename_all = "kebab-case",
    deny_unknown_fields,
    expecting = "a table, such as { subnet = \"10.89.4.0/24\" }"
)]
pub(crate) struct NetworkSubnet {
    /// All addresses of the subnet, such as `"10.89.4.0/24"`.
    pub(crate) subnet: Option<Subnet>,
    /// The gateway's address; the subnet's first if left out.
    pub(crate) gateway: Option<Spanned<IpAddr>>,
    /// The part of the subnet from which containers get addresses, such as `"10.89.4.128/25"`.
    pub(crate) ip_range: Option<Spanned<Subnet>>,
}

/// `[dns]` of a network
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct NetworkDns {
    /// Whether containers in it find each other by name. Cannot be switched off with docker.
    pub(crate) enabled: Option<Spanned<bool>>,
    /// Name servers for containers in it, instead of the host's. Neither with podman 4.3 nor with docker.
    pub(crate) servers: Option<Spanned<Vec<IpAddr>>>,
}

/// The top level of a volume's `NAME.toml`.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct Volume {
    /// One line for people; the unit's `Description=`.
    pub(crate) description: Option<Spanned<Text>>,
    /// The engine that has it: `podman` or `docker`.
    pub(crate) runtime: Option<Spanned<String>>,
    /// Further options for the engine's `volume create`, before the name.
    pub(crate) runtime_args: Option<Vec<Text>>,
    /// The engine's volume driver; `local` if left out. The keys from `device` to `gid` are for that one.
    pub(crate) driver: Option<Spanned<DriverName>>,
    /// What is mounted: a directory of the host, a block device, or an address such as `"nas:/export/data"`.
    /// A directory of the engine's own if left out.
    pub(crate) device: Option<Spanned<Text>>,
    /// The file system of `device`, such as `nfs`; `bind` for a directory of the host; `tmpfs` needs no device.
    #[serde(rename = "type")]
    pub(crate) file_system: Option<Spanned<FileSystem>>,
    /// Options of mount(8), one in each element.
    pub(crate) mount_options: Option<Spanned<Vec<Spanned<Text>>>>,
    /// The owner of the volume, by number as the host counts. podman only.
    pub(crate) uid: Option<Spanned<i64>>,
    /// The group of the volume, by number as the host counts. podman only.
    pub(crate) gid: Option<Spanned<i64>>,
    /// Options of the driver.
    pub(crate) options: Option<BTreeMap<Spanned<String>, OptionValue>>,
    /// The volume's labels.
    pub(crate) labels: Option<BTreeMap<Spanned<String>, Text>>,
}
