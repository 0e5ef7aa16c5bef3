//! Image references.

use std::fmt;
use std::str::FromStr;

use super::form::{Form, LETTERS_AND_DIGITS};
use super::{InvalidValue, deserialize_from_str, form_schema};

/// A container image by name, with tag or digest: what `podman run` takes as IMAGE.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Image(String);

impl Image {
    /// The reference as written.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The tag, or of a digest as much as people compare; none if the name has neither.
    pub fn version(&self) -> Option<&str> {
        let name = self.0.rsplit('/').next().unwrap_or(&self.0);
        // Both may be there, and then the digest decides; but a tag is what people gave it.
        let (tagged, digest) =
            name.split_once('@').map_or((name, None), |(tagged, digest)| (tagged, Some(digest)));
        let digest = || {
            let hex = digest?.split_once(':').map_or(digest?, |(_, hex)| hex);
            hex.get(..DIGITS).or(Some(hex))
        };
        tagged.split_once(':').map(|(_, tag)| tag).or_else(digest)
    }
    // A leading dash would be an option of `podman run`; the rest is the grammar of
    // distribution references (name, `:tag`, `@algorithm:hex`), by its set of characters.
    pub(crate) const FORM: Form = Form::new(LETTERS_AND_DIGITS, "A-Za-z0-9._/:@+-");
}

/// Of a digest, as podman and docker show it.
const DIGITS: usize = 12;

impl FromStr for Image {
    type Err = InvalidValue;

    fn from_str(text: &str) -> Result<Self, InvalidValue> {
        let refuse = |why: &str| Err(InvalidValue::new(format!("not an image reference: {why}")));
        if text.is_empty() {
            return refuse("it is empty");
        }
        if !text.starts_with(|c| Self::FORM.first.has(c)) {
            return refuse("it begins with neither a letter nor a digit");
        }
        match text.chars().find(|c| !Self::FORM.rest.has(*c)) {
            Some(c) => refuse(&format!("`{}` cannot stand in one", c.escape_debug())),
            None => Ok(Self(text.to_owned())),
        }
    }
}

impl fmt::Display for Image {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

deserialize_from_str!(Image, "an image reference in quotes, such as \"registry.example.com/web:1.4.2\"");
form_schema!(Image, "image reference");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accepts_references() {
        for text in ["web", "localhost/web:1", "r.example.com:5000/a/b:1.4.2", "a@sha256:0123abc"] {
            assert_eq!(text.parse::<Image>().map(|image| image.0), Ok(text.to_owned()));
        }
    }

    #[test]
    fn versions() {
        let version = |text: &str| text.parse::<Image>().unwrap().version().map(str::to_owned);
        assert_eq!(version("r.example.com:5000/a/b:1.4.2").as_deref(), Some("1.4.2"));
        assert_eq!(version("r.example.com:5000/a/b"), None);
        assert_eq!(version("a@sha256:0123456789abcdef").as_deref(), Some("0123456789ab"));
        assert_eq!(version("a:2@sha256:0123456789abcdef").as_deref(), Some("2"));
        assert_eq!(version("a@sha256:0123").as_deref(), Some("0123"));
    }

    #[test]
    fn refuses_options_and_blanks() {
        for text in ["", "--privileged", " web", "a b", "web\n", "${revision}", "/web"] {
            assert!(text.parse::<Image>().is_err(), "{text}");
        }
    }
}
