//! `limit = { starts = 10, within = "auto" }` or `limit = "none"`.

use std::fmt;

use serde::Deserialize;
use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserializer, Error, MapAccess, Visitor};

#[cfg(feature = "schema")]
use super::default;
use super::{Count, Spanned, Timer};

/// When to stop restarting.
#[derive(Debug)]
pub(crate) enum Limit {
    /// Never.
    None,
    /// After so many starts in so much time.
    Starts(Starts),
}

/// The word for [`Limit::None`].
const NONE: &str = "none";

/// The word for [`Within::Auto`].
const AUTO: &str = "auto";

/// After so many starts in so much time.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(transform = crate::schema::in_order::<Self>))]
pub(crate) struct Starts {
    /// How many starts: `StartLimitBurst=` of systemd.unit(5).
    #[cfg_attr(feature = "schema", schemars(extend("default" = default::STARTS)))]
    pub(crate) starts: Option<Spanned<Count>>,
    /// The time in which they count: `StartLimitIntervalSec=` of systemd.unit(5). `"auto"` spans as many of the
    /// longest possible cycles of starting, failing and being restarted, so that a service that never works comes
    /// to an end.
    #[cfg_attr(feature = "schema", schemars(extend("default" = AUTO)))]
    pub(crate) within: Option<Spanned<Within>>,
}

/// The time in which `starts` count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Within {
    /// Computed so that a service that never gets healthy reaches the limit.
    Auto,
    /// As written.
    Span(Timer),
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
                    NONE => Ok(Limit::None),
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
                    AUTO => Ok(Within::Auto),
                    _ => text.parse().map(|span| Within::Span(Timer(span))).map_err(E::custom),
                }
            }
        }
        deserializer.deserialize_str(WithinVisitor)
    }
}

#[cfg(feature = "schema")]
impl schemars::JsonSchema for Limit {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Limit".into()
    }

    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "anyOf": [generator.subschema_for::<Starts>(), { "type": "string", "enum": [NONE] }],
        })
    }
}

#[cfg(feature = "schema")]
impl schemars::JsonSchema for Within {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Within".into()
    }

    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "anyOf": [generator.subschema_for::<Timer>(), { "type": "string", "enum": [AUTO] }],
        })
    }
}
