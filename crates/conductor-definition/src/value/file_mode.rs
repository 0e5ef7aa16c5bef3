//! Who may do what with a file.

use std::fmt;
use std::str::FromStr;

use super::{InvalidValue, deserialize_from_str, text_schema};

/// Permissions of a file, as chmod(1) takes them: three octal digits, perhaps with a zero before them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct FileMode(u16);

impl FileMode {
    /// Nobody but the owner may read it.
    pub const OWNER_READS: Self = Self(0o400);

    /// Nobody but the owner and the group may read it.
    pub const GROUP_READS: Self = Self(0o440);

    /// Everybody may read it.
    pub const ALL_READ: Self = Self(0o444);
}

impl FileMode {
    /// Whether everybody may read it.
    pub fn is_for_all(self) -> bool {
        self.0 & 0o004 != 0
    }
}

impl FromStr for FileMode {
    type Err = InvalidValue;

    fn from_str(text: &str) -> Result<Self, InvalidValue> {
        let digits = match text.len() {
            4 => text.strip_prefix('0'),
            3 => Some(text),
            _ => None,
        };
        let octal = digits.filter(|digits| digits.bytes().all(|digit| matches!(digit, b'0'..=b'7')));
        octal.and_then(|digits| u16::from_str_radix(digits, 8).ok()).map(Self).ok_or_else(|| {
            InvalidValue::new(format!(
                "`{}` is not a file's mode: write it as chmod(1) takes it, such as \"0440\"",
                text.escape_debug()
            ))
        })
    }
}

impl fmt::Display for FileMode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04o}", self.0)
    }
}

deserialize_from_str!(FileMode, "a mode in quotes, such as \"0440\"");
text_schema!(FileMode, "mode of a file", "0?[0-7]{3}");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_octal_digits() {
        for (text, shown) in [("0440", "0440"), ("400", "0400"), ("0000", "0000"), ("777", "0777")] {
            assert_eq!(text.parse::<FileMode>().unwrap().to_string(), shown);
        }
        for text in ["", "44", "04400", "4440", "0x40", "+440", "u=r", "0480", "é0", "0440\n"] {
            assert!(text.parse::<FileMode>().is_err(), "{text}");
        }
    }
}
