//! Names of environment variables.

use std::fmt;
use std::str::FromStr;

use super::InvalidValue;

/// The name of an environment variable in the container. Wider than POSIX' `[A-Z_][A-Z0-9_]*`,
/// because programs do read names such as `spring.profiles.active`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct EnvironmentName(String);

impl EnvironmentName {
    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for EnvironmentName {
    type Err = InvalidValue;

    fn from_str(text: &str) -> Result<Self, InvalidValue> {
        let allowed = |c: char| c.is_ascii_alphanumeric() || "_.-".contains(c);
        if text.is_empty()
            || !text.chars().all(allowed)
            || text.starts_with(|c: char| c.is_ascii_digit() || c == '-')
        {
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
