//! The statuses of HTTP that are healthy.

use std::fmt;
use std::ops::RangeInclusive;
use std::str::FromStr;

use super::InvalidValue;

/// A list of statuses and ranges of them, such as `200-299,401`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Statuses(Vec<RangeInclusive<u16>>);

impl Statuses {
    /// What a status can be; below, there is no answer yet.
    const POSSIBLE: RangeInclusive<u16> = 200..=599;

    /// The ranges, as they were written.
    pub fn ranges(&self) -> &[RangeInclusive<u16>] {
        &self.0
    }

    #[cfg(feature = "schema")]
    pub(crate) const FIRST: u16 = *Self::POSSIBLE.start();
    #[cfg(feature = "schema")]
    pub(crate) const LAST: u16 = *Self::POSSIBLE.end();
    #[cfg(feature = "schema")]
    pub(crate) const PATTERN: &str = "[2-5][0-9]{2}(-[2-5][0-9]{2})?(, *[2-5][0-9]{2}(-[2-5][0-9]{2})?)*";
}

impl FromStr for Statuses {
    type Err = InvalidValue;

    fn from_str(text: &str) -> Result<Self, InvalidValue> {
        let ranges: Option<Vec<_>> =
            text.split(',').map(|part| range(part.trim_start_matches(' '))).collect();
        ranges.map(Self).ok_or_else(|| {
            InvalidValue::new(format!(
                "`{}` is no list of statuses from 200 to 599: write it like \"200-299,401\"",
                text.escape_debug()
            ))
        })
    }
}

fn range(text: &str) -> Option<RangeInclusive<u16>> {
    let (first, last) = text.split_once('-').unwrap_or((text, text));
    let status = |text: &str| {
        let is_plain = text.len() == 3 && text.bytes().all(|byte| byte.is_ascii_digit());
        text.parse().ok().filter(|status| is_plain && Statuses::POSSIBLE.contains(status))
    };
    let (first, last) = (status(first)?, status(last)?);
    (first <= last).then_some(first..=last)
}

/// As the checker's command line has it.
impl fmt::Display for Statuses {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, range) in self.0.iter().enumerate() {
            let (first, last) = (range.start(), range.end());
            let comma = if at > 0 { "," } else { "" };
            if first == last {
                write!(f, "{comma}{first}")?;
            } else {
                write!(f, "{comma}{first}-{last}")?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_and_ranges() {
        for (text, shown) in [("200", "200"), ("401, 200-299", "401,200-299"), ("599-599", "599")] {
            assert_eq!(text.parse::<Statuses>().unwrap().to_string(), shown);
        }
        for text in ["", "200,", "2xx", "199", "600", "299-200", "+200", "20", "0200", "200 - 299"] {
            assert!(text.parse::<Statuses>().is_err(), "{text}");
        }
    }
}
