//! TOML that says a given value.

use std::fmt::Write as _;

/// A basic string.
pub fn string(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    for c in text.chars() {
        match c {
            '"' | '\\' => quoted.extend(['\\', c]),
            c if c.is_control() => write!(quoted, "\\u{:04x}", u32::from(c)).unwrap(),
            c => quoted.push(c),
        }
    }
    quoted + "\""
}

/// A basic string for a key in which `${…}` counts.
pub fn interpolated(text: &str) -> String {
    string(&text.replace('$', "$$"))
}
