//! `conductor check`

use std::path::PathBuf;
use std::process::ExitCode;

use conductor_definition::{Kind, parse};
use conductor_generator::Converted;

use crate::json;
use crate::load::load;
use crate::report::{Count, show};
use crate::terminal::{FAILURE, say};
use crate::whose::Whose;

/// Check definitions and show everything that is wrong with them.
///
/// Without files, all definitions on the machine are checked: services, networks and volumes. Files are
/// checked together with the definitions that are installed, so that clashes of names and ports show before
/// they are copied there. A file in a directory called `networks` or `volumes` defines a network or a volume;
/// any other, a service.
///
/// Of each service with health checks it says how soon they notice a container that stops answering.
///
/// With --format json, stdout has one object a line for each finding: `file`, `line`, `column`, `end` (with
/// `line` and `column`; the first place behind it), `level` (`error` or `warning`), `code` (a word that does
/// not change between versions), `message`, `label` (what stands under the place), `help` and `related` (a
/// second place, maybe in another file: `file`, `line`, `column`, `end`, `label`). Lines and columns count from 1, columns in characters.
/// What is not known is null. New members may be added.
///
/// Exit status: 0 no errors (there may be warnings), 1 errors, 2 wrong usage.
#[derive(Debug, clap::Args)]
pub(crate) struct Check {
    /// Definitions to check, each called NAME.toml.
    #[arg(value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Use the machine, or the image of one, below this directory.
    #[arg(long, value_name = "DIR", env = "CONDUCTOR_ROOT", default_value = "/")]
    root: PathBuf,
    /// For people, or for editors and scripts.
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    format: Format,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    /// With the lines of the definition, on stderr.
    Text,
    /// One JSON object a line, on stdout.
    Json,
}

impl Check {
    pub(crate) fn run(&self, whose: Whose) -> ExitCode {
        let loaded = match whose.site(&self.root) {
            Ok(site) => load(&site, &self.files),
            Err(error) => {
                say(&format!("error: {error}"));
                return ExitCode::from(FAILURE);
            }
        };
        let Count { errors, warnings } = match self.format {
            Format::Text => show(loaded.findings()),
            Format::Json => json::show(loaded.findings()),
        };
        let status = if errors > 0 { ExitCode::from(FAILURE) } else { ExitCode::SUCCESS };
        if self.format == Format::Json {
            return status;
        }
        for definition in &loaded.definitions {
            if let Some(noticed) = noticed(definition) {
                say(&noticed);
            }
        }
        let checked = plural(loaded.definitions.len(), "definition");
        say(&match (errors, warnings) {
            (0, 0) => format!("{checked} checked, nothing found"),
            (_, 0) => format!("{checked} checked: {}", plural(errors, "error")),
            (0, _) => format!("{checked} checked: {}", plural(warnings, "warning")),
            _ => {
                format!("{checked} checked: {} and {}", plural(errors, "error"), plural(warnings, "warning"))
            }
        });
        status
    }
}

/// How soon the checks of a service notice that it fails; of what has checks and no errors.
fn noticed(definition: &Converted) -> Option<String> {
    let (Kind::Service, Some(name), Some(_)) = (definition.kind, &definition.name, &definition.tree) else {
        return None;
    };
    let health = parse(&definition.source).ok()?.service.health?;
    let checks = plural(usize::try_from(health.unhealthy_after).ok()?, "check");
    Some(format!(
        "{name}: a container that stops answering is noticed within {} ({checks}, one every {}, timeout {})",
        health.noticed_within(),
        health.interval,
        health.timeout
    ))
}

fn plural(number: usize, noun: &str) -> String {
    if number == 1 { format!("1 {noun}") } else { format!("{number} {noun}s") }
}
