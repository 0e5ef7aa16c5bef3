//! What a verdict is told, and what it asks for.

use super::Sighting;
use conductor_systemd::InvocationId;

/// What a check found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Finding {
    /// The service is well.
    Passed,
    /// It is not.
    Failed,
    /// It did not answer in time. A failure too, but one that a busy machine explains.
    Slow,
    /// It did not answer in time, and neither were we on time to notice.
    Late,
    /// The check could not be made, and that was not the service's fault.
    Unknown,
}

/// What is to be done to one invocation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Act {
    /// SIGTERM.
    Terminate,
    /// SIGKILL.
    Kill,
    /// Forget its past failures, so that its restart delay is short again (`ResetFailed`).
    Forgive,
}

/// What became of an act that was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// It was done.
    Sent,
    /// There was nothing to do it to, or no longer a reason.
    Moot,
    /// It could not be done, or nobody knows.
    Refused,
}

/// What happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    /// The unit was read, or can no longer be.
    Seen(Sighting),
    /// A check that was begun under this ticket ended.
    Checked(Ticket, Finding),
    /// An act that was asked for was dealt with.
    Done(InvocationId, Act, Answer),
    /// The machine slept, or the process was halted: what was counted before is worth nothing.
    Resumed,
    /// Time went by.
    Tick,
}

/// The right to run a check, void as soon as anything about the unit changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ticket(pub(super) u64);

/// An act, and the one run of a unit that it is meant for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Order {
    /// That run and no other.
    pub invocation: InvocationId,
    /// What to do to it.
    pub act: Act,
}
