//! A definition as written: every key optional, every value where it stands.
//!
//! Doc comments here are the reference that users read. No `untagged`, `tag` or `flatten`: serde
//! buffers through those and the spans are lost.

pub(crate) mod default;
mod either;
mod limit;
mod number;
mod objects;
mod read;
mod release;
#[cfg(feature = "schema")]
mod rules;
mod spanned;
mod synonyms;
mod tables;

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::Runtime;
use crate::value::{
    Address, Dependency, Description, Device, EnvironmentName, FilePath, Group, HostAddress, HostName,
    HostPattern, Image, LabelName, LimitName, SecretName, SysctlName, Text, TimeZone, User,
};

pub(crate) use either::{Lines, Networks, Number, OptionValue, Ports, Secret, Ulimit};
pub(crate) use limit::{Limit, Starts, Within};
pub(crate) use number::{Count, Id, Pause, PortNumber, Timer, Weight, Whole};
pub(crate) use objects::{Network, NetworkDns, NetworkSubnet, Volume};
pub(crate) use read::{Form, Read, Removed, Table, read};
pub(crate) use release::{Before, Canary, Dark, Deploy, DriverWord, Password, Proxy};
pub(crate) use spanned::Spanned;
pub(crate) use tables::{
    Capabilities, Dns, Health, HealthTls, Log, Mount, Port, Pull, Reload, Resources, Restart, Security, Stop,
    Systemd, Tmpfs,
};

/// A service that Conductor makes systemd run: see conductor-service(5).
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
#[cfg_attr(
    feature = "schema",
    derive(schemars::JsonSchema),
    schemars(transform = crate::schema::in_order::<Self>, transform = rules::of_service)
)]
pub(crate) struct Service {
    /// The image to run. It is the only key that has to be there.
    #[cfg_attr(feature = "schema", schemars(required))]
    pub(crate) image: Option<Spanned<Image>>,
    /// One line of text that systemd shows. Without it, systemd shows the name and the image.
    pub(crate) description: Option<Description>,
    /// Which release it is: for `${revision}` in other keys, and the field `CONDUCTOR_RELEASE` of the log.
    pub(crate) revision: Option<Text>,
    /// In place of the image's entry point; an empty list clears it. There is no shell.
    pub(crate) entrypoint: Option<Vec<Text>>,
    /// The arguments for the entry point. There is no shell, and no character is special.
    pub(crate) command: Option<Vec<Text>>,
    /// How many containers run side by side. Each gets its number in the environment variable
    /// `CONDUCTOR_INSTANCE`.
    #[cfg_attr(feature = "schema", schemars(extend("default" = default::INSTANCES)))]
    pub(crate) instances: Option<Spanned<Whole<1, 1_000>>>,
    /// Whether it starts at boot. `conductor enable` and `conductor disable` set it; generated units cannot be
    /// enabled with systemctl(1).
    #[cfg_attr(feature = "schema", schemars(extend("default" = true)))]
    pub(crate) enabled: Option<bool>,
    /// Host names and patterns, such as `"web-*"`. On other machines nothing is started (`ConditionHost=`).
    pub(crate) hosts: Option<Vec<HostPattern>>,
    /// The engine. What is different with docker is told under DOCKER in conductor-service(5).
    pub(crate) runtime: Option<Spanned<Runtime>>,
    /// Further options for the engine's `run`, before the image.
    pub(crate) runtime_args: Option<Vec<Spanned<Text>>>,
    /// The user in the container, by name or number, and perhaps a group: `"1000:1000"`.
    pub(crate) user: Option<User>,
    /// Supplementary groups of that user.
    pub(crate) groups: Option<Vec<Group>>,
    /// Where the program starts.
    pub(crate) working_directory: Option<FilePath>,
    /// The container's host name.
    pub(crate) hostname: Option<HostName>,
    /// The time zone of the container, such as `"Europe/London"`. With podman it becomes the container's
    /// `/etc/localtime`, from the host's tzdata, and `"local"` is the host's own zone; with docker it is the variable
    /// `TZ`, and the image has to have tzdata.
    pub(crate) timezone: Option<Spanned<TimeZone>>,
    /// Whether a small init is the first process. With it, programs that do not handle signals end on SIGTERM.
    /// Needs catatonit(1) with podman.
    #[cfg_attr(feature = "schema", schemars(extend("default" = false)))]
    pub(crate) init: Option<bool>,
    /// Whether the program itself says when it is ready, by sd_notify(3) with `READY=1`: until then the service is
    /// `activating`. Without `[health]` it has 90 seconds for that; with it, the check follows, and `start-within` is
    /// for both. With podman only.
    #[cfg_attr(feature = "schema", schemars(extend("default" = false)))]
    pub(crate) notify: Option<Spanned<bool>>,
    /// Whether the image's file system is mounted read-only.
    #[cfg_attr(feature = "schema", schemars(extend("default" = false)))]
    pub(crate) read_only: Option<bool>,
    /// Files of `NAME=value` lines that the engine reads at each start.
    pub(crate) environment_files: Option<Vec<FilePath>>,
    /// Devices of the host, such as `"/dev/fuse"` or `"/dev/ttyUSB0:/dev/modem:rw"`.
    pub(crate) devices: Option<Vec<Device>>,
    /// `"bridge"`, `"host"`, `"none"`, or a network or a list of networks by name. Those that conductor-network(5) defines
    /// are made before the service starts, and others have to be there. In a network that has a name, the service is
    /// found by its own. In the host's network `[[ports]]` have no `container`, and the program gets its own port in the
    /// variable `PORT`.
    #[cfg_attr(feature = "schema", schemars(extend("default" = "bridge")))]
    pub(crate) network: Option<Spanned<Networks>>,
    /// Further names by which it is found in its networks; these have to have names. All instances have all of them.
    pub(crate) network_aliases: Option<Spanned<Vec<HostName>>>,
    /// Its own addresses in its network, one of each version at the most. For one instance, in one network that has a
    /// name; with docker, one whose subnet is given. Without it, the engine chooses.
    pub(crate) network_addresses: Option<Spanned<Vec<Address>>>,
    /// Units, or names of other services, after which it starts: `After=` of systemd.unit(5).
    pub(crate) after: Option<Vec<Spanned<Dependency>>>,
    /// Units, or names of other services, that are started with it; it starts after them, whether or not they work:
    /// `Wants=` and `After=` of systemd.unit(5).
    pub(crate) wants: Option<Vec<Spanned<Dependency>>>,
    /// Units, or names of other services, without which it does not start; it starts after them: `Requires=` and
    /// `After=` of systemd.unit(5).
    pub(crate) requires: Option<Vec<Spanned<Dependency>>>,
    /// Variables for the container. The values are taken literally. They are part of the unit, which every user of
    /// the machine may read: this is no place for secrets.
    pub(crate) environment: Option<Spanned<BTreeMap<EnvironmentName, Text>>>,
    /// Labels of the container.
    pub(crate) labels: Option<BTreeMap<LabelName, Text>>,
    /// Names, and the files that hold them: a path, or a table for a file made by systemd-creds(1) for this name
    /// (`--name=`). Only root on the host needs to be able to read the files. In the container they are
    /// `/run/secrets/`*NAME*, readable by all its users, unless the table says where, and by whom.
    pub(crate) secrets: Option<BTreeMap<SecretName, Spanned<Secret>>>,
    /// Limits of the unit's control group, which holds the container and the engine's processes that watch it.
    pub(crate) resources: Option<Resources>,
    /// Ports to publish: at most 256 entries, and 65535 ports of all instances together.
    pub(crate) ports: Option<Vec<Spanned<Port>>>,
    /// Directories, files and volumes in the container.
    pub(crate) volumes: Option<Vec<Spanned<Mount>>>,
    /// File systems in memory.
    pub(crate) tmpfs: Option<Vec<Spanned<Tmpfs>>>,
    /// The container's resolv.conf.
    pub(crate) dns: Option<Dns>,
    /// Further names and their addresses; `"host-gateway"` is the host's.
    pub(crate) extra_hosts: Option<BTreeMap<HostName, HostAddress>>,
    /// Limits of setrlimit(2) by their lower-case names, such as `nofile`; -1 is no limit.
    pub(crate) ulimits: Option<BTreeMap<LimitName, Spanned<Ulimit>>>,
    /// Kernel parameters of the container's namespaces.
    pub(crate) sysctls: Option<BTreeMap<SysctlName, Number>>,
    /// What the container may do.
    pub(crate) security: Option<Security>,
    /// How the container is stopped.
    pub(crate) stop: Option<Stop>,
    /// When and how the image is fetched.
    pub(crate) pull: Option<Pull>,
    /// How `systemctl reload` has the program read its configuration anew: by a command or by a signal, one of the two.
    /// Several instances are reloaded with `systemctl reload 'NAME@*'`.
    pub(crate) reload: Option<Spanned<Reload>>,
    /// Where the container's output goes.
    pub(crate) log: Option<Log>,
    /// Directives for the unit that runs the container, as systemd reads them: specifiers expand, and they have the
    /// last word. Conditions hold for the units of the checks and of the image as well.
    pub(crate) systemd: Option<Systemd>,
    /// The health check, by HTTP unless `protocol` says otherwise. It is sent to the published port of each instance. A status from 200 to 399 is healthy;
    /// redirects are followed on the same host.
    pub(crate) health: Option<Spanned<Health>>,
    /// systemd starts the container again whenever it ends, unless it was stopped.
    pub(crate) restart: Option<Restart>,
    /// How a new release takes over. Once a release is live, the units are made from the file that holds it, and the
    /// definition says what the next one is to be; see RELEASES.
    pub(crate) deploy: Option<Spanned<Deploy>>,
    /// The proxy on this machine that passes requests on to the live release.
    pub(crate) proxy: Option<Spanned<Proxy>>,
}
