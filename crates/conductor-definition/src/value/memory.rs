//! Sizes of memory as systemd writes them.

use std::fmt;
use std::str::FromStr;

use super::{InvalidValue, deserialize_from_str, text_schema};

/// Suffixes of `MemoryMax=` (systemd.resource-control(5)): base 1024, largest first for printing.
const SUFFIXES: &[(char, u64)] =
    &[('E', 1 << 60), ('P', 1 << 50), ('T', 1 << 40), ('G', 1 << 30), ('M', 1 << 20), ('K', 1 << 10)];

/// 64 KiB, the least that anything here can be meant to have (a /dev/shm).
const SMALLEST: u64 = 64 << 10;

/// An amount of memory in bytes, never next to nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Memory(u64);

impl Memory {
    /// The amount in bytes.
    pub fn bytes(self) -> u64 {
        self.0
    }
}

impl FromStr for Memory {
    type Err = InvalidValue;

    fn from_str(text: &str) -> Result<Self, InvalidValue> {
        let refuse = || {
            InvalidValue::new(
                "not a size of memory: write a number and K, M, G or T (base 1024), such as `512M`",
            )
        };
        let digits = text.bytes().take_while(u8::is_ascii_digit).count();
        let (number, suffix) = text.split_at_checked(digits).ok_or_else(refuse)?;
        // MB means 10^6 to half the world and 2^20 to the other half: ask instead of guessing.
        if suffix.ends_with('B') && suffix.len() == 2 {
            return Err(InvalidValue::new(format!(
                "`{text}` could mean base 1000 or base 1024: write `{}`, which is base 1024",
                text.trim_end_matches('B')
            )));
        }
        let scale = match suffix {
            "" | "B" => 1,
            _ => SUFFIXES
                .iter()
                .find(|(letter, _)| {
                    suffix.strip_prefix(*letter).is_some_and(|rest| rest.is_empty() || rest == "iB")
                })
                .map(|(_, scale)| *scale)
                .ok_or_else(refuse)?,
        };
        let number: u64 = number.parse().map_err(|_| refuse())?;
        match number.checked_mul(scale) {
            Some(0) => Err(InvalidValue::new("no memory at all: leave the key out for no limit")),
            // A number without its letter; no container starts with so little.
            Some(bytes) if bytes < SMALLEST => Err(InvalidValue::new(format!(
                "{bytes} bytes are too little for any container: did you mean `{number}M`?"
            ))),
            Some(bytes) => Ok(Self(bytes)),
            None => Err(refuse()),
        }
    }
}

impl fmt::Display for Memory {
    /// The largest unit that holds the amount exactly, which is what people write.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match SUFFIXES.iter().find(|(_, scale)| self.0.is_multiple_of(*scale)) {
            Some((letter, scale)) => write!(f, "{}{letter}", self.0 / scale),
            None => write!(f, "{}", self.0),
        }
    }
}

deserialize_from_str!(Memory, "a size of memory in quotes, such as \"512M\"");
text_schema!(Memory, &format!("size of memory from {} on", Self(SMALLEST)), {
    use crate::schema::at_least;
    let mut letters = std::collections::BTreeMap::<u64, String>::new();
    for (letter, scale) in SUFFIXES {
        letters.entry(SMALLEST.div_ceil(*scale)).or_default().push(*letter);
    }
    let scaled = letters.iter().map(|(least, letters)| format!("{}[{letters}](iB)?", at_least(*least)));
    let forms: Vec<String> = scaled.chain([format!("{}B?", at_least(SMALLEST))]).collect();
    forms.join("|")
});

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn bytes(text: &str) -> Option<u64> {
        text.parse().ok().map(Memory::bytes)
    }

    #[test]
    fn is_base_1024_as_in_systemd() {
        assert_eq!(bytes("512M"), Some(512 * 1024 * 1024));
        assert_eq!(bytes("64KiB"), Some(64 * 1024));
        assert_eq!(bytes("1000000"), Some(1_000_000));
        assert_eq!(bytes("2G"), Some(2 << 30));
    }

    #[test]
    fn refuses_the_ambiguous_and_the_impossible() {
        for text in
            ["", "M", "0", "0K", "512", "512MB", "512m", "-1M", "1.5G", "99999999999E", "512 M", "1KK"]
        {
            assert_eq!(bytes(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn what_is_printed_reads_back(amount in SMALLEST..u64::MAX) {
            prop_assert_eq!(bytes(&Memory(amount).to_string()), Some(amount));
        }
    }
}
