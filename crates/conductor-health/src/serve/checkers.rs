//! The checkers of a machine, each behind a socket in a directory of its own.

use super::Answer;
use std::path::Path;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::UnixStream;
use tokio::time::Instant;

/// The name of a checker's socket in its directory.
pub(super) const SOCKET: &str = "socket";
/// How long a checker may take. One that is restarted, as by an upgrade, is back within a second.
pub(super) const PATIENCE: Duration = Duration::from_secs(3);
/// The time between attempts to reach one that is being restarted.
pub(super) const PAUSE: Duration = Duration::from_millis(100);
/// The longest answer: some thousand instances.
const LONGEST: u64 = 16 * 1024 * 1024;

/// What is said of a service that nobody checks.
pub(super) fn absent(service: &str) -> String {
    format!("no checker of {service} runs here: the service is stopped, or has no health check")
}

/// A checker, by its directory: the service's name, and after an `@` the slot of its release.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Checker {
    pub(super) service: String,
    pub(super) slot: Option<String>,
    pub(super) directory: String,
}

impl Checker {
    /// All that there are, in the order of their services. The error is why nobody can tell.
    pub(super) fn all(root: &Path) -> Result<Vec<Self>, String> {
        let failed = |error: std::io::Error| format!("{} cannot be read: {error}", root.display());
        let entries = match std::fs::read_dir(root) {
            Ok(entries) => entries.collect::<Result<Vec<_>, _>>().map_err(failed)?,
            // It comes with the first checker.
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Vec::new(),
            Err(error) => return Err(failed(error)),
        };
        let names = entries.into_iter().filter_map(|entry| entry.file_name().into_string().ok());
        let mut checkers: Vec<Self> = names.filter_map(Self::read).collect();
        checkers.sort();
        Ok(checkers)
    }

    fn read(directory: String) -> Option<Self> {
        let (service, slot) = match directory.split_once('@') {
            Some((service, slot)) => (service.to_owned(), Some(slot.to_owned())),
            None => (directory.clone(), None),
        };
        (is_name(&service) && slot.as_deref().is_none_or(is_name)).then_some(Self {
            service,
            slot,
            directory,
        })
    }

    /// Asks it. While its directory is there it is running, or is being restarted.
    pub(super) async fn ask(&self, root: &Path, path: &str) -> Result<Answer, String> {
        let name = &self.directory;
        let directory = root.join(name);
        let deadline = Instant::now() + PATIENCE;
        loop {
            let asked = tokio::time::timeout_at(deadline, exchange(&directory.join(SOCKET), path)).await;
            match asked {
                Ok(Ok(answer)) => return Ok(answer),
                Ok(Err(_)) if !directory.exists() => return Err(absent(&self.service)),
                Ok(Err(_)) if Instant::now() + PAUSE < deadline => tokio::time::sleep(PAUSE).await,
                Ok(Err(said)) => return Err(format!("the checker of {name} does not answer: {said}")),
                Err(_) => return Err(format!("the checker of {name} does not answer in time")),
            }
        }
    }
}

/// Letters, digits, `-`, `_` and `.`, but no path and nothing hidden.
pub(super) fn is_name(name: &str) -> bool {
    let fits = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '-' | '_' | '.');
    !name.is_empty() && !name.starts_with(['.', '_']) && name.len() <= 255 && name.chars().all(fits)
}

async fn exchange(socket: &Path, path: &str) -> Result<Answer, String> {
    let said = |error: std::io::Error| error.to_string();
    let mut stream = UnixStream::connect(socket).await.map_err(said)?;
    stream.write_all(format!("GET {path} HTTP/1.1\r\n\r\n").as_bytes()).await.map_err(said)?;
    let mut text = String::new();
    stream.take(LONGEST).read_to_string(&mut text).await.map_err(said)?;
    let (head, body) = text.split_once("\r\n\r\n").ok_or("it broke off")?;
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).ok_or("it is not HTTP")?;
    Ok(Answer::text(status, body))
}
