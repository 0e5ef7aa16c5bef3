//! A definition as written: every key optional, every value where it stands.
//!
//! Doc comments here are the reference that users read. No `untagged`, `tag` or `flatten`: serde
//! buffers through those and the spans are lost.

mod either;
mod limit;
mod objects;
mod read;
mod tables;

use std::collections::BTreeMap;

use serde::Deserialize;
use toml::Spanned;

use crate::value::{Dependency, Device, FilePath, Group, HostName, HostPattern, Image, Text, User};

pub(crate) use either::{Lines, Networks, Number, OptionValue, Ports, Secret, Ulimit};
pub(crate) use limit::{Limit, Starts, Within};
pub(crate) use objects::{Network, NetworkDns, NetworkSubnet, Volume};
pub(crate) use read::{Read, Removed, read};
pub(crate) use tables::{
    Capabilities, Dns, Health, Log, Mount, Port, Pull, Resources, Restart, Security, Stop, Systemd, Tmpfs,
};

/// The top level of `NAME.toml`.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct Service {
    /// One line for people; the unit's `Description=`.
    pub(crate) description: Option<Spanned<Text>>,
    /// The image to run.
    pub(crate) image: Option<Spanned<Image>>,
    /// Which release it is: for `${revision}` in other keys, such as the image's, and in the log.
    pub(crate) revision: Option<Text>,
    /// Replaces the image's entry point; always a list, there is no shell.
    pub(crate) entrypoint: Option<Vec<Text>>,
    /// Arguments for the entry point; always a list.
    pub(crate) command: Option<Vec<Text>>,
    /// How many containers run side by side.
    pub(crate) instances: Option<Spanned<i64>>,
    /// Whether it starts at boot.
    pub(crate) enabled: Option<bool>,
    /// The engine: `podman` or `docker`.
    pub(crate) runtime: Option<Spanned<String>>,
    /// Further options for the engine's `run`, before the image.
    pub(crate) runtime_args: Option<Vec<Text>>,
    /// Only on machines whose host name matches one of these.
    pub(crate) hosts: Option<Vec<HostPattern>>,
    /// Started only after these.
    pub(crate) after: Option<Vec<Spanned<Dependency>>>,
    /// Started together with these, whether or not they work.
    pub(crate) wants: Option<Vec<Spanned<Dependency>>>,
    /// Does not start without these.
    pub(crate) requires: Option<Vec<Spanned<Dependency>>>,
    /// The user in the container, and perhaps its group.
    pub(crate) user: Option<User>,
    /// Supplementary groups of that user.
    pub(crate) groups: Option<Vec<Group>>,
    /// Where the program starts.
    pub(crate) working_directory: Option<FilePath>,
    /// The container's host name.
    pub(crate) hostname: Option<HostName>,
    /// Runs a small init as the first process, which reaps orphans and passes signals on.
    pub(crate) init: Option<bool>,
    /// Mounts the image's file system read-only.
    pub(crate) read_only: Option<bool>,
    /// The container's labels.
    pub(crate) labels: Option<BTreeMap<Spanned<String>, Text>>,
    /// The container's environment; values are literal.
    pub(crate) environment: Option<BTreeMap<Spanned<String>, Text>>,
    /// Files of `NAME=value` lines, read at each start.
    pub(crate) environment_files: Option<Vec<FilePath>>,
    /// Files that only this service may read, in `/run/secrets`; systemd's credentials.
    pub(crate) secrets: Option<BTreeMap<Spanned<String>, Secret>>,
    /// Limits of the unit's control group.
    pub(crate) resources: Option<Resources>,
    /// Published ports.
    pub(crate) ports: Option<Vec<Spanned<Port>>>,
    /// Directories and volumes in the container.
    pub(crate) volumes: Option<Vec<Spanned<Mount>>>,
    /// File systems in memory.
    pub(crate) tmpfs: Option<Vec<Spanned<Tmpfs>>>,
    /// `bridge`, `host`, `none`, or the names of networks.
    pub(crate) network: Option<Spanned<Networks>>,
    /// How names are resolved.
    pub(crate) dns: Option<Dns>,
    /// Further lines of `/etc/hosts`: names and addresses.
    pub(crate) extra_hosts: Option<BTreeMap<Spanned<String>, Spanned<Text>>>,
    /// Limits of setrlimit(2).
    pub(crate) ulimits: Option<BTreeMap<Spanned<String>, Spanned<Ulimit>>>,
    /// Kernel parameters of the container's namespaces.
    pub(crate) sysctls: Option<BTreeMap<Spanned<String>, Number>>,
    /// Devices of the host.
    pub(crate) devices: Option<Vec<Device>>,
    /// What the container may do.
    pub(crate) security: Option<Security>,
    /// How it is stopped.
    pub(crate) stop: Option<Stop>,
    /// When its image is fetched.
    pub(crate) pull: Option<Pull>,
    /// Where its output goes.
    pub(crate) log: Option<Log>,
    /// The HTTP check that says whether the service works.
    pub(crate) health: Option<Spanned<Health>>,
    /// How systemd starts it again.
    pub(crate) restart: Option<Restart>,
    /// Directives for the unit, as systemd reads them; they have the last word.
    pub(crate) systemd: Option<Systemd>,
}
