//! Names of environment variables.

use std::fmt;
use std::str::FromStr;

use super::form::Form;
use super::{InvalidValue, deserialize_from_str, form_schema};

/// The name of an environment variable in the container. Wider than POSIX' `[A-Z_][A-Z0-9_]*`,
/// because programs do read names such as `spring.profiles.active`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct EnvironmentName(String);

impl EnvironmentName {
    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    pub(crate) const FORM: Form = Form::new("A-Za-z_.", "A-Za-z0-9_.-");
}

impl FromStr for EnvironmentName {
    type Err = InvalidValue;

    fn from_str(text: &str) -> Result<Self, InvalidValue> {
        if !Self::FORM.fits(text) {
            return Err(InvalidValue::new(format!(
                "`{}` cannot be the name of an environment variable: use letters, digits, `_`, `.` and `-`, and begin with a letter or `_`",
                text.escape_debug()
            )));
        }
        Ok(Self(text.to_owned()))
    }
}

impl fmt::Display for EnvironmentName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

deserialize_from_str!(EnvironmentName, "the name of an environment variable");
form_schema!(EnvironmentName, "name of an environment variable");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accepts_what_programs_read() {
        for name in ["PATH", "_x", "spring.profiles.active", "A1"] {
            assert!(name.parse::<EnvironmentName>().is_ok(), "{name}");
        }
        for name in ["", "1A", "A=B", "A B", "-x", "Ä", "A\n"] {
            assert!(name.parse::<EnvironmentName>().is_err(), "{name}");
        }
    }
}
