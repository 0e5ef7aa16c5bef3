//! `limit = { starts = 10, within = "auto" }` or `limit = "none"`.

use std::fmt;

use conductor_timespan::TimeSpan;
use serde::Deserialize;
use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserializer, Error, MapAccess, Visitor};
use toml::Spanned;

/// When to stop restarting.
#[derive(Debug)]
pub(crate) enum Limit {
    /// Never.
    None,
    /// After so many starts in so much time.
    Starts(Starts),
}

/// The table form.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct Starts {
    /// `StartLimitBurst=`
    pub(crate) starts: Option<Spanned<i64>>,
    /// `StartLimitIntervalSec=`
    pub(crate) within: Option<Spanned<Within>>,
}

/// The time in which `starts` count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Within {
    /// Computed so that a service that never gets healthy reaches the limit.
    Auto,
    /// As written.
    Span(TimeSpan),
}

impl<'de> Deserialize<'de> for Limit {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct LimitVisitor;
        impl<'de> Visitor<'de> for LimitVisitor {
            type Value = Limit;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a table such as { starts = 10, within = \"auto\" }, or \"none\"")
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Limit, E> {
                match text {
                    "none" => Ok(Limit::None),
                    _ => Err(E::invalid_value(serde::de::Unexpected::Str(text), &self)),
                }
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Limit, A::Error> {
                Starts::deserialize(MapAccessDeserializer::new(map)).map(Limit::Starts)
            }
        }
        deserializer.deserialize_any(LimitVisitor)
    }
}

impl<'de> Deserialize<'de> for Within {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct WithinVisitor;
        impl Visitor<'_> for WithinVisitor {
            type Value = Within;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a time span in quotes, such as \"10min\", or \"auto\"")
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Within, E> {
                match text {
                    "auto" => Ok(Within::Auto),
                    _ => text.parse().map(Within::Span).map_err(E::custom),
                }
            }
        }
        deserializer.deserialize_str(WithinVisitor)
    }
}
