//! When a service has failed its checks for good, and what is done about it.
//!
//! Pure state machines: no input or output, no clock. They are told what happened and when, and answer
//! whether a signal is to be sent now. A [`Verdict`] is one target's; everything it knows belongs to one
//! *invocation* of the unit, and another invocation starts from nothing. A [`Group`] is all targets of one
//! watcher, and decides how many of them may be ended at once.
//!
//! # One target
//!
//! | state | event | next state | act |
//! |---|---|---|---|
//! | any | bus lost | unknown | |
//! | any | unit not steadily running | deferred | |
//! | unknown, deferred | unit runs, same invocation | starting, or terminating/killing where it was | |
//! | any | unit runs, other invocation | starting | |
//! | starting | `healthy-after` passes in a row | healthy | |
//! | starting | failure, within `start-within` of a run that was never seen healthy | the same | |
//! | starting, healthy | failure | failing (1) | |
//! | failing (n) | failure | failing (n+1) | |
//! | failing (n) | pass | where it came from | |
//! | failing, unhealthy, held | the `unhealthy-after`th failure in a row or a later one | see below | |
//! | … | with `on-unhealthy=none`, or in the pause after a refusal | unhealthy | |
//! | … | the group cannot spare it | held | |
//! | … | otherwise | terminating | SIGTERM |
//! | unhealthy, held | `healthy-after` passes in a row | healthy | |
//! | terminating | signal refused, or moot | unhealthy, with a pause that doubles | |
//! | terminating | `kill-grace` after SIGTERM was sent | killing | SIGKILL |
//! | killing | signal refused, or moot | terminating, with a pause that doubles | |
//! | healthy, failing | healthy or failing for `stable-for`, once per invocation | the same | ResetFailed |
//! | failing | suspend, or the checker was halted | starting | |
//! | any other | suspend, or the checker was halted | the same, counters at zero, times from their start | |
//! | any | late result, for up to `max-hold` in a row | the same | |
//! | any | late result, after that | as after a failure | |
//! | any | unknown result, or one that was begun before a change | the same | |
//!
//! What holds in every state, whatever happens (the tests enumerate it): a signal is asked for only
//! while the unit was last seen running with nothing pending; SIGTERM only after `unhealthy-after`
//! failures that were begun and ended in this invocation and undisturbed; each signal is sent at most
//! once per invocation; SIGKILL only `kill-grace` after a SIGTERM that was really sent.
//!
//! A watcher that starts anew knows nothing of what the one before it has done: it comes to a verdict of
//! its own, and then an invocation that outlived a SIGTERM gets another one before SIGKILL.
//!
//! # Several targets
//!
//! SIGTERM to one is held while, of the others,
//!
//! | hold | while | ends |
//! |---|---|---|
//! | together | none is healthy, and one is being restarted or failed to come back | when any is healthy |
//! | budget | `max-unavailable` are being restarted or started | when enough are healthy, unhealthy again, stopped, or overdue |
//! | rate | there were too many lately | with time |
//! | pressure | (this one does not answer in time) the machine is under pressure | with that, or after `max-hold` |
//!
//! So if all fail together, one is restarted: if that helps it is healthy, and the next one's turn comes;
//! if not, the others are left running for the day when what they share works again. A service of one
//! instance has no others, and is restarted.
//!
//! A hold is nothing that waits in a queue: each further failed check asks again.

mod event;
#[cfg(test)]
mod exhaustive;
mod group;
#[cfg(test)]
mod group_tests;
mod machine;
mod rate;
mod sighting;
mod state;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod world;

pub use event::{Act, Answer, Event, Finding, Order, Ticket};
pub use group::{Group, Limits, Pressure};
pub use machine::{Policy, Verdict};
pub use sighting::{Away, Sighting};
pub use state::{Hold, State};

use std::time::Duration;

/// Time since any fixed point; the caller's clock must not go backwards.
pub type Moment = Duration;
