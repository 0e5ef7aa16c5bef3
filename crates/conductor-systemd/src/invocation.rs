//! One run of a unit, from its start to its end.

use crate::path;
use std::fmt;

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

#[cfg(test)]
mod tests {
    use super::*;

    const ID: [u8; 16] =
        [1, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef, 1, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef];

    #[test]
    fn prints_32_digits() {
        let id = InvocationId::from_bytes(&ID).unwrap();
        assert_eq!(id.to_string(), "0123456789abcdef0123456789abcdef");
    }

    #[test]
    fn a_unit_that_never_ran_has_none() {
        assert_eq!(InvocationId::from_bytes(&[]), None);
        assert_eq!(InvocationId::from_bytes(&[0; 16]), None);
        assert!(InvocationId::from_bytes(&[7; 16]).is_some());
    }

    #[test]
    fn only_a_leading_digit_is_escaped_in_the_path() {
        let digit = InvocationId::from_bytes(&ID).unwrap();
        assert_eq!(digit.object_path(), "/org/freedesktop/systemd1/unit/_30123456789abcdef0123456789abcdef");
        let letter = InvocationId::from_bytes(&[0xf1; 16]).unwrap();
        assert_eq!(letter.object_path(), "/org/freedesktop/systemd1/unit/f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1");
    }
}
