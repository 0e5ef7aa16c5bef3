//! The tables of a definition.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::{Count, Limit, Lines, PortNumber, Ports, Spanned, Timer, Weight, Whole};
#[cfg(feature = "schema")]
use super::{default, rules};
use crate::value::{
    Address, Capability, Cpus, Directive, EngineOption, ExpectedText, FilePath, GrpcService, HeaderName,
    HeaderValue, HostName, LogDriver, Memory, OptionName, SentText, Signal, SliceName, Statuses, Text,
    TlsName, UrlPath, UserNamespace,
};
use crate::{HealthProtocol, Method, MountSource, OnUnhealthy, Protocol, PullPolicy, Seccomp};

/// `[resources]`
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(transform = crate::schema::in_order::<Self>))]
pub(crate) struct Resources {
    /// The most memory it may use: `MemoryMax=` of systemd.resource-control(5).
    pub(crate) memory: Option<Memory>,
    /// The processor time, in processors, such as 1.5: `CPUQuota=`.
    pub(crate) cpus: Option<Cpus>,
    /// The number of processes and threads: `TasksMax=`.
    // TasksMax= counts podman while it starts the container (some ten threads), and conmon later.
    pub(crate) pids: Option<Spanned<Whole<32, 4_194_304>>>,
    /// Memory above which it is slowed down: `MemoryHigh=`.
    pub(crate) memory_high: Option<Spanned<Memory>>,
    /// Its share of processor time under contention; 100 is everybody's: `CPUWeight=`.
    pub(crate) cpu_weight: Option<Spanned<Weight>>,
    /// Its share of disk time under contention; 100 is everybody's: `IOWeight=`.
    pub(crate) io_weight: Option<Spanned<Weight>>,
    /// The size of the container's `/dev/shm`.
    pub(crate) shm: Option<Memory>,
    /// The slice that it shares with others, such as `"team-store"`, which lies in `team`. Without it, it is in
    /// conductor.slice.
    pub(crate) slice: Option<SliceName>,
}

/// A published port.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(transform = crate::schema::in_order::<Self>))]
pub(crate) struct Port {
    /// The port that the program listens on, or a range such as `"8000-8009"`. With `network = "host"` it is left
    /// out, and otherwise it has to be there.
    pub(crate) container: Option<Spanned<Ports>>,
    /// The port on the host. Instance *i* gets `host` + *i* - 1; with a range of ports, each instance gets as many as
    /// the range has, one instance after the other.
    #[cfg_attr(feature = "schema", schemars(required))]
    pub(crate) host: Option<Spanned<PortNumber>>,
    /// The host's address.
    #[cfg_attr(feature = "schema", schemars(extend("default" = default::ADDRESS.to_string())))]
    pub(crate) address: Option<Address>,
    /// The transport protocol.
    pub(crate) protocol: Option<Protocol>,
}

/// `[health]`
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
#[cfg_attr(
    feature = "schema",
    derive(schemars::JsonSchema),
    schemars(transform = crate::schema::in_order::<Self>, transform = rules::of_health)
)]
pub(crate) struct Health {
    /// How the container is asked: HTTP/1.1, the same over TLS, HTTP/2 in the clear, the health service of gRPC in
    /// the clear or over TLS, or whether it takes connections. The last tells nothing where the engine takes
    /// connections for the container, as docker's userland-proxy does.
    pub(crate) protocol: Option<HealthProtocol>,
    /// The path to ask for, with its query. With HTTP it has to be there.
    pub(crate) path: Option<Spanned<UrlPath>>,
    /// The service of gRPC that is asked about. Without it, it is the whole server.
    pub(crate) service: Option<Spanned<GrpcService>>,
    /// The port that is asked, by the number that `container` has in `[[ports]]`. Without it, it is the first one
    /// of TCP.
    pub(crate) port: Option<Spanned<PortNumber>>,
    /// The method of HTTP. With a `body` and without this key it is POST.
    pub(crate) method: Option<Spanned<Method>>,
    /// Header fields of the request. They take the place of those that a check sends by itself, `Accept`, `Host` and
    /// `User-Agent`; an empty one is left out. Everybody on the machine can read them.
    pub(crate) headers: Option<Spanned<BTreeMap<HeaderName, Spanned<HeaderValue>>>>,
    /// The body of the request. Everybody on the machine can read it.
    pub(crate) body: Option<Spanned<SentText>>,
    /// The statuses that are healthy. Without it, they are 200 to 399, and redirects are followed as long as they lead
    /// to the same server. One whose status is listed here is not followed: it is the answer.
    pub(crate) expect_status: Option<Spanned<Statuses>>,
    /// A text that the first 10 KiB of the answer must hold.
    pub(crate) expect_body: Option<Spanned<ExpectedText>>,
    /// Whom a check over TLS trusts.
    pub(crate) tls: Option<Spanned<HealthTls>>,
    /// The time from one check to the next.
    #[cfg_attr(feature = "schema", schemars(extend("default" = default::INTERVAL.to_string())))]
    pub(crate) interval: Option<Spanned<Timer>>,
    /// The time a check may take: connection, headers and body together.
    #[cfg_attr(feature = "schema", schemars(extend("default" = default::TIMEOUT.to_string())))]
    pub(crate) timeout: Option<Spanned<Timer>>,
    /// After so many failures in a row the container is sent SIGTERM, and systemd starts it again.
    #[cfg_attr(feature = "schema", schemars(extend("default" = default::UNHEALTHY_AFTER)))]
    pub(crate) unhealthy_after: Option<Spanned<Count>>,
    /// After so many successes in a row the service counts as started, or as healthy again.
    #[cfg_attr(feature = "schema", schemars(extend("default" = default::HEALTHY_AFTER)))]
    pub(crate) healthy_after: Option<Spanned<Count>>,
    /// The time from the container's start to a healthy answer; then the start fails.
    #[cfg_attr(feature = "schema", schemars(extend("default" = default::START_WITHIN.to_string())))]
    pub(crate) start_within: Option<Spanned<Timer>>,
    /// The time between SIGTERM and SIGKILL for an unhealthy container.
    #[cfg_attr(feature = "schema", schemars(extend("default" = default::KILL_GRACE.to_string())))]
    pub(crate) kill_grace: Option<Spanned<Timer>>,
    /// `"restart"` terminates an unhealthy container, so that systemd starts it again; `"none"` only reports it.
    pub(crate) on_unhealthy: Option<OnUnhealthy>,
    /// With several instances: no unhealthy one is terminated while so many others are being restarted or started.
    /// If no other is healthy, only one is terminated at a time: when it comes back healthy the next one's turn
    /// comes; when it does not, the others are held, which is left running until one of them answers again, because
    /// what they share, such as a database, may be what is broken.
    #[cfg_attr(feature = "schema", schemars(extend("default" = default::MAX_UNAVAILABLE)))]
    pub(crate) max_unavailable: Option<Spanned<Count>>,
    /// A container that does not answer in time is not terminated while, in more than so many per cent of the last
    /// ten seconds, processes of the machine waited for a processor, a disk or memory. One that refuses connections
    /// or answers with an error is. 100 is never.
    #[cfg_attr(feature = "schema", schemars(extend("default" = default::MAX_PRESSURE)))]
    pub(crate) max_pressure: Option<Spanned<Whole<0, 100>>>,
    /// The longest time for which a busy machine is such an excuse.
    #[cfg_attr(feature = "schema", schemars(extend("default" = default::MAX_HOLD.to_string())))]
    pub(crate) max_hold: Option<Spanned<Timer>>,
}

/// `[health.tls]`
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(transform = crate::schema::in_order::<Self>))]
pub(crate) struct HealthTls {
    /// The file of the authorities that are trusted, or of the container's own certificate (PEM). Without it, they are
    /// those that the system trusts.
    pub(crate) ca: Option<Spanned<FilePath>>,
    /// The file of the checker's own certificate (PEM), which the user `conductor-health` can read.
    pub(crate) certificate: Option<FilePath>,
    /// The file of its key (PEM). Without it, it is in the same file.
    pub(crate) key: Option<Spanned<FilePath>>,
    /// The name that the container's certificate is for. Without it, it is the address that is asked.
    pub(crate) server_name: Option<TlsName>,
    /// With `false`, any certificate is accepted.
    pub(crate) verify: Option<Spanned<bool>>,
}

/// `[restart]`
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(transform = crate::schema::in_order::<Self>))]
pub(crate) struct Restart {
    /// The time between the end and the next start.
    #[cfg_attr(feature = "schema", schemars(extend("default" = default::RESTART_DELAY.to_string())))]
    pub(crate) delay: Option<Spanned<Timer>>,
    /// What the delay grows to while restarts follow each other, with systemd 254 and later. It is never less than
    /// `delay`.
    #[cfg_attr(feature = "schema", schemars(extend("default" = default::RESTART_MAX_DELAY.to_string())))]
    pub(crate) max_delay: Option<Spanned<Timer>>,
    /// After so many starts within so much time the service is left `failed`; with `"none"`, never. Starts and
    /// restarts by hand count as well; `systemctl reset-failed` clears the count.
    pub(crate) limit: Option<Spanned<Limit>>,
}

/// Something of the host, or a volume, in the container.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(transform = crate::schema::in_order::<Self>))]
pub(crate) struct Mount {
    /// A directory or file of the host, or the name of a volume of the engine's. One that conductor-volume(5) defines is
    /// made before the service starts; of another name, the engine makes one when it is first used. What systemd mounts at the former is
    /// mounted first (`RequiresMountsFor=`).
    #[cfg_attr(feature = "schema", schemars(required))]
    pub(crate) source: Option<MountSource>,
    /// Where it is in the container.
    #[cfg_attr(feature = "schema", schemars(required))]
    pub(crate) target: Option<FilePath>,
    /// Whether the container may only read it.
    #[cfg_attr(feature = "schema", schemars(extend("default" = false)))]
    pub(crate) read_only: Option<bool>,
    /// Further options of the engine's `--volume`, such as `["Z"]` or `["U"]`.
    pub(crate) options: Option<Vec<EngineOption>>,
}

/// A file system in memory.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(transform = crate::schema::in_order::<Self>))]
pub(crate) struct Tmpfs {
    /// Where it is in the container.
    #[cfg_attr(feature = "schema", schemars(required))]
    pub(crate) target: Option<FilePath>,
    /// Its largest size.
    pub(crate) size: Option<Memory>,
}

/// `[dns]`
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(transform = crate::schema::in_order::<Self>))]
pub(crate) struct Dns {
    /// Name servers instead of the host's.
    pub(crate) servers: Option<Vec<Address>>,
    /// Domains in which short names are looked up.
    pub(crate) search: Option<Vec<HostName>>,
    /// Options of resolv.conf(5).
    pub(crate) options: Option<Vec<EngineOption>>,
}

/// `[security]`
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(transform = crate::schema::in_order::<Self>))]
pub(crate) struct Security {
    /// Keeps setuid programs from gaining rights.
    #[cfg_attr(feature = "schema", schemars(extend("default" = false)))]
    pub(crate) no_new_privileges: Option<bool>,
    /// Capabilities besides the engine's few, and without them; names are those of capabilities(7).
    pub(crate) capabilities: Option<Capabilities>,
    /// A file with a filter, or `"unconfined"` for none. Without it, it is the engine's.
    pub(crate) seccomp: Option<Seccomp>,
    /// A user namespace of its own, as the engine's `--userns` takes it, such as `"auto"`.
    pub(crate) user_namespace: Option<Spanned<UserNamespace>>,
}

/// `capabilities` of `[security]`
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(transform = crate::schema::in_order::<Self>))]
pub(crate) struct Capabilities {
    /// Granted besides the engine's.
    pub(crate) add: Option<Vec<Capability>>,
    /// Taken away; `"ALL"` takes all of the engine's.
    pub(crate) drop: Option<Spanned<Vec<Capability>>>,
}

/// `[stop]`
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(transform = crate::schema::in_order::<Self>))]
pub(crate) struct Stop {
    /// In place of the image's stop signal.
    pub(crate) signal: Option<Signal>,
    /// The time until the program is killed.
    #[cfg_attr(feature = "schema", schemars(extend("default" = default::STOP_TIMEOUT.to_string())))]
    pub(crate) timeout: Option<Spanned<Timer>>,
}

/// `[reload]`
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(transform = crate::schema::in_order::<Self>))]
pub(crate) struct Reload {
    /// A command in the container. The reload takes as long as it does, and fails if it fails. There is no shell.
    pub(crate) command: Option<Spanned<Vec<Text>>>,
    /// A signal for the container's first process, such as `"HUP"`. Nothing is waited for.
    pub(crate) signal: Option<Spanned<Signal>>,
}

/// `[pull]`
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(transform = crate::schema::in_order::<Self>))]
pub(crate) struct Pull {
    /// If it is `"missing"` on the machine, `"always"` before a start, or `"never"`, because somebody else does.
    pub(crate) policy: Option<PullPolicy>,
    /// Attempts after the first.
    #[cfg_attr(feature = "schema", schemars(extend("default" = default::PULL_RETRIES)))]
    pub(crate) retries: Option<Spanned<Whole<0, 100>>>,
    /// The time between attempts.
    #[cfg_attr(feature = "schema", schemars(extend("default" = default::PULL_RETRY_DELAY.to_string())))]
    pub(crate) retry_delay: Option<Spanned<Timer>>,
}

/// `[log]`
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(transform = crate::schema::in_order::<Self>))]
pub(crate) struct Log {
    /// The engine's log driver. With `"journald"` the output is in the journal as the unit's own.
    #[cfg_attr(feature = "schema", schemars(extend("default" = LogDriver::DEFAULT)))]
    pub(crate) driver: Option<LogDriver>,
    /// Options of the driver.
    pub(crate) options: Option<Spanned<BTreeMap<OptionName, Text>>>,
}

/// `[systemd]`
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(transform = crate::schema::in_order::<Self>))]
pub(crate) struct Systemd {
    /// Directives of `[Unit]`: systemd.unit(5).
    pub(crate) unit: Option<BTreeMap<Directive, Lines>>,
    /// Directives of `[Service]`: systemd.service(5), systemd.exec(5), systemd.kill(5), systemd.resource-control(5).
    pub(crate) service: Option<BTreeMap<Directive, Spanned<Lines>>>,
}
