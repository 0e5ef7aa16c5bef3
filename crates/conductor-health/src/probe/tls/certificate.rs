//! From when until when a certificate is valid.
//!
//! rustls verifies that and does not tell. The two dates stand in a fixed place behind fields that can be
//! skipped (RFC 5280, 4.1), for which a parser of all of X.509 would be much code.

use std::fmt;
use std::time::{Duration, SystemTime};

/// A second of universal time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Moment(i64);

/// Both ends belong to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Validity {
    pub(super) start: Moment,
    pub(super) end: Moment,
}

/// When a certificate expires.
pub(super) fn expires(certificate: impl AsRef<[u8]>) -> Option<Moment> {
    validity(certificate.as_ref()).map(|validity| validity.end)
}

const INTEGER: u8 = 0x02;
const UTC_TIME: u8 = 0x17;
const GENERALIZED_TIME: u8 = 0x18;
const SEQUENCE: u8 = 0x30;
const VERSION: u8 = 0xa0;

/// Both dates of a certificate in DER; none if it is not one.
pub(super) fn validity(certificate: &[u8]) -> Option<Validity> {
    let (mut signed, _) = expect(SEQUENCE, certificate)?;
    let (mut fields, _) = expect(SEQUENCE, std::mem::take(&mut signed))?;
    if fields.first() == Some(&VERSION) {
        (_, fields) = expect(VERSION, fields)?;
    }
    // Serial number, algorithm, issuer.
    for tag in [INTEGER, SEQUENCE, SEQUENCE] {
        (_, fields) = expect(tag, fields)?;
    }
    let (dates, _) = expect(SEQUENCE, fields)?;
    let (start, dates) = moment(dates)?;
    let (end, _) = moment(dates)?;
    Some(Validity { start, end })
}

/// The value of an element with this tag, and what follows it.
fn expect(tag: u8, bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (found, value, rest) = element(bytes)?;
    (found == tag).then_some((value, rest))
}

/// X.690, 8.1: a tag of one byte, a length, so many bytes.
fn element(bytes: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (&[tag, first], rest) = bytes.split_first_chunk()?;
    let (length, rest) = match first {
        ..=0x7f => (usize::from(first), rest),
        // No certificate has four gigabytes.
        0x81..=0x84 => {
            let (digits, rest) = rest.split_at_checked(usize::from(first & 0x7f))?;
            (digits.iter().fold(0, |length, digit| length << 8 | usize::from(*digit)), rest)
        }
        _ => return None,
    };
    let (value, rest) = rest.split_at_checked(length)?;
    Some((tag, value, rest))
}

/// RFC 5280, 4.1.2.5: both kinds have seconds and end in Z.
fn moment(bytes: &[u8]) -> Option<(Moment, &[u8])> {
    let (tag, value, rest) = element(bytes)?;
    let digits = value.strip_suffix(b"Z")?;
    if !digits.iter().all(u8::is_ascii_digit) || digits.len() % 2 != 0 {
        return None;
    }
    let numbers: Vec<i64> =
        digits.chunks(2).map(|pair| pair.iter().fold(0, |n, d| n * 10 + i64::from(d - b'0'))).collect();
    let (year, parts) = match (tag, numbers.as_slice()) {
        (UTC_TIME, [year, parts @ ..]) => (if *year < 50 { 2000 + year } else { 1900 + year }, parts),
        (GENERALIZED_TIME, [century, year, parts @ ..]) => (century * 100 + year, parts),
        _ => return None,
    };
    let &[month @ 1..=12, day @ 1..=31, hour @ 0..24, minute @ 0..60, second @ 0..=60] = parts else {
        return None;
    };
    let seconds = days(year, month, day) * 86400 + hour * 3600 + minute * 60 + second;
    Some((Moment(seconds), rest))
}

/// Days from 1970-01-01 (H. Hinnant, "chrono-Compatible Low-Level Date Algorithms").
fn days(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let of_era = year.rem_euclid(400);
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

/// The reverse of [`days`].
fn date(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let era = days.div_euclid(146_097);
    let of_era = days.rem_euclid(146_097);
    let year = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let shifted = (5 * of_year + 2) / 153;
    let day = of_year - (153 * shifted + 2) / 5 + 1;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    (year + era * 400 + i64::from(month <= 2), month, day)
}

impl Moment {
    /// Seconds from the beginning of 1970.
    pub fn seconds(self) -> i64 {
        self.0
    }

    /// From so many seconds.
    pub fn from_seconds(seconds: i64) -> Self {
        Self(seconds)
    }

    /// How long it is until then; none if it is past.
    pub fn from_now(self) -> Option<Duration> {
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).ok()?;
        Duration::from_secs(u64::try_from(self.0).ok()?).checked_sub(now)
    }
}

/// As RFC 3339 has it.
impl fmt::Display for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (year, month, day) = date(self.0.div_euclid(86400));
        let second = self.0.rem_euclid(86400);
        let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
        write!(f, "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn dates() {
        for (seconds, shown) in [
            (0, "1970-01-01T00:00:00Z"),
            (951_782_399, "2000-02-28T23:59:59Z"),
            (951_782_400, "2000-02-29T00:00:00Z"),
            (1_767_225_599, "2025-12-31T23:59:59Z"),
            (4_107_542_400, "2100-03-01T00:00:00Z"),
            (253_402_300_799, "9999-12-31T23:59:59Z"),
            (-1, "1969-12-31T23:59:59Z"),
        ] {
            assert_eq!(Moment(seconds).to_string(), shown);
        }
    }

    #[test]
    fn both_kinds_of_time() {
        let read = |tag, text: &[u8]| {
            let element = [&[tag, u8::try_from(text.len()).unwrap()], text].concat();
            moment(&element).map(|(moment, _)| moment.to_string())
        };
        assert_eq!(read(UTC_TIME, b"491231235959Z").unwrap(), "2049-12-31T23:59:59Z");
        assert_eq!(read(UTC_TIME, b"500101000000Z").unwrap(), "1950-01-01T00:00:00Z");
        assert_eq!(read(GENERALIZED_TIME, b"20500101000000Z").unwrap(), "2050-01-01T00:00:00Z");
        for bad in
            [&b"5001010000Z"[..], b"500101000000", b"500101000000+0100", b"501301000000Z", b"50010100000Z"]
        {
            assert_eq!(read(UTC_TIME, bad), None, "{bad:?}");
        }
    }

    #[test]
    fn of_a_certificate() {
        let mut params = rcgen::CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
        params.not_before = rcgen::date_time_ymd(2024, 2, 29);
        params.not_after = rcgen::date_time_ymd(2051, 7, 1);
        let certificate = params.self_signed(&rcgen::KeyPair::generate().unwrap()).unwrap();
        let validity = validity(certificate.der()).unwrap();
        assert_eq!(validity.start.to_string(), "2024-02-29T00:00:00Z");
        assert_eq!(validity.end.to_string(), "2051-07-01T00:00:00Z");
    }

    proptest! {
        #[test]
        fn each_day_is_read_as_it_is_shown(seconds in -60_000_000_000_i64..250_000_000_000) {
            let (year, month, day) = date(seconds.div_euclid(86400));
            prop_assert_eq!(days(year, month, day), seconds.div_euclid(86400));
        }

        #[test]
        fn any_bytes_are_read_without_harm(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = validity(&bytes);
            let _ = moment(&bytes);
        }
    }
}
