//! What opens the door to a release that is in the dark.

use std::fmt;
use std::str::FromStr;

use super::{InvalidValue, deserialize_from_str, text_schema};

/// nginx puts the values of a `map` into buckets of a cache line (`map_hash_bucket_size`, 64 bytes on most machines).
const LONGEST: usize = 40;

/// Words that nginx's `map` takes for something else than a value.
const NOT_VALUES: [&str; 4] = ["default", "hostnames", "include", "volatile"];

/// The name of a header or cookie, or its value: letters, digits, `-` and `_`, at most 40, which neither nginx nor
/// HAProxy has to have quoted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DoorWord(String);

impl DoorWord {
    /// As written.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for DoorWord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for DoorWord {
    type Err = InvalidValue;

    fn from_str(text: &str) -> Result<Self, InvalidValue> {
        let plain = text.chars().all(|c| c.is_ascii_alphanumeric() || "-_".contains(c));
        if plain && (1..=LONGEST).contains(&text.len()) && !NOT_VALUES.contains(&text) {
            return Ok(Self(text.to_owned()));
        }
        let shown: String = text.chars().take(LONGEST).collect();
        Err(InvalidValue::new(format!(
            "`{}` cannot be the name or the value by which a release in the dark is reached: use letters, digits, `-` \
             and `_`, at most {LONGEST}, and none of the words {}",
            shown.escape_debug(),
            NOT_VALUES.join(", ")
        )))
    }
}

deserialize_from_str!(DoorWord, "a word in quotes, such as \"yes\"");
text_schema!(DoorWord, "letters, digits, `-` and `_`", "[A-Za-z0-9_-]+", LONGEST);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words() {
        assert_eq!("X-Dark".parse::<DoorWord>().unwrap().as_str(), "X-Dark");
        let long = "a".repeat(41);
        for text in ["", "a b", "a\"", "~x", "default", "volatile", "a;", "$a", long.as_str()] {
            let said = text.parse::<DoorWord>().unwrap_err().to_string();
            assert!(said.contains("use letters, digits"), "{said}");
        }
    }
}
