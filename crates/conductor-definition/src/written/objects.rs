//! Networks and volumes as written.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::{Id, OptionValue, Spanned};
use crate::Runtime;
use crate::value::{
    Address, Description, DriverName, EngineOption, FileSystem, InterfaceName, LabelName, MountDevice,
    OptionName, Subnet, Text,
};

/// A network that Conductor has an engine make: see conductor-network(5).
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(transform = crate::schema::in_order::<Self>))]
pub(crate) struct Network {
    /// One line of text that systemd shows. Without it, systemd shows the name.
    pub(crate) description: Option<Description>,
    /// The engine whose network it is.
    pub(crate) runtime: Option<Spanned<Runtime>>,
    /// Further options for the engine's `network create`, before the name.
    pub(crate) runtime_args: Option<Vec<Text>>,
    /// The engine's network driver, such as `"macvlan"`. Without it, it is a bridge.
    pub(crate) driver: Option<DriverName>,
    /// Whether containers get addresses of IPv6 too. It is so if one of the subnets is one of IPv6; without such a
    /// subnet podman chooses one, and docker 26 does not.
    pub(crate) ipv6: Option<Spanned<bool>>,
    /// Whether it leads nowhere: its containers reach each other and nobody else.
    #[cfg_attr(feature = "schema", schemars(extend("default" = false)))]
    pub(crate) internal: Option<bool>,
    /// The bridge on the host; with the drivers `macvlan` and `ipvlan`, the host's interface that the network is on.
    /// For a bridge podman 4.3 has no such option, which later ones have.
    pub(crate) interface: Option<Spanned<InterfaceName>>,
    /// Its subnets. Without any, the engine chooses one.
    pub(crate) subnets: Option<Vec<Spanned<NetworkSubnet>>>,
    /// How containers in it look names up.
    pub(crate) dns: Option<NetworkDns>,
    /// Options of the driver, such as `mtu`.
    pub(crate) options: Option<Spanned<BTreeMap<OptionName, OptionValue>>>,
    /// Labels of the network.
    pub(crate) labels: Option<BTreeMap<LabelName, Text>>,
}

/// A subnet of a network.
#[derive(Debug, Default, Deserialize)]
#[serde(
    rename_all = "kebab-case",
    deny_unknown_fields,
    expecting = "a table, such as { subnet = \"10.89.4.0/24\" }"
)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(transform = crate::schema::in_order::<Self>))]
pub(crate) struct NetworkSubnet {
    /// All addresses of the subnet, such as `"10.89.4.0/24"` or `"fd00:4::/64"`.
    #[cfg_attr(feature = "schema", schemars(required))]
    pub(crate) subnet: Option<Subnet>,
    /// The address of the gateway. Without it, it is the first one of the subnet, or with docker of `ip-range` if that
    /// is there.
    pub(crate) gateway: Option<Spanned<Address>>,
    /// The part of the subnet from which containers get their addresses, such as `"10.89.4.128/25"`. Without it, that
    /// is all of the subnet.
    pub(crate) ip_range: Option<Spanned<Subnet>>,
}

/// `[dns]` of a network
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(transform = crate::schema::in_order::<Self>))]
pub(crate) struct NetworkDns {
    /// Whether containers in it find each other by name. With docker they always do.
    #[cfg_attr(feature = "schema", schemars(extend("default" = true)))]
    pub(crate) enabled: Option<Spanned<bool>>,
    /// Name servers for containers in it, instead of the host's. Neither docker nor podman 4.3 has them for a network.
    pub(crate) servers: Option<Spanned<Vec<Address>>>,
}

/// A volume that Conductor has an engine make: see conductor-volume(5).
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(transform = crate::schema::in_order::<Self>))]
pub(crate) struct Volume {
    /// One line of text that systemd shows. Without it, systemd shows the name.
    pub(crate) description: Option<Description>,
    /// The engine whose volume it is.
    pub(crate) runtime: Option<Spanned<Runtime>>,
    /// Further options for the engine's `volume create`, before the name.
    pub(crate) runtime_args: Option<Vec<Text>>,
    /// The engine's volume driver. The keys from `device` to `gid` are for this one only.
    #[cfg_attr(feature = "schema", schemars(extend("default" = "local")))]
    pub(crate) driver: Option<Spanned<DriverName>>,
    /// What is mounted while a container uses the volume: a directory of the host, a block device, or an address such
    /// as `"nas:/export/data"`. Without it, the volume is a directory of the engine's own.
    pub(crate) device: Option<Spanned<MountDevice>>,
    /// The file system of `device`, such as `"nfs"`. A directory of the host has `"bind"`, and `"tmpfs"` needs no device.
    #[serde(rename = "type")]
    pub(crate) file_system: Option<Spanned<FileSystem>>,
    /// Options of mount(8).
    pub(crate) mount_options: Option<Spanned<Vec<EngineOption>>>,
    /// The owner of the volume, by number as the host counts; podman only.
    pub(crate) uid: Option<Spanned<Id>>,
    /// The group of the volume, by number as the host counts; podman only.
    pub(crate) gid: Option<Spanned<Id>>,
    /// Options of the driver.
    pub(crate) options: Option<Spanned<BTreeMap<OptionName, OptionValue>>>,
    /// Labels of the volume. podman 4.3 takes a comma in a value for the beginning of another label.
    pub(crate) labels: Option<BTreeMap<LabelName, Text>>,
}
