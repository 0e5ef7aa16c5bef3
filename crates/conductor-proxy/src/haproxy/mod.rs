//! HAProxy: a conversation with a running process.

use std::path::{Path, PathBuf};

/// Where the servers are written down for a restart.
const DIRECTORY: &str = "/run/conductor/haproxy";

/// A running HAProxy, and where it will find its servers after a restart.
#[derive(Clone, Debug)]
pub struct Haproxy {
    socket: PathBuf,
    directory: PathBuf,
}

impl Haproxy {
    /// The one that listens for its runtime API on this socket (`stats socket … level admin`).
    pub fn new(socket: impl Into<PathBuf>) -> Self {
        Self { socket: socket.into(), directory: DIRECTORY.into() }
    }

    /// Another directory for the files from which HAProxy reads its backends when it starts.
    #[must_use]
    pub fn directory(mut self, directory: &Path) -> Self {
        directory.clone_into(&mut self.directory);
        self
    }
}
