//! The tables of a definition.

use std::collections::BTreeMap;
use std::net::IpAddr;

use conductor_timespan::TimeSpan;
use serde::Deserialize;
use toml::Spanned;

use super::{Limit, Lines, Ports};
use crate::value::{Capability, Cpus, FilePath, HostName, Memory, Signal, SliceName, Text, UrlPath};

/// `[resources]`
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct Resources {
    /// `MemoryMax=` of the unit.
    pub(crate) memory: Option<Memory>,
    /// `CPUQuota=` of the unit.
    pub(crate) cpus: Option<Cpus>,
    /// `TasksMax=` of the unit.
    pub(crate) pids: Option<Spanned<i64>>,
    /// `MemoryHigh=` of the unit: above this it is slowed down.
    pub(crate) memory_high: Option<Spanned<Memory>>,
    /// `CPUWeight=` of the unit, 1 to 10000; 100 is everybody's.
    pub(crate) cpu_weight: Option<Spanned<i64>>,
    /// `IOWeight=` of the unit, 1 to 10000; 100 is everybody's.
    pub(crate) io_weight: Option<Spanned<i64>>,
    /// Size of the container's /dev/shm.
    pub(crate) shm: Option<Memory>,
    /// The slice that it shares with others, instead of conductor.slice.
    pub(crate) slice: Option<SliceName>,
}

/// `[[ports]]`
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct Port {
    /// The port the program listens on, or a range such as `"8000-8009"`.
    pub(crate) container: Option<Spanned<Ports>>,
    /// The first of the host's ports: instance *i* gets `host + i - 1`.
    pub(crate) host: Option<Spanned<i64>>,
    /// The host's address; 127.0.0.1 if left out.
    pub(crate) address: Option<IpAddr>,
    /// `tcp` or `udp`.
    pub(crate) protocol: Option<Spanned<String>>,
}

/// `[health]`
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct Health {
    /// Path of the request.
    pub(crate) path: Option<Spanned<UrlPath>>,
    /// Which of `[[ports]]`, by its container port; the first if left out.
    pub(crate) port: Option<Spanned<i64>>,
    /// Time from one check to the next.
    pub(crate) interval: Option<Spanned<TimeSpan>>,
    /// Time a check may take, all phases together.
    pub(crate) timeout: Option<Spanned<TimeSpan>>,
    /// Consecutive failures until the container is terminated.
    pub(crate) unhealthy_after: Option<Spanned<i64>>,
    /// Consecutive successes until the service counts as started, or as healthy again.
    pub(crate) healthy_after: Option<Spanned<i64>>,
    /// Time from the container's start to its first healthy answer.
    pub(crate) start_within: Option<Spanned<TimeSpan>>,
    /// Time between SIGTERM and SIGKILL to an unhealthy container.
    pub(crate) kill_grace: Option<Spanned<TimeSpan>>,
    /// `restart`, or `none`: only say so.
    pub(crate) on_unhealthy: Option<Spanned<String>>,
    /// No instance is terminated while so many others are being restarted.
    pub(crate) max_unavailable: Option<Spanned<i64>>,
    /// Per cent of time in which processes wait, above which the machine is busy.
    pub(crate) max_pressure: Option<Spanned<i64>>,
    /// The longest time for which a busy machine excuses a container that does not answer.
    pub(crate) max_hold: Option<Spanned<TimeSpan>>,
}

/// `[restart]`
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct Restart {
    /// Time between the end of one run and the start of the next.
    pub(crate) delay: Option<Spanned<TimeSpan>>,
    /// The delay grows to this while restarts follow each other.
    pub(crate) max_delay: Option<Spanned<TimeSpan>>,
    /// When to give up.
    pub(crate) limit: Option<Limit>,
}

/// `[[volumes]]`
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct Mount {
    /// A directory or file of the host, or the name of a volume.
    pub(crate) source: Option<Spanned<Text>>,
    /// Where it is in the container.
    pub(crate) target: Option<FilePath>,
    /// Whether the container may only read it.
    pub(crate) read_only: Option<bool>,
    /// Further options of the engine's `--volume`, such as `["Z"]` or `["U"]`.
    pub(crate) options: Option<Vec<Spanned<Text>>>,
}

/// `[[tmpfs]]`
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct Tmpfs {
    /// Where it is in the container.
    pub(crate) target: Option<FilePath>,
    /// Its largest size.
    pub(crate) size: Option<Memory>,
}

/// `[dns]`
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct Dns {
    /// Name servers instead of the host's.
    pub(crate) servers: Option<Vec<IpAddr>>,
    /// Domains in which short names are looked up.
    pub(crate) search: Option<Vec<HostName>>,
    /// Options of resolv.conf(5).
    pub(crate) options: Option<Vec<Spanned<Text>>>,
}

/// `[security]`
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct Security {
    /// Keeps setuid programs from gaining rights.
    pub(crate) no_new_privileges: Option<bool>,
    /// Capabilities besides the engine's few, and without them.
    pub(crate) capabilities: Option<Capabilities>,
    /// A file with a seccomp filter, or `unconfined`.
    pub(crate) seccomp: Option<Spanned<Text>>,
    /// A user namespace of its own, as the engine's `--userns` takes it, such as `auto`.
    pub(crate) user_namespace: Option<Spanned<Text>>,
}

/// `capabilities` of `[security]`
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct Capabilities {
    /// Granted besides the engine's.
    pub(crate) add: Option<Vec<Capability>>,
    /// Taken away; `ALL` takes all of the engine's.
    pub(crate) drop: Option<Vec<Capability>>,
}

/// `[stop]`
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct Stop {
    /// Asks the program to end.
    pub(crate) signal: Option<Signal>,
    /// Time until it is killed.
    pub(crate) timeout: Option<Spanned<TimeSpan>>,
}

/// `[pull]`
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct Pull {
    /// `missing`, `always` or `never`.
    pub(crate) policy: Option<Spanned<String>>,
    /// Attempts after the first has failed.
    pub(crate) retries: Option<Spanned<i64>>,
    /// Time between attempts.
    pub(crate) retry_delay: Option<Spanned<TimeSpan>>,
}

/// `[log]`
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct Log {
    /// The engine's log driver; `journald` if left out.
    pub(crate) driver: Option<Spanned<String>>,
    /// Options of the driver.
    pub(crate) options: Option<BTreeMap<Spanned<String>, Text>>,
}

/// `[systemd]`
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct Systemd {
    /// Directives of `[Unit]`.
    pub(crate) unit: Option<BTreeMap<Spanned<String>, Lines>>,
    /// Directives of `[Service]`.
    pub(crate) service: Option<BTreeMap<Spanned<String>, Lines>>,
}
