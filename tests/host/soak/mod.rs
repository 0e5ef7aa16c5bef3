//! A soak: many services on one machine, faults at random, and a judge of what came of it.
//!
//! What happens when is decided before it begins ([`Plan`], a pure function of a seed), and what it was worth is decided
//! from the machine's journal and its state at the end ([`judge`], pure too). In between, [`Soak::run`] only does what
//! the plan says: it is over as soon as the last fault is and everything is healthy again, and fails if that takes too
//! long. So the number of faults and the time are bounded.

mod fault;
mod fleet;
mod judge;
mod plan;
mod record;
mod run;

pub use fault::{Answer, Fault, Target};
pub use fleet::Fleet;
pub use judge::{Container, Ending, Finding, Rules, judge};
pub use plan::{Plan, Planned};
pub use record::{Event, What, events};
pub use run::{Report, Soak};
