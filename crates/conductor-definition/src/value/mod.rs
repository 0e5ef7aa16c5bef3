//! Validated value types: a value that exists is one that can be used.
//!
//! Each has one `FromStr` (or number) constructor, and is read from TOML through it, so that an
//! impossible value is an error at its own place in the file.

mod cpus;
mod dependency;
mod device;
mod environment;
mod file_path;
mod image;
mod memory;
mod name;
mod names;
mod path;
mod subnet;
mod user;
mod words;

use std::fmt;

pub use cpus::Cpus;
pub use dependency::Dependency;
pub use device::Device;
pub use environment::EnvironmentName;
pub use file_path::FilePath;
pub use image::Image;
pub use memory::Memory;
pub use name::ServiceName;
pub use names::{
    Directive, DriverName, FileSystem, HostName, HostPattern, InterfaceName, LabelName, ObjectName,
    OptionName, SecretName, SliceName, SysctlName,
};
pub use path::UrlPath;
pub use subnet::Subnet;
pub use user::{Group, User};
pub use words::{Capability, LimitName, Signal};

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
                struct Visitor;
                impl serde::de::Visitor<'_> for Visitor {
                    type Value = $type;

                    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                        f.write_str($expecting)
                    }

                    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<$type, E> {
                        text.parse().map_err(E::custom)
                    }
                }
                deserializer.deserialize_str(Visitor)
            }
        }
    };
}
pub(crate) use deserialize_from_str;

/// Bytes of the longest argument that execve(2) takes (`MAX_ARG_STRLEN`, 128 KiB), less room for a name
/// before it. systemd's own limit for a line is 1 MiB.
const LONGEST_TEXT: usize = 120 << 10;

/// Text that can be an argument or an environment value: execve(2) ends both at a NUL.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Text(pub(crate) String);

impl std::str::FromStr for Text {
    type Err = InvalidValue;

    fn from_str(text: &str) -> Result<Self, InvalidValue> {
        if text.contains('\0') {
            return Err(InvalidValue::new(
                "a text may not contain a NUL character: no program could receive it",
            ));
        }
        if text.len() > LONGEST_TEXT {
            return Err(InvalidValue::new(format!(
                "a text of {} bytes is longer than a program can be given: put it into a file and mount that",
                text.len()
            )));
        }
        Ok(Self(text.to_owned()))
    }
}

deserialize_from_str!(Text, "a text in quotes");
