//! Why a deploy did not get on, and whose matter it is.

use std::fmt;

/// Why a step failed. Its text says what happened and what to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// Whose matter it is.
    pub kind: FailureKind,
    /// The whole story, for people.
    pub text: String,
    /// In which step of a deploy, by its word; `None` before the first.
    pub step: Option<&'static str>,
}

/// Whose matter a failure is: for exit statuses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FailureKind {
    /// The new release does not work.
    Gate,
    /// The definition, the image or the proxy's configuration is wrong.
    Configuration,
    /// Somebody else is at it.
    Locked,
    /// Somebody asked for an end.
    Interrupted,
    /// The machine: files, systemd, an engine.
    System,
}

impl Failure {
    /// A failure of this kind.
    pub fn new(kind: FailureKind, text: impl Into<String>) -> Self {
        Self { kind, text: text.into(), step: None }
    }

    /// The same, in a step.
    #[must_use]
    pub(crate) fn during(self, step: &'static str) -> Self {
        Self { step: self.step.or(Some(step)), ..self }
    }

    pub(crate) fn gate(text: impl Into<String>) -> Self {
        Self::new(FailureKind::Gate, text)
    }

    pub(crate) fn configuration(text: impl Into<String>) -> Self {
        Self::new(FailureKind::Configuration, text)
    }

    pub(crate) fn system(doing: impl fmt::Display, error: impl fmt::Display) -> Self {
        Self::new(FailureKind::System, format!("{doing}: {error}"))
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl std::error::Error for Failure {}

impl From<conductor_systemd::Error> for Failure {
    fn from(error: conductor_systemd::Error) -> Self {
        Self::new(FailureKind::System, error.to_string())
    }
}

impl From<conductor_proxy::Error> for Failure {
    fn from(error: conductor_proxy::Error) -> Self {
        let kind = match error.kind() {
            conductor_proxy::Kind::Configuration | conductor_proxy::Kind::Unreachable => {
                FailureKind::Configuration
            }
            conductor_proxy::Kind::Locked => FailureKind::Locked,
            conductor_proxy::Kind::Refused | conductor_proxy::Kind::System => FailureKind::System,
        };
        Self::new(kind, error.to_string())
    }
}
