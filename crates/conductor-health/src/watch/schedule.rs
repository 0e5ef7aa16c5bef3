//! When each target is due.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::hash::{BuildHasher, RandomState};
use std::time::Duration;
use tokio::time::Instant;

/// Spreads the checks of several targets over the interval and keeps them apart.
///
/// Target `i` of `n` begins `i/n` of an interval after the first, so that a machine full of
/// services is asked evenly; a jitter of up to a tenth of the interval keeps several checkers that
/// were started together from marching in step. The jitter does not add up: it is counted from a
/// fixed grid, and a slot that was missed is skipped, never made up for.
#[derive(Debug)]
pub(super) struct Schedule {
    due: BinaryHeap<Reverse<(Instant, usize)>>,
    /// Where each target stands on its grid.
    slots: Vec<Instant>,
    interval: Duration,
    jitter: Jitter,
}

impl Schedule {
    pub(super) fn new(start: Instant, targets: usize, interval: Duration) -> Self {
        Self::with_jitter(start, targets, interval, Jitter::random())
    }

    fn with_jitter(start: Instant, targets: usize, interval: Duration, jitter: Jitter) -> Self {
        let share = |at: usize| {
            interval.mul_f64(
                f64::from(u32::try_from(at).unwrap_or(u32::MAX))
                    / f64::from(u32::try_from(targets.max(1)).unwrap_or(u32::MAX)),
            )
        };
        let slots: Vec<Instant> = (0..targets).map(|at| start + share(at)).collect();
        let due = slots.iter().enumerate().map(|(at, slot)| Reverse((*slot, at))).collect();
        Self { due, slots, interval, jitter }
    }

    /// When the next target is due.
    pub(super) fn next(&self) -> Option<Instant> {
        self.due.peek().map(|Reverse((due, _))| *due)
    }

    /// A target that is due, and puts it back into line.
    pub(super) fn pop(&mut self, now: Instant) -> Option<usize> {
        let Reverse((due, at)) = *self.due.peek()?;
        if due > now {
            return None;
        }
        self.due.pop();
        let slot = self.slots.get_mut(at)?;
        *slot += self.interval;
        if *slot <= now {
            let missed = (now - *slot).as_nanos() / self.interval.as_nanos().max(1);
            *slot += self.interval.saturating_mul(u32::try_from(missed + 1).unwrap_or(u32::MAX));
        }
        let next = *slot + self.interval.mul_f64(self.jitter.next() / 10.0);
        self.due.push(Reverse((next, at)));
        Some(at)
    }
}

/// Small random numbers (xorshift64*); nothing here needs better ones, nor a crate for them.
#[derive(Debug)]
struct Jitter(u64);

impl Jitter {
    fn random() -> Self {
        // The standard library keys each hasher state at random.
        Self(RandomState::new().hash_one(0_u8) | 1)
    }

    /// From 0 to below 1.
    fn next(&mut self) -> f64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        let top = u32::try_from(self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 32).unwrap_or(0);
        f64::from(top) / f64::from(u32::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const INTERVAL: Duration = Duration::from_secs(10);

    #[test]
    fn targets_are_spread_and_each_keeps_its_pace() {
        let start = Instant::now();
        let mut schedule = Schedule::with_jitter(start, 4, INTERVAL, Jitter(42));
        let mut checks = vec![Vec::new(); 4];
        while let Some(now) = schedule.next().filter(|next| *next < start + INTERVAL * 100) {
            let at = schedule.pop(now).unwrap();
            checks[at].push(now - start);
        }
        for (at, times) in checks.iter().enumerate() {
            assert_eq!(times.len(), 100, "one check in each interval");
            assert_eq!(times[0], INTERVAL / 4 * u32::try_from(at).unwrap());
            for pair in times.windows(2) {
                let gap = pair[1].saturating_sub(pair[0]);
                assert!(gap >= INTERVAL * 9 / 10 && gap <= INTERVAL * 11 / 10, "{gap:?}");
            }
        }
    }

    #[test]
    fn missed_slots_are_skipped() {
        let start = Instant::now();
        let mut schedule = Schedule::with_jitter(start, 1, INTERVAL, Jitter(42));
        let late = start + INTERVAL * 7 + Duration::from_secs(1);
        assert_eq!(schedule.pop(late), Some(0));
        assert_eq!(schedule.pop(late), None);
        let next = schedule.next().unwrap();
        assert!(next >= start + INTERVAL * 8 && next <= start + INTERVAL * 9, "{:?}", next - start);
    }
}
