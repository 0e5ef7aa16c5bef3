//! Several targets of one service, and how many of them may be restarted at once.

use super::machine::Wish;
use super::rate::Bucket;
use super::{Away, Event, Hold, Moment, Order, Policy, Sighting, State, Verdict};
use std::time::Duration;

/// A unit that is stopped or failed for longer than this is not on its way to another run. systemd passes
/// through both in the middle of a restart (seen on 252: failed, auto-restart, dead, running).
pub(super) const SETTLED: Duration = Duration::from_secs(5);

/// How much may be done at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// SIGTERM is not sent while so many others are being restarted or started. At least 1.
    pub max_unavailable: u32,
    /// Whoever takes longer than this to get healthy is no longer waited for, if others are healthy.
    pub recover_within: Duration,
    /// So many SIGTERM may follow each other at once.
    pub burst: u32,
    /// After those, one more every so often.
    pub every: Duration,
    /// The pressure above which slowness is excused.
    pub max_pressure: Pressure,
}

/// How long processes had to wait for a processor, a disk or memory: the share of the last ten seconds, in
/// hundredths of a per cent, in which at least one did (`some avg10` of the kernel's pressure stall
/// information), and the largest of the three.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Pressure(pub u32);

/// All targets of one watcher. See the module's tables for what it does with them.
#[derive(Clone, Debug)]
pub struct Group {
    pub(super) members: Vec<Member>,
    pub(super) limits: Limits,
    pub(super) bucket: Bucket,
    /// How many members are recovering: mostly none, and then nobody need be looked at.
    pub(super) recovering: usize,
}

#[derive(Clone, Debug)]
pub(super) struct Member {
    pub(super) verdict: Verdict,
    /// Since when its unit has looked as it does.
    pub(super) since: Moment,
    /// Since when it has been on the way from one healthy run to the next.
    pub(super) recovering: Option<Moment>,
    /// Whether others were healthy when it should have been again: it says nothing about them any more.
    pub(super) lost: bool,
}

impl Group {
    /// So many targets of which nothing is known yet.
    pub fn new(targets: usize, policy: Policy, limits: Limits) -> Self {
        let verdict = Verdict::new(policy);
        let member = Member { verdict, since: Moment::ZERO, recovering: None, lost: false };
        let bucket = Bucket::new(limits.burst, limits.every);
        Self { members: vec![member; targets], limits, bucket, recovering: 0 }
    }

    /// The verdict about one of them.
    pub fn verdict(&self, at: usize) -> Option<&Verdict> {
        self.members.get(at).map(|member| &member.verdict)
    }

    /// Takes note of what happened to one of them, and says what is to be done to it now. `pressure` is asked
    /// only when that matters; none is a kernel that does not measure it.
    #[must_use]
    pub fn on(
        &mut self,
        at: usize,
        event: Event,
        now: Moment,
        pressure: impl FnOnce() -> Option<Pressure>,
    ) -> Option<Order> {
        let member = self.members.get_mut(at)?;
        let was_recovering = member.recovering.is_some();
        let before = member.verdict.sighting;
        let wish = member.verdict.on(event, now);
        if !member.verdict.sighting.is_same(before) {
            let was_over = matches!(before, Sighting::Away(Away::Stopped | Away::Failed));
            if was_over && member.is_settled(now) && member.verdict.sighting != Sighting::Blind {
                // Somebody has started it anew.
                member.recovering = None;
                member.lost = false;
            }
            member.since = now;
        }
        let order = match wish {
            None => None,
            Some(Wish::Do(order)) => Some(order),
            Some(Wish::Terminate(invocation)) => {
                let obstacle = self.obstacle(at, now, pressure);
                let member = self.members.get_mut(at)?;
                if let Some(hold) = obstacle {
                    member.verdict.hold(hold, now);
                    None
                } else {
                    self.bucket.take(now);
                    member.recovering = Some(now);
                    member.lost = false;
                    Some(member.verdict.grant(invocation))
                }
            }
        };
        self.take_stock(at, was_recovering, now);
        order
    }

    /// Why this one must not be ended now.
    fn obstacle(&self, at: usize, now: Moment, pressure: impl FnOnce() -> Option<Pressure>) -> Option<Hold> {
        let others =
            || self.members.iter().enumerate().filter_map(|(other, member)| (other != at).then_some(member));
        let unavailable = others().filter(|member| member.is_unavailable(now)).count();
        let any_healthy = others().any(|member| member.verdict.state() == State::Healthy);
        // Without a healthy one, what they share may be what is broken, such as a database. One of them shows
        // whether a restart helps; if it does, that one is healthy and the next one's turn comes.
        let allowed = if any_healthy { self.limits.max_unavailable } else { 1 };
        if u32::try_from(unavailable).unwrap_or(u32::MAX) >= allowed {
            return Some(if any_healthy { Hold::Budget } else { Hold::Together });
        }
        if !self.bucket.has(now) {
            return Some(Hold::Rate);
        }
        let is_excusable = self.members.get(at).is_some_and(|member| member.verdict.is_excusable(now));
        // Read last, because it costs a few system calls.
        let is_strained = || pressure().is_some_and(|pressure| pressure > self.limits.max_pressure);
        (is_excusable && is_strained()).then_some(Hold::Pressure)
    }

    /// What the new state of a member says about where it is between two healthy runs.
    fn take_stock(&mut self, at: usize, was_recovering: bool, now: Moment) {
        let Some(member) = self.members.get_mut(at) else {
            return;
        };
        match member.verdict.state() {
            State::Terminating
            | State::Killing
            | State::Starting
            | State::Deferred(Away::Starting | Away::Restarting | Away::Stopping) => {
                member.recovering.get_or_insert(now);
            }
            // Whether healthy or unhealthy again, its restart is over.
            State::Healthy | State::Unhealthy | State::Held(_) => {
                member.recovering = None;
                member.lost = false;
            }
            State::Unknown | State::Failing(..) | State::Deferred(_) => {}
        }
        let is_healthy = member.verdict.state() == State::Healthy;
        match (was_recovering, member.recovering.is_some()) {
            (false, true) => self.recovering += 1,
            (true, false) => self.recovering -= 1,
            (false, false) | (true, true) => {}
        }
        if is_healthy && self.recovering > 0 {
            let within = self.limits.recover_within;
            for member in &mut self.members {
                member.lost |= member.is_overdue(within, now);
            }
        }
    }
}

impl Member {
    /// Whether it is on its way to another healthy run, so that there must not be too many more.
    pub(super) fn is_unavailable(&self, now: Moment) -> bool {
        let is_recovering = self.recovering.is_some();
        !self.lost
            && match self.verdict.state() {
                // To be ended is what an unhealthy one itself may be asking for.
                State::Healthy
                | State::Unhealthy
                | State::Held(_)
                | State::Deferred(Away::NotRunning | Away::Frozen) => false,
                // Given up on by systemd: it shows that a restart did not help.
                State::Failing(..) | State::Unknown | State::Deferred(Away::Failed) => is_recovering,
                State::Deferred(Away::Stopped | Away::Missing) => is_recovering && !self.is_settled(now),
                State::Starting | State::Terminating | State::Killing | State::Deferred(_) => true,
            }
    }

    fn is_overdue(&self, within: Duration, now: Moment) -> bool {
        let has_failed = self.verdict.state() == State::Deferred(Away::Failed) && self.is_settled(now);
        let is_late = |since: Moment| now >= since.saturating_add(within);
        self.recovering.is_some_and(|since| has_failed || is_late(since))
    }

    fn is_settled(&self, now: Moment) -> bool {
        now >= self.since.saturating_add(SETTLED)
    }
}
