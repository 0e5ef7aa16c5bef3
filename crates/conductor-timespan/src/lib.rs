//! Time spans exactly as `systemd.time(7)` reads and writes them.
//!
//! Users know this syntax from `RestartSec=` and `journalctl --since`; a definition that says
//! `5min 20s` must mean what a unit file would mean by it. General duration crates differ in the
//! length of a month, in bare numbers or in `infinity`, so the parser here follows `parse_time()` of
//! systemd's `src/basic/time-util.c` and is compared with `systemd-analyze timespan` in the tests.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

const MSEC: u64 = 1_000;
const SEC: u64 = 1_000 * MSEC;
const MINUTE: u64 = 60 * SEC;
const HOUR: u64 = 60 * MINUTE;
const DAY: u64 = 24 * HOUR;
const WEEK: u64 = 7 * DAY;
/// 30.4375 days: a twelfth of [`YEAR`].
const MONTH: u64 = 2_629_800 * SEC;
/// 365.25 days.
const YEAR: u64 = 31_557_600 * SEC;

/// Longest suffix first among those that share a beginning: the first match wins, as in systemd.
const SUFFIXES: &[(&str, u64)] = &[
    ("seconds", SEC),
    ("second", SEC),
    ("sec", SEC),
    ("s", SEC),
    ("minutes", MINUTE),
    ("minute", MINUTE),
    ("min", MINUTE),
    ("months", MONTH),
    ("month", MONTH),
    ("M", MONTH),
    ("msec", MSEC),
    ("ms", MSEC),
    ("m", MINUTE),
    ("hours", HOUR),
    ("hour", HOUR),
    ("hr", HOUR),
    ("h", HOUR),
    ("days", DAY),
    ("day", DAY),
    ("d", DAY),
    ("weeks", WEEK),
    ("week", WEEK),
    ("w", WEEK),
    ("years", YEAR),
    ("year", YEAR),
    ("y", YEAR),
    ("usec", 1),
    ("us", 1),
    ("\u{3bc}s", 1),
    ("\u{b5}s", 1),
];

/// Units in which a span is printed, largest first; the names are systemd's own output.
const PRINTED: &[(&str, u64)] = &[
    ("y", YEAR),
    ("month", MONTH),
    ("w", WEEK),
    ("d", DAY),
    ("h", HOUR),
    ("min", MINUTE),
    ("s", SEC),
    ("ms", MSEC),
    ("us", 1),
];

/// A length of time in whole microseconds, or `infinity`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TimeSpan(u64);

impl TimeSpan {
    /// Without end; what systemd calls `USEC_INFINITY`.
    pub const INFINITY: Self = Self(u64::MAX);
    /// No time at all.
    pub const ZERO: Self = Self(0);

    /// A span of whole seconds, at most a little below [`Self::INFINITY`].
    pub const fn from_secs(secs: u64) -> Self {
        Self::from_micros(secs.saturating_mul(SEC))
    }

    /// A span of whole milliseconds.
    pub const fn from_millis(millis: u64) -> Self {
        Self::from_micros(millis.saturating_mul(MSEC))
    }

    /// A span of microseconds; an overflow stops just below [`Self::INFINITY`].
    pub const fn from_micros(micros: u64) -> Self {
        Self(if micros == u64::MAX { u64::MAX - 1 } else { micros })
    }

    /// The span in microseconds; `u64::MAX` for [`Self::INFINITY`].
    pub const fn as_micros(self) -> u64 {
        self.0
    }

    /// Whether the span has no end.
    pub const fn is_infinite(self) -> bool {
        self.0 == u64::MAX
    }

    /// The names of units that [`FromStr`] reads; of those that share a beginning the longest comes first.
    pub fn units() -> impl Iterator<Item = &'static str> {
        SUFFIXES.iter().map(|(suffix, _)| *suffix)
    }

    /// The sum; infinite if either side is, and never by overflow.
    #[must_use]
    pub const fn plus(self, other: Self) -> Self {
        if self.is_infinite() || other.is_infinite() {
            Self::INFINITY
        } else {
            Self::from_micros(self.0.saturating_add(other.0))
        }
    }

    /// The span `n` times over; infinite if it was, and never by overflow.
    #[must_use]
    pub const fn times(self, n: u64) -> Self {
        if self.is_infinite() { Self::INFINITY } else { Self::from_micros(self.0.saturating_mul(n)) }
    }

    /// The span as a [`Duration`]; `None` for [`Self::INFINITY`].
    pub const fn as_duration(self) -> Option<Duration> {
        if self.is_infinite() { None } else { Some(Duration::from_micros(self.0)) }
    }
}

/// Why a text is not a time span.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ParseError {
    /// Nothing but white space.
    Empty,
    /// Not a number followed by a unit that `systemd.time(7)` knows.
    Syntax,
    /// Negative, or longer than about 584 000 years.
    Range,
}

impl fmt::Display for ParseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Empty => "an empty time span",
            Self::Syntax => "not a time span: write a number and a unit, such as `5s`, `1min 30s` or `500ms`",
            Self::Range => "a time span may be neither negative nor that long",
        })
    }
}

impl std::error::Error for ParseError {}

impl FromStr for TimeSpan {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        let mut rest = trim(text);
        if rest.is_empty() {
            return Err(ParseError::Empty);
        }
        if rest == "infinity" {
            return Ok(Self::INFINITY);
        }
        let mut total = 0_u64;
        while !rest.is_empty() {
            let (term, after) = parse_term(rest)?;
            total = total.checked_add(term).ok_or(ParseError::Range)?;
            rest = trim(after);
        }
        if total == u64::MAX { Err(ParseError::Range) } else { Ok(Self(total)) }
    }
}

/// The white space that systemd skips between the parts of a span.
fn trim(text: &str) -> &str {
    text.trim_matches([' ', '\t', '\n', '\r'])
}

/// One `number unit` pair at the start of `text`, in microseconds, and what follows it.
fn parse_term(text: &str) -> Result<(u64, &str), ParseError> {
    if text.starts_with('-') {
        return Err(ParseError::Range);
    }
    let (whole, rest) = take_digits(text);
    let (fraction, rest) = match rest.strip_prefix('.') {
        Some(after) => take_digits(after),
        None if whole.is_empty() => return Err(ParseError::Syntax),
        None => ("", rest),
    };
    let (scale, after) = take_suffix(trim(rest));
    // "12.34.56" and "5 6x": a number must be followed by a unit or by the end.
    if after.len() == rest.len() && !rest.is_empty() {
        return Err(ParseError::Syntax);
    }
    let whole = if whole.is_empty() { 0 } else { whole.parse::<u64>().map_err(|_| ParseError::Range)? };
    let mut micros = whole.checked_mul(scale).ok_or(ParseError::Range)?;
    // Digits beyond a microsecond are dropped, as systemd drops them.
    let mut place = scale / 10;
    for digit in fraction.bytes() {
        micros = micros.checked_add(u64::from(digit - b'0') * place).ok_or(ParseError::Range)?;
        place /= 10;
    }
    Ok((micros, after))
}

fn take_digits(text: &str) -> (&str, &str) {
    let end = text.bytes().take_while(u8::is_ascii_digit).count();
    text.split_at_checked(end).unwrap_or((text, ""))
}

/// The unit at the start of `text` (seconds if there is none) and what follows it.
fn take_suffix(text: &str) -> (u64, &str) {
    SUFFIXES
        .iter()
        .find_map(|(suffix, scale)| text.strip_prefix(suffix).map(|rest| (*scale, rest)))
        .unwrap_or((SEC, text))
}

impl fmt::Display for TimeSpan {
    /// Canonical form: what this prints, systemd and [`FromStr`] read back as the same span.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_infinite() {
            return f.write_str("infinity");
        }
        if self.0 == 0 {
            return f.write_str("0");
        }
        let mut left = self.0;
        let mut separator = "";
        for (name, scale) in PRINTED {
            let count = left / scale;
            left %= scale;
            if count > 0 {
                write!(f, "{separator}{count}{name}")?;
                separator = " ";
            }
        }
        Ok(())
    }
}

#[cfg(feature = "serde")]
impl<'de> serde::Deserialize<'de> for TimeSpan {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl serde::de::Visitor<'_> for Visitor {
            type Value = TimeSpan;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a time span in quotes, such as \"5s\" or \"1min 30s\"")
            }

            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<TimeSpan, E> {
                text.parse().map_err(E::custom)
            }
        }
        deserializer.deserialize_str(Visitor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn micros(text: &str) -> Result<u64, ParseError> {
        text.parse::<TimeSpan>().map(TimeSpan::as_micros)
    }

    #[test]
    fn reads_what_the_manual_page_shows() {
        assert_eq!(micros("2 h"), Ok(2 * HOUR));
        assert_eq!(micros("2hours"), Ok(2 * HOUR));
        assert_eq!(micros("48hr"), Ok(48 * HOUR));
        assert_eq!(micros("1y 12month"), Ok(YEAR + 12 * MONTH));
        assert_eq!(micros("55s500ms"), Ok(55 * SEC + 500 * MSEC));
        assert_eq!(micros("300ms20s 5day"), Ok(300 * MSEC + 20 * SEC + 5 * DAY));
        assert_eq!(micros("90"), Ok(90 * SEC));
        assert_eq!(micros("0.5"), Ok(SEC / 2));
        assert_eq!(micros(".5min"), Ok(MINUTE / 2));
        assert_eq!(micros(" infinity "), Ok(u64::MAX));
    }

    #[test]
    fn refuses_what_systemd_refuses() {
        for text in ["5mins", "500ns", "abc", "12.34.56", "1h foo", "5 x", "infinity1", "s"] {
            assert_eq!(micros(text), Err(ParseError::Syntax), "{text}");
        }
        assert_eq!(micros(""), Err(ParseError::Empty));
        assert_eq!(micros(" \t"), Err(ParseError::Empty));
        assert_eq!(micros("-5s"), Err(ParseError::Range));
        assert_eq!(micros("99999999999999y"), Err(ParseError::Range));
    }

    #[test]
    fn prints_the_canonical_form() {
        for (text, printed) in [
            ("90", "1min 30s"),
            ("0", "0"),
            ("1500ms", "1s 500ms"),
            ("infinity", "infinity"),
            ("8d", "1w 1d"),
            ("40d", "1month 1w 2d 13h 30min"),
        ] {
            assert_eq!(text.parse::<TimeSpan>().unwrap().to_string(), printed);
        }
    }

    #[test]
    fn arithmetic_never_turns_a_long_span_into_infinity() {
        let long = TimeSpan::from_micros(u64::MAX - 1);
        assert!(!long.plus(long).is_infinite());
        assert!(!long.times(7).is_infinite());
        assert!(TimeSpan::INFINITY.times(2).is_infinite());
        assert!(TimeSpan::INFINITY.plus(TimeSpan::ZERO).is_infinite());
        assert_eq!(TimeSpan::INFINITY.as_duration(), None);
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(text in "\\PC*") {
            let _ = micros(&text);
        }

        #[test]
        fn what_is_printed_reads_back(span in any::<u64>()) {
            let span = TimeSpan(span);
            prop_assert_eq!(span.to_string().parse::<TimeSpan>(), Ok(span));
        }
    }
}
