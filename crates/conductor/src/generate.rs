//! `conductor generate`

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use conductor_definition::Site;
use conductor_generator::{Log, Outcome, Priority, preview, write_tree};
use conductor_units::Tree;

use crate::load::load;
use crate::report::show;
use crate::terminal::{FAILURE, print, say};
use crate::whose::Whose;

/// Show the systemd units that definitions become.
///
/// Without files this is exactly what the generator would write at the next daemon-reload, with last
/// good units and stubs in place of broken definitions. With files it is the units of those files; one in a
/// directory called `networks` or `volumes` defines a network or a volume.
///
/// Exit status: 0 all converted, 1 some did not (the others are shown), 2 wrong usage.
#[derive(Debug, clap::Args)]
pub(crate) struct Generate {
    /// Definitions to convert, each called NAME.toml.
    #[arg(value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Use the machine, or the image of one, below this directory.
    #[arg(long, value_name = "DIR", env = "CONDUCTOR_ROOT", default_value = "/")]
    root: PathBuf,
    /// Write the units below this directory instead of printing them.
    #[arg(long, short, value_name = "DIR")]
    output: Option<PathBuf>,
}

impl Generate {
    pub(crate) fn run(&self, whose: Whose) -> ExitCode {
        let site = match whose.site(&self.root) {
            Ok(site) => site,
            Err(error) => {
                say(&format!("error: {error}"));
                return ExitCode::from(FAILURE);
            }
        };
        let (tree, complete) = if self.files.is_empty() {
            let (tree, outcome) = preview(&site, &mut Messages);
            (tree, outcome == Outcome::Complete)
        } else {
            self.files(&site)
        };
        let written = match &self.output {
            Some(directory) => write(directory, &tree),
            None => print(&tree.to_string()),
        };
        if complete { written } else { ExitCode::from(FAILURE) }
    }

    fn files(&self, site: &Site) -> (Tree, bool) {
        let loaded = load(site, &self.files);
        let count = show(loaded.findings());
        let mut all = Tree::default();
        for tree in loaded.definitions.iter().filter_map(|definition| definition.tree.as_ref()) {
            // Converted together, so that nothing can clash.
            drop(all.merge(tree));
        }
        (all, count.errors == 0)
    }
}

fn write(directory: &Path, tree: &Tree) -> ExitCode {
    match write_tree(directory, tree) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            say(&format!("error: {error}"));
            ExitCode::from(FAILURE)
        }
    }
}

/// What the generator would log.
#[derive(Debug)]
pub(crate) struct Messages;

impl Log for Messages {
    fn log(&mut self, priority: Priority, message: &str) {
        let level = match priority {
            Priority::Error => "error",
            Priority::Warning => "warning",
            Priority::Info => "note",
        };
        say(&format!("{level}: {message}"));
    }
}
