//! Regular expressions: what ECMA-262, which JSON Schema goes by, has in common with others.

use conductor_timespan::TimeSpan;
use schemars::{Schema, json_schema};

/// The control characters of Unicode, as `char::is_control` has them, for use in a class.
pub(crate) const CONTROL: &str = r"\x00-\x1f\x7f-\x9f";

/// A text that a pattern matches from its beginning to its end.
pub(crate) fn text(title: &str, pattern: &str, longest: Option<usize>) -> Schema {
    let pattern = if pattern.contains('|') { format!("^({pattern})$") } else { format!("^{pattern}$") };
    let mut schema = json_schema!({ "type": "string", "title": title, "pattern": pattern });
    if let Some(longest) = longest {
        // Bytes, where the schema counts characters: it allows more, never less.
        schema.insert("maxLength".to_owned(), longest.into());
    }
    schema
}

/// A decimal number that is not less than `least`; zeros may stand before it.
pub(crate) fn at_least(least: u64) -> String {
    let digits = least.to_string();
    let any = |times: usize| match times {
        0 => String::new(),
        1 => "[0-9]".to_owned(),
        _ => format!("[0-9]{{{times}}}"),
    };
    let longer = format!("[1-9][0-9]{{{},}}", digits.len());
    // The same digits up to one that is larger; behind that one, any.
    let larger = digits.char_indices().filter(|(_, digit)| *digit < '9').map(|(at, digit)| {
        let above = u32::from(digit) + 1;
        let above = char::from_u32(above).unwrap_or('9');
        let class = if above == '9' { "9".to_owned() } else { format!("[{above}-9]") };
        format!("{}{class}{}", digits.get(..at).unwrap_or_default(), any(digits.len() - at - 1))
    });
    let ways: Vec<String> = std::iter::once(digits.clone()).chain(larger).chain([longer]).collect();
    format!("0*({})", ways.join("|"))
}

/// A time span as systemd.time(7) has it. A number needs a unit, or white space or the end behind it.
pub(crate) fn time_span() -> String {
    let units: Vec<&str> = TimeSpan::units().collect();
    let number = r"([0-9]+(\.[0-9]*)?|\.[0-9]*)";
    let separator = format!(r"(\s*({})\s*|\s+|$)", units.join("|"));
    format!(r"\s*(infinity\s*|({number}{separator})+)")
}

/// The letters of an expression in upper and lower case.
pub(crate) fn in_any_case(expression: &str) -> String {
    let either = |c: char| match c {
        'a'..='z' | 'A'..='Z' => format!("[{}{}]", c.to_ascii_uppercase(), c.to_ascii_lowercase()),
        _ => c.to_string(),
    };
    expression.chars().map(either).collect()
}
