//! Carries out what the verdict asks for.

use crate::verdict::{Act, Answer, Order};
use conductor_systemd::{Error, InvocationId, KillOutcome, Signal, Systemd};

/// What came of it: for the verdict, and in words where it was not simply done.
#[derive(Debug)]
pub(super) struct Done {
    pub(super) answer: Answer,
    pub(super) said: Option<String>,
}

impl Done {
    fn sent() -> Self {
        Self { answer: Answer::Sent, said: None }
    }

    fn moot(said: &str) -> Self {
        Self { answer: Answer::Moot, said: Some(said.to_owned()) }
    }

    fn refused(said: &impl ToString) -> Self {
        Self { answer: Answer::Refused, said: Some(said.to_string()) }
    }
}

/// Which signal an act is, if it is one.
pub(super) fn signal_of(act: Act) -> Option<Signal> {
    match act {
        Act::Terminate => Some(Signal::TERM),
        Act::Kill => Some(Signal::KILL),
        Act::Forgive => None,
    }
}

/// Does it, if nothing about the unit has changed.
pub(super) async fn act(systemd: Option<Systemd>, order: Order) -> Done {
    let Some(systemd) = systemd else {
        return Done::refused(&"systemd cannot be reached");
    };
    let Order { invocation, act } = order;
    match signal_of(act) {
        Some(signal) => send(&systemd, invocation, signal).await,
        None => forgive(&systemd, invocation).await,
    }
}

/// Reads the unit once more, in one piece, and signals if nothing has changed about it.
///
/// Signals of the bus may still be under way to us when a verdict is reached: an administrator's
/// `systemctl stop` of this instant shows as a job here and must not be cut short. What is left is the
/// time of one call to systemd, and a signal that arrives within it is SIGTERM first, which a unit that
/// is being stopped gets anyway.
async fn send(systemd: &Systemd, invocation: InvocationId, signal: Signal) -> Done {
    match systemd.invocation(&invocation).await {
        Err(error) => return Done::refused(&error),
        Ok(None) => return Done::moot("that run is over"),
        Ok(Some(unit)) if !unit.is_steady() => {
            return Done::moot("the unit is being stopped or restarted already");
        }
        Ok(Some(_)) => {}
    }
    match systemd.kill_invocation(&invocation, signal).await {
        KillOutcome::Sent => Done::sent(),
        KillOutcome::GoneInvocation => Done::moot("that run is over"),
        KillOutcome::NoProcess => Done::moot("it has no main process"),
        KillOutcome::Denied(said) => Done::refused(&format!(
            "not allowed ({said}): does a polkit rule permit the verb `kill` to this user, for this unit?"
        )),
        KillOutcome::Failed(error) => Done::refused(&error),
    }
}

/// Has systemd forget how often it restarted the unit, if it remembers any.
///
/// It never does by itself (src/core/service.c, `n_restarts`): a service that failed five times in a year would
/// wait its longest delay from then on.
async fn forgive(systemd: &Systemd, invocation: InvocationId) -> Done {
    let gone = |error: Error| {
        if error.is_gone() { Done::moot("that run is over") } else { Done::refused(&error) }
    };
    match systemd.restarts(&invocation).await {
        Ok(0) => return Done::moot("it was never restarted"),
        Ok(_) => {}
        Err(error) => return gone(error),
    }
    systemd.reset_failed(&invocation).await.map_or_else(gone, |()| Done::sent())
}
