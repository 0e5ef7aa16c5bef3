//! What is told while a deploy goes on.

use serde::Serialize;

use crate::{Action, Step, Undo};

/// Something that happened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Event {
    /// Milliseconds since the command began.
    pub at: u64,
    /// What it is about: a step, a step back, or `prepare`.
    pub step: &'static str,
    /// How far that is.
    pub state: State,
    /// In words.
    pub text: String,
}

/// How far a step is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum State {
    /// It begins.
    Begins,
    /// There is news.
    Note,
    /// It is done.
    Done,
    /// It has failed.
    Failed,
}

/// Who is told.
pub trait Progress {
    /// Something has happened.
    fn tell(&mut self, event: &Event);

    /// These containers' units are what it is about from now on, for who wants to show how they are.
    fn units(&mut self, units: &[String]) {
        let _ = units;
    }
}

impl Action {
    /// A word for it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Step(step) => step.word(),
            Self::Undo(undo) => undo.word(),
        }
    }
}

impl Step {
    /// A word for it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Freeze => "freeze",
            Self::Load => "load",
            Self::Guard => "guard",
            Self::Before => "before",
            Self::StopOld => "stop-old",
            Self::Trial => "trial",
            Self::StartCanary => "start-canary",
            Self::SettleCanary => "settle-canary",
            Self::Dark => "dark",
            Self::HoldDark => "hold-dark",
            Self::Share => "share",
            Self::BakeCanary => "bake-canary",
            Self::HoldCanary => "hold-canary",
            Self::Start => "start",
            Self::Settle => "settle",
            Self::Switch => "switch",
            Self::Verify => "verify",
            Self::Bake => "bake",
            Self::Commit => "commit",
            Self::Adopt => "adopt",
            Self::Drain => "drain",
            Self::Prune => "prune",
        }
    }
}

impl Undo {
    /// A word for it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Uncommit => "uncommit",
            Self::SwitchBack => "switch-back",
            Self::StopNew => "stop-new",
            Self::EndTrial => "end-trial",
            Self::StartOld => "start-old",
            Self::EndBefore => "end-before",
            Self::Restore => "restore",
        }
    }
}
