//! What the log says about a change.

use super::act;
use crate::log::Level;
use crate::verdict::{Answer, Order, State};

/// What is said once when a target begins to come and go all the time.
pub(super) const FLAPS: &str =
    "flapping between healthy and failing: further changes are only counted until it has calmed down";

/// What became of an act; nothing where it was as well not to be done.
pub(super) fn done(order: Order, answer: Answer, said: &str) -> Option<(Level, String)> {
    let Order { invocation, act } = order;
    let Some(signal) = act::signal_of(act) else {
        return match answer {
            Answer::Sent => Some((
                Level::Info,
                format!(
                    "stable: its past restarts are forgiven, so that its restart delay is short again (invocation {invocation})"
                ),
            )),
            Answer::Moot => None,
            Answer::Refused => {
                Some((Level::Warning, format!("its past restarts could not be forgiven: {said}")))
            }
        };
    };
    let name = signal.name();
    Some(match answer {
        Answer::Sent => (Level::Warning, format!("{name} sent to invocation {invocation}")),
        Answer::Moot => (Level::Info, format!("{name} not sent: {said}")),
        Answer::Refused => {
            (Level::Error, format!("{name} could not be sent and will be tried again: {said}"))
        }
    })
}

/// Level and words; nothing where they would only be noise. While a target flaps, it is one that comes and goes
/// between healthy and failing, and only what is more than that is told.
pub(super) fn transition(
    before: State,
    after: State,
    reason: Option<&str>,
    is_flapping: bool,
) -> Option<(Level, String)> {
    let comes_and_goes = |state| matches!(state, State::Healthy | State::Failing(..));
    if before.is_same_kind(after) || (is_flapping && comes_and_goes(before) && comes_and_goes(after)) {
        return None;
    }
    let before = match (before, after) {
        // A signal that was refused, and its next attempt: the refusal itself is logged, once for each.
        (State::Unhealthy, State::Terminating)
        | (State::Terminating | State::Killing, State::Unhealthy | State::Terminating) => {
            return None;
        }
        // The failure that makes the verdict is the last one of so many.
        (State::Failing(_, of), State::Unhealthy | State::Held(_) | State::Terminating) => {
            State::Failing(of, of)
        }
        (before, _) => before,
    };
    let level = match after {
        // The bus is away: said once, for all targets.
        State::Unknown => return None,
        State::Deferred(_) | State::Starting | State::Healthy => Level::Info,
        State::Failing(..) => Level::Warning,
        State::Unhealthy | State::Held(_) | State::Terminating | State::Killing => Level::Error,
    };
    let mut text = format!("{before} -> {after}");
    if let State::Deferred(_) = after {
        text.push_str(", checks deferred");
    }
    if let Some(reason) = reason {
        text.push_str(": ");
        text.push_str(reason);
    }
    Some((level, text))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::verdict::{Away, Hold};

    #[test]
    fn only_changes_of_kind_are_logged() {
        let said = |before, after, reason| transition(before, after, reason, false).map(|(_, text)| text);
        assert_eq!(
            said(State::Healthy, State::Failing(1, 3), Some("answered 503 Service Unavailable")).unwrap(),
            "healthy -> failing (1 of 3): answered 503 Service Unavailable"
        );
        assert_eq!(said(State::Failing(1, 3), State::Failing(2, 3), Some("again")), None);
        assert_eq!(said(State::Deferred(Away::Stopping), State::Deferred(Away::Restarting), None), None);
        assert_eq!(said(State::Healthy, State::Unknown, None), None);
        assert_eq!(
            said(State::Failing(2, 3), State::Terminating, Some("connection refused")).unwrap(),
            "failing (3 of 3) -> terminating: connection refused"
        );
        assert_eq!(said(State::Unhealthy, State::Terminating, Some("again")), None);
        assert_eq!(
            said(State::Terminating, State::Deferred(Away::Stopping), None).unwrap(),
            "terminating -> stopping, checks deferred"
        );
    }

    #[test]
    fn a_hold_is_told_with_its_reason_and_once() {
        let said = |before, after| transition(before, after, Some("refused"), false).map(|(_, text)| text);
        let together = State::Held(Hold::Together);
        assert_eq!(
            said(State::Failing(2, 3), together).unwrap(),
            "failing (3 of 3) -> unhealthy and held, because no other instance is healthy and one is being \
             restarted to see whether that helps: refused"
        );
        assert_eq!(said(together, together), None);
        let budget = State::Held(Hold::Budget);
        assert!(said(together, budget).unwrap().contains("because others are being restarted"));
    }

    #[test]
    fn coming_and_going_is_not_told_while_it_flaps() {
        let said = |before, after| transition(before, after, None, true).map(|(_, text)| text);
        assert_eq!(said(State::Healthy, State::Failing(1, 3)), None);
        assert_eq!(said(State::Failing(2, 3), State::Healthy), None);
        assert_eq!(
            said(State::Failing(2, 3), State::Terminating).unwrap(),
            "failing (3 of 3) -> terminating"
        );
        assert_eq!(
            said(State::Healthy, State::Deferred(Away::Stopping)).unwrap(),
            "healthy -> stopping, checks deferred"
        );
    }
}
