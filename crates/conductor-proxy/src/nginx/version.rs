//! Which nginx it is.

use std::fmt;

/// A version of nginx.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Version(pub u32, pub u32, pub u32);

impl Version {
    /// The first with `keepalive_min_timeout`, which keeps connections open for a moment after a reload, so that a
    /// request that is on its way is answered (nginx's changes, 1.27.4).
    pub const KEEPALIVE_MIN_TIMEOUT: Self = Self(1, 27, 4);

    /// Reads what `nginx -v` says. Relatives of nginx have numbers of their own, which say nothing here: `None`.
    pub fn parse(said: &str) -> Option<Self> {
        let (_, number) = said.lines().find_map(|line| line.split_once("nginx version: nginx/"))?;
        let number = number.split_ascii_whitespace().next()?;
        let mut parts = number.split('.').map(|part| part.parse().ok());
        match (parts.next(), parts.next(), parts.next(), parts.next()) {
            (Some(Some(major)), Some(Some(minor)), Some(Some(patch)), None) => {
                Some(Self(major, minor, patch))
            }
            _ => None,
        }
    }

    /// Whether requests over kept connections survive a reload.
    pub fn keeps_connections(self) -> bool {
        self >= Self::KEEPALIVE_MIN_TIMEOUT
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.0, self.1, self.2)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions() {
        let parse = Version::parse;
        assert_eq!(parse("nginx version: nginx/1.22.1\n"), Some(Version(1, 22, 1)));
        assert_eq!(parse("nginx version: nginx/1.28.0 (Ubuntu)"), Some(Version(1, 28, 0)));
        assert_eq!(parse("nginx version: openresty/1.27.4.1"), None);
        assert_eq!(parse(""), None);
        let keeps = |version: Version| version.keeps_connections();
        assert_eq!(
            [keeps(Version(1, 27, 3)), keeps(Version(1, 27, 4)), keeps(Version(2, 0, 0))],
            [false, true, true]
        );
    }
}
