//! Signals to one invocation of a unit.

use crate::Error;

/// A signal, restricted to what a health checker, or whoever hands on his own, has reason to send.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Signal(i32, &'static str);

impl Signal {
    /// Asks to end. A container's conmon hands it on to the container.
    pub const TERM: Self = Self(15, "SIGTERM");
    /// Ends without asking.
    pub const KILL: Self = Self(9, "SIGKILL");
    /// The terminal has gone.
    pub const HUP: Self = Self(1, "SIGHUP");
    /// Ctrl-C on the terminal.
    pub const INT: Self = Self(2, "SIGINT");
    /// Ctrl-\\ on the terminal.
    pub const QUIT: Self = Self(3, "SIGQUIT");
    /// The terminal's size has changed.
    pub const WINCH: Self = Self(28, "SIGWINCH");

    /// The number that the kernel knows the signal by.
    pub fn number(self) -> i32 {
        self.0
    }

    /// The name, such as `SIGTERM`.
    pub fn name(self) -> &'static str {
        self.1
    }
}

/// What became of a request to signal an invocation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KillOutcome {
    /// systemd sent the signal.
    Sent,
    /// That run is over: the unit was stopped or runs anew. Nothing was hit.
    GoneInvocation,
    /// The run is current, but has no main process, as while a restart is pending. Nothing was hit.
    NoProcess,
    /// We are not allowed to; the text is systemd's or polkit's.
    Denied(String),
    /// No answer, or one that means something else. Whether the signal was sent is not known.
    Failed(Error),
}

impl KillOutcome {
    /// Reads the answer to `Unit.Kill`. The names are those of systemd's `bus-common-errors.h`.
    pub(crate) fn from_answer(answer: Result<(), Error>) -> Self {
        let Err(error) = answer else {
            return Self::Sent;
        };
        match error.name() {
            _ if error.is_gone() => Self::GoneInvocation,
            Some("org.freedesktop.systemd1.NoSuchProcess") => Self::NoProcess,
            // Without an agent to ask for a password, a missing polkit rule reads as the second of these.
            Some(
                "org.freedesktop.DBus.Error.AccessDenied"
                | "org.freedesktop.DBus.Error.InteractiveAuthorizationRequired"
                | "org.freedesktop.DBus.Error.AuthFailed",
            ) => Self::Denied(error.said().to_owned()),
            _ => Self::Failed(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outcome(name: &str) -> KillOutcome {
        KillOutcome::from_answer(Err(Error::answer("killing", name, "because")))
    }

    #[test]
    fn answers_get_their_meaning_from_the_error_name() {
        assert_eq!(KillOutcome::from_answer(Ok(())), KillOutcome::Sent);
        assert_eq!(outcome("org.freedesktop.systemd1.NoUnitForInvocationID"), KillOutcome::GoneInvocation);
        assert_eq!(outcome("org.freedesktop.systemd1.NoSuchProcess"), KillOutcome::NoProcess);
        assert_eq!(
            outcome("org.freedesktop.DBus.Error.InteractiveAuthorizationRequired"),
            KillOutcome::Denied("because".to_owned())
        );
        let KillOutcome::Failed(error) = outcome("org.freedesktop.DBus.Error.ServiceUnknown") else {
            panic!("an answer without a meaning");
        };
        assert_eq!(error.to_string(), "killing: because");
    }
}
