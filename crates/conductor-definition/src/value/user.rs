//! Users and groups inside the container.

use std::fmt;
use std::str::FromStr;

use super::form::Form;
use super::{InvalidValue, deserialize_from_str, form_schema, text_schema};

/// A user, and perhaps a group, by name or number: `1000:1000`, `app`, `app:www-data`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User(String);

impl User {
    /// As written.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A name (useradd(8)) or a number.
const NAME: Form = Form::new("A-Za-z0-9_.", "A-Za-z0-9_.-");

impl FromStr for User {
    type Err = InvalidValue;

    fn from_str(text: &str) -> Result<Self, InvalidValue> {
        let (user, group) = text.split_once(':').map_or((text, None), |(user, group)| (user, Some(group)));
        if NAME.fits(user) && group.is_none_or(|group| NAME.fits(group)) {
            return Ok(Self(text.to_owned()));
        }
        Err(InvalidValue::new(format!(
            "`{}` is not a user of the image: write a name or a number, and perhaps `:` and a group, such as `1000:1000`",
            text.escape_debug()
        )))
    }
}

impl fmt::Display for User {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

deserialize_from_str!(User, "a user in quotes, such as \"1000:1000\"");
text_schema!(User, "user", format!("{name}(:{name})?", name = NAME.pattern()));

/// A supplementary group, by name or number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group(String);

impl Group {
    /// As written.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    pub(crate) const FORM: Form = NAME;
}

impl FromStr for Group {
    type Err = InvalidValue;

    fn from_str(text: &str) -> Result<Self, InvalidValue> {
        if Self::FORM.fits(text) {
            return Ok(Self(text.to_owned()));
        }
        Err(InvalidValue::new(format!("`{}` is not a group: write a name or a number", text.escape_debug())))
    }
}

deserialize_from_str!(Group, "a group in quotes, such as \"video\"");
form_schema!(Group, "group");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_numbers() {
        for text in ["1000", "1000:1000", "app", "app:www-data", "_apt"] {
            assert!(text.parse::<User>().is_ok(), "{text}");
        }
        for text in ["", ":", "app:", ":1000", "a b", "a:b:c", "-x", "$USER", "a\n"] {
            assert!(text.parse::<User>().is_err(), "{text}");
        }
        assert!("video".parse::<Group>().is_ok() && "a:b".parse::<Group>().is_err());
    }
}
