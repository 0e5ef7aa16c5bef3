//! A definition as written: every key optional, every value where it stands.
//!
//! Doc comments here are the reference that users read. No `untagged`, `tag` or `flatten`: serde
//! buffers through those and the spans are lost.

mod limit;
mod read;

use std::collections::BTreeMap;

use conductor_timespan::TimeSpan;
use serde::Deserialize;
use toml::Spanned;

use crate::value::{Dependency, Image, Memory, Text, UrlPath};

pub(crate) use limit::{Limit, Starts, Within};
pub(crate) use read::{Read, Removed, read};

/// The top level of `NAME.toml`.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct Service {
    /// One line for people; the unit's `Description=`.
    pub(crate) description: Option<Spanned<Text>>,
    /// The image to run.
    pub(crate) image: Option<Spanned<Image>>,
    /// Arguments for the image's entry point; always a list, there is no shell.
    pub(crate) command: Option<Vec<Text>>,
    /// How many containers run side by side.
    pub(crate) instances: Option<Spanned<i64>>,
    /// Whether it starts at boot.
    pub(crate) enabled: Option<bool>,
    /// Started only after these.
    pub(crate) after: Option<Vec<Spanned<Dependency>>>,
    /// Started together with these, whether or not they work.
    pub(crate) wants: Option<Vec<Spanned<Dependency>>>,
    /// Does not start without these.
    pub(crate) requires: Option<Vec<Spanned<Dependency>>>,
    /// The container's environment; values are literal.
    pub(crate) environment: Option<BTreeMap<Spanned<String>, Text>>,
    /// Limits of the unit's control group.
    pub(crate) resources: Option<Resources>,
    /// Published ports.
    pub(crate) ports: Option<Vec<Spanned<Port>>>,
    /// The HTTP check that says whether the service works.
    pub(crate) health: Option<Spanned<Health>>,
    /// How systemd starts it again.
    pub(crate) restart: Option<Restart>,
}

/// `[resources]`
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct Resources {
    /// `MemoryMax=` of the unit.
    pub(crate) memory: Option<Memory>,
    /// `CPUQuota=` of the unit.
    pub(crate) cpus: Option<crate::value::Cpus>,
    /// `TasksMax=` of the unit.
    pub(crate) pids: Option<Spanned<i64>>,
}

/// `[[ports]]`
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct Port {
    /// The port the program listens on.
    pub(crate) container: Option<Spanned<i64>>,
    /// The first of the host's ports: instance *i* gets `host + i - 1`.
    pub(crate) host: Option<Spanned<i64>>,
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
