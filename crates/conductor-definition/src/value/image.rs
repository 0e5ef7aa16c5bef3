//! Image references.

use std::fmt;
use std::str::FromStr;

use super::form::{Form, LETTERS_AND_DIGITS, holds};
use super::{InvalidValue, deserialize_from_str, form_schema};

/// A container image by name, with tag or digest: what `podman run` takes as IMAGE.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Image(String);

impl Image {
    /// The reference as written.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    // A leading dash would be an option of `podman run`; the rest is the grammar of
    // distribution references (name, `:tag`, `@algorithm:hex`), by its set of characters.
    pub(crate) const FORM: Form = Form::new(LETTERS_AND_DIGITS, "A-Za-z0-9._/:@+-");
}

impl FromStr for Image {
    type Err = InvalidValue;

    fn from_str(text: &str) -> Result<Self, InvalidValue> {
        let refuse = |why: &str| Err(InvalidValue::new(format!("not an image reference: {why}")));
        if text.is_empty() {
            return refuse("it is empty");
        }
        if !text.starts_with(|c| holds(Self::FORM.first, c)) {
            return refuse("it begins with neither a letter nor a digit");
        }
        match text.chars().find(|c| !holds(Self::FORM.rest, *c)) {
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
    fn refuses_options_and_blanks() {
        for text in ["", "--privileged", " web", "a b", "web\n", "${revision}", "/web"] {
            assert!(text.parse::<Image>().is_err(), "{text}");
        }
    }
}
