//! A release that only those reach who ask for it (a dark canary).

use std::fmt;
use std::net::SocketAddr;
use std::str::FromStr;

use crate::Server;

/// nginx puts the values of a `map` into buckets of a cache line (`map_hash_bucket_size`, 64 bytes on most machines);
/// a longer value would need a setting that is the administrator's.
const LONGEST: usize = 40;

/// Words that `map` of nginx takes for something else than a value, quoted or not.
const NOT_VALUES: [&str; 4] = ["default", "hostnames", "include", "volatile"];

/// A release beside the upstream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dark {
    /// Its instances.
    pub servers: Vec<Server>,
    /// How it is reached.
    pub door: Door,
}

/// How requests reach a dark release.
///
/// With nginx, header and cookie take a `proxy_pass http://$NAME_pool;` where otherwise `http://NAME` would be
/// written; a port takes nothing. With HAProxy the dark release is the backend `NAME_dark`, and the door is a rule
/// in the administrator's configuration (`use_backend web_dark if { req.hdr(x-dark) -m str … }`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Door {
    /// Requests with a header of this name and this value.
    Header(Word, Word),
    /// Requests with a cookie of this name and this value. nginx knows only names without `-`.
    Cookie(Word, Word),
    /// Every request to this address of the host, on which nginx listens for it.
    Listen(SocketAddr),
}

/// The name of a header or cookie, or the value that opens: letters, digits, `-` and `_`, at most 40.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Word(Box<str>);

impl Word {
    /// The word as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// As nginx has it in the names of variables.
    pub(crate) fn variable(&self) -> String {
        self.0.to_ascii_lowercase().replace('-', "_")
    }
}

impl FromStr for Word {
    type Err = InvalidWord;

    fn from_str(text: &str) -> Result<Self, InvalidWord> {
        let plain = text.chars().all(|c| c.is_ascii_alphanumeric() || "-_".contains(c));
        if plain && (1..=LONGEST).contains(&text.len()) && !NOT_VALUES.contains(&text) {
            Ok(Self(text.into()))
        } else {
            Err(InvalidWord { text: text.to_owned() })
        }
    }
}

/// A text that can neither name nor open the door of a dark release.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InvalidWord {
    text: String,
}

impl fmt::Display for InvalidWord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{:?} cannot be the name or the value by which a dark release is reached: use letters, digits, `-` and \
             `_`, at most {LONGEST}, and none of the words {}",
            self.text,
            NOT_VALUES.join(", ")
        )
    }
}

impl std::error::Error for InvalidWord {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words() {
        let word: Word = "X-Dark".parse().unwrap();
        assert_eq!((word.as_str(), word.variable().as_str()), ("X-Dark", "x_dark"));
        let long = "a".repeat(41);
        for text in ["", "a b", "a\"", "~x", "default", "volatile", "a;", "$a", long.as_str()] {
            let said = text.parse::<Word>().unwrap_err().to_string();
            assert!(said.contains("use letters, digits"), "{said}");
        }
    }
}
