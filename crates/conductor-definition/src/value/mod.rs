//! Validated value types: a value that exists is one that can be used.
//!
//! Each has one `FromStr` (or number) constructor, and is read from TOML through it, so that an
//! impossible value is an error at its own place in the file.

mod address;
mod cpus;
mod dependency;
mod device;
mod door;
mod environment;
mod file_mode;
mod file_path;
mod form;
mod image;
mod memory;
mod mount_source;
mod name;
mod names;
mod path;
mod secret_target;
mod security;
mod statuses;
mod subnet;
mod text;
mod user;
mod words;

use std::fmt;

pub use cpus::Cpus;
pub use dependency::Dependency;
pub use device::Device;
pub use door::DoorWord;
pub use environment::EnvironmentName;
pub use file_mode::FileMode;
pub use file_path::FilePath;
pub use image::Image;
pub use memory::Memory;
pub use name::ServiceName;
pub use names::{
    Directive, DriverName, FileSystem, GrpcService, HeaderName, HostName, HostPattern, InterfaceName,
    LabelName, LogDriver, ObjectName, OptionName, SecretName, SliceName, SysctlName, TimeZone, TlsName,
    UpstreamName,
};
pub use path::UrlPath;
pub use secret_target::SecretTarget;
pub use statuses::Statuses;
pub use subnet::Subnet;
pub use user::{Group, User};
pub use words::{Capability, LimitName, Signal};

pub(crate) use address::{Address, HostAddress, ListenAddress};
pub(crate) use security::UserNamespace;
pub(crate) use text::{Description, EngineOption, ExpectedText, HeaderValue, MountDevice, SentText, Text};

/// Why a value is refused, in words that end an error message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InvalidValue(pub(crate) String);

impl InvalidValue {
    pub(crate) fn new(message: impl Into<String>) -> Self {
        Self(message.into())
    }
}

impl fmt::Display for InvalidValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for InvalidValue {}

/// Reads a `FromStr` type from a TOML string; `$expecting` completes "expected …".
macro_rules! deserialize_from_str {
    ($type:ty, $expecting:literal) => {
        impl<'de> serde::Deserialize<'de> for $type {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let mut value = None;
                let mut take = |text: &str| text.parse().map(|parsed| value = Some(parsed));
                deserializer.deserialize_str(crate::value::TextVisitor($expecting, &mut take))?;
                value.ok_or_else(|| serde::de::Error::custom($expecting))
            }
        }
    };
}
pub(crate) use deserialize_from_str;

/// What is expected, and who takes the text or refuses it. One type for all values, so that the machinery behind it
/// is in the program once.
pub(crate) struct TextVisitor<'t>(
    pub(crate) &'static str,
    pub(crate) &'t mut dyn FnMut(&str) -> Result<(), InvalidValue>,
);

impl serde::de::Visitor<'_> for TextVisitor<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<(), E> {
        (self.1)(text).map_err(E::custom)
    }
}

/// The schema of a text: what it is, in a few words for people, and the regular expression that all of it
/// matches, and perhaps its greatest length.
macro_rules! text_schema {
    ($type:ty, $title:expr, $pattern:expr $(, $longest:expr)?) => {
        #[cfg(feature = "schema")]
        impl schemars::JsonSchema for $type {
            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($type).into()
            }

            fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
                let longest: &[usize] = &[$($longest)?];
                crate::schema::text($title, &$pattern, longest.first().copied())
            }
        }
    };
}
pub(crate) use text_schema;

/// The schema of a value that may be written in several ways, each with a schema of its own.
#[cfg(feature = "schema")]
macro_rules! any_of_schema {
    ($type:ident, $generator:ident, [$($way:expr),+ $(,)?]) => {
        impl schemars::JsonSchema for $type {
            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($type).into()
            }

            fn json_schema($generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
                schemars::json_schema!({ "anyOf": [$($way),+] })
            }
        }
    };
}
#[cfg(feature = "schema")]
pub(crate) use any_of_schema;

/// The schema of a text that has a [`form::Form`].
macro_rules! form_schema {
    ($type:ty, $title:expr) => {
        #[cfg(feature = "schema")]
        impl schemars::JsonSchema for $type {
            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($type).into()
            }

            fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
                crate::schema::text($title, &Self::FORM.pattern(), Self::FORM.longest)
            }
        }
    };
}
pub(crate) use form_schema;
