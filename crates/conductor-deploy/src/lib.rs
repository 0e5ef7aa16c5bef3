//! Brings a new release of a service in, and never leaves the machine without a working one.
//!
//! [`Machine`] decides what comes next and knows nothing of files, systemd or containers; [`drive()`] records each
//! action before it is done. The rest of the crate is the world in which that happens. [`deploy`] is all of it together.

mod abort;
mod adopt;
mod bake;
mod before;
mod deploy;
mod drive;
mod dry;
mod failure;
mod guard;
mod held;
mod host;
mod image;
mod journal;
mod logs;
mod machine;
#[cfg(test)]
mod model_tests;
mod prepare;
mod progress;
mod promote;
mod proxied;
mod prune;
mod record;
mod restart;
mod settle;
mod stage;
#[cfg(test)]
mod stage_tests;
mod stages;
mod store;
mod verify;
mod vigil;
mod waits;
mod why;

pub use abort::{Aborted, abort};
pub use before::transient_unit;
pub use deploy::{Request, Rollback, deploy};
pub use drive::{World, drive};
pub use dry::{Ahead, Fetched, look_ahead};
pub use failure::{Failure, FailureKind};
pub use guard::guard;
pub use held::GUARD;
pub use machine::{Action, Machine, Outcome, Plan, Step, Undo};
pub use progress::{Event, Progress, State};
pub use promote::promote;
pub use record::{Entry, ProxyRecord, Record, SideRecord};
pub use restart::{RestartRecord, Rolling, Turn, restart};
pub use stage::{Asked, CanaryRecord, DoorRecord, Stage, Stages, StagesRecord};
pub use store::{Lock, Store};
pub use waits::Waits;
