//! Object paths as systemd writes them.

use std::fmt::Write as _;

/// Where systemd keeps one object per unit, by name and by invocation.
pub(crate) const UNITS: &str = "/org/freedesktop/systemd1/unit/";

/// Escapes a text into one element of an object path.
///
/// The rule of `sd_bus_path_encode(3)`, implemented by `bus_label_escape()` in systemd's
/// `src/basic/bus-label.c`: letters stay, digits stay except in front, everything else becomes `_`
/// and two hexadecimal digits, and the empty text becomes a lone `_`.
pub(crate) fn escape_label(text: &str) -> String {
    if text.is_empty() {
        return "_".to_owned();
    }
    let mut label = String::with_capacity(text.len() + 8);
    for (at, byte) in text.bytes().enumerate() {
        if byte.is_ascii_alphabetic() || (at > 0 && byte.is_ascii_digit()) {
            label.push(char::from(byte));
        } else {
            // Writing into a String cannot fail.
            let _ = write!(label, "_{byte:02x}");
        }
    }
    label
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn escapes_as_systemd_does() {
        // Taken from test-bus-util's and busctl's output.
        assert_eq!(escape_label(""), "_");
        assert_eq!(escape_label("web@1.service"), "web_401_2eservice");
        assert_eq!(escape_label("1foo"), "_31foo");
        assert_eq!(escape_label("a-b_c"), "a_2db_5fc");
        assert_eq!(escape_label("\u{e4}"), "_c3_a4");
    }

    proptest! {
        #[test]
        fn a_label_is_always_a_legal_path_element(text in "\\PC*") {
            let label = escape_label(&text);
            prop_assert!(!label.is_empty());
            prop_assert!(label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_'));
        }
    }
}
