//! What the journal of a soak says, as far as a judge cares.

use std::time::Duration;

use super::plan::Planned;
use crate::Entry;

/// Something that happened to a unit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// When, on the machine's monotonic clock.
    pub at: Duration,
    /// Which unit; empty for a fault of the whole machine.
    pub unit: String,
    /// What.
    pub what: What,
}

/// What happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum What {
    /// We did this to it, for so long.
    Fault(String, Duration),
    /// The checker sent SIGTERM.
    Terminated,
    /// The checker sent SIGKILL.
    Killed,
    /// What ran is over, cleaned up too. The time until the next start counts from here.
    Ended,
    /// systemd restarts it by itself.
    Restart,
    /// It begins to start.
    Starting,
    /// It has started; a container has answered.
    Started,
}

/// Messages of systemd by their ids, which are part of its interface, as its words are not (sd-messages.h).
const IDS: [(&str, What); 5] = [
    // SD_MESSAGE_UNIT_SUCCESS and SD_MESSAGE_UNIT_FAILURE_RESULT
    ("7ad2d189f7e94e70a38c781354912448", What::Ended),
    ("d9b373ed55a64feb8242e02dbe79a49c", What::Ended),
    // SD_MESSAGE_UNIT_RESTART_SCHEDULED
    ("5eb03494b6584870a536b337290809b3", What::Restart),
    // SD_MESSAGE_UNIT_STARTING and SD_MESSAGE_UNIT_STARTED
    ("7d4958e842da4a758f6c1cdc7b36dcc5", What::Starting),
    ("39f53479d3a045ac8e11786248231fbf", What::Started),
];

/// The fields that a fault is noted with.
const FAULT: &str = "SOAK_FAULT";
const UNIT: &str = "SOAK_UNIT";
const SPAN: &str = "SOAK_SPAN_MS";

/// A shell script that notes a fault in the machine's journal, right before it is done: so faults and what came of
/// them are on one clock.
pub(super) fn note(number: usize, planned: &Planned) -> String {
    let fault = planned.fault;
    format!(
        "logger --journald <<'END'\nMESSAGE=fault {number}: {fault}\nSYSLOG_IDENTIFIER=soak\n{FAULT}={}\n{UNIT}={}\n\
         {SPAN}={}\nEND\n",
        fault.word(),
        fault.unit().unwrap_or_default(),
        fault.span().as_millis()
    )
}

/// The entries that matter, in order of time.
pub fn events<'a>(entries: impl IntoIterator<Item = &'a Entry>) -> Vec<Event> {
    let mut events: Vec<Event> = entries.into_iter().filter_map(event).collect();
    events.sort_by_key(|event| event.at);
    events
}

fn event(entry: &Entry) -> Option<Event> {
    let at = entry.sent();
    let fault = entry.get(FAULT);
    if !fault.is_empty() {
        let span = Duration::from_millis(entry.get(SPAN).parse().unwrap_or_default());
        return Some(Event {
            at,
            unit: entry.get(UNIT).to_owned(),
            what: What::Fault(fault.to_owned(), span),
        });
    }
    if entry.get("_PID") == "1" {
        let (_, what) = IDS.iter().find(|(id, _)| *id == entry.get("MESSAGE_ID"))?;
        return Some(Event { at, unit: entry.unit().to_owned(), what: what.clone() });
    }
    if entry.unit().ends_with("-health.service") {
        let (unit, said) = entry.message().split_once(": ")?;
        let what = match said.split_once(" sent to ")?.0 {
            "SIGTERM" => What::Terminated,
            "SIGKILL" => What::Killed,
            _ => return None,
        };
        return Some(Event { at, unit: unit.to_owned(), what });
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(fields: &[(&str, &str)]) -> Entry {
        fields.iter().map(|(field, value)| ((*field).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn entries_that_matter_are_read_in_order() {
        let ended = entry(&[
            ("__MONOTONIC_TIMESTAMP", "5000000"),
            ("_PID", "1"),
            ("MESSAGE_ID", "7ad2d189f7e94e70a38c781354912448"),
            ("UNIT", "soak01@1.service"),
        ]);
        let fault = entry(&[
            ("__MONOTONIC_TIMESTAMP", "4000000"),
            ("SOAK_FAULT", "pause"),
            ("SOAK_UNIT", "soak01@1.service"),
            ("SOAK_SPAN_MS", "1500"),
        ]);
        let sent = entry(&[
            ("__MONOTONIC_TIMESTAMP", "4500000"),
            ("_PID", "7"),
            ("_SYSTEMD_UNIT", "soak01-health.service"),
            ("MESSAGE", "soak01@1.service: SIGTERM sent to invocation 0123"),
        ]);
        let other = entry(&[("__MONOTONIC_TIMESTAMP", "1"), ("_PID", "1"), ("MESSAGE_ID", "0")]);
        let unit = || "soak01@1.service".to_owned();
        assert_eq!(
            events([&ended, &fault, &sent, &other]),
            [
                Event {
                    at: Duration::from_secs(4),
                    unit: unit(),
                    what: What::Fault("pause".to_owned(), Duration::from_millis(1500))
                },
                Event { at: Duration::from_millis(4500), unit: unit(), what: What::Terminated },
                Event { at: Duration::from_secs(5), unit: unit(), what: What::Ended },
            ]
        );
    }
}
