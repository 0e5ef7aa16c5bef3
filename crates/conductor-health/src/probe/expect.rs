//! Which statuses are welcome.

use std::fmt;
use std::ops::RangeInclusive;
use std::str::FromStr;

/// A set of HTTP statuses, written as `200-299,401`.
///
/// ```
/// use conductor_health::probe::StatusSet;
/// let set: StatusSet = "401, 200-299".parse().unwrap();
/// assert!(set.contains(204) && !set.contains(302));
/// assert_eq!(set.to_string(), "200-299,401");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StatusSet {
    /// In order, apart from each other.
    ranges: Vec<RangeInclusive<u16>>,
}

/// What a status can be (RFC 9110, 15). Below 200 there is no answer yet.
const POSSIBLE: RangeInclusive<u16> = 200..=599;

impl StatusSet {
    /// Whether an answer with this status is a good one.
    pub fn contains(&self, status: u16) -> bool {
        self.ranges.iter().any(|range| range.contains(&status))
    }
}

impl FromStr for StatusSet {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let mut ranges =
            text.split(',').map(|part| range(part.trim())).collect::<Option<Vec<_>>>().ok_or_else(|| {
                format!("`{text}` is no list of statuses from 200 to 599: write it like 200-299,401")
            })?;
        ranges.sort_by_key(|range| *range.start());
        let mut merged: Vec<RangeInclusive<u16>> = Vec::new();
        for range in ranges {
            match merged.last_mut() {
                Some(last) if *range.start() <= *last.end() + 1 => {
                    *last = *last.start()..=*last.end().max(range.end());
                }
                _ => merged.push(range),
            }
        }
        Ok(Self { ranges: merged })
    }
}

fn range(text: &str) -> Option<RangeInclusive<u16>> {
    let (first, last) = text.split_once('-').unwrap_or((text, text));
    let status = |text: &str| {
        let number = text.trim();
        let is_plain = number.bytes().all(|byte| byte.is_ascii_digit());
        number.parse().ok().filter(|status| is_plain && POSSIBLE.contains(status))
    };
    let (first, last) = (status(first)?, status(last)?);
    (first <= last).then_some(first..=last)
}

impl fmt::Display for StatusSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, range) in self.ranges.iter().enumerate() {
            if at > 0 {
                f.write_str(",")?;
            }
            if range.start() == range.end() {
                write!(f, "{}", range.start())?;
            } else {
                write!(f, "{}-{}", range.start(), range.end())?;
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
        for (text, shown) in [
            ("200", "200"),
            ("200-399", "200-399"),
            ("401,200-299", "200-299,401"),
            ("200-250, 240-299,300", "200-300"),
            ("200-599,204", "200-599"),
            ("503,503", "503"),
        ] {
            let set: StatusSet = text.parse().unwrap();
            assert_eq!(set.to_string(), shown);
            assert_eq!(shown.parse(), Ok(set));
        }
    }

    #[test]
    fn anything_else_is_explained() {
        for text in ["", ",", "200,", "2xx", "199", "600", "299-200", "+200", "200-", "-200", "100-299"] {
            let error = text.parse::<StatusSet>().unwrap_err();
            assert!(error.contains("write it like 200-299,401"), "{text}");
        }
    }
}
