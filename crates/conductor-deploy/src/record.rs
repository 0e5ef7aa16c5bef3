//! What is written down of deploys: enough to finish one that was interrupted, knowing nothing else.

use std::time::Duration;

use conductor_definition::{Slot, Strategy};
use serde::{Deserialize, Serialize};

use crate::stage::{Stage, StagesRecord};
use crate::{Outcome, Plan, Step};

/// A deploy that has begun.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Record {
    /// Tells it from others.
    pub id: String,
    /// What people call the release.
    pub revision: String,
    /// Its image, pinned.
    pub image: String,
    /// Whether it brings an earlier release back.
    pub rollback: bool,
    /// Whether it is the release that is live, once more.
    #[serde(default)]
    pub restart: bool,
    /// Who asked for it.
    pub by: String,
    /// When it began, in seconds since 1970.
    pub started: u64,
    /// How the release takes over.
    #[serde(with = "words")]
    pub strategy: Strategy,
    /// Whether a command comes before it.
    pub before: bool,
    /// The proxy, if there is one.
    pub proxy: Option<ProxyRecord>,
    /// The new release's place.
    #[serde(with = "words")]
    pub to: Slot,
    /// What is started of it.
    pub new: SideRecord,
    /// The place of the release that was live, if one was.
    #[serde(with = "maybe")]
    pub from: Option<Slot>,
    /// What ran before.
    pub old: SideRecord,
    /// The file that was in the new release's slot.
    pub displaced: Option<String>,
    /// The last step that was begun.
    pub reached: Option<Step>,
    /// For so long connections to a release may go on before it is stopped.
    #[serde(default)]
    pub drain: Option<Duration>,
    /// By which stages it comes in.
    #[serde(default)]
    pub stages: StagesRecord,
    /// The runs (InvocationID) of the new instances that settled last.
    #[serde(default)]
    pub runs: Vec<String>,
    /// The stage in which it waits until somebody says how it goes on; nothing while a command is at it, or if that was
    /// interrupted.
    #[serde(default)]
    pub waits: Option<Stage>,
}

/// The units of a release.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SideRecord {
    /// What stands for it as a whole.
    pub start: String,
    /// What stands for the service as a whole.
    pub service: String,
    /// The containers' units.
    pub instances: Vec<String>,
    /// Where the proxy finds them.
    pub servers: Vec<String>,
    /// Whether it was up when the deploy began.
    pub runs: bool,
}

impl SideRecord {
    /// All units of it, for who stops them.
    pub(crate) fn units(&self) -> Vec<String> {
        let start = Some(&self.start).filter(|unit| !unit.is_empty());
        self.instances.iter().chain(start).cloned().collect()
    }
}

/// A proxy, as the definition names it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProxyRecord {
    /// The upstream.
    pub upstream: String,
    /// The socket of HAProxy; nginx has none.
    pub socket: Option<String>,
}

/// A deploy that has ended.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Entry {
    /// Tells it from others.
    pub id: String,
    /// What people call the release.
    pub revision: String,
    /// Its image, pinned.
    pub image: String,
    /// Whether it brought an earlier release back.
    pub rollback: bool,
    /// Whether it was a restart of what was live.
    #[serde(default)]
    pub restart: bool,
    /// Who asked for it.
    pub by: String,
    /// When it began, in seconds since 1970.
    pub started: u64,
    /// When it ended.
    pub ended: u64,
    /// How.
    pub outcome: Outcome,
    /// What went wrong first.
    pub failure: Option<String>,
}

impl Record {
    /// Which steps it has.
    pub fn plan(&self) -> Plan {
        Plan {
            strategy: self.strategy,
            before: self.before,
            proxy: self.proxy.is_some(),
            stages: self.stages.plan(),
        }
    }

    /// What is left of it in the history.
    pub fn entry(&self, ended: u64, outcome: Outcome, failure: Option<String>) -> Entry {
        let Self { id, revision, image, rollback, restart, by, started, .. } = self.clone();
        Entry { id, revision, image, rollback, restart, by, started, ended, outcome, failure }
    }
}

/// The definition's own words for slots and strategies.
mod words {
    use std::fmt::Display;

    use serde::{Deserialize as _, Deserializer, Serializer, de::Error as _};

    pub(super) trait Word: Sized {
        fn of(text: &str) -> Option<Self>;
    }

    impl Word for super::Slot {
        fn of(text: &str) -> Option<Self> {
            Self::ALL.into_iter().find(|slot| slot.as_str() == text)
        }
    }

    impl Word for super::Strategy {
        fn of(text: &str) -> Option<Self> {
            text.parse().ok()
        }
    }

    pub(super) fn serialize<S: Serializer>(word: &impl Display, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(word)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>, W: Word>(deserializer: D) -> Result<W, D::Error> {
        let text = String::deserialize(deserializer)?;
        W::of(&text).ok_or_else(|| D::Error::custom(format!("`{text}` is not known here")))
    }
}

mod maybe {
    use conductor_definition::Slot;
    use serde::{Deserialize as _, Deserializer, Serialize as _, Serializer};

    use super::words::Word as _;

    #[allow(
        clippy::ref_option,
        clippy::trivially_copy_pass_by_ref,
        reason = "the signature that serde calls"
    )]
    pub(super) fn serialize<S: Serializer>(slot: &Option<Slot>, serializer: S) -> Result<S::Ok, S::Error> {
        slot.map(Slot::as_str).serialize(serializer)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Slot>, D::Error> {
        let text = Option::<String>::deserialize(deserializer)?;
        Ok(text.as_deref().and_then(Slot::of))
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// One that has just begun.
    pub(crate) fn example() -> Record {
        let text = r#"{"id": "1", "revision": "r", "image": "i", "rollback": false, "by": "me", "started": 0,
            "strategy": "blue-green", "before": false, "proxy": null, "to": "green", "from": null,
            "new": {"start": "", "service": "", "instances": [], "servers": [], "runs": false},
            "old": {"start": "", "service": "", "instances": [], "servers": [], "runs": false},
            "displaced": null, "reached": null}"#;
        serde_json::from_str(text).unwrap()
    }
}
