//! Notices a service that goes up and down all the time, so that the log need not tell each time.

use std::time::Duration;

/// After so long, half of what was noted is forgotten.
const HALF_LIFE: Duration = Duration::from_secs(5 * 60);
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
        let lives = now.saturating_sub(self.at).as_secs_f64() / HALF_LIFE.as_secs_f64();
        self.weight *= 0.5_f64.powf(lives);
        self.at = now;
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
