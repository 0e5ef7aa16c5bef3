//! HAProxy: a conversation with a running process.

mod host;
mod plan;
mod runtime;
mod state;
mod switch;

use std::path::{Path, PathBuf};

/// Where the backends are written down for a restart.
const DIRECTORY: &str = "/run/conductor/haproxy";

/// A running HAProxy, and where it finds its servers after a restart.
///
/// Traffic moves over the runtime API, without a reload. What is told there is lost with the process; so each
/// upstream is a file too, with a whole `backend` section that has the same servers under the same names, as HAProxy's
/// management guide asks for. HAProxy has to be started with `-f` for the main file and then `-f` for our directory:
/// `EXTRAOPTS=` in Debian's `/etc/default/haproxy`. Its state file would not do: it restores the state of servers that
/// the configuration has, and has no others.
///
/// The backend takes everything else, such as mode and timeouts, from the last `defaults` section of the main file.
/// Its `balance` has to be one that takes servers at run time: `roundrobin`, which is the default, `leastconn`,
/// `random`. A second backend, `NAME_dark`, is for the dark release, and empty otherwise.
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
