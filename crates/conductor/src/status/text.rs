//! Numbers as people and programs read them.

use std::time::Duration;

/// A point in time after the beginning of 1970, as RFC 3339 has it, to the second.
pub(super) fn utc(at: Duration) -> String {
    let seconds = at.as_secs();
    let (year, month, day) = civil(seconds / 86_400);
    let (hour, minute, second) = (seconds / 3600 % 24, seconds / 60 % 60, seconds % 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z")
}

/// Year, month and day of a day after the beginning of 1970. The year is counted from March, so that a
/// leap day is the last of its year and months have a regular pattern of lengths (153 days are five).
fn civil(days: u64) -> (u64, u64, u64) {
    let days = days + 719_468;
    let (era, day) = (days / 146_097, days % 146_097);
    let year = (day - day / 1460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let shifted = (5 * day + 2) / 153;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    (year + era * 400 + u64::from(month <= 2), month, day - (153 * shifted + 2) / 5 + 1)
}

/// How long ago, in at most two units.
pub(super) fn age(span: Duration) -> String {
    let seconds = span.as_secs();
    let (days, hours, minutes) = (seconds / 86_400, seconds / 3600 % 24, seconds / 60 % 60);
    match (days, hours, minutes) {
        (0, 0, 0) => format!("{seconds}s"),
        (0, 0, _) => format!("{minutes}min {}s", seconds % 60),
        (0, _, _) => format!("{hours}h {minutes}min"),
        _ => format!("{days}d {hours}h"),
    }
}

/// Bytes in powers of 1024, written as systemd writes them.
pub(super) fn bytes(number: u64) -> String {
    let mut unit = 1_u64;
    for suffix in ["B", "K", "M", "G", "T"] {
        if number < unit.saturating_mul(1024) || suffix == "T" {
            let tenths = number % unit * 10 / unit;
            return if suffix == "B" {
                format!("{number}B")
            } else {
                format!("{}.{tenths}{suffix}", number / unit)
            };
        }
        unit = unit.saturating_mul(1024);
    }
    number.to_string()
}

/// Processor time.
pub(super) fn cpu(spent: Duration) -> String {
    if spent < Duration::from_secs(1) {
        format!("{}ms", spent.as_millis())
    } else if spent < Duration::from_secs(60) {
        format!("{}.{}s", spent.as_secs(), spent.subsec_millis() / 100)
    } else {
        age(spent)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates() {
        let at = |seconds| utc(Duration::from_secs(seconds));
        assert_eq!(at(0), "1970-01-01T00:00:00Z");
        assert_eq!(at(951_782_399), "2000-02-28T23:59:59Z");
        assert_eq!(at(951_782_400), "2000-02-29T00:00:00Z");
        assert_eq!(at(1_709_251_200), "2024-03-01T00:00:00Z");
        assert_eq!(at(1_798_761_599), "2026-12-31T23:59:59Z");
    }

    #[test]
    fn spans_and_sizes() {
        let ages = [5, 65, 3700, 90_000].map(|seconds| age(Duration::from_secs(seconds)));
        assert_eq!(ages, ["5s", "1min 5s", "1h 1min", "1d 1h"]);
        assert_eq!(
            [0, 1023, 1024, 1_600_000, u64::MAX / 4].map(bytes),
            ["0B", "1023B", "1.0K", "1.5M", "4194303.9T"]
        );
        assert_eq!([20, 1250, 61_000].map(|ms| cpu(Duration::from_millis(ms))), ["20ms", "1.2s", "1min 1s"]);
    }
}
