//! What the log says about a change.

use super::act;
use super::entry::Entry;
use crate::log::{Field, Level, Log};
use crate::verdict::{Answer, Order, State};
use conductor_systemd::{InvocationId, Scope};

/// `MESSAGE_ID=` of entries about a change of state, and of those about a signal.
const TRANSITION: &str = "c181bafbf54a4885b6a01551f6d7c359";
const SIGNAL: &str = "a0d3ff42db2342c888df076fae917bd4";

/// What an entry is about, as fields of the journal. What is not known is left out.
pub(super) struct About<'a> {
    message_id: &'static str,
    unit: &'a str,
    invocation: Option<InvocationId>,
    target: String,
    reason: Option<&'a str>,
    status: Option<u16>,
    latency_usec: Option<u128>,
    states: Option<(State, State)>,
    signal: Option<&'static str>,
}

impl<'a> About<'a> {
    pub(super) fn transition(entry: &'a Entry, from: State, to: State) -> Self {
        Self { states: Some((from, to)), ..Self::of(entry, TRANSITION, entry.invocation) }
    }

    /// Without the name of the signal it is about forgiveness.
    pub(super) fn signal(entry: &'a Entry, invocation: InvocationId, signal: Option<&'static str>) -> Self {
        Self { signal, ..Self::of(entry, SIGNAL, Some(invocation)) }
    }

    fn of(entry: &'a Entry, message_id: &'static str, invocation: Option<InvocationId>) -> Self {
        Self {
            message_id,
            unit: entry.unit.as_str(),
            invocation,
            target: entry.run.url().to_string(),
            reason: entry.reason.as_deref(),
            status: entry.last.and_then(|last| last.status),
            latency_usec: entry.last.map(|last| last.took.as_micros()),
            states: None,
            signal: None,
        }
    }

    /// Writes the entry. UNIT= and INVOCATION_ID= are what systemd itself calls them, and for users' units with
    /// the prefix that it gives those (systemd.journal-fields(7)).
    pub(super) fn log(&self, log: &Log, scope: Scope, level: Level, text: &str) {
        let Self { message_id, unit, invocation, target, reason, status, latency_usec, states, signal } =
            self;
        let (unit_field, invocation_field) = match scope {
            Scope::System => ("UNIT", "INVOCATION_ID"),
            Scope::User => ("USER_UNIT", "USER_INVOCATION_ID"),
        };
        let invocation = invocation.map(|invocation| invocation.to_string());
        let status = status.map(|status| status.to_string());
        let latency = latency_usec.map(|latency| latency.to_string());
        let hold = states.and_then(|(_, to)| match to {
            State::Held(hold) => Some(hold.word()),
            _ => None,
        });
        let fields: Vec<Field<'_>> = [
            ("MESSAGE_ID", Some(*message_id)),
            (unit_field, Some(*unit)),
            (invocation_field, invocation.as_deref()),
            ("TARGET", Some(target.as_str())),
            ("STATE_FROM", states.map(|(from, _)| from.word())),
            ("STATE_TO", states.map(|(_, to)| to.word())),
            ("HOLD", hold),
            ("SIGNAL", *signal),
            ("REASON", *reason),
            ("HTTP_STATUS", status.as_deref()),
            ("LATENCY_USEC", latency.as_deref()),
        ]
        .into_iter()
        .filter_map(|(name, value)| Some((name, value?)))
        .collect();
        log.entry(level, format_args!("{unit}: {text}"), &fields);
    }
}

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
