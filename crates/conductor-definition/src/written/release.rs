//! `[deploy]` and `[proxy]`.

use serde::Deserialize;

#[cfg(feature = "schema")]
use super::default;
use super::{Pause, PortNumber, Spanned, Timer, Whole};
use crate::value::{DoorWord, FilePath, ListenAddress, Text, UpstreamName};
use crate::{Promotion, Strategy};

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
    /// Some instances of a new release get a share of the requests first; the others follow when that went well. With
    /// `canary = {}` all is as it is without its keys. Needs a `[proxy]`. A rollback has no canary.
    pub(crate) canary: Option<Spanned<Canary>>,
    /// For so long the old release stays up after the switch. If the new one gets unhealthy meanwhile, as told in
    /// conductor-service(5) under Stages, the old one takes over again by itself. Needs a `[proxy]`. A rollback does not wait for that.
    #[cfg_attr(feature = "schema", schemars(extend("default" = default::BAKE.to_string())))]
    pub(crate) bake: Option<Spanned<Pause>>,
}

/// `canary` of `[deploy]`
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(transform = crate::schema::in_order::<Self>))]
pub(crate) struct Canary {
    /// How many instances, at most those of the service.
    #[cfg_attr(feature = "schema", schemars(extend("default" = default::INSTANCES)))]
    pub(crate) instances: Option<Spanned<Whole<1, 1_000>>>,
    /// Their share of the requests in percent, all of them together. Without it, every instance of the old and of the
    /// new release gets as much as any other.
    pub(crate) share: Option<Spanned<Whole<1, 99>>>,
    /// For so long they have to be healthy until the others follow by themselves. An instance that gets unhealthy, as
    /// told in conductor-service(5) under Stages, ends the deploy: the old release has all requests again.
    #[cfg_attr(feature = "schema", schemars(extend("default" = default::CANARY_BAKE.to_string())))]
    pub(crate) bake: Option<Spanned<Timer>>,
    /// `"auto"` lets the others follow after `bake`, for which there has to be a `[health]`. `"manual"` waits for
    /// `conductor promote`, however long that takes; what gets unhealthy meanwhile is taken back all the same.
    pub(crate) promote: Option<Spanned<Promotion>>,
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
    /// How requests reach a release that `conductor deploy --dark` has started, while nobody else's do: one of the three
    /// keys.
    pub(crate) dark: Option<Spanned<Dark>>,
}

/// `dark` of `[proxy]`
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(transform = super::rules::of_dark))]
pub(crate) struct Dark {
    /// A header of the request. In nginx's configuration it needs `proxy_pass http://$NAME_pool;` in place of
    /// `http://NAME`, with the name of the upstream, less all but letters and digits, which become `_`. HAProxy needs a
    /// rule: `use_backend NAME_dark if { req.hdr(x-dark) -m str yes }`.
    pub(crate) header: Option<Spanned<Password>>,
    /// A cookie of the request, which takes the same in the proxy's configuration. nginx knows only names without `-`.
    pub(crate) cookie: Option<Spanned<Password>>,
    /// An address and a port of the host, such as `"127.0.0.1:20999"`, on which nginx listens for it: that takes
    /// nothing in its configuration. HAProxy cannot.
    pub(crate) listen: Option<Spanned<ListenAddress>>,
}

/// `header` and `cookie` of `dark`
#[derive(Debug, Deserialize)]
#[serde(
    rename_all = "kebab-case",
    deny_unknown_fields,
    expecting = "a table, such as { name = \"X-Dark\", value = \"yes\" }"
)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(transform = crate::schema::in_order::<Self>))]
pub(crate) struct Password {
    /// Its name.
    #[cfg_attr(feature = "schema", schemars(required))]
    pub(crate) name: Option<Spanned<DoorWord>>,
    /// The value that it has to have.
    #[cfg_attr(feature = "schema", schemars(required))]
    pub(crate) value: Option<DoorWord>,
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
