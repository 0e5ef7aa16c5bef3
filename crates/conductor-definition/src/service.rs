//! The validated model: what a definition means.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::path::PathBuf;

use conductor_timespan::TimeSpan;

use crate::DefinitionName;
use crate::question::Question;
use crate::release::{Deploy, Proxy};
use crate::value::{
    Capability, Cpus, Dependency, Device, Directive, EnvironmentName, FileMode, FilePath, Group, HostName,
    HostPattern, Image, LabelName, LimitName, LogDriver, Memory, ObjectName, OptionName, SecretName,
    SecretTarget, ServiceName, Signal, SliceName, SysctlName, TimeZone, User,
};

/// A service that can be turned into units.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Service {
    /// Its name, from the file's.
    pub name: ServiceName,
    /// The definition's path as systemd should show it (`SourcePath=`).
    pub source_path: PathBuf,
    /// Whether that is a release, and not the definition that people edit.
    pub is_release: bool,
    /// The drop-ins that were merged into it.
    pub drop_ins: Vec<PathBuf>,
    /// One line for people, without control characters.
    pub description: Option<String>,
    /// Which release it is.
    pub revision: Option<String>,
    /// Which engine runs it.
    pub runtime: Runtime,
    /// Further options for the engine.
    pub runtime_args: Vec<String>,
    /// How many containers, at least one.
    pub instances: u16,
    /// Whether it starts at boot.
    pub enabled: bool,
    /// Only on these machines; all if empty.
    pub hosts: Vec<HostPattern>,
    /// Ordering only.
    pub after: Vec<Dependency>,
    /// Weak requirements.
    pub wants: Vec<Dependency>,
    /// Strong requirements.
    pub requires: Vec<Dependency>,
    /// What runs in the container, and as whom.
    pub process: Process,
    /// Secrets by name.
    pub secrets: BTreeMap<SecretName, Secret>,
    /// Limits of the unit.
    pub resources: Resources,
    /// What the container sees of the machine's files.
    pub storage: Storage,
    /// How the container is reached, and what it reaches.
    pub network: Network,
    /// What the container may do.
    pub security: Security,
    /// How it is stopped.
    pub stop: Stop,
    /// How it is made to read its configuration anew, if it can be.
    pub reload: Option<Reload>,
    /// When its image is fetched.
    pub pull: Pull,
    /// Where its output goes.
    pub log: Log,
    /// The check, if there is one.
    pub health: Option<Health>,
    /// How systemd starts it again.
    pub restart: Restart,
    /// How a new release takes over.
    pub deploy: Deploy,
    /// Whether its units are those of a slot: it is deployed blue-green, and says so by `[deploy]` or `[proxy]`.
    pub slots: bool,
    /// What passes requests on to it.
    pub proxy: Option<Proxy>,
    /// The user's own directives.
    pub directives: Directives,
}

impl Service {
    /// Networks and volumes that it names, which may or may not have definitions; each once.
    pub fn objects(&self) -> BTreeSet<DefinitionName> {
        let networks = match &self.network.mode {
            NetworkMode::Named(names) => names.as_slice(),
            NetworkMode::Bridge | NetworkMode::Host | NetworkMode::None => &[],
        };
        let volumes = self.storage.mounts.iter().filter_map(|mount| match &mount.source {
            MountSource::Volume(name) => Some(DefinitionName::Volume(name.clone())),
            MountSource::Path(_) => None,
        });
        networks.iter().cloned().map(DefinitionName::Network).chain(volumes).collect()
    }

    /// Instance numbers, from 1.
    pub fn instance_numbers(&self) -> impl Iterator<Item = u16> + use<> {
        1..=self.instances
    }

    /// Which release it is, in the words of whoever makes releases: the revision, or what the image's name says.
    pub fn release(&self) -> Option<&str> {
        self.revision.as_deref().or_else(|| self.process.image.version())
    }
}

/// A container engine. What a further one takes is told at the top of `conductor-units`, `runtime/mod.rs`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Runtime {
    /// podman, without a daemon.
    #[default]
    Podman,
    /// docker, with its daemon.
    Docker,
}

impl Runtime {
    /// All there are.
    pub const ALL: &[Self] = &[Self::Podman, Self::Docker];
}

/// The program in the container.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Process {
    /// The image it comes from.
    pub image: Image,
    /// In place of the image's entry point.
    pub entrypoint: Option<Vec<String>>,
    /// Arguments for the entry point.
    pub command: Vec<String>,
    /// The user in the container.
    pub user: Option<User>,
    /// Supplementary groups.
    pub groups: Vec<Group>,
    /// Where it starts.
    pub working_directory: Option<FilePath>,
    /// Its time zone.
    pub timezone: Option<TimeZone>,
    /// Whether a small init is the first process.
    pub init: bool,
    /// Whether it says itself when it is ready.
    pub notify: bool,
    /// The environment, sorted by name.
    pub environment: BTreeMap<EnvironmentName, String>,
    /// Files of assignments.
    pub environment_files: Vec<FilePath>,
    /// Labels of the container.
    pub labels: BTreeMap<LabelName, String>,
    /// Limits of setrlimit(2).
    pub ulimits: BTreeMap<LimitName, Ulimit>,
}

/// Soft and hard limit; -1 is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ulimit {
    /// What counts.
    pub soft: i64,
    /// What the program may raise it to.
    pub hard: i64,
}

/// A secret's file on the host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Secret {
    /// Where it is.
    pub path: FilePath,
    /// Whether `systemd-creds encrypt` made it.
    pub encrypted: bool,
    /// How the container has it.
    pub place: SecretPlace,
}

/// How a container has a secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SecretPlace {
    /// In a file.
    File {
        /// Where that is in the container.
        target: SecretTarget,
        /// Who owns it in the container.
        uid: u32,
        /// The group that owns it there.
        gid: u32,
        /// Who may read it there.
        mode: FileMode,
    },
    /// In a variable.
    Variable(EnvironmentName),
}

/// Limits of the unit's control group; `None` is no limit.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Resources {
    /// Memory, swap not included.
    pub memory: Option<Memory>,
    /// Memory above which it is slowed down.
    pub memory_high: Option<Memory>,
    /// Processor time.
    pub cpus: Option<Cpus>,
    /// Share of processor time under contention.
    pub cpu_weight: Option<u32>,
    /// Share of disk time under contention.
    pub io_weight: Option<u32>,
    /// Processes and threads.
    pub pids: Option<u32>,
    /// The slice that it shares with others.
    pub slice: Option<SliceName>,
}

/// Files.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Storage {
    /// Whether the image's file system is read-only.
    pub read_only: bool,
    /// Directories and volumes.
    pub mounts: Vec<Mount>,
    /// File systems in memory.
    pub tmpfs: Vec<Tmpfs>,
    /// Size of /dev/shm.
    pub shm: Option<Memory>,
    /// Devices of the host.
    pub devices: Vec<Device>,
}

/// Something of the host in the container.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mount {
    /// What.
    pub source: MountSource,
    /// Where.
    pub target: FilePath,
    /// Whether the container may only read it.
    pub read_only: bool,
    /// Further options of `--volume`.
    pub options: Vec<String>,
}

/// What is mounted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MountSource {
    /// A directory or file of the host.
    Path(FilePath),
    /// A volume of the engine's.
    Volume(ObjectName),
}

/// A file system in memory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tmpfs {
    /// Where.
    pub target: FilePath,
    /// Its largest size.
    pub size: Option<Memory>,
}

/// The network.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Network {
    /// Which.
    pub mode: NetworkMode,
    /// Further names in networks by name.
    pub aliases: Vec<HostName>,
    /// Its own addresses in the one network by name.
    pub addresses: Vec<IpAddr>,
    /// Published ports, in the order written.
    pub ports: Vec<Port>,
    /// The container's host name.
    pub hostname: Option<HostName>,
    /// Name servers.
    pub dns_servers: Vec<IpAddr>,
    /// Search domains.
    pub dns_search: Vec<HostName>,
    /// Options of resolv.conf(5).
    pub dns_options: Vec<String>,
    /// Further names and their addresses.
    pub extra_hosts: BTreeMap<HostName, String>,
    /// Kernel parameters.
    pub sysctls: BTreeMap<SysctlName, String>,
}

/// Which network the container is in.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum NetworkMode {
    /// The engine's own bridge.
    #[default]
    Bridge,
    /// The host's.
    Host,
    /// None.
    None,
    /// Networks by name.
    Named(Vec<ObjectName>),
}

/// A published port, or a range of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Port {
    /// Where the program listens: the first.
    pub container: u16,
    /// How many.
    pub count: u16,
    /// The first of the host's ports.
    pub host: u16,
    /// The host's address.
    pub address: IpAddr,
    /// TCP or UDP.
    pub protocol: Protocol,
}

/// A transport protocol.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Protocol {
    /// TCP.
    #[default]
    Tcp,
    /// UDP.
    Udp,
}

impl Port {
    /// The address at which the host itself reaches it: a port that is published on all addresses is asked
    /// on the loopback.
    pub fn local_address(self) -> IpAddr {
        match self.address {
            IpAddr::V4(address) if address.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
            IpAddr::V6(address) if address.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
            address => address,
        }
    }
}

/// Rights of the container.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Security {
    /// Keeps setuid programs from gaining rights.
    pub no_new_privileges: bool,
    /// Granted capabilities.
    pub add_capabilities: Vec<Capability>,
    /// Capabilities taken away.
    pub drop_capabilities: Vec<Capability>,
    /// A seccomp filter.
    pub seccomp: Option<Seccomp>,
    /// A user namespace, as the engine's `--userns` takes it.
    pub user_namespace: Option<String>,
}

/// A seccomp filter other than the engine's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Seccomp {
    /// None at all.
    Unconfined,
    /// This file.
    Profile(FilePath),
}

/// How a container is stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stop {
    /// In place of the image's `STOPSIGNAL`.
    pub signal: Option<Signal>,
    /// Time between it and SIGKILL.
    pub timeout: TimeSpan,
}

/// How a program is made to read its configuration anew.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reload {
    /// By a command in the container; never empty.
    Command(Vec<String>),
    /// By a signal for its first process.
    Signal(Signal),
}

/// When an image is fetched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pull {
    /// When.
    pub policy: PullPolicy,
    /// Attempts after the first.
    pub retries: u32,
    /// Time between attempts.
    pub retry_delay: TimeSpan,
}

/// When an image is fetched.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum PullPolicy {
    /// If it is not there.
    #[default]
    Missing,
    /// Before every start.
    Always,
    /// By somebody else.
    Never,
}

/// Where a container's output goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Log {
    /// The engine's driver.
    pub driver: LogDriver,
    /// Its options.
    pub options: BTreeMap<OptionName, String>,
}

/// Directives as the user wrote them, each with its lines.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Directives {
    /// For `[Unit]`.
    pub unit: BTreeMap<Directive, Vec<String>>,
    /// For `[Service]`.
    pub service: BTreeMap<Directive, Vec<String>>,
}

/// The check. All spans are finite.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Health {
    /// What is asked.
    pub question: Question,
    /// The port that is asked.
    pub port: Port,
    /// Time from one check to the next.
    pub interval: TimeSpan,
    /// Time a check may take.
    pub timeout: TimeSpan,
    /// Consecutive failures until the container is terminated.
    pub unhealthy_after: u32,
    /// Consecutive successes until it counts as healthy.
    pub healthy_after: u32,
    /// Time until the first healthy answer.
    pub start_within: TimeSpan,
    /// Time between SIGTERM and SIGKILL.
    pub kill_grace: TimeSpan,
    /// What is done about an unhealthy container.
    pub on_unhealthy: OnUnhealthy,
    /// None is terminated while so many others are being restarted.
    pub max_unavailable: u32,
    /// Pressure in per cent above which slowness is excused.
    pub max_pressure: u32,
    /// For how long it is.
    pub max_hold: TimeSpan,
}

/// What is done about an unhealthy container.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum OnUnhealthy {
    /// It is terminated, and systemd starts it again.
    #[default]
    Restart,
    /// It is reported.
    None,
}

/// How systemd starts the service again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Restart {
    /// `RestartSec=`
    pub delay: TimeSpan,
    /// `RestartMaxDelaySec=`; never below `delay`.
    pub max_delay: TimeSpan,
    /// When to give up; `None` is never.
    pub limit: Option<StartLimit>,
}

/// systemd's start limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StartLimit {
    /// `StartLimitBurst=`
    pub starts: u32,
    /// `StartLimitIntervalSec=`; `None` is computed from the other values.
    pub within: Option<TimeSpan>,
}
