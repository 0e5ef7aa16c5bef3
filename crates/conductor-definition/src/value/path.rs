//! The path of a health check.

use std::fmt;
use std::str::FromStr;

use super::form::{Form, holds};
use super::{InvalidValue, deserialize_from_str, form_schema};

/// Path and query of an HTTP request, such as `/healthz?full=1` (RFC 9112, origin-form).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UrlPath(String);

impl UrlPath {
    /// The path with its query.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Bytes of the longest path. Servers take a request line of 8000 (RFC 9112, 3); this is asked of each
    /// of 1000 instances, and the command line of the check has it for all of them.
    const LONGEST: usize = 1024;

    // RFC 3986: what may stand in a path or a query; the rest is written as %NN.
    pub(crate) const FORM: Form =
        Form { longest: Some(Self::LONGEST), ..Form::new("/", "A-Za-z0-9._~!$&'()*+,;=:@/?%-") };
}

impl FromStr for UrlPath {
    type Err = InvalidValue;

    fn from_str(text: &str) -> Result<Self, InvalidValue> {
        if !text.starts_with(|c| holds(Self::FORM.first, c)) {
            return Err(InvalidValue::new("the path of a check begins with `/`, such as `/healthz`"));
        }
        if text.len() > Self::LONGEST {
            return Err(InvalidValue::new(format!(
                "a path of {} bytes is longer than {}: let a short one do for the check",
                text.len(),
                Self::LONGEST
            )));
        }
        match text.chars().find(|c| !holds(Self::FORM.rest, *c)) {
            Some(c) => Err(InvalidValue::new(format!(
                "`{}` cannot stand in the path of a URL: write it as %NN",
                c.escape_debug()
            ))),
            None => Ok(Self(text.to_owned())),
        }
    }
}

impl fmt::Display for UrlPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

deserialize_from_str!(UrlPath, "the path of a URL in quotes, such as \"/healthz\"");
form_schema!(UrlPath, "path of a URL");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_the_origin_form() {
        assert!("/healthz?full=1&x=%20".parse::<UrlPath>().is_ok());
        for text in ["", "healthz", "http://x/", "/a b", "/a#b", "/ä", "/a\n"] {
            assert!(text.parse::<UrlPath>().is_err(), "{text}");
        }
    }
}
