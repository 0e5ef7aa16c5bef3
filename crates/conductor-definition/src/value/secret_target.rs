//! Where a secret is in the container.

use std::fmt;
use std::str::FromStr;

use super::{FilePath, InvalidValue, SecretName, deserialize_from_str};

/// Where both engines have secrets of their own.
const DIRECTORY: &str = "/run/secrets";

/// The path of a secret's file in the container.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct SecretTarget(FilePath);

impl SecretTarget {
    /// Where the secret of this name is, if nobody says otherwise.
    ///
    /// # Errors
    /// Never: such a name is one part of a path.
    pub(crate) fn of(name: &SecretName) -> Result<Self, InvalidValue> {
        format!("{DIRECTORY}/{name}").parse().map(Self)
    }
}

impl FromStr for SecretTarget {
    type Err = InvalidValue;

    fn from_str(text: &str) -> Result<Self, InvalidValue> {
        if text.starts_with('/') {
            return text.parse().map(Self);
        }
        match text.parse() {
            Ok(name) => Self::of(&name),
            Err(_) => Err(InvalidValue::new(format!(
                "`{}` is neither the name of a file nor an absolute path: write \"token\" for {DIRECTORY}/token",
                text.escape_debug()
            ))),
        }
    }
}

impl fmt::Display for SecretTarget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

deserialize_from_str!(SecretTarget, "the name of a file, or a path in the container, in quotes");
#[cfg(feature = "schema")]
super::any_of_schema!(
    SecretTarget,
    generator,
    [generator.subschema_for::<SecretName>(), generator.subschema_for::<FilePath>()]
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_below_the_directory() {
        let shown = |text: &str| text.parse::<SecretTarget>().map(|target| target.to_string());
        assert_eq!(shown("token").unwrap(), "/run/secrets/token");
        assert_eq!(shown("/etc/app//key").unwrap(), "/etc/app/key");
        for text in ["", "a/b", "../x", "/etc/../x", "/a:b"] {
            assert!(shown(text).is_err(), "{text}");
        }
    }
}
