//! The name of an upstream.

use std::fmt;
use std::str::FromStr;

/// What fits into a file name with room for our suffixes, and into the counters of both programs.
const LONGEST: usize = 100;

/// The name of nginx's upstream, or of HAProxy's backend: letters, digits, `_`, `.` and `-`, beginning with a letter
/// or a digit, at most 100 bytes. So it needs no quoting in either configuration and is a file name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UpstreamName(Box<str>);

impl UpstreamName {
    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The upstream of a release that takes no share of the traffic.
    pub fn dark(&self) -> String {
        format!("{}_dark", self.0)
    }

    /// The variable of nginx that names the upstream for a request: `$NAME_pool`. Variables have letters, digits and
    /// `_` only, so two names can have one variable; the driver refuses the second.
    pub fn variable(&self) -> String {
        let word = self.0.replace(|c: char| !c.is_ascii_alphanumeric(), "_");
        format!("{word}_pool")
    }
}

impl fmt::Display for UpstreamName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for UpstreamName {
    type Err = InvalidName;

    fn from_str(text: &str) -> Result<Self, InvalidName> {
        let first = text.chars().next().is_some_and(|c| c.is_ascii_alphanumeric());
        let all = text.chars().all(|c| c.is_ascii_alphanumeric() || "_.-".contains(c));
        if first && all && text.len() <= LONGEST {
            Ok(Self(text.into()))
        } else {
            Err(InvalidName { name: text.to_owned() })
        }
    }
}

/// A text that cannot name an upstream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InvalidName {
    name: String,
}

impl fmt::Display for InvalidName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{:?} is not the name of an upstream: use letters, digits, `_`, `.` and `-`, at most {LONGEST}, and begin \
             with a letter or a digit",
            self.name
        )
    }
}

impl std::error::Error for InvalidName {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names() {
        for text in ["web", "3com", "a.b-c_d"] {
            assert_eq!(text.parse::<UpstreamName>().unwrap().as_str(), text);
        }
        let long = "a".repeat(101);
        for text in ["", ".web", "_http", "a/b", "a b", "a;", "ü", long.as_str()] {
            assert!(text.parse::<UpstreamName>().is_err(), "{text}");
        }
    }

    #[test]
    fn what_is_named_after_it() {
        let name: UpstreamName = "a.b-c_d".parse().unwrap();
        assert_eq!((name.variable().as_str(), name.dark().as_str()), ("a_b_c_d_pool", "a.b-c_d_dark"));
    }
}
