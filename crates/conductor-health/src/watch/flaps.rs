//! Notices a service that goes up and down all the time, so that the log need not tell each time.

use std::time::Duration;

/// What is left of what was noted after a second; after five minutes it is half. Whole seconds, because any other
/// power would have every sidecar load the library of mathematical functions, 370 KiB of it.
const LEFT: f64 = 0.997_692_183;
/// So much of it is flapping; and it goes on until only this much is left. The gap keeps that from flapping too.
const FLAPPING: f64 = 4.5;
const CALM: f64 = 2.0;

/// Falls of one target from healthy to failing, each of which weighs less with time (as routes that come and go
/// are judged: RFC 2439). One every two minutes is not flapping; one every ten seconds is, within a minute.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Flaps {
    weight: f64,
    /// When it weighed so much.
    at: Duration,
    is_flapping: bool,
}

/// What has changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Change {
    Flaps,
    CalmsDown,
}

impl Flaps {
    /// It was healthy and is failing.
    pub(super) fn falls(&mut self, now: Duration) -> Option<Change> {
        self.age(now);
        self.weight += 1.0;
        let begins = !self.is_flapping && self.weight > FLAPPING;
        self.is_flapping |= begins;
        begins.then_some(Change::Flaps)
    }

    /// Time went by.
    pub(super) fn passes(&mut self, now: Duration) -> Option<Change> {
        if !self.is_flapping {
            return None;
        }
        self.age(now);
        self.is_flapping = self.weight >= CALM;
        (!self.is_flapping).then_some(Change::CalmsDown)
    }

    pub(super) fn is_flapping(&self) -> bool {
        self.is_flapping
    }

    fn age(&mut self, now: Duration) {
        let seconds = i32::try_from(now.saturating_sub(self.at).as_secs()).unwrap_or(i32::MAX);
        self.weight *= LEFT.powi(seconds);
        self.at += Duration::from_secs(u64::from(seconds.unsigned_abs()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    /// When it begins to flap, falling at this pace for ten minutes.
    fn flaps_at(pace: Duration) -> Option<Duration> {
        let mut flaps = Flaps::default();
        let mut now = SECOND * 1000;
        while now < SECOND * 1600 {
            if flaps.falls(now) == Some(Change::Flaps) {
                return now.checked_sub(SECOND * 1000);
            }
            now += pace;
        }
        None
    }

    #[test]
    fn often_is_flapping_and_now_and_then_is_not() {
        assert_eq!(flaps_at(SECOND * 10), Some(SECOND * 40));
        assert_eq!(flaps_at(SECOND * 120), None);
        assert_eq!(flaps_at(SECOND * 300), None);
    }

    #[test]
    fn half_is_forgotten_after_five_minutes() {
        let mut flaps = Flaps { weight: 4.0, ..Flaps::default() };
        flaps.age(SECOND * 100 + SECOND / 2);
        flaps.age(SECOND * 300);
        assert!((flaps.weight - 2.0).abs() < 1e-5, "{}", flaps.weight);
    }

    #[test]
    fn it_takes_a_while_to_count_as_calm() {
        let mut flaps = Flaps::default();
        let mut now = SECOND * 1000;
        for _ in 0..4 {
            assert_eq!(flaps.falls(now), None);
            now += SECOND;
        }
        assert_eq!(flaps.falls(now), Some(Change::Flaps));
        assert_eq!(flaps.falls(now), None, "said once");
        assert_eq!(flaps.passes(now + SECOND * 400), None);
        assert!(flaps.is_flapping());
        assert_eq!(flaps.passes(now + SECOND * 500), Some(Change::CalmsDown));
        assert_eq!(flaps.passes(now + SECOND * 501), None);
        assert!(!flaps.is_flapping());
    }
}
