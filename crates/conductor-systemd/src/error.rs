//! What can go wrong on the way to systemd and back.

use std::fmt;
use std::io;
use zbus::DBusError as _;

/// A call that did not get a useful answer.
///
/// Where an answer has a meaning of its own (no such invocation, no such process), the call returns
/// it as a value; what is left here is for a log line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Error {
    doing: String,
    said: String,
    kind: Kind,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Kind {
    /// systemd or the bus answered with an error of this D-Bus name.
    Answer(String),
    /// Everything else; the connection may be gone.
    Transport,
}

impl Error {
    pub(crate) fn new(doing: impl Into<String>, error: &zbus::Error) -> Self {
        let (kind, said) = match error {
            zbus::Error::MethodError(name, description, _) => {
                (Kind::Answer(name.to_string()), description.clone().unwrap_or_else(|| name.to_string()))
            }
            zbus::Error::FDO(error) => match &**error {
                zbus::fdo::Error::ZBus(error) => (Kind::Transport, error.to_string()),
                error => {
                    let name = error.name().to_string();
                    (
                        Kind::Answer(name.clone()),
                        error.description().filter(|said| !said.is_empty()).map_or(name, ToOwned::to_owned),
                    )
                }
            },
            zbus::Error::InputOutput(error) if error.kind() == io::ErrorKind::TimedOut => {
                (Kind::Transport, format!("no answer within {}s", crate::METHOD_TIMEOUT.as_secs()))
            }
            zbus::Error::InputOutput(error) | zbus::Error::Connection(error, _) => {
                (Kind::Transport, error.to_string())
            }
            other => (Kind::Transport, other.to_string()),
        };
        Self { doing: doing.into(), said, kind }
    }

    pub(crate) fn transport(doing: impl Into<String>, said: impl Into<String>) -> Self {
        Self { doing: doing.into(), said: said.into(), kind: Kind::Transport }
    }

    #[cfg(test)]
    pub(crate) fn answer(doing: &str, name: &str, said: &str) -> Self {
        Self { doing: doing.to_owned(), said: said.to_owned(), kind: Kind::Answer(name.to_owned()) }
    }

    /// The D-Bus name of the error, where systemd or the bus answered with one.
    pub fn name(&self) -> Option<&str> {
        match &self.kind {
            Kind::Answer(name) => Some(name),
            Kind::Transport => None,
        }
    }

    /// Whether systemd answered that the run of a unit that was asked about is over.
    pub fn is_gone(&self) -> bool {
        matches!(
            self.name(),
            Some(
                "org.freedesktop.systemd1.NoUnitForInvocationID" | "org.freedesktop.DBus.Error.UnknownObject"
            )
        )
    }

    /// What the other side said, without what we were doing.
    pub fn said(&self) -> &str {
        &self.said
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.doing, self.said)
    }
}

impl std::error::Error for Error {}
