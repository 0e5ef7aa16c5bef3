//! Carries out what the verdict asks for.

use crate::verdict::{Act, Answer};
use conductor_systemd::{InvocationId, KillOutcome, Signal, Systemd};

/// What came of it: for the verdict, and in words where it was not simply done.
#[derive(Debug)]
pub(super) struct Done {
    pub(super) answer: Answer,
    pub(super) said: Option<String>,
}

/// Which signal an act is.
pub(super) fn signal_of(act: Act) -> Signal {
    match act {
        Act::Terminate => Signal::TERM,
        Act::Kill => Signal::KILL,
    }
}

/// Reads the unit once more, in one piece, and signals if nothing has changed about it.
///
/// Signals of the bus may still be under way to us when a verdict is reached: an administrator's
/// `systemctl stop` of this instant shows as a job here and must not be cut short. What is left is the
/// time of one call to systemd, and a signal that arrives within it is SIGTERM first, which a unit that
/// is being stopped gets anyway.
pub(super) async fn send(systemd: Option<Systemd>, invocation: InvocationId, act: Act) -> Done {
    let done = |answer, said: &str| Done { answer, said: Some(said.to_owned()) };
    let Some(systemd) = systemd else {
        return done(Answer::Refused, "systemd cannot be reached");
    };
    match systemd.invocation(&invocation).await {
        Err(error) => return done(Answer::Refused, &error.to_string()),
        Ok(None) => return done(Answer::Moot, "that run is over"),
        Ok(Some(unit)) if !unit.is_steady() => {
            return done(Answer::Moot, "the unit is being stopped or restarted already");
        }
        Ok(Some(_)) => {}
    }
    match systemd.kill_invocation(&invocation, signal_of(act)).await {
        KillOutcome::Sent => Done { answer: Answer::Sent, said: None },
        KillOutcome::GoneInvocation => done(Answer::Moot, "that run is over"),
        KillOutcome::NoProcess => done(Answer::Moot, "it has no main process"),
        KillOutcome::Denied(said) => done(
            Answer::Refused,
            &format!(
                "not allowed ({said}): does a polkit rule permit the verb `kill` to this user, for this unit?"
            ),
        ),
        KillOutcome::Failed(error) => done(Answer::Refused, &error.to_string()),
    }
}
