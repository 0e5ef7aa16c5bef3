//! So many at once, and then one every so often.

use super::Moment;
use std::time::Duration;

/// A token bucket, kept as one moment (the generic cell rate algorithm, ITU-T I.371): when it will be full.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Bucket {
    burst: u32,
    every: Duration,
    full_at: Moment,
}

impl Bucket {
    /// A full one, that holds `burst` tokens and gets another one `every` so often.
    pub(super) fn new(burst: u32, every: Duration) -> Self {
        Self { burst, every, full_at: Moment::ZERO }
    }

    /// Whether there is a token.
    pub(super) fn has(&self, now: Moment) -> bool {
        let spent = self.full_at.saturating_sub(now);
        spent.saturating_add(self.every) <= self.every.saturating_mul(self.burst)
    }

    /// Takes one.
    pub(super) fn take(&mut self, now: Moment) {
        self.full_at = self.full_at.max(now).saturating_add(self.every);
    }

    /// How long it takes to be full again.
    #[cfg(test)]
    pub(super) fn until_full(&self, now: Moment) -> Duration {
        self.full_at.saturating_sub(now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_and_then_one_at_a_time() {
        let second = Duration::from_secs(1);
        let mut now = second * 1000;
        let mut bucket = Bucket::new(3, second * 10);
        let mut take = |now| {
            let has = bucket.has(now);
            if has {
                bucket.take(now);
            }
            has
        };
        assert_eq!([take(now), take(now), take(now), take(now)], [true, true, true, false]);
        now += second * 9;
        assert!(!take(now));
        now += second;
        assert_eq!([take(now), take(now)], [true, false]);
        now += second * 1000;
        assert_eq!([take(now), take(now), take(now), take(now)], [true, true, true, false]);
    }
}
