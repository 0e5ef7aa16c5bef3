//! nginx: a file for each upstream, proved reloads.

mod candidate;
mod door;
mod host;
mod led;
mod reload;
mod render;
mod runner;
mod said;
mod switch;
mod version;

use std::ffi::OsString;
use std::path::{Path, PathBuf};

pub use runner::Runner;
pub use version::Version;

/// Where Debian's package has things, and ours.
const PROGRAM: &str = "/usr/sbin/nginx";
const DIRECTORY: &str = "/run/conductor/nginx";

/// The nginx of this host.
///
/// Its configuration has to include `*.conf` of our directory in the `http` block. Each upstream is a file there, and
/// the name of an upstream that `proxy_pass` takes; `$NAME_pool` is the variable that leads to a dark release as well.
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
        let made = Self {
            runner,
            program: PROGRAM.into(),
            arguments: Vec::new(),
            directory: PathBuf::new(),
            lock: PathBuf::new(),
        };
        made.directory(Path::new(DIRECTORY))
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
