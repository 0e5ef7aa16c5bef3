//! What goes wrong when.

use std::time::Duration;

use super::fault::{Answer, Fault, Target};
use super::fleet::Fleet;

/// A fault and when it begins, counted from the beginning of the soak.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Planned {
    /// When.
    pub at: Duration,
    /// What.
    pub fault: Fault,
}

/// All faults of a soak, in order: a pure function of seed, fleet and length, so that a failure can be had again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// What it was made of.
    pub seed: u64,
    /// Whom it is for.
    pub fleet: Fleet,
    /// In order of time.
    pub faults: Vec<Planned>,
}

/// The pause between two faults: from this, and up to this.
const PAUSE: (Duration, Duration) = (Duration::from_millis(500), Duration::from_millis(3500));
/// How long something lasts that ends by itself. The shorter ones end before anybody has concluded anything.
const SPAN: (Duration, Duration) = (Duration::from_millis(500), Duration::from_secs(8));

impl Plan {
    /// Faults for as long as `length`.
    pub fn new(seed: u64, fleet: Fleet, length: Duration) -> Self {
        let mut dice = Dice(seed);
        let mut faults = Vec::new();
        let mut at = dice.between(PAUSE);
        while at < length {
            faults.push(Planned { at, fault: dice.fault(fleet) });
            at += dice.between(PAUSE);
        }
        Self { seed, fleet, faults }
    }
}

/// `SplitMix64` (Steele, Lea and Flood 2014): any seed is a good one, and it is the same on every machine and with
/// every version of every crate, which is what a seed that is printed has to be.
struct Dice(u64);

impl Dice {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// From 0 to below `sides`, which is small, so that the remainder's bias does not matter.
    fn roll(&mut self, sides: u32) -> u32 {
        u32::try_from(self.next() % u64::from(sides.max(1))).unwrap_or(0)
    }

    fn between(&mut self, (least, most): (Duration, Duration)) -> Duration {
        let room = u32::try_from((most.saturating_sub(least)).as_millis()).unwrap_or(u32::MAX);
        least + Duration::from_millis(u64::from(self.roll(room)))
    }

    fn fault(&mut self, fleet: Fleet) -> Fault {
        let target =
            Target { service: 1 + self.roll(fleet.services), instance: 1 + self.roll(fleet.instances) };
        match self.roll(24) {
            0..=2 => Fault::Kill(target),
            3..=4 => Fault::Exit(target, [0, 1, 143].get(self.roll(3) as usize).copied().unwrap_or(0)),
            5..=10 => {
                let answer = Answer::ALL.get(self.roll(3) as usize).copied().unwrap_or(Answer::Error);
                let span = (self.roll(3) == 0).then(|| self.between(SPAN));
                Fault::Answers(target, answer, span)
            }
            11 => Fault::Stubborn(target),
            12..=14 => Fault::Pause(target, self.between(SPAN)),
            15..=17 => Fault::Cut(target, self.between(SPAN)),
            18..=19 => Fault::KillChecker(target),
            20 => Fault::Reload,
            21 => Fault::Reexec,
            22 => Fault::RestartBus,
            _ => Fault::KillBus,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    const FLEET: Fleet = Fleet { services: 20, instances: 2 };
    const LENGTH: Duration = Duration::from_secs(90);

    #[test]
    fn a_seed_decides_everything() {
        let plan = Plan::new(7, FLEET, LENGTH);
        assert_eq!(plan, Plan::new(7, FLEET, LENGTH));
        assert_ne!(plan.faults, Plan::new(8, FLEET, LENGTH).faults);
        // A longer one begins alike, so that a failure can be had again in less time.
        let longer = Plan::new(7, FLEET, LENGTH * 3);
        assert_eq!(longer.faults[..plan.faults.len()], plan.faults);
        // On every machine and for good: a seed that was printed yesterday means the same today.
        let first: Vec<String> =
            plan.faults.iter().take(3).map(|planned| planned.fault.to_string()).collect();
        let expected = [
            "exit soak05@1.service with 1",
            "cut soak19@1.service for 2.4 s",
            "cut soak17@1.service for 7.2 s",
        ];
        assert_eq!(first, expected);
    }

    #[test]
    fn faults_are_in_order_and_in_number_bounded() {
        for seed in 0..200 {
            let plan = Plan::new(seed, FLEET, LENGTH);
            assert!(plan.faults.windows(2).all(|pair| pair[0].at < pair[1].at));
            assert!(plan.faults.iter().all(|planned| planned.at < LENGTH && planned.fault.span() <= SPAN.1));
            let number = plan.faults.len();
            assert!((90 / 4..=90 * 2).contains(&number), "{number} faults");
        }
    }

    #[test]
    fn every_kind_and_every_target_gets_its_turn() {
        let plan = Plan::new(1, FLEET, Duration::from_secs(60 * 60));
        let words: BTreeSet<&str> = plan.faults.iter().map(|planned| planned.fault.word()).collect();
        assert_eq!(words.len(), 13, "{words:?}");
        let units: BTreeSet<String> = plan.faults.iter().filter_map(|planned| planned.fault.unit()).collect();
        assert!(FLEET.targets().all(|target| units.contains(&target.unit())), "{units:?}");
    }
}
