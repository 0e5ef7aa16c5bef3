//! Stages: how far a release is let in before it is the live one.

use std::fmt;
use std::time::Duration;

use conductor_definition::{Canary, Door, Promotion};
use serde::{Deserialize, Serialize};

use crate::{Failure, Request};

/// By which stages a release comes in.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Stages {
    /// Whether it waits in the dark first: only those requests reach it that ask for it.
    pub dark: bool,
    /// Whether some of its instances get a share of the requests first, and who says that it goes on.
    pub canary: Option<Promotion>,
    /// Whether the old release stays, after the switch, to take over again.
    pub bake: bool,
}

/// A stage in which a release waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Stage {
    /// Only requests that ask for it reach it.
    Dark,
    /// It gets a share of the requests.
    Canary,
}

impl fmt::Display for Stage {
    /// Where it is.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Dark => "in the dark",
            Self::Canary => "as a canary",
        })
    }
}

/// What is asked for beyond the definition.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Asked {
    /// Whether the release is to wait in the dark first.
    pub dark: bool,
    /// A canary although the definition says none, or none although it does.
    pub canary: Option<bool>,
}

/// The stages of a deploy, with all that is to be known of them.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct StagesRecord {
    /// How the release is reached in the dark, if it waits there.
    pub dark: Option<DoorRecord>,
    /// What of it is a canary, if any is.
    pub canary: Option<CanaryRecord>,
    /// For how long the old release stays after the switch.
    pub bake: Duration,
}

/// How a release is reached that is in the dark.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DoorRecord {
    /// By a header of this name and value.
    Header(String, String),
    /// By a cookie of this name and value.
    Cookie(String, String),
    /// At this address.
    Listen(String),
}

/// A part of a release that gets a share of the requests.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CanaryRecord {
    /// How many of the instances.
    pub instances: usize,
    /// Their share in percent; by their number if none.
    pub share: Option<u8>,
    /// For how long, if nobody is waited for.
    pub bake: Duration,
    /// Whether somebody has to say that it goes on.
    pub manual: bool,
}

impl StagesRecord {
    /// The stages of a release, by its definition and by what is asked for. None of a rollback: it is for those who have
    /// no time.
    pub(crate) fn of(service: &conductor_definition::Service, request: &Request) -> Result<Self, Failure> {
        let Asked { dark, canary } = request.stages;
        if request.rollback.is_some() {
            return Ok(Self::default());
        }
        let Some(proxy) = &service.proxy else {
            return match (dark, canary) {
                (false, None | Some(false)) => Ok(Self::default()),
                (true, _) => Err(no_proxy("--dark", &service.name)),
                (_, Some(true)) => Err(no_proxy("--canary", &service.name)),
            };
        };
        let dark = match (dark, &proxy.dark) {
            (false, _) => None,
            (true, Some(door)) => Some(DoorRecord::from(door)),
            (true, None) => {
                return Err(Failure::configuration(format!(
                    "--dark needs a way to the release: write it as `dark` into [proxy] of {0}, such as dark.listen = \
                     \"127.0.0.1:20999\"",
                    service.name
                )));
            }
        };
        let canary = match canary {
            Some(false) => None,
            Some(true) => Some(service.deploy.canary.unwrap_or_default()),
            None => service.deploy.canary,
        };
        if service.health.is_none() && canary.is_some_and(|canary| canary.promotion == Promotion::Auto) {
            return Err(Failure::configuration(format!(
                "nothing says whether the canary is healthy: add [health] to {0}, or write canary = {{ promote = \
                 \"manual\" }} into [deploy]",
                service.name
            )));
        }
        let bake = span(service.deploy.bake);
        Ok(Self { dark, canary: canary.map(CanaryRecord::from), bake })
    }

    /// Without what takes two releases that run.
    pub(crate) fn alone(self) -> Self {
        Self { canary: None, bake: Duration::ZERO, ..self }
    }

    /// What the machine has to know of them.
    pub fn plan(&self) -> Stages {
        let promotion =
            |canary: &CanaryRecord| if canary.manual { Promotion::Manual } else { Promotion::Auto };
        Stages {
            dark: self.dark.is_some(),
            canary: self.canary.as_ref().map(promotion),
            bake: !self.bake.is_zero(),
        }
    }
}

fn no_proxy(option: &str, service: impl fmt::Display) -> Failure {
    Failure::configuration(format!(
        "{option} needs a proxy that passes requests on to one release or the other: add [proxy] to {service}"
    ))
}

pub(crate) fn span(span: conductor_timespan::TimeSpan) -> Duration {
    Duration::from_micros(span.as_micros())
}

impl From<Canary> for CanaryRecord {
    fn from(canary: Canary) -> Self {
        let Canary { instances, share, bake, promotion } = canary;
        let manual = promotion == Promotion::Manual;
        Self { instances: usize::from(instances), share, bake: span(bake), manual }
    }
}

impl From<&Door> for DoorRecord {
    fn from(door: &Door) -> Self {
        match door {
            Door::Header(name, value) => Self::Header(name.to_string(), value.to_string()),
            Door::Cookie(name, value) => Self::Cookie(name.to_string(), value.to_string()),
            Door::Listen(address) => Self::Listen(address.to_string()),
        }
    }
}

impl fmt::Display for DoorRecord {
    /// What to do to get there.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Header(name, value) => write!(f, "the header {name}: {value}"),
            Self::Cookie(name, value) => write!(f, "the cookie {name}={value}"),
            Self::Listen(address) => write!(f, "http://{address}/"),
        }
    }
}
