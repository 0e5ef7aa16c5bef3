//! nginx: a file for each upstream, proved reloads.

mod runner;

use std::ffi::OsString;
use std::path::{Path, PathBuf};

pub use runner::Runner;

/// Where Debian's package has things, and ours.
const PROGRAM: &str = "/usr/sbin/nginx";
const DIRECTORY: &str = "/run/conductor/nginx";
const LOCK: &str = "/run/conductor/nginx.lock";

/// The nginx of this host.
#[derive(Clone, Debug)]
pub struct Nginx {
    runner: Runner,
    program: PathBuf,
    arguments: Vec<OsString>,
    directory: PathBuf,
    lock: PathBuf,
}

impl Nginx {
    /// The one of Debian's package, whose configuration includes `/run/conductor/nginx/*.conf`.
    pub fn new(runner: Runner) -> Self {
        Self {
            runner,
            program: PROGRAM.into(),
            arguments: Vec::new(),
            directory: DIRECTORY.into(),
            lock: LOCK.into(),
        }
    }

    /// Another program, and the arguments that it was started with: `-c` with the main file, `-p`, `-g`. What they
    /// say counts when the configuration is checked.
    #[must_use]
    pub fn program(
        mut self,
        program: impl Into<PathBuf>,
        arguments: impl IntoIterator<Item = OsString>,
    ) -> Self {
        self.program = program.into();
        self.arguments = arguments.into_iter().collect();
        self
    }

    /// Another directory for the files of the upstreams. Its name with `.lock` is the lock file beside it.
    #[must_use]
    pub fn directory(mut self, directory: &Path) -> Self {
        directory.clone_into(&mut self.directory);
        self.lock = directory.with_extension("lock");
        self
    }
}
