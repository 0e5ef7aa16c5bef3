//! A small typed client for systemd's D-Bus interface.
//!
//! It knows the few calls that a health checker and a deployer need, and answers in types that make
//! wrong calls hard to write:
//!
//! - [`UnitName`] and [`InvocationId`] are validated values that turn into object paths.
//! - [`Systemd`] is one connection: read a unit in one piece, signal one *invocation* of it.
//! - [`Watch`] follows units for as long as the process lives, over daemon-reload, daemon-reexec and
//!   a restart of the bus, and says honestly when it does not know.
//!
//! Every call has a deadline ([`METHOD_TIMEOUT`]): zbus has none by default, and a reply that a bus
//! policy swallowed would otherwise be waited for until the end of days.

mod client;
mod error;
mod invocation;
mod job;
mod journal;
mod kill;
mod name;
mod path;
mod proxy;
mod signals;
mod status;
mod transient;
mod view;
mod watch;

pub use client::{METHOD_TIMEOUT, Scope, Systemd};
pub use error::Error;
pub use invocation::InvocationId;
pub use job::{Asked, Job, JobEnd};
pub use journal::put_field;
pub use kill::{KillOutcome, Signal};
pub use name::{InvalidUnitName, UnitName};
pub use status::UnitStatus;
pub use transient::{End, TransientRun, TransientUnit};
pub use view::{ActiveState, Definition, FreezerState, LoadState, UnitView};
pub use watch::{Observed, Seen, Watch};
