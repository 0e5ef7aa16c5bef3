//! What is written down of a restart: enough to clean up after it.

use serde::{Deserialize, Serialize};

use super::plan::Turn;
use crate::record::ProxyRecord;
use crate::{Entry, Outcome};

/// A restart that has begun.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct RestartRecord {
    /// Tells it from others.
    pub id: String,
    /// What people call the release.
    pub revision: String,
    /// Its image.
    pub image: String,
    /// Who asked for it.
    pub by: String,
    /// When it began, in seconds since 1970.
    pub started: u64,
    /// The proxy, if instances leave one.
    pub proxy: Option<ProxyRecord>,
    /// The containers' units, in the order in which they are restarted.
    pub instances: Vec<String>,
    /// Where the proxy finds them.
    pub servers: Vec<String>,
    /// The last turn that was begun.
    pub reached: Option<Turn>,
}

impl RestartRecord {
    /// What is left of it in the history.
    pub fn entry(&self, ended: u64, outcome: Outcome, failure: Option<String>) -> Entry {
        let Self { id, revision, image, by, started, .. } = self.clone();
        Entry { id, revision, image, rollback: false, restart: true, by, started, ended, outcome, failure }
    }

    /// The unit that is being restarted, if one is.
    pub fn restarting(&self) -> Option<&str> {
        match self.reached {
            Some(Turn::Restart(number) | Turn::Revive(number)) => {
                self.instances.get(number).map(String::as_str)
            }
            _ => None,
        }
    }
}
