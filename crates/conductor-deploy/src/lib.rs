//! Brings a new release of a service in, and never leaves the machine without a working one.
//!
//! [`Machine`] decides what comes next and knows nothing of files, systemd or containers; [`drive()`] records each
//! action before it is done. The rest of the crate is the world in which that happens.

mod drive;
mod failure;
mod machine;
#[cfg(test)]
mod model_tests;

pub use drive::{World, drive};
pub use failure::{Failure, FailureKind};
pub use machine::{Action, Machine, Outcome, Plan, Step, Undo};
