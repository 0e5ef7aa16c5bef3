//! The validated model: what a definition means.

use std::collections::BTreeMap;
use std::path::PathBuf;

use conductor_timespan::TimeSpan;

use crate::value::{Cpus, Dependency, EnvironmentName, Image, Memory, ServiceName, UrlPath};

/// A service that can be turned into units.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Service {
    /// Its name, from the file's.
    pub name: ServiceName,
    /// The definition's path as systemd should show it (`SourcePath=`).
    pub source_path: PathBuf,
    /// One line for people, without control characters.
    pub description: Option<String>,
    /// What to run.
    pub image: Image,
    /// Arguments for the image's entry point.
    pub command: Vec<String>,
    /// How many containers, at least one.
    pub instances: u16,
    /// Whether it starts at boot.
    pub enabled: bool,
    /// Ordering only.
    pub after: Vec<Dependency>,
    /// Weak requirements.
    pub wants: Vec<Dependency>,
    /// Strong requirements.
    pub requires: Vec<Dependency>,
    /// The container's environment, sorted by name.
    pub environment: BTreeMap<EnvironmentName, String>,
    /// Limits.
    pub resources: Resources,
    /// Published ports, in the order written.
    pub ports: Vec<Port>,
    /// The check, if there is one.
    pub health: Option<Health>,
    /// How systemd starts it again.
    pub restart: Restart,
}

impl Service {
    /// Instance numbers, from 1.
    pub fn instance_numbers(&self) -> impl Iterator<Item = u16> + use<> {
        1..=self.instances
    }
}

/// Limits of the unit's control group; `None` is no limit.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Resources {
    /// Memory, swap not included.
    pub memory: Option<Memory>,
    /// Processor time.
    pub cpus: Option<Cpus>,
    /// Processes and threads.
    pub pids: Option<u32>,
}

/// A published port.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Port {
    /// Where the program listens.
    pub container: u16,
    /// The first of the host's ports.
    pub host: u16,
}

impl Port {
    /// The host's port of instance `number` (from 1): a pure function of the definition, so that
    /// nothing has to be asked at run time. Validation made sure that it stays within 16 bits.
    pub fn host_port(self, number: u16) -> u16 {
        self.host.saturating_add(number.saturating_sub(1))
    }
}

/// The HTTP check. All spans are finite.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Health {
    /// Path and query.
    pub path: UrlPath,
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
