//! What can go wrong, and what to do about it.

use std::fmt;

/// Why traffic did not move. Its text is the whole story for a person: what happened, what is in effect now, what to
/// do next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Error {
    kind: Kind,
    text: String,
    restored: bool,
}

/// Whose matter it is: for exit codes, and for whether to try again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// The proxy does not take the configuration, ours or another one's.
    Configuration,
    /// The proxy is not there, or not where the definition says.
    Unreachable,
    /// The proxy took the request and did not follow.
    Refused,
    /// Somebody else holds the lock.
    Locked,
    /// Files, processes or the bus: nothing that the configuration says.
    System,
}

impl Error {
    pub(crate) fn new(kind: Kind, text: impl Into<String>) -> Self {
        Self { kind, text: text.into(), restored: true }
    }

    /// Something of the machine failed while we were doing something.
    pub(crate) fn system(doing: impl fmt::Display, error: impl fmt::Display) -> Self {
        Self::new(Kind::System, format!("{doing}: {error}"))
    }

    /// Adds a sentence.
    #[must_use]
    pub(crate) fn and(mut self, sentence: impl fmt::Display) -> Self {
        self.text = format!("{}. {sentence}", self.text.trim_end_matches('.'));
        self
    }

    #[must_use]
    pub(crate) fn not_restored(mut self) -> Self {
        self.restored = false;
        self
    }

    /// Whose matter it is.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// Whether what was before is certainly in effect. If not, keep both releases running.
    pub fn is_restored(&self) -> bool {
        self.restored
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl std::error::Error for Error {}
