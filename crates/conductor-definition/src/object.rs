//! The validated model of networks and volumes: what both engines call objects.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::path::PathBuf;

use crate::value::{DriverName, FileSystem, InterfaceName, LabelName, ObjectName, OptionName, Subnet};
use crate::{DefinitionName, Kind, Runtime};

/// A network or a volume that an engine can be told to make.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Object {
    /// The engine's name for it, from the file's.
    pub name: ObjectName,
    /// The definition's path as systemd should show it (`SourcePath=`).
    pub source_path: PathBuf,
    /// The drop-ins that were merged into it.
    pub drop_ins: Vec<PathBuf>,
    /// One line for people, without control characters.
    pub description: Option<String>,
    /// Which engine has it.
    pub runtime: Runtime,
    /// Further options for the engine.
    pub runtime_args: Vec<String>,
    /// The engine's driver; `None` is the engine's own choice.
    pub driver: Option<DriverName>,
    /// Options of the driver.
    pub options: BTreeMap<OptionName, String>,
    /// Its labels.
    pub labels: BTreeMap<LabelName, String>,
    /// What only the one or only the other has.
    pub what: What,
}

/// A network or a volume.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum What {
    /// A network.
    Network(NetworkSettings),
    /// A volume.
    Volume(VolumeSettings),
}

/// What a network has that a volume has not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NetworkSettings {
    /// Its subnets, in the order written; the engine chooses if there are none.
    pub subnets: Vec<SubnetSettings>,
    /// Whether it has IPv6 besides IPv4. True if one of the subnets is one of IPv6.
    pub ipv6: bool,
    /// Whether it leads nowhere else.
    pub internal: bool,
    /// Whether containers in it find each other by name.
    pub dns: bool,
    /// Name servers for containers in it, instead of the host's.
    pub dns_servers: Vec<IpAddr>,
    /// The bridge on the host, or the host's interface that the network is on.
    pub interface: Option<InterfaceName>,
}

/// One of a network's subnets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SubnetSettings {
    /// All of its addresses.
    pub subnet: Subnet,
    /// The gateway's address, in the subnet.
    pub gateway: Option<IpAddr>,
    /// Where containers get their addresses from, in the subnet.
    pub ip_range: Option<Subnet>,
}

/// What a volume has that a network has not: what the driver `local` mounts.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct VolumeSettings {
    /// What is mounted.
    pub device: Option<String>,
    /// Its file system.
    pub file_system: Option<FileSystem>,
    /// Options of mount(8); none holds a comma.
    pub mount_options: Vec<String>,
    /// The owner of its root directory.
    pub uid: Option<u32>,
    /// The group of its root directory.
    pub gid: Option<u32>,
}

impl Object {
    /// Whether it is a network or a volume.
    pub fn kind(&self) -> Kind {
        match self.what {
            What::Network(_) => Kind::Network,
            What::Volume(_) => Kind::Volume,
        }
    }

    /// The name of the definition.
    pub fn definition_name(&self) -> DefinitionName {
        match self.what {
            What::Network(_) => DefinitionName::Network(self.name.clone()),
            What::Volume(_) => DefinitionName::Volume(self.name.clone()),
        }
    }

    /// The network's subnets; a volume has none.
    pub fn subnets(&self) -> impl Iterator<Item = Subnet> {
        let subnets = match &self.what {
            What::Network(network) => network.subnets.as_slice(),
            What::Volume(_) => &[],
        };
        subnets.iter().map(|settings| settings.subnet)
    }
}

impl VolumeSettings {
    /// The directory of the host that is bound, if one is.
    pub fn bound(&self) -> Option<&str> {
        let bind = self.mount_options.iter().any(|option| option == "bind" || option == "rbind");
        self.device.as_deref().filter(|device| bind && device.starts_with('/'))
    }
}
