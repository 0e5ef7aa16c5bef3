//! When each target is due.

use std::collections::BTreeSet;
use std::hash::{BuildHasher, RandomState};
use std::time::Duration;
use tokio::time::Instant;

/// Spreads the checks of several targets over the interval and keeps them apart.
///
/// Target `i` of `n` begins `i/n` of an interval after the first, so that a machine full of
/// services is asked evenly; a jitter of up to a tenth of the interval keeps several checkers that
/// were started together from marching in step. The jitter does not add up: it is counted from a
/// fixed grid, and a slot that was missed is skipped, never made up for.
///
/// A target that is starting is asked more often than that, without leaving its place on the grid.
///
/// To wake up costs as much as a third of a check. So whoever is due up to [`TOGETHER`] after the one we woke up for
/// goes with it, that much early; where targets are few or intervals long, there is nobody.
#[derive(Debug)]
pub(super) struct Schedule {
    due: BTreeSet<(Instant, usize)>,
    targets: Vec<Place>,
    interval: Duration,
    /// [`TOGETHER`], or less where that would be as good as an interval.
    together: Duration,
    /// From the start of one check to the start of the next while a target starts.
    hurried: Duration,
    jitter: Jitter,
}

/// systemd's own event loop may be late by 25 times as much for the same reason (`accuracy` in sd_event_add_time(3)).
const TOGETHER: Duration = Duration::from_millis(10);

/// Where a target stands.
#[derive(Debug)]
struct Place {
    /// On its grid.
    slot: Instant,
    /// In `due`.
    due: Instant,
    /// Its share of any interval.
    share: f64,
}

impl Schedule {
    pub(super) fn new(start: Instant, targets: usize, interval: Duration, hurried: Duration) -> Self {
        Self::with_jitter(start, targets, interval, hurried, Jitter::random())
    }

    fn with_jitter(
        start: Instant,
        targets: usize,
        interval: Duration,
        hurried: Duration,
        jitter: Jitter,
    ) -> Self {
        let number = |count: usize| f64::from(u32::try_from(count).unwrap_or(u32::MAX));
        let targets: Vec<Place> = (0..targets)
            .map(|at| number(at) / number(targets))
            .map(|share| (start + interval.mul_f64(share), share))
            .map(|(slot, share)| Place { slot, due: slot, share })
            .collect();
        let due = targets.iter().enumerate().map(|(at, place)| (place.due, at)).collect();
        let hurried = hurried.min(interval);
        // Whoever is put back into line must not be due again at the same moment.
        Self { due, targets, interval, together: TOGETHER.min(hurried / 2), hurried, jitter }
    }

    /// When the next target is due.
    pub(super) fn next(&self) -> Option<Instant> {
        self.due.first().map(|(due, _)| *due)
    }

    /// Up to when targets are taken now; none as long as no target is due.
    pub(super) fn batch(&self, now: Instant) -> Option<Instant> {
        self.next().filter(|due| *due <= now).map(|_| now + self.together)
    }

    /// A target that is due until then, and puts it back into line.
    pub(super) fn pop(&mut self, until: Instant) -> Option<usize> {
        let (_, at) = self.due.first().copied().filter(|(due, _)| *due <= until)?;
        let place = self.targets.get_mut(at)?;
        if place.slot <= until {
            let missed = (until - place.slot).as_nanos() / self.interval.as_nanos().max(1);
            place.slot += self.interval.saturating_mul(u32::try_from(missed + 1).unwrap_or(u32::MAX));
        }
        let next = place.slot + self.interval.mul_f64(self.jitter.next() / 10.0);
        self.move_to(at, next);
        Some(at)
    }

    /// This target is starting: it is due soon after `last`, its last check, or soon if it had none.
    pub(super) fn hurry(&mut self, at: usize, now: Instant, last: Option<Instant>) {
        let Some(place) = self.targets.get(at) else {
            return;
        };
        // All of them may be starting, as when we do.
        let soon = last.map_or_else(|| now + self.hurried.mul_f64(place.share), |last| last + self.hurried);
        if soon < place.due {
            self.move_to(at, soon);
        }
    }

    fn move_to(&mut self, at: usize, due: Instant) {
        if let Some(place) = self.targets.get_mut(at) {
            self.due.remove(&(place.due, at));
            place.due = due;
            self.due.insert((due, at));
        }
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
    const HURRIED: Duration = Duration::from_secs(1);

    #[test]
    fn targets_are_spread_and_each_keeps_its_pace() {
        let start = Instant::now();
        let mut schedule = Schedule::with_jitter(start, 4, INTERVAL, HURRIED, Jitter(42));
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

    /// Who is taken at each waking up until then.
    fn batches(schedule: &mut Schedule, end: Instant) -> Vec<Vec<usize>> {
        let mut batches = Vec::new();
        while let Some(now) = schedule.next().filter(|next| *next < end) {
            let until = schedule.batch(now).unwrap();
            batches.push(std::iter::from_fn(|| schedule.pop(until)).collect());
        }
        batches
    }

    #[test]
    fn targets_that_are_close_to_each_other_share_a_waking_up() {
        let start = Instant::now();
        let second = Duration::from_secs(1);
        let mut schedule = Schedule::with_jitter(start, 1000, second, second, Jitter(42));
        let batches = batches(&mut schedule, start + second * 10);
        let checks: usize = batches.iter().map(Vec::len).sum();
        assert!((9900..=10_100).contains(&checks), "none is left out and none asked twice: {checks}");
        assert!(batches.len() < checks / 7, "{} for {checks} checks", batches.len());
        assert!(batches.iter().all(|batch| batch.len() < 40), "they are still spread");
        // Nobody is taken early as long as nobody is due.
        let next = schedule.next().unwrap();
        assert_eq!(schedule.batch(next - Duration::from_micros(1)), None);
    }

    #[test]
    fn few_targets_have_their_own_moments() {
        let start = Instant::now();
        let mut schedule = Schedule::with_jitter(start, 4, INTERVAL, HURRIED, Jitter(42));
        assert!(batches(&mut schedule, start + INTERVAL * 10).iter().all(|batch| batch.len() == 1));
        // As when all of them start, asked each time they are.
        let mut schedule = Schedule::with_jitter(start, 2, INTERVAL, Duration::from_millis(2), Jitter(42));
        let until = schedule.batch(start).unwrap();
        let at = schedule.pop(until).unwrap();
        schedule.hurry(at, start, Some(start));
        assert_eq!(schedule.pop(until), None, "not twice at once");
    }

    #[test]
    fn missed_slots_are_skipped() {
        let start = Instant::now();
        let mut schedule = Schedule::with_jitter(start, 1, INTERVAL, HURRIED, Jitter(42));
        let late = start + INTERVAL * 7 + Duration::from_secs(1);
        assert_eq!(schedule.pop(late), Some(0));
        assert_eq!(schedule.pop(late), None);
        let next = schedule.next().unwrap();
        assert!(next >= start + INTERVAL * 8 && next <= start + INTERVAL * 9, "{:?}", next - start);
    }

    #[test]
    fn who_starts_is_asked_more_often_and_then_keeps_its_place() {
        let start = Instant::now();
        let mut schedule = Schedule::with_jitter(start, 2, INTERVAL, HURRIED, Jitter(42));
        assert_eq!(schedule.pop(start), Some(0));
        schedule.hurry(1, start, None);
        assert_eq!(schedule.next(), Some(start + HURRIED / 2), "spread over the shorter interval");
        for check in 0..3 {
            let now = schedule.next().unwrap();
            assert_eq!(now, start + HURRIED / 2 + HURRIED * check);
            assert_eq!(schedule.pop(now), Some(1));
            schedule.hurry(1, now, Some(now));
        }
        let now = schedule.next().unwrap();
        assert_eq!(schedule.pop(now), Some(1));
        // Healthy now.
        let next = schedule.next().unwrap();
        assert!(next >= start + INTERVAL / 2 && next <= start + INTERVAL * 6 / 10, "{:?}", next - start);
        assert_eq!(schedule.pop(next), Some(1));
    }
}
