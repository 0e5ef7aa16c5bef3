//! Noticing that time went by while we did not run.

use rustix::time::{ClockId, clock_gettime};
use std::time::Duration;
use tokio::time::Instant;

/// A machine that slept, and a process that was halted, both wake up with results and counters that
/// say nothing about the services of now.
#[derive(Debug)]
pub(super) struct Clock {
    /// CLOCK_BOOTTIME minus CLOCK_MONOTONIC: the time spent in suspend. Only the former counts it.
    slept: Duration,
}

/// Waking up later than this is no longer just a busy machine.
const HALTED: Duration = Duration::from_secs(5);

/// The two clocks are read one after the other, so that small differences mean nothing.
const TOLERATED: Duration = Duration::from_secs(1);

impl Clock {
    pub(super) fn new() -> Self {
        Self { slept: slept() }
    }

    /// Whether we were away since the last call. `planned` is when we meant to wake up at the latest.
    pub(super) fn was_away(&mut self, planned: Option<Instant>, now: Instant) -> bool {
        self.compare(slept(), planned, now)
    }

    fn compare(&mut self, slept: Duration, planned: Option<Instant>, now: Instant) -> bool {
        let suspended = slept.saturating_sub(self.slept) > TOLERATED;
        self.slept = slept;
        let halted = planned.is_some_and(|planned| now.saturating_duration_since(planned) > HALTED);
        suspended || halted
    }
}

fn slept() -> Duration {
    let read = |clock| Duration::try_from(clock_gettime(clock)).unwrap_or_default();
    // In this order, the time between the two calls makes the difference smaller, never larger.
    let boot = read(ClockId::Boottime);
    boot.saturating_sub(read(ClockId::Monotonic))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn being_halted_is_noticed_and_being_busy_is_not() {
        let mut clock = Clock::new();
        let now = Instant::now();
        assert!(!clock.was_away(None, now));
        assert!(!clock.was_away(Some(now), now + Duration::from_secs(1)));
        assert!(clock.was_away(Some(now), now + Duration::from_secs(6)));
    }

    #[test]
    fn suspend_is_noticed_though_nothing_was_late() {
        let now = Instant::now();
        let mut clock = Clock { slept: Duration::from_secs(100) };
        assert!(!clock.compare(Duration::from_millis(100_900), Some(now), now), "two clocks are read");
        assert!(clock.compare(Duration::from_secs(130), Some(now), now));
        assert!(!clock.compare(Duration::from_secs(130), Some(now), now), "it is over");
    }
}
