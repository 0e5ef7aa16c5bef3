//! Where an instance listens.

use std::fmt;
use std::net::SocketAddr;
use std::str::FromStr;

/// `sun_path` of unix(7) has 108 bytes with the zero at its end.
const LONGEST_PATH: usize = 107;

/// Where an instance of a release listens: `127.0.0.1:8080`, `[::1]:8080` or `unix:/run/web.sock`.
///
/// Never a name: nginx resolves names when it reads its configuration, and one that does not resolve makes the whole
/// configuration invalid.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Address(Place);

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Place {
    Tcp(SocketAddr),
    Unix(Box<str>),
}

impl Address {
    /// An address and a port.
    ///
    /// # Errors
    /// If the port is 0, or the address is that of no host in particular.
    pub fn tcp(address: SocketAddr) -> Result<Self, InvalidAddress> {
        if address.port() == 0 || address.ip().is_unspecified() || address.ip().is_multicast() {
            return Err(InvalidAddress { text: address.to_string() });
        }
        Ok(Self(Place::Tcp(address)))
    }

    /// The path, if it is a socket in the file system.
    pub fn path(&self) -> Option<&str> {
        match &self.0 {
            Place::Tcp(_) => None,
            Place::Unix(path) => Some(path),
        }
    }

    /// A name for it that HAProxy takes for a server, and that no other address has. It takes letters, digits and
    /// `.:_-` (`invalid_char()` in its `src/tools.c`); a path has no `:`, and no path begins like an address.
    pub(crate) fn server_name(&self) -> String {
        match &self.0 {
            Place::Tcp(SocketAddr::V4(address)) => address.to_string(),
            Place::Tcp(SocketAddr::V6(address)) => format!("{}-{}", address.ip(), address.port()),
            Place::Unix(path) => format!("unix{}", path.replace('/', ":")),
        }
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Place::Tcp(address) => write!(f, "{address}"),
            Place::Unix(path) => write!(f, "unix:{path}"),
        }
    }
}

impl FromStr for Address {
    type Err = InvalidAddress;

    fn from_str(text: &str) -> Result<Self, InvalidAddress> {
        let invalid = || InvalidAddress { text: text.to_owned() };
        if let Some(path) = text.strip_prefix("unix:") {
            let plain = path.chars().all(|c| c.is_ascii_alphanumeric() || "/._-".contains(c));
            let whole = path.starts_with('/') && !path.ends_with('/') && path.len() <= LONGEST_PATH;
            return if plain && whole { Ok(Self(Place::Unix(path.into()))) } else { Err(invalid()) };
        }
        match text.parse() {
            // A zone (`fe80::1%2`) is nothing that either program takes.
            Ok(SocketAddr::V6(address)) if address.scope_id() != 0 => Err(invalid()),
            Ok(address) => Self::tcp(address).map_err(|_| invalid()),
            Err(_) => Err(invalid()),
        }
    }
}

/// A text that is no address of an instance.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InvalidAddress {
    text: String,
}

impl fmt::Display for InvalidAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{:?} is not where an instance can be reached: write an address with its port, such as `127.0.0.1:8080` \
             or `[::1]:8080`, or `unix:` and the whole path of a socket (letters, digits, `.`, `_`, `-`)",
            self.text
        )
    }
}

impl std::error::Error for InvalidAddress {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_written_as_they_are_read() {
        for text in ["127.0.0.1:80", "[::1]:65535", "unix:/run/web/a-b_c.sock"] {
            assert_eq!(text.parse::<Address>().unwrap().to_string(), text);
        }
    }

    #[test]
    fn what_is_no_address() {
        let long = format!("unix:/{}", "a".repeat(LONGEST_PATH));
        for text in [
            "",
            "web:80",
            "127.0.0.1",
            "127.0.0.1:0",
            "0.0.0.0:80",
            "224.0.0.1:80",
            "[::]:80",
            "[fe80::1%2]:80",
            "unix:run/x",
            "unix:/run/",
            "unix:/run/a b",
            "unix:/run/a;b",
            "unix:/run/a:b",
            "127.0.0.1:80;",
            &long,
        ] {
            let said = text.parse::<Address>().unwrap_err().to_string();
            assert!(said.contains("127.0.0.1:8080"), "{text}: {said}");
        }
    }

    #[test]
    fn names_of_servers() {
        let name = |text: &str| text.parse::<Address>().unwrap().server_name();
        assert_eq!(name("127.0.0.1:80"), "127.0.0.1:80");
        assert_eq!(name("[::1]:80"), "::1-80");
        assert_eq!(name("unix:/run/a.sock"), "unix:run:a.sock");
    }
}
