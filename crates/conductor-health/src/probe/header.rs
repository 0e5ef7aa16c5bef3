//! Header fields that the user asks for.

use hyper::header::{
    CONNECTION, CONTENT_LENGTH, EXPECT, HeaderName, HeaderValue, TE, TRAILER, TRANSFER_ENCODING, UPGRADE,
};
use std::fmt;
use std::str::FromStr;

/// One header field of the request, written as curl has it: `Name: value`, and `Name:` for none of
/// that name where a check sends one by itself.
#[derive(Clone, PartialEq, Eq)]
pub struct Header {
    /// Its name, in small letters.
    pub name: HeaderName,
    /// Its value; none takes the field of this name away.
    pub value: Option<HeaderValue>,
}

impl Header {
    /// Whether these fields belong to the connection, of which a check has its own idea.
    fn is_ours(name: &HeaderName) -> bool {
        [CONNECTION, CONTENT_LENGTH, EXPECT, TE, TRAILER, TRANSFER_ENCODING, UPGRADE].contains(name)
            || ["keep-alive", "proxy-connection"].contains(&name.as_str())
    }
}

impl FromStr for Header {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (name, value) = text
            .split_once(':')
            .ok_or_else(|| format!("`{text}` lacks a colon: write it like `Authorization: Bearer x`"))?;
        let name: HeaderName = name
            .trim()
            .parse()
            .map_err(|_| format!("`{}` is no name of a header field", name.escape_default()))?;
        if Self::is_ours(&name) {
            return Err(format!("`{name}` belongs to the connection: a check sets it itself, leave it out"));
        }
        let value = value.trim();
        let value = if value.is_empty() {
            None
        } else {
            let value = HeaderValue::from_str(value)
                .map_err(|_| format!("the value of `{name}` holds a character that no header field can"))?;
            Some(value)
        };
        if value.is_none() && name == hyper::header::HOST {
            return Err("`host` cannot be left out: HTTP/1.1 demands it".to_owned());
        }
        Ok(Self { name, value })
    }
}

/// As [`FromStr`] reads it.
impl fmt::Display for Header {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:", self.name)?;
        match &self.value {
            Some(value) => write!(f, " {}", String::from_utf8_lossy(value.as_bytes())),
            None => Ok(()),
        }
    }
}

/// Without the value, which may be a secret.
impl fmt::Debug for Header {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Header({})", self.name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_curl_has_them() {
        for (text, shown) in [
            ("Host: shop.example", "host: shop.example"),
            ("X-A:b:c", "x-a: b:c"),
            ("accept:", "accept:"),
            ("User-Agent :  ", "user-agent:"),
            ("x: schön", "x: schön"),
        ] {
            let header: Header = text.parse().unwrap();
            assert_eq!(header.to_string(), shown);
            assert_eq!(shown.parse(), Ok(header));
        }
    }

    #[test]
    fn mistakes_are_explained() {
        for (text, said) in [
            ("Accept", "lacks a colon"),
            ("a b: c", "no name of a header field"),
            (": c", "no name of a header field"),
            ("a: b\nc: d", "no header field can"),
            ("Connection: close", "belongs to the connection"),
            ("content-length: 3", "belongs to the connection"),
            ("Keep-Alive: 3", "belongs to the connection"),
            ("Host:", "cannot be left out"),
        ] {
            let error = text.parse::<Header>().unwrap_err();
            assert!(error.contains(said), "{text}: {error}");
        }
    }
}
