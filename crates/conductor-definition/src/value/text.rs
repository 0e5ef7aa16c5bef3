//! Texts that are passed on, and what they may not hold.

use std::str::FromStr;

use super::{InvalidValue, deserialize_from_str, text_schema};

/// Bytes of the longest argument that execve(2) takes (`MAX_ARG_STRLEN`, 128 KiB), less room for a name
/// before it. systemd's own limit for a line is 1 MiB.
const LONGEST: usize = 120 << 10;

/// Text that can be an argument or an environment value: execve(2) ends both at a NUL.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Text(pub(crate) String);

impl FromStr for Text {
    type Err = InvalidValue;

    fn from_str(text: &str) -> Result<Self, InvalidValue> {
        if text.contains('\0') {
            return Err(InvalidValue::new(
                "a text may not contain a NUL character: no program could receive it",
            ));
        }
        if text.len() > LONGEST {
            return Err(InvalidValue::new(format!(
                "a text of {} bytes is longer than a program can be given: put it into a file and mount that",
                text.len()
            )));
        }
        Ok(Self(text.to_owned()))
    }
}

deserialize_from_str!(Text, "a text in quotes");
text_schema!(Text, "text", r"[^\x00]*", LONGEST);

/// What systemd shows as the unit's `Description=`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Description(pub(crate) String);

impl FromStr for Description {
    type Err = InvalidValue;

    fn from_str(text: &str) -> Result<Self, InvalidValue> {
        let Text(text) = text.parse()?;
        if text.chars().any(char::is_control) {
            return Err(InvalidValue::new("a description is one line of text"));
        }
        Ok(Self(text))
    }
}

deserialize_from_str!(Description, "a text in quotes");
text_schema!(Description, "text", format!("[^{}]*", crate::schema::CONTROL), LONGEST);

/// What follows the name of a header field. Nothing leaves the field out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct HeaderValue(pub(crate) String);

impl FromStr for HeaderValue {
    type Err = InvalidValue;

    fn from_str(text: &str) -> Result<Self, InvalidValue> {
        let Text(text) = text.parse()?;
        if text.chars().any(char::is_control) {
            return Err(InvalidValue::new("the value of a header field is one line of text"));
        }
        Ok(Self(text.trim().to_owned()))
    }
}

deserialize_from_str!(HeaderValue, "a text in quotes");
text_schema!(HeaderValue, "text", format!("[^{}]*", crate::schema::CONTROL), LONGEST);

/// What a check sends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SentText(pub(crate) String);

/// More is no question about somebody's health.
const LONGEST_SENT: usize = 64 << 10;

impl FromStr for SentText {
    type Err = InvalidValue;

    fn from_str(text: &str) -> Result<Self, InvalidValue> {
        let Text(text) = text.parse()?;
        if text.len() > LONGEST_SENT {
            return Err(InvalidValue::new(format!("a check sends no more than {LONGEST_SENT} bytes")));
        }
        Ok(Self(text))
    }
}

deserialize_from_str!(SentText, "a text in quotes");
text_schema!(SentText, "text", r"[^\x00]*", LONGEST_SENT);

/// What a check looks for in the first 10 KiB of an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ExpectedText(pub(crate) String);

const LONGEST_EXPECTED: usize = 1 << 10;

impl FromStr for ExpectedText {
    type Err = InvalidValue;

    fn from_str(text: &str) -> Result<Self, InvalidValue> {
        let Text(text) = text.parse()?;
        match text.len() {
            0 => Err(InvalidValue::new("every answer holds an empty text: leave the key out")),
            1..=LONGEST_EXPECTED => Ok(Self(text)),
            _ => Err(InvalidValue::new(format!(
                "a check looks for no more than {LONGEST_EXPECTED} bytes: write a part of it"
            ))),
        }
    }
}

deserialize_from_str!(ExpectedText, "a text in quotes");
text_schema!(ExpectedText, "text", r"[^\x00]+", LONGEST_EXPECTED);

/// One of several options that an engine takes with commas between them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct EngineOption(pub(crate) String);

impl FromStr for EngineOption {
    type Err = InvalidValue;

    fn from_str(text: &str) -> Result<Self, InvalidValue> {
        let Text(text) = text.parse()?;
        if text.is_empty() || text.contains([',', ' ']) || text.chars().any(char::is_control) {
            return Err(InvalidValue::new(format!(
                "`{}` is not one option: write one option for each element",
                text.escape_debug()
            )));
        }
        Ok(Self(text))
    }
}

deserialize_from_str!(EngineOption, "a text in quotes");
text_schema!(EngineOption, "option", format!("[^, {}]+", crate::schema::CONTROL), LONGEST);

/// What mount(8) is told to mount: a path, an address, or whatever a file system takes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct MountDevice(pub(crate) String);

impl FromStr for MountDevice {
    type Err = InvalidValue;

    fn from_str(text: &str) -> Result<Self, InvalidValue> {
        let Text(text) = text.parse()?;
        if text.is_empty() || text.chars().any(char::is_control) {
            return Err(InvalidValue::new(
                "a device is one line of text: write what mount(8) takes, such as \"nas:/export/data\"",
            ));
        }
        Ok(Self(text))
    }
}

deserialize_from_str!(MountDevice, "a text in quotes, such as \"nas:/export/data\"");
text_schema!(MountDevice, "device", format!("[^{}]+", crate::schema::CONTROL), LONGEST);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_are_one_each() {
        assert!("Z".parse::<EngineOption>().is_ok() && "ndots:2".parse::<EngineOption>().is_ok());
        for text in ["", "z,ro", "a b", "a\n"] {
            assert!(text.parse::<EngineOption>().is_err(), "{text}");
        }
    }
}
