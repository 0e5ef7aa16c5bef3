//! What the shell knows of one target, besides what the state machine does.

use super::counts::Counts;
use super::flaps::Flaps;
use crate::opened::{self, Opened};
use crate::probe::{Prober, Target};
use crate::verdict::{State, Ticket};
use conductor_systemd::{InvocationId, UnitName};
use std::time::Duration;
use tokio::task::AbortHandle;
use tokio::time::Instant;

/// What a check came to.
#[derive(Clone, Copy, Debug)]
pub(super) struct Last {
    pub(super) status: Option<u16>,
    pub(super) took: Duration,
}

pub(super) struct Entry {
    pub(super) unit: UnitName,
    pub(super) target: Target,
    /// The run that was seen last, and what that run is asked: see [`opened`].
    pub(super) invocation: Option<InvocationId>,
    pub(super) run: Target,
    /// Whether that run was let through by a check like ours. If not, nobody knows whether a failure of ours
    /// is one of it.
    pub(super) is_alike: bool,
    /// Asks that run; on its way while a check is.
    pub(super) prober: Option<Prober>,
    /// The check that is under way, and what it was begun under.
    pub(super) check: Option<(Ticket, AbortHandle)>,
    /// When the last check of this run began.
    pub(super) asked: Option<Instant>,
    /// What the last failed check saw.
    pub(super) reason: Option<String>,
    /// What kept us from acting on it.
    pub(super) refusal: Option<String>,
    /// Whether the last check could not tell.
    pub(super) inconclusive: bool,
    pub(super) flaps: Flaps,
    pub(super) counts: Counts,
    /// What the last check of this run came to.
    pub(super) last: Option<Last>,
    /// Whether it serves, or did when its state was last known.
    pub(super) serves: bool,
    /// Its entry in the timers.
    pub(super) timer: Option<Instant>,
}

impl Entry {
    pub(super) fn new(unit: UnitName, target: Target) -> Self {
        Self {
            unit,
            invocation: None,
            run: target.clone(),
            target,
            is_alike: true,
            prober: None,
            check: None,
            asked: None,
            reason: None,
            refusal: None,
            inconclusive: false,
            flaps: Flaps::default(),
            counts: Counts::default(),
            last: None,
            serves: false,
            timer: None,
        }
    }

    /// Whether what runs was started from another definition than we were.
    pub(super) fn is_older(&self) -> bool {
        self.run != self.target || !self.is_alike
    }

    /// Decides where a run is asked that was not seen before: where its own start waited for it, or
    /// else where the command line says. False if it was seen before.
    pub(super) fn meet(&mut self, invocation: InvocationId, status: Option<&str>) -> bool {
        if self.invocation == Some(invocation) {
            return false;
        }
        self.invocation = Some(invocation);
        self.asked = None;
        self.last = None;
        // A connection of the run before would tell nothing about this one.
        self.prober = None;
        (self.run, self.is_alike) = match status.and_then(opened::read) {
            None => (self.target.clone(), true),
            Some(Opened { url, check }) => {
                (self.target.moved(url), check == self.target.options().fingerprint())
            }
        };
        true
    }

    /// Whether a check is under way.
    pub(super) fn is_asking(&self) -> bool {
        self.check.as_ref().is_some_and(|(_, task)| !task.is_finished())
    }

    /// A handle keeps all the memory that a task had, which is more than all else that is known of a target.
    pub(super) fn forget_ended_check(&mut self) {
        if !self.is_asking() {
            self.check = None;
        }
    }

    /// Ends a check whose result is not wanted any more.
    pub(super) fn give_up_check_unless(&mut self, ticket: Option<Ticket>) {
        if let Some((begun_under, task)) = &self.check
            && ticket != Some(*begun_under)
        {
            task.abort();
            self.check = None;
        }
    }

    /// Keeps what was seen for as long as it explains the state.
    pub(super) fn explain(&mut self, state: State, reason: Option<String>) {
        match state {
            State::Starting
            | State::Failing(..)
            | State::Unhealthy
            | State::Held(_)
            | State::Terminating
            | State::Killing => self.reason = reason.or_else(|| self.reason.take()),
            State::Unknown | State::Deferred(_) | State::Healthy => {
                self.reason = None;
                self.refusal = None;
            }
        }
    }
}
