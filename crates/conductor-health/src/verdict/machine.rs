//! The state machine of one target.

use super::{Act, Answer, Event, Finding, Hold, Moment, Order, Sighting, State, Ticket};
use conductor_systemd::InvocationId;
use std::time::Duration;

/// The pause after a signal could not be sent: the first, and the longest.
pub(super) const PAUSE: (Duration, Duration) = (Duration::from_secs(2), Duration::from_secs(60));

/// When to conclude what.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Policy {
    /// So many failures in a row make a verdict. At least 1.
    pub unhealthy_after: u32,
    /// So many passes in a row make healthy. At least 1.
    pub healthy_after: u32,
    /// Failures do not count for so long in a run that was never healthy and that nobody has seen so.
    pub start_within: Duration,
    /// The time between SIGTERM and SIGKILL.
    pub kill_grace: Duration,
    /// A run that was healthy for so long has its past forgiven; none has.
    pub stable_for: Option<Duration>,
    /// The longest time for which a busy machine excuses a service that does not answer.
    pub max_hold: Duration,
    /// Whether a verdict has consequences.
    pub act: bool,
}

/// What a verdict wants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wish {
    /// This is to be done.
    Do(Order),
    /// SIGTERM, if the group can spare this run: answered by [`Verdict::grant`] or [`Verdict::hold`].
    Terminate(InvocationId),
}

/// The state machine of one target.
#[derive(Clone, Debug)]
pub struct Verdict {
    pub(super) policy: Policy,
    pub(super) sighting: Sighting,
    /// The invocation that the unit was last seen running as; what is below belongs to it.
    pub(super) invocation: Option<InvocationId>,
    pub(super) ticket: Ticket,
    pub(super) standing: Standing,
    pub(super) passed: u32,
    pub(super) failed: u32,
    /// Failures count from here on.
    pub(super) armed_from: Moment,
    /// The first check in a row for which we were too late ourselves.
    pub(super) late_since: Option<Moment>,
    /// Whether the start of this run has waited until it was healthy.
    pub(super) opened: bool,
    /// Whether the last failure was no more than slowness.
    pub(super) is_slow: bool,
    pub(super) held: Option<Hold>,
    /// Since when it is left alone for the machine being busy.
    pub(super) strained_since: Option<Moment>,
    pub(super) healthy_since: Option<Moment>,
    /// Whether this run has been forgiven; once is enough.
    pub(super) forgiven: bool,
    pub(super) latch: Option<Latch>,
    pub(super) pause: Duration,
    pub(super) not_before: Moment,
}

/// What is concluded about the current invocation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Standing {
    Nothing,
    Healthy,
    Unhealthy,
}

/// The invocation that is being ended, and how far that has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Latch {
    pub(super) invocation: InvocationId,
    pub(super) step: Step,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    Terminating,
    Grace { until: Moment },
    Killing,
    Killed,
}

impl Verdict {
    /// A target of which nothing is known yet.
    pub fn new(policy: Policy) -> Self {
        Self {
            policy,
            sighting: Sighting::Blind,
            invocation: None,
            ticket: Ticket(0),
            standing: Standing::Nothing,
            passed: 0,
            failed: 0,
            armed_from: Moment::ZERO,
            late_since: None,
            opened: false,
            is_slow: false,
            held: None,
            strained_since: None,
            healthy_since: None,
            forgiven: false,
            latch: None,
            pause: PAUSE.0,
            not_before: Moment::ZERO,
        }
    }

    /// Takes note of what happened, and says what it wants now.
    #[must_use]
    pub(super) fn on(&mut self, event: Event, now: Moment) -> Option<Wish> {
        match event {
            Event::Seen(sighting) => {
                self.seen(sighting, now);
                self.due(now)
            }
            Event::Checked(ticket, finding) => self.checked(ticket, finding, now),
            Event::Done(invocation, act, answer) => {
                self.done(invocation, act, answer, now);
                None
            }
            Event::Resumed => {
                self.resumed(now);
                None
            }
            Event::Tick => self.due(now),
        }
    }

    /// The ticket for a check to be run now; none while there must be no check.
    pub fn ticket(&self) -> Option<Ticket> {
        match self.sighting {
            Sighting::Up { invocation, .. } if !self.is_latched(invocation) => Some(self.ticket),
            _ => None,
        }
    }

    /// When [`Event::Tick`] is wanted, if at all.
    pub fn deadline(&self) -> Option<Moment> {
        let Sighting::Up { invocation: up, .. } = self.sighting else {
            return None;
        };
        match self.latch.filter(|latch| latch.invocation == up) {
            Some(Latch { step: Step::Grace { until }, .. }) => Some(until),
            Some(_) => None,
            None if self.forgiven => None,
            None => Some(self.healthy_since?.saturating_add(self.policy.stable_for?)),
        }
    }

    /// The state as users see it.
    pub fn state(&self) -> State {
        let invocation = match self.sighting {
            Sighting::Blind => return State::Unknown,
            Sighting::Away(away) => return State::Deferred(away),
            Sighting::Up { invocation, .. } => invocation,
        };
        match (self.latch.filter(|latch| latch.invocation == invocation), self.standing) {
            (Some(Latch { step: Step::Terminating | Step::Grace { .. }, .. }), _) => State::Terminating,
            (Some(Latch { step: Step::Killing | Step::Killed, .. }), _) => State::Killing,
            (None, Standing::Unhealthy) => self.held.map_or(State::Unhealthy, State::Held),
            (None, _) if self.failed > 0 => State::Failing(self.failed, self.policy.unhealthy_after),
            (None, Standing::Healthy) => State::Healthy,
            (None, Standing::Nothing) => State::Starting,
        }
    }

    /// Whether it answers, as far as anybody can tell: healthy, or let through by its own start, and not
    /// failing as often as makes a verdict.
    pub fn serves(&self) -> bool {
        let answers = match self.standing {
            Standing::Healthy => true,
            // So a watcher that is restarted does not call healthy services down until it has asked them all.
            Standing::Nothing => self.opened,
            Standing::Unhealthy => false,
        };
        answers && self.ticket().is_some()
    }

    /// The group can spare it: SIGTERM is what to send now, and no other until it is known what became of that.
    pub(super) fn grant(&mut self, invocation: InvocationId) -> Order {
        self.latch = Some(Latch { invocation, step: Step::Terminating });
        self.held = None;
        self.strained_since = None;
        self.void_tickets();
        Order { invocation, act: Act::Terminate }
    }

    /// It is left alone until it asks again, which it does with the next failure.
    pub(super) fn hold(&mut self, hold: Hold, now: Moment) {
        self.held = Some(hold);
        if hold == Hold::Pressure {
            self.strained_since.get_or_insert(now);
        }
    }

    /// Whether a busy machine may be the reason for what is wrong with it.
    pub(super) fn is_excusable(&self, now: Moment) -> bool {
        let over = |since: Moment| now >= since.saturating_add(self.policy.max_hold);
        self.is_slow && !self.strained_since.is_some_and(over)
    }

    fn is_latched(&self, invocation: InvocationId) -> bool {
        self.latch.is_some_and(|latch| latch.invocation == invocation)
    }

    fn seen(&mut self, sighting: Sighting, now: Moment) {
        if sighting.is_same(self.sighting) {
            return;
        }
        self.sighting = sighting;
        self.start_over();
        self.conclude(Standing::Nothing, now);
        if let Sighting::Up { invocation, opened } = sighting {
            if self.invocation != Some(invocation) {
                self.invocation = Some(invocation);
                self.latch = None;
                self.pause = PAUSE.0;
                self.not_before = Moment::ZERO;
                self.forgiven = false;
                self.opened = false;
                self.armed_from = now.saturating_add(self.policy.start_within);
            }
            if opened {
                self.opened = true;
                self.armed_from = self.armed_from.min(now);
            }
        }
    }

    /// What was counted and what was going on is worth nothing, and whatever had time gets it again.
    fn resumed(&mut self, now: Moment) {
        let was_failing = self.failed > 0;
        self.start_over();
        match self.standing {
            // What was failing is not healthy for having slept: it has to be seen again.
            Standing::Healthy if was_failing => self.conclude(Standing::Nothing, now),
            Standing::Healthy => self.healthy_since = Some(now),
            Standing::Nothing | Standing::Unhealthy => {}
        }
        if self.strained_since.is_some() {
            self.strained_since = Some(now);
        }
        if self.armed_from > now {
            self.armed_from = now.saturating_add(self.policy.start_within);
        }
        if let Some(Latch { step: Step::Grace { until }, .. }) = &mut self.latch {
            *until = now.saturating_add(self.policy.kill_grace).max(*until);
        }
    }

    /// Makes every result void that is still under way, and counts from zero.
    fn start_over(&mut self) {
        self.void_tickets();
        self.passed = 0;
        self.failed = 0;
        self.late_since = None;
        self.is_slow = false;
    }

    fn void_tickets(&mut self) {
        self.ticket = Ticket(self.ticket.0.wrapping_add(1));
    }

    fn conclude(&mut self, standing: Standing, now: Moment) {
        if standing != Standing::Unhealthy {
            self.held = None;
            self.strained_since = None;
        }
        if standing != Standing::Healthy {
            self.healthy_since = None;
        } else if self.standing != Standing::Healthy {
            self.healthy_since = Some(now);
            self.armed_from = self.armed_from.min(now);
        }
        self.standing = standing;
    }

    fn checked(&mut self, ticket: Ticket, finding: Finding, now: Moment) -> Option<Wish> {
        if self.ticket() != Some(ticket) {
            return None;
        }
        match finding {
            Finding::Unknown => None,
            Finding::Passed => {
                self.failed = 0;
                self.late_since = None;
                self.is_slow = false;
                self.passed = self.passed.saturating_add(1);
                if self.passed >= self.policy.healthy_after {
                    self.conclude(Standing::Healthy, now);
                }
                None
            }
            Finding::Late => {
                let since = *self.late_since.get_or_insert(now);
                // A machine that is always busy must not excuse a service that has hung for good.
                if now < since.saturating_add(self.policy.max_hold) { None } else { self.failed(true, now) }
            }
            Finding::Slow => self.failed(true, now),
            Finding::Failed => self.failed(false, now),
        }
    }

    fn failed(&mut self, is_slow: bool, now: Moment) -> Option<Wish> {
        self.passed = 0;
        if now < self.armed_from {
            return None;
        }
        self.is_slow = is_slow;
        self.failed = self.failed.saturating_add(1);
        if self.failed < self.policy.unhealthy_after {
            return None;
        }
        self.conclude(Standing::Unhealthy, now);
        let Sighting::Up { invocation, .. } = self.sighting else {
            return None;
        };
        (self.policy.act && now >= self.not_before).then_some(Wish::Terminate(invocation))
    }

    fn done(&mut self, invocation: InvocationId, act: Act, answer: Answer, now: Moment) {
        let Some(latch) = self.latch.filter(|latch| latch.invocation == invocation) else {
            return;
        };
        self.latch = match (latch.step, act, answer) {
            (Step::Terminating, Act::Terminate, Answer::Sent) => {
                self.pause = PAUSE.0;
                let until = now.saturating_add(self.policy.kill_grace);
                Some(Latch { step: Step::Grace { until }, ..latch })
            }
            (Step::Killing, Act::Kill, Answer::Sent) => Some(Latch { step: Step::Killed, ..latch }),
            (Step::Terminating, Act::Terminate, Answer::Moot | Answer::Refused) => {
                self.not_before = now.saturating_add(self.next_pause());
                None
            }
            (Step::Killing, Act::Kill, Answer::Moot | Answer::Refused) => {
                let until = now.saturating_add(self.next_pause());
                Some(Latch { step: Step::Grace { until }, ..latch })
            }
            _ => Some(latch),
        };
    }

    fn next_pause(&mut self) -> Duration {
        let pause = self.pause;
        self.pause = pause.saturating_mul(2).min(PAUSE.1);
        pause
    }

    /// What the time has come for.
    fn due(&mut self, now: Moment) -> Option<Wish> {
        if self.deadline().is_none_or(|due| now < due) {
            return None;
        }
        let invocation = self.invocation?;
        let act = if let Some(latch) = &mut self.latch {
            latch.step = Step::Killing;
            Act::Kill
        } else {
            self.forgiven = true;
            Act::Forgive
        };
        Some(Wish::Do(Order { invocation, act }))
    }
}
