//! When a service has failed its checks for good, and what is done about it.
//!
//! A pure state machine, one per target: no input or output, no clock. It is told what happened and
//! when, and answers whether a signal is to be sent now. Everything it knows belongs to one
//! *invocation* of the unit; another invocation starts from nothing.
//!
//! | state | event | next state | signal |
//! |---|---|---|---|
//! | any | bus lost | unknown | |
//! | any | unit not steadily running | deferred | |
//! | unknown, deferred | unit runs, same invocation | starting, or terminating/killing where it was | |
//! | any | unit runs, other invocation | starting | |
//! | starting | `healthy-after` passes in a row | healthy | |
//! | starting, healthy | failure | failing (1) | |
//! | failing (n) | failure | failing (n+1) | |
//! | failing (n) | pass | where it came from | |
//! | failing | the `unhealthy-after`th failure in a row | terminating, or unhealthy with `on-unhealthy=none` | SIGTERM |
//! | unhealthy | failure, and the pause after a refusal is over | terminating | SIGTERM |
//! | unhealthy | `healthy-after` passes in a row | healthy | |
//! | terminating | signal refused, or moot | unhealthy, with a pause that doubles | |
//! | terminating | `kill-grace` after SIGTERM was sent | killing | SIGKILL |
//! | killing | signal refused, or moot | terminating, with a pause that doubles | |
//! | failing | suspend, or the checker was halted | starting | |
//! | any other | suspend, or the checker was halted | the same, counters at zero | |
//! | any | unknown result, or one that was begun before a change | the same | |
//!
//! What holds in every state, whatever happens (the tests enumerate it): a signal is asked for only
//! while the unit was last seen running with nothing pending; SIGTERM only after `unhealthy-after`
//! failures that were begun and ended in this invocation and undisturbed; each signal is sent at most
//! once per invocation; SIGKILL only `kill-grace` after a SIGTERM that was really sent.

#[cfg(test)]
mod exhaustive;
mod sighting;
#[cfg(test)]
mod tests;

pub use sighting::{Away, Sighting};

use conductor_systemd::InvocationId;
use std::fmt;
use std::time::Duration;

/// Time since any fixed point; the caller's clock must not go backwards.
pub type Moment = Duration;

/// The pause after a signal could not be sent: the first, and the longest.
const PAUSE: (Duration, Duration) = (Duration::from_secs(2), Duration::from_secs(60));

/// When to conclude what.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Policy {
    /// So many failures in a row make a verdict. At least 1.
    pub unhealthy_after: u32,
    /// So many passes in a row make healthy. At least 1.
    pub healthy_after: u32,
    /// The time between SIGTERM and SIGKILL.
    pub kill_grace: Duration,
    /// Whether a verdict has consequences.
    pub act: bool,
}

/// What a check found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Finding {
    /// The service is well.
    Passed,
    /// It is not.
    Failed,
    /// The check could not tell.
    Unknown,
}

/// Which signal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Act {
    /// SIGTERM.
    Terminate,
    /// SIGKILL.
    Kill,
}

/// What became of a signal that was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// It was sent.
    Sent,
    /// There was nothing to send it to, or no longer a reason.
    Moot,
    /// It could not be sent, or nobody knows.
    Refused,
}

/// What happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    /// The unit was read, or can no longer be.
    Seen(Sighting),
    /// A check that was begun under this ticket ended.
    Checked(Ticket, Finding),
    /// A signal that was asked for was dealt with.
    Signalled(InvocationId, Act, Answer),
    /// The machine slept, or the process was halted: what was counted before is worth nothing.
    Resumed,
    /// Time went by.
    Tick,
}

/// The right to run a check, void as soon as anything about the unit changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ticket(u64);

/// The state as users see it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// The bus is away, or the unit was not read yet.
    Unknown,
    /// The unit is not in a state to be checked.
    Deferred(Away),
    /// It runs and is being checked; nothing is concluded yet.
    Starting,
    /// It answers.
    Healthy,
    /// It has failed this many checks in a row, of so many that make a verdict.
    Failing(u32, u32),
    /// It has failed enough of them, and nothing is or could be done about it.
    Unhealthy,
    /// SIGTERM is being sent, or was.
    Terminating,
    /// SIGKILL is being sent, or was.
    Killing,
}

impl State {
    /// Whether both are the same but for a number: going from one to the other is no news.
    pub fn is_same_kind(self, other: Self) -> bool {
        std::mem::discriminant(&self) == std::mem::discriminant(&other)
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unknown => f.write_str("unknown"),
            Self::Deferred(away) => write!(f, "{away}"),
            Self::Starting => f.write_str("running, not checked yet"),
            Self::Healthy => f.write_str("healthy"),
            Self::Failing(failed, of) => write!(f, "failing ({failed} of {of})"),
            Self::Unhealthy => f.write_str("unhealthy"),
            Self::Terminating => f.write_str("terminating"),
            Self::Killing => f.write_str("killing"),
        }
    }
}

/// The state machine of one target.
#[derive(Clone, Debug)]
pub struct Verdict {
    policy: Policy,
    sighting: Sighting,
    /// The invocation that the unit was last seen running as; what is below belongs to it.
    invocation: Option<InvocationId>,
    ticket: Ticket,
    standing: Standing,
    passed: u32,
    failed: u32,
    latch: Option<Latch>,
    pause: Duration,
    not_before: Moment,
}

/// What is concluded about the current invocation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Standing {
    Nothing,
    Healthy,
    Unhealthy,
}

/// The invocation that is being ended, and how far that has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Latch {
    invocation: InvocationId,
    step: Step,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
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
            latch: None,
            pause: PAUSE.0,
            not_before: Moment::ZERO,
        }
    }

    /// Takes note of what happened, and says which signal is to be sent now.
    #[must_use]
    pub fn on(&mut self, event: Event, now: Moment) -> Option<(InvocationId, Act)> {
        match event {
            Event::Seen(sighting) => {
                self.seen(sighting);
                self.kill_if_due(now)
            }
            Event::Checked(ticket, finding) => self.checked(ticket, finding, now),
            Event::Signalled(invocation, act, answer) => {
                self.signalled(invocation, act, answer, now);
                None
            }
            Event::Resumed => {
                // What was failing is not healthy for having slept.
                if self.failed > 0 && self.standing == Standing::Healthy {
                    self.standing = Standing::Nothing;
                }
                self.start_over();
                None
            }
            Event::Tick => self.kill_if_due(now),
        }
    }

    /// The ticket for a check to be run now; none while there must be no check.
    pub fn ticket(&self) -> Option<Ticket> {
        match self.sighting {
            Sighting::Up(invocation) if !self.is_latched(invocation) => Some(self.ticket),
            _ => None,
        }
    }

    /// When [`Event::Tick`] is wanted, if at all.
    pub fn deadline(&self) -> Option<Moment> {
        match (self.sighting, self.latch) {
            (Sighting::Up(up), Some(Latch { invocation, step: Step::Grace { until } }))
                if up == invocation =>
            {
                Some(until)
            }
            _ => None,
        }
    }

    /// The state as users see it.
    pub fn state(&self) -> State {
        let invocation = match self.sighting {
            Sighting::Blind => return State::Unknown,
            Sighting::Away(away) => return State::Deferred(away),
            Sighting::Up(invocation) => invocation,
        };
        match (self.latch.filter(|latch| latch.invocation == invocation), self.standing) {
            (Some(Latch { step: Step::Terminating | Step::Grace { .. }, .. }), _) => State::Terminating,
            (Some(Latch { step: Step::Killing | Step::Killed, .. }), _) => State::Killing,
            (None, Standing::Unhealthy) => State::Unhealthy,
            (None, _) if self.failed > 0 => State::Failing(self.failed, self.policy.unhealthy_after),
            (None, Standing::Healthy) => State::Healthy,
            (None, Standing::Nothing) => State::Starting,
        }
    }

    fn is_latched(&self, invocation: InvocationId) -> bool {
        self.latch.is_some_and(|latch| latch.invocation == invocation)
    }

    fn seen(&mut self, sighting: Sighting) {
        if sighting == self.sighting {
            return;
        }
        self.sighting = sighting;
        self.start_over();
        self.standing = Standing::Nothing;
        if let Sighting::Up(invocation) = sighting
            && self.invocation != Some(invocation)
        {
            self.invocation = Some(invocation);
            self.latch = None;
            self.pause = PAUSE.0;
            self.not_before = Moment::ZERO;
        }
    }

    /// Makes every result void that is still under way, and counts from zero.
    fn start_over(&mut self) {
        self.void_tickets();
        self.passed = 0;
        self.failed = 0;
    }

    fn void_tickets(&mut self) {
        self.ticket = Ticket(self.ticket.0.wrapping_add(1));
    }

    fn checked(&mut self, ticket: Ticket, finding: Finding, now: Moment) -> Option<(InvocationId, Act)> {
        let Sighting::Up(invocation) = self.sighting else {
            return None;
        };
        if self.ticket() != Some(ticket) {
            return None;
        }
        match finding {
            Finding::Unknown => None,
            Finding::Passed => {
                self.failed = 0;
                self.passed = self.passed.saturating_add(1);
                if self.passed >= self.policy.healthy_after {
                    self.standing = Standing::Healthy;
                }
                None
            }
            Finding::Failed => {
                self.passed = 0;
                self.failed = self.failed.saturating_add(1);
                if self.failed < self.policy.unhealthy_after {
                    return None;
                }
                self.standing = Standing::Unhealthy;
                if !self.policy.act || now < self.not_before {
                    return None;
                }
                self.latch = Some(Latch { invocation, step: Step::Terminating });
                self.void_tickets();
                Some((invocation, Act::Terminate))
            }
        }
    }

    fn signalled(&mut self, invocation: InvocationId, act: Act, answer: Answer, now: Moment) {
        let Some(latch) = self.latch.filter(|latch| latch.invocation == invocation) else {
            return;
        };
        self.latch = match (latch.step, act, answer) {
            (Step::Terminating, Act::Terminate, Answer::Sent) => {
                self.pause = PAUSE.0;
                Some(Latch { step: Step::Grace { until: now + self.policy.kill_grace }, ..latch })
            }
            (Step::Killing, Act::Kill, Answer::Sent) => Some(Latch { step: Step::Killed, ..latch }),
            (Step::Terminating, Act::Terminate, Answer::Moot | Answer::Refused) => {
                self.not_before = now + self.next_pause();
                None
            }
            (Step::Killing, Act::Kill, Answer::Moot | Answer::Refused) => {
                Some(Latch { step: Step::Grace { until: now + self.next_pause() }, ..latch })
            }
            _ => Some(latch),
        };
    }

    fn next_pause(&mut self) -> Duration {
        let pause = self.pause;
        self.pause = pause.saturating_mul(2).min(PAUSE.1);
        pause
    }

    fn kill_if_due(&mut self, now: Moment) -> Option<(InvocationId, Act)> {
        if self.deadline().is_none_or(|due| now < due) {
            return None;
        }
        let latch = self.latch.as_mut()?;
        latch.step = Step::Killing;
        Some((latch.invocation, Act::Kill))
    }
}
