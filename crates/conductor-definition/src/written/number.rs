//! Numbers and times that have bounds. What lies outside can be written, and is reported by validation with the
//! bounds that the type has.

use conductor_timespan::TimeSpan;
use serde::{Deserialize, Deserializer};

/// A whole number that should be between `MIN` and `MAX`, both included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Whole<const MIN: i64, const MAX: i64>(pub(crate) i64);

/// A port of TCP or UDP.
pub(crate) type PortNumber = Whole<1, 65_535>;

/// Thresholds and counts; more is a slip of the finger.
pub(crate) type Count = Whole<1, 10_000>;

/// A number of a user or of a group. The last one means "none" to chown(2).
pub(crate) type Id = Whole<0, 4_294_967_294>;

/// A weight of systemd.resource-control(5).
pub(crate) type Weight = Whole<1, 10_000>;

impl<'de, const MIN: i64, const MAX: i64> Deserialize<'de> for Whole<MIN, MAX> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        i64::deserialize(deserializer).map(Self)
    }
}

/// A time that something waits: it should be neither nothing nor for ever.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Timer(pub(crate) TimeSpan);

impl Timer {
    pub(crate) const SHORTEST: TimeSpan = TimeSpan::from_millis(10);
    pub(crate) const LONGEST: TimeSpan = TimeSpan::from_secs(7 * 24 * 60 * 60);
}

impl<'de> Deserialize<'de> for Timer {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        TimeSpan::deserialize(deserializer).map(Self)
    }
}

/// A time that may be nothing, but not for ever.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Pause(pub(crate) TimeSpan);

impl<'de> Deserialize<'de> for Pause {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        TimeSpan::deserialize(deserializer).map(Self)
    }
}

#[cfg(feature = "schema")]
impl schemars::JsonSchema for Pause {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Pause".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        let title = format!("time span up to {}", Timer::LONGEST);
        let mut schema = crate::schema::text(&title, &crate::schema::time_span(), None);
        schema.insert("not".to_owned(), serde_json::json!({ "pattern": "infinity" }));
        schema
    }
}

#[cfg(feature = "schema")]
impl<const MIN: i64, const MAX: i64> schemars::JsonSchema for Whole<MIN, MAX> {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        format!("Whole_{MIN}_{MAX}").into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "type": "integer", "minimum": MIN, "maximum": MAX })
    }
}

#[cfg(feature = "schema")]
impl schemars::JsonSchema for Timer {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Timer".into()
    }

    /// The bounds themselves are beyond a regular expression, but neither `0` nor `infinity` has a digit from 1
    /// to 9.
    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        let title = format!("time span from {} to {}", Self::SHORTEST, Self::LONGEST);
        let mut schema = crate::schema::text(&title, &crate::schema::time_span(), None);
        schema.insert("not".to_owned(), serde_json::json!({ "pattern": "^[^1-9$]*$" }));
        schema
    }
}
