//! What is answered to whoever asks over a socket.

use super::counts;
use super::entry::Entry;
use crate::serve::{Answer, Member, Question, Traffic};
use crate::verdict::{Group, State, Verdict};
use serde_json::json;

/// All there is to tell.
#[derive(Clone, Copy)]
pub(super) struct Told<'a> {
    pub(super) service: Option<&'a str>,
    pub(super) slot: Option<&'a str>,
    pub(super) entries: &'a [Entry],
    pub(super) group: &'a Group,
    pub(super) trouble: Option<&'a str>,
}

impl Told<'_> {
    pub(super) fn answer(&self, question: &Question) -> Answer {
        match question {
            // There is one group here, whatever it is called.
            Question::Agent(_) => self.traffic().agent(),
            Question::Http { path, .. } => match path.as_str() {
                "/health" => self.traffic().http(),
                "/agent" => self.traffic().agent(),
                "/metrics" => Answer::metrics(self.metrics()),
                "/status" => Answer::json(self.status()),
                _ => Answer::not_found(),
            },
        }
    }

    fn state(&self, at: usize) -> State {
        self.group.verdict(at).map_or(State::Unknown, Verdict::state)
    }

    fn traffic(&self) -> Traffic {
        let members = self.entries.iter().enumerate();
        Traffic::of(members.map(|(at, entry)| Member { state: self.state(at), serves: entry.serves }))
    }

    fn metrics(&self) -> String {
        let targets = self.entries.iter().enumerate();
        let targets: Vec<_> = targets
            .map(|(at, entry)| counts::Shown {
                unit: entry.unit.as_str(),
                state: self.state(at),
                is_flapping: entry.flaps.is_flapping(),
                counts: &entry.counts,
            })
            .collect();
        let own = [("service", self.service), ("slot", self.slot)];
        let own: Vec<_> = own.into_iter().filter_map(|(name, value)| Some((name, value?))).collect();
        counts::exposition(&targets, &own, self.trouble.is_none())
    }

    fn status(&self) -> String {
        let units: Vec<serde_json::Value> = self
            .entries
            .iter()
            .enumerate()
            .map(|(at, entry)| {
                let state = self.state(at);
                json!({
                    "unit": entry.unit.as_str(),
                    "url": entry.run.url().to_string(),
                    "state": state.word(),
                    "detail": state.to_string(),
                    "serves": entry.serves,
                    "reason": entry.refusal.as_ref().or(entry.reason.as_ref()),
                    "flapping": entry.flaps.is_flapping(),
                    "older_definition": entry.is_older(),
                    "http_status": entry.last.and_then(|last| last.status),
                    "latency_us": entry.last.map(|last| u64::try_from(last.took.as_micros()).unwrap_or(u64::MAX)),
                    "last_success": entry.counts.last_success(),
                })
            })
            .collect();
        let text = json!({
            "service": self.service,
            "slot": self.slot,
            "traffic": self.traffic().word(),
            "trouble": self.trouble,
            "units": units,
        });
        text.to_string() + "\n"
    }
}
