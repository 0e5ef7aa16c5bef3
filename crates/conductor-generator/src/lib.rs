//! The systemd generator (systemd.generator(7)), as a library so that `conductor check` and
//! `conductor generate` do exactly what happens at boot.
//!
//! It asks nobody: no D-Bus, no programs, no network, no locks; `/var` and `/home` may be missing.
//! Reading and converting ([`convert`]) is strictly before writing ([`run`]).

mod attach;
mod convert;
mod depend;
mod host;
mod last_good;
pub mod log;
mod objects;
mod parallel;
mod plan;
mod write;

use std::path::{Path, PathBuf};

use conductor_definition::{Diagnostic, Settings, Source, read_text};
use conductor_units::Tree;

pub use convert::{Converted, Reading, Readings, convert, read_all};
pub use host::Host;
pub use last_good::LastGood;
pub use log::{Log, Priority};
pub use write::{WriteError, write_file, write_tree};

/// Where the generator reads and writes.
#[derive(Debug, Clone)]
pub struct Roots {
    /// Prefix of every path that is read: `/`, or the tree of an image that is being built.
    pub root: PathBuf,
    /// systemd's directory for generated units.
    pub output: PathBuf,
}

/// How a run went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// Every definition was converted.
    Complete,
    /// Some were not, or could not be written; everything else is there.
    Incomplete,
}

/// One run: reads all definitions, converts each on its own, writes the units of each.
pub fn run(roots: &Roots, log: &mut dyn Log) -> Outcome {
    let store = LastGood::open(&roots.root);
    let (mut plan, mut outcome) = prepare(&roots.root, &store, log);
    let written = parallel::map(plan.services.iter_mut().collect(), |service: &mut plan::Planned| {
        // systemd empties the directory before each run: what is there already is another generator's, such
        // as Quadlet's. systemd's own refuse to write over each other too (src/shared/generator.c).
        let taken = service.tree.unit_names().find(|unit| roots.output.join(unit).symlink_metadata().is_ok());
        let written = match taken {
            Some(unit) => Err(WriteError::taken(&roots.output.join(unit))),
            None => write_tree(&roots.output, &service.tree),
        };
        // What systemd did not get must not count as the last good.
        service.good &= written.is_ok();
        written.err()
    });
    let mut errors: Vec<WriteError> = written.into_iter().flatten().collect();
    errors.extend(store.save(&plan));
    for error in errors {
        log.log(Priority::Error, &error.to_string());
        outcome = Outcome::Incomplete;
    }
    outcome
}

/// The units that services were last given, by name: those services are established.
pub fn established(root: &Path) -> LastGood {
    LastGood::open(root)
}

/// Everything that [`run`] would write, and nothing written.
pub fn preview(root: &Path, log: &mut dyn Log) -> (Tree, Outcome) {
    let (plan, outcome) = prepare(root, &LastGood::open(root), log);
    (plan.tree(), outcome)
}

fn prepare(root: &Path, store: &LastGood, log: &mut dyn Log) -> (plan::Plan, Outcome) {
    let mut outcome = Outcome::Complete;
    let (host, problems) = Host::look(root);
    let Readings { definitions, findings, empty } = read_all(root);
    for problem in problems {
        log.log(Priority::Error, &problem);
        outcome = Outcome::Incomplete;
    }
    // Warnings are for `conductor check`: at every boot and reload nobody would read them.
    let mut report = |diagnostic: &Diagnostic, line: &str| {
        if diagnostic.is_error() {
            log.log(Priority::Error, line);
            outcome = Outcome::Incomplete;
        }
    };
    for finding in &findings {
        report(&finding.diagnostic, &finding.one_line());
    }
    let converted = convert(definitions, &host, store);
    for definition in &converted {
        for diagnostic in &definition.diagnostics {
            report(diagnostic, &definition.line(diagnostic));
        }
    }
    for (kind, path) in empty {
        log.log(Priority::Info, &format!("{}: is empty, and so masks the {kind}", path.display()));
    }
    let plan = plan::plan(converted, store, &host);
    for (priority, note) in &plan.notes {
        log.log(*priority, note);
    }
    (plan, outcome)
}

/// Reads the machine's settings.
pub(crate) fn settings(root: &Path) -> (Settings, Vec<String>) {
    let shown = PathBuf::from(Settings::PATH);
    let real = root.join(Settings::PATH.trim_start_matches('/'));
    if matches!(real.symlink_metadata(), Err(error) if error.kind() == std::io::ErrorKind::NotFound) {
        return (Settings::default(), Vec::new());
    }
    let (source, settings, diagnostics) = match read_text(&real) {
        Ok(text) => {
            let source = Source::new(shown, text.unwrap_or_default());
            let (settings, diagnostics) = Settings::parse(&source);
            (source, settings, diagnostics)
        }
        Err(problem) => (Source::new(shown, ""), Settings::default(), vec![problem]),
    };
    (settings, diagnostics.iter().map(|diagnostic| diagnostic.one_line(&source)).collect())
}

impl Converted {
    /// A diagnostic on one line, with its place.
    pub fn line(&self, diagnostic: &Diagnostic) -> String {
        diagnostic.one_line(&self.source)
    }
}
