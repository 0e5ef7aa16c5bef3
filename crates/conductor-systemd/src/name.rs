//! The name of a unit.

use std::fmt;
use std::str::FromStr;

/// `UNIT_NAME_MAX` of systemd: what fits into a file name.
const MAX_LENGTH: usize = 255;

/// The types that `systemd.unit(5)` lists.
const SUFFIXES: &[&str] = &[
    "service",
    "socket",
    "device",
    "mount",
    "automount",
    "swap",
    "target",
    "path",
    "timer",
    "slice",
    "scope",
];

/// The full name of a unit that can be loaded: a known suffix, and an instance if it is of a template.
///
/// ```
/// use conductor_systemd::UnitName;
/// assert!("web@1.service".parse::<UnitName>().is_ok());
/// assert!("web".parse::<UnitName>().is_err());
/// ```
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UnitName(Box<str>);

impl UnitName {
    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for UnitName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for UnitName {
    type Err = InvalidUnitName;

    fn from_str(text: &str) -> Result<Self, InvalidUnitName> {
        let refuse = |why| Err(InvalidUnitName { name: text.to_owned(), why });
        let Some((stem, suffix)) = text.rsplit_once('.') else {
            return refuse(Why::NoSuffix);
        };
        if text.len() > MAX_LENGTH {
            return refuse(Why::TooLong);
        }
        if !SUFFIXES.contains(&suffix) {
            return refuse(Why::NoSuffix);
        }
        if let Some(bad) = stem.chars().find(|c| !is_allowed(*c)) {
            return refuse(Why::Character(bad));
        }
        match stem.split_once('@') {
            _ if stem.is_empty() => refuse(Why::Empty),
            Some(("", _)) => refuse(Why::Empty),
            Some((_, "")) => refuse(Why::Template),
            _ => Ok(Self(text.into())),
        }
    }
}

/// `VALID_CHARS_WITH_AT` of systemd's `src/basic/unit-name.c`.
fn is_allowed(c: char) -> bool {
    c.is_ascii_alphanumeric() || ":-_.\\@".contains(c)
}

/// Why a text cannot name a unit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InvalidUnitName {
    name: String,
    why: Why,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Why {
    Empty,
    NoSuffix,
    TooLong,
    Character(char),
    Template,
}

impl fmt::Display for InvalidUnitName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = &self.name;
        match &self.why {
            Why::Empty => write!(f, "`{name}` is no unit name: there is nothing before its suffix"),
            Why::NoSuffix => {
                write!(f, "`{name}` is no unit name: write the type as well, such as `{name}.service`")
            }
            Why::TooLong => write!(f, "`{name}` is no unit name: longer than {MAX_LENGTH} bytes"),
            Why::Character(bad) => write!(
                f,
                "`{name}` is no unit name: {bad:?} may not be in one (`systemd-escape` turns any text into a name)"
            ),
            Why::Template => {
                write!(f, "`{name}` is a template: name an instance of it, such as `web@1.service`")
            }
        }
    }
}

impl std::error::Error for InvalidUnitName {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn takes_what_systemd_takes() {
        for name in
            ["web.service", "web@1.service", "a@b@c.timer", "-.slice", "dev-sda\\x2d.device", "a.b.target"]
        {
            assert_eq!(name.parse::<UnitName>().unwrap().as_str(), name);
        }
    }

    #[test]
    fn says_what_is_wrong() {
        for (name, reason) in [
            ("web", "such as `web.service`"),
            ("web.servic", "write the type"),
            (".service", "nothing before"),
            ("@1.service", "nothing before"),
            ("web@.service", "is a template"),
            ("a b.service", "' ' may not"),
            ("a/b.service", "systemd-escape"),
            ("", "write the type"),
        ] {
            let said = name.parse::<UnitName>().unwrap_err().to_string();
            assert!(said.contains(reason), "{name}: {said}");
        }
        let long = format!("{}.service", "a".repeat(300));
        assert!(long.parse::<UnitName>().unwrap_err().to_string().contains("longer"));
    }
}
