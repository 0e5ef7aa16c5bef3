//! `conductor check`

use std::path::PathBuf;
use std::process::ExitCode;

use crate::load::load;
use crate::report::{Count, show};
use crate::terminal::{FAILURE, say};

/// Check definitions and show everything that is wrong with them.
///
/// Without files, all definitions on the machine are checked. Files are checked together with the
/// definitions that are installed, so that clashes of names and ports show before they are copied there.
///
/// Exit status: 0 no errors, 1 errors, 2 wrong usage.
#[derive(Debug, clap::Args)]
pub(crate) struct Check {
    /// Definitions to check, each called NAME.toml.
    files: Vec<PathBuf>,
    /// Use the machine, or the image of one, below this directory.
    #[arg(long, value_name = "DIR", env = "CONDUCTOR_ROOT", default_value = "/")]
    root: PathBuf,
}

impl Check {
    pub(crate) fn run(&self) -> ExitCode {
        let loaded = load(&self.root, &self.files);
        let Count { errors, warnings } = show(&loaded.definitions);
        let (errors, warnings) = (errors + loaded.problems, warnings + loaded.warnings);
        let checked = plural(loaded.definitions.len(), "definition");
        say(&match (errors, warnings) {
            (0, 0) => format!("{checked} checked, nothing found"),
            (_, 0) => format!("{checked} checked: {}", plural(errors, "error")),
            (0, _) => format!("{checked} checked: {}", plural(warnings, "warning")),
            _ => {
                format!("{checked} checked: {} and {}", plural(errors, "error"), plural(warnings, "warning"))
            }
        });
        if errors > 0 { ExitCode::from(FAILURE) } else { ExitCode::SUCCESS }
    }
}

fn plural(number: usize, noun: &str) -> String {
    if number == 1 { format!("1 {noun}") } else { format!("{number} {noun}s") }
}
