//! Drives a [`Machine`] through a world.

use std::future::Future;

use crate::{Action, Failure, Machine, Outcome, Step};

/// Where deploys happen.
pub trait World {
    /// Takes down that this is about to be done, so that it is known as long as something of it may be there:
    /// [`Action::outlasts_a_boot`]. `reached` is the last step that was begun.
    fn record(&mut self, action: Action, reached: Option<Step>) -> Result<(), Failure>;

    /// Does it. It may have been done before, in part or as a whole. If it is `interruptible` and somebody asks for an
    /// end, it is left half done, as a failure.
    fn perform(&mut self, action: Action, interruptible: bool) -> impl Future<Output = Result<(), Failure>>;

    /// Tells what went wrong, as soon as it has.
    fn failed(&mut self, action: Action, failure: &Failure);
}

/// How it went: the outcome, and what went wrong first.
pub async fn drive(
    mut machine: Machine,
    mut reached: Option<Step>,
    world: &mut impl World,
) -> (Outcome, Option<Failure>) {
    let mut first = None;
    loop {
        let action = match machine.next() {
            Ok(action) => action,
            Err(outcome) => return (outcome, first),
        };
        if let Action::Step(step) = action {
            reached = Some(step);
        }
        let optional = machine.is_committed() || matches!(action, Action::Undo(_));
        let result = match world.record(action, reached) {
            // Without a record a step forward would be one that nobody could take back.
            Err(failure) if !optional => Err(failure),
            _ => world.perform(action, machine.can_be_interrupted()).await,
        };
        if let Err(failure) = &result {
            world.failed(action, failure);
        }
        machine.done(result.is_ok());
        first = first.or(result.err().map(|failure| failure.during(action.word())));
    }
}
