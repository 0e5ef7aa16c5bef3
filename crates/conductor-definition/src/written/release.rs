//! `[deploy]` and `[proxy]`.

use serde::Deserialize;

#[cfg(feature = "schema")]
use super::default;
use super::{PortNumber, Spanned, Timer, Whole};
use crate::Strategy;
use crate::value::{FilePath, Text, UpstreamName};

/// `[deploy]`
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(transform = crate::schema::in_order::<Self>))]
pub(crate) struct Deploy {
    /// `"blue-green"` starts a new release beside the old one, which is stopped when the new one has taken over: each
    /// of the two slots has units and host ports of its own. `"recreate"` stops the old one first. Without it, it is
    /// blue-green where there are `[[ports]]` and a `[health]` or a `[proxy]`, and recreate elsewhere.
    pub(crate) strategy: Option<Spanned<Strategy>>,
    /// For so long all instances of a new release have to be up and healthy, without a failed check and without a
    /// restart, before it takes over.
    #[cfg_attr(feature = "schema", schemars(extend("default" = default::SETTLE.to_string())))]
    pub(crate) settle: Option<Spanned<Timer>>,
    /// The longest time for which connections to the old release may go on before it is stopped.
    #[cfg_attr(feature = "schema", schemars(extend("default" = default::DRAIN.to_string())))]
    pub(crate) drain: Option<Spanned<Timer>>,
    /// A command that runs once before a new release starts, such as a migration of its database. The old release goes
    /// on meanwhile, and has to work with what the command changes; if it fails, nothing else happens.
    pub(crate) before: Option<Spanned<Before>>,
    /// Releases that are kept with their images, the live one and the one before it included. Others go when a new one
    /// has taken over.
    #[cfg_attr(feature = "schema", schemars(extend("default" = default::KEEP)))]
    pub(crate) keep: Option<Spanned<Whole<2, 100>>>,
}

/// `before` of `[deploy]`
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(transform = crate::schema::in_order::<Self>))]
pub(crate) struct Before {
    /// The arguments for the image's entry point, as `command` of the service. The container has the environment,
    /// secrets, volumes and limits of the new release.
    #[cfg_attr(feature = "schema", schemars(required))]
    pub(crate) command: Option<Spanned<Vec<Text>>>,
    /// The time it may take.
    #[cfg_attr(feature = "schema", schemars(extend("default" = default::BEFORE_TIMEOUT.to_string())))]
    pub(crate) timeout: Option<Spanned<Timer>>,
}

/// `[proxy]`
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(transform = crate::schema::in_order::<Self>))]
pub(crate) struct Proxy {
    /// The upstream of nginx, or the backend of HAProxy, that holds the instances of the live release.
    #[cfg_attr(feature = "schema", schemars(required))]
    pub(crate) upstream: Option<Spanned<UpstreamName>>,
    /// The program.
    pub(crate) driver: Option<Spanned<DriverWord>>,
    /// The port that gets the requests, by the number that `container` has in `[[ports]]`. Without it, it is the first
    /// one of TCP.
    pub(crate) port: Option<Spanned<PortNumber>>,
    /// The socket of HAProxy's runtime API, which has to be of `level admin`. Without it, it is
    /// `/run/haproxy/admin.sock`. nginx has none.
    pub(crate) socket: Option<Spanned<FilePath>>,
}

/// The word for a driver.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum DriverWord {
    /// nginx, by its configuration.
    #[default]
    Nginx,
    /// HAProxy, by its runtime API.
    Haproxy,
}
