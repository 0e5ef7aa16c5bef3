//! One run of a unit, from its start to its end.

use crate::path;
use std::fmt;
use std::str::FromStr;

/// The 128-bit id that systemd gives to each start of a unit (`InvocationID=`).
///
/// A signal sent to the object path of an invocation can only ever hit that run: once the unit has
/// been restarted, the path no longer exists (`manager_load_unit_from_dbus_path()` looks it up among
/// the invocations). A name, by contrast, means whichever run happens to be current.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct InvocationId([u8; 16]);

impl InvocationId {
    /// The id from the bytes that D-Bus carries. Empty or all zero means that the unit never ran.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let id: [u8; 16] = bytes.try_into().ok()?;
        (id != [0; 16]).then_some(Self(id))
    }

    /// The object path on which systemd serves the unit for as long as this run lasts.
    pub fn object_path(&self) -> String {
        format!("{}{}", path::UNITS, path::escape_label(&self.to_string()))
    }
}

impl fmt::Display for InvocationId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for InvocationId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for InvocationId {
    type Err = InvalidInvocationId;

    fn from_str(text: &str) -> Result<Self, InvalidInvocationId> {
        let digits: Vec<u8> = text
            .chars()
            .map(|c| c.to_digit(16).and_then(|digit| u8::try_from(digit).ok()))
            .collect::<Option<_>>()
            .ok_or(InvalidInvocationId)?;
        let bytes: Vec<u8> =
            digits.chunks(2).map(|pair| pair.iter().fold(0, |byte, digit| byte << 4 | digit)).collect();
        // An odd number of digits makes as many bytes as the next even one.
        if digits.len() % 2 == 1 {
            return Err(InvalidInvocationId);
        }
        Self::from_bytes(&bytes).ok_or(InvalidInvocationId)
    }
}

/// The text is not the id of an invocation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InvalidInvocationId;

impl fmt::Display for InvalidInvocationId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(
            "an invocation id is 32 hexadecimal digits, not all zero (see `systemctl show -P InvocationID UNIT`)",
        )
    }
}

impl std::error::Error for InvalidInvocationId {}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "0123456789abcdef0123456789abcdef";

    #[test]
    fn reads_and_prints_32_digits() {
        assert_eq!(ID.parse::<InvocationId>().unwrap().to_string(), ID);
        let zero = "0".repeat(32);
        let odd = format!("{ID}0");
        for bad in ["", "0123", zero.as_str(), odd.as_str(), "xyz3456789abcdef0123456789abcdef"] {
            assert_eq!(bad.parse::<InvocationId>(), Err(InvalidInvocationId), "{bad}");
        }
    }

    #[test]
    fn a_unit_that_never_ran_has_none() {
        assert_eq!(InvocationId::from_bytes(&[]), None);
        assert_eq!(InvocationId::from_bytes(&[0; 16]), None);
        assert!(InvocationId::from_bytes(&[7; 16]).is_some());
    }

    #[test]
    fn only_a_leading_digit_is_escaped_in_the_path() {
        let digit: InvocationId = ID.parse().unwrap();
        assert_eq!(digit.object_path(), "/org/freedesktop/systemd1/unit/_30123456789abcdef0123456789abcdef");
        let letter: InvocationId = "f123456789abcdef0123456789abcdef".parse().unwrap();
        assert_eq!(letter.object_path(), "/org/freedesktop/systemd1/unit/f123456789abcdef0123456789abcdef");
    }
}
