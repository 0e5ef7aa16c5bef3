//! In which order the instances of a service are restarted: a pure state machine.
//!
//! One at a time. Behind a proxy an instance first leaves the upstream and is drained, and comes back in the same change
//! in which the next one leaves: there is one reload an instance and one at the end. What does not come back healthy
//! stays out of the upstream, and nothing else is touched: the others serve.
//!
//! Before each turn the place is recorded. Whoever comes after a kill or a power cut brings the one instance back that
//! was being restarted, and puts all of them into the upstream.

use serde::{Deserialize, Serialize};

use crate::Outcome;

/// Something to be done with one of the instances, by their places in the list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Turn {
    /// Has the proxy pass requests on to all the others.
    Leave(usize),
    /// Waits until nobody uses it any more.
    Drain(usize),
    /// Restarts it; ends when it is healthy.
    Restart(usize),
    /// Starts it unless it runs: it was being restarted when somebody was killed.
    Revive(usize),
    /// Has the proxy pass requests on to all of them.
    Return,
}

impl Turn {
    /// A word for it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Leave(_) => "leave",
            Self::Drain(_) => "drain",
            Self::Restart(_) => "restart",
            Self::Revive(_) => "revive",
            Self::Return => "return",
        }
    }
}

/// Where a restart is.
#[derive(Debug, Clone)]
pub struct Rolling {
    /// What is left, the next one last.
    left: Vec<Turn>,
    proxy: bool,
    /// Whether something went wrong.
    early: bool,
    stuck: bool,
}

impl Rolling {
    /// At the beginning. `proxy` is whether instances leave an upstream: there have to be others.
    pub fn new(instances: usize, proxy: bool) -> Self {
        let each = (0..instances).flat_map(|number| {
            let through_proxy = [Turn::Leave(number), Turn::Drain(number)].into_iter().filter(|_| proxy);
            through_proxy.chain([Turn::Restart(number)]).collect::<Vec<_>>()
        });
        let mut left: Vec<Turn> = each.chain(proxy.then_some(Turn::Return)).collect();
        left.reverse();
        Self { left, proxy, early: false, stuck: false }
    }

    /// Cleans up after one that was interrupted when it had begun `reached`.
    pub fn resume(proxy: bool, reached: Option<Turn>) -> Self {
        let mut left: Vec<Turn> = proxy.then_some(Turn::Return).into_iter().collect();
        if let Some(Turn::Restart(number) | Turn::Revive(number)) = reached {
            left.push(Turn::Revive(number));
        }
        Self { left, proxy, early: true, stuck: false }
    }

    /// What is to be done now, or how it ended: [`Outcome::Released`] if all are restarted, [`Outcome::Undone`] if not
    /// and all serve, [`Outcome::Stuck`] if one does not.
    pub fn next(&self) -> Result<Turn, Outcome> {
        match self.left.last() {
            _ if self.stuck => Err(Outcome::Stuck),
            Some(turn) => Ok(*turn),
            None if self.early => Err(Outcome::Undone),
            None => Err(Outcome::Released),
        }
    }

    /// Whether a request to end is followed now: then as if the turn had failed. Nobody is left half restarted.
    pub fn can_end_before(&self) -> bool {
        !self.early && matches!(self.left.last(), Some(Turn::Leave(_) | Turn::Drain(_) | Turn::Restart(_)))
    }

    /// Takes down how [`Self::next`] went.
    pub fn done(&mut self, success: bool) {
        match self.left.pop() {
            _ if success => {}
            // It does not work: it gets no requests, and the next one is not touched.
            Some(Turn::Restart(_) | Turn::Revive(_) | Turn::Return) | None => self.stuck = true,
            Some(Turn::Leave(_) | Turn::Drain(_)) => self.end(),
        }
    }

    /// Ends before the next turn, with all instances in the upstream.
    pub fn end(&mut self) {
        self.early = true;
        self.left = self.proxy.then_some(Turn::Return).into_iter().collect();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What happens at one turn.
    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    enum Trouble {
        Fails,
        KilledBefore,
        KilledAfter,
        Asked,
    }

    /// Instances that run, and those that get requests.
    #[derive(Debug)]
    struct World {
        proxy: bool,
        runs: Vec<bool>,
        gets: Vec<bool>,
        restarted: Vec<u32>,
        recorded: Option<Turn>,
    }

    impl World {
        fn new(instances: usize, proxy: bool) -> Self {
            Self {
                proxy,
                runs: vec![true; instances],
                gets: vec![true; instances],
                restarted: vec![0; instances],
                recorded: None,
            }
        }

        fn act(&mut self, turn: Turn, works: bool) {
            match turn {
                Turn::Leave(number) if works => {
                    self.gets.fill(true);
                    self.gets[number] = false;
                }
                Turn::Restart(number) | Turn::Revive(number) => {
                    self.runs[number] = works;
                    self.restarted[number] += u32::from(works);
                }
                Turn::Return if works => self.gets.fill(true),
                Turn::Leave(_) | Turn::Drain(_) | Turn::Return => {}
            }
            self.check();
        }

        fn check(&self) {
            assert!(self.runs.iter().filter(|runs| !**runs).count() <= 1, "one at a time: {self:?}");
            let to_nobody = self.runs.iter().zip(&self.gets).any(|(runs, gets)| *gets && !*runs);
            assert!(!self.proxy || !to_nobody, "requests go to who does not run: {self:?}");
            assert!(self.gets.contains(&true), "{self:?}");
        }

        /// Drives it; none if it was killed.
        fn drive(&mut self, mut machine: Rolling, trouble: Option<(usize, Trouble)>) -> Option<Outcome> {
            for count in 0.. {
                let turn = match machine.next() {
                    Ok(turn) => turn,
                    Err(outcome) => return Some(outcome),
                };
                let now = trouble.filter(|(at, _)| *at == count).map(|(_, what)| what);
                if now == Some(Trouble::Asked) && machine.can_end_before() {
                    machine.end();
                    continue;
                }
                self.recorded = Some(turn);
                if now == Some(Trouble::KilledBefore) {
                    return None;
                }
                if let Turn::Restart(number) = turn {
                    // It is down for a time, whatever comes of it.
                    self.runs[number] = false;
                    self.check();
                }
                self.act(turn, now != Some(Trouble::Fails));
                if now == Some(Trouble::KilledAfter) {
                    return None;
                }
                machine.done(now != Some(Trouble::Fails));
            }
            None
        }
    }

    #[test]
    fn each_is_restarted_once() {
        for (instances, proxy) in [(1, false), (2, false), (2, true), (5, true)] {
            let mut world = World::new(instances, proxy);
            assert_eq!(world.drive(Rolling::new(instances, proxy), None), Some(Outcome::Released));
            assert_eq!(world.restarted, vec![1; instances]);
            assert_eq!((world.runs, world.gets), (vec![true; instances], vec![true; instances]));
        }
    }

    #[test]
    fn whatever_happens_at_any_two_moments_nothing_is_half_done() {
        let all = [Trouble::Fails, Trouble::KilledBefore, Trouble::KilledAfter, Trouble::Asked];
        let mut stuck = 0;
        for (instances, proxy) in [(1, false), (3, false), (2, true), (3, true)] {
            for (first, what) in (0..12).flat_map(|first| all.map(|what| (first, what))) {
                for (second, again) in (0..3).flat_map(|second| all.map(|what| (second, what))) {
                    let mut world = World::new(instances, proxy);
                    let mut outcome = world.drive(Rolling::new(instances, proxy), Some((first, what)));
                    let mut trouble = Some((second, again));
                    while outcome.is_none() || outcome == Some(Outcome::Stuck) && trouble.is_some() {
                        outcome = world.drive(Rolling::resume(proxy, world.recorded), trouble.take());
                    }
                    if outcome == Some(Outcome::Stuck) {
                        stuck += 1;
                        // Whoever repeats it when the reason is mended.
                        outcome = world.drive(Rolling::resume(proxy, world.recorded), None);
                    }
                    assert_ne!(outcome, Some(Outcome::Stuck), "{world:?}");
                    assert_eq!(world.runs, vec![true; instances], "{what:?} at {first}, {again:?}");
                    assert_eq!(world.gets, vec![true; instances], "{what:?} at {first}, {again:?}");
                }
            }
        }
        assert!(stuck > 0);
    }

    #[test]
    fn who_asks_for_an_end_is_heard_between_instances() {
        let mut world = World::new(3, false);
        assert_eq!(world.drive(Rolling::new(3, false), Some((1, Trouble::Asked))), Some(Outcome::Undone));
        assert_eq!(world.restarted, [1, 0, 0]);
    }
}
