//! The systemd generator (systemd.generator(7)), as a library so that `conductor check` and
//! `conductor generate` do exactly what happens at boot.
//!
//! It asks nobody: no D-Bus, no programs, no network, no locks; `/var` and `/home` may be missing.
//! Reading and converting ([`convert`]) is strictly before writing ([`run`]).

mod abilities;
mod convert;
mod depend;
mod host;
mod last_good;
pub mod log;
mod parallel;
mod plan;
mod same;
mod workshop;
mod write;

use std::path::{Path, PathBuf};

use conductor_definition::{Diagnostic, Found, ServiceName, Settings, Site, Source, find, read_text};
use conductor_units::Tree;

use convert::{Converter, Draft, read};
use plan::Units;
use workshop::Workshop;

pub use convert::{Converted, Reading, Readings, convert, read_all};
pub use host::Host;
pub use last_good::LastGood;
pub use log::{Log, Priority};
pub use write::{WriteError, write_file, write_tree};

/// Where the generator reads and writes.
#[derive(Debug, Clone)]
pub struct Roots {
    /// What is read.
    pub site: Site,
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
    let store = LastGood::open(&roots.site);
    let workshop = Workshop::new(&roots.site, &roots.output);
    let (host, problems) = Host::look(&roots.site);
    let keep = |name: &ServiceName, tree: Tree| {
        let kept = store.has(name.as_str(), &tree);
        // What has to stay is known only when all definitions are read.
        let changed = !kept && store.contains(name.as_str());
        if changed && plan::leaves_something(name.as_str(), &tree, &store, &host) {
            return Units::Held(tree);
        }
        // What cannot be made ready is tried again later, and reported then.
        match workshop.stage(name.as_str(), &tree) {
            Ok(files) if kept || store.stage(name.as_str(), &tree).is_ok() => Units::Staged { files, kept },
            _ => Units::Held(tree),
        }
    };
    let converter = Converter::new(&host, &store).keeping(&keep);
    let (mut plan, mut outcome) = prepare(&roots.site, problems, &converter, &store, &host, log);
    let written = parallel::map(plan.services.iter_mut().collect(), |service: &mut plan::Planned| {
        let written = match &service.units {
            Units::Staged { files, .. } => workshop.place(&service.name, files),
            Units::Held(tree) => workshop.stage_and_place(&service.name, tree),
        };
        // What systemd did not get must not count as the last good.
        service.good &= written.is_ok();
        written.err()
    });
    let mut errors: Vec<WriteError> = written.into_iter().flatten().collect();
    errors.extend(store.save(&plan));
    if !plan.changes_nothing() {
        workshop.tidy(&plan);
    }
    for error in errors {
        log.log(Priority::Error, &error.to_string());
        outcome = Outcome::Incomplete;
    }
    outcome
}

/// The units that services were last given, by name: those services are established.
pub fn established(site: &Site) -> LastGood {
    LastGood::open(site)
}

/// Everything that [`run`] would write, and nothing written.
pub fn preview(site: &Site, log: &mut dyn Log) -> (Tree, Outcome) {
    let store = LastGood::open(site);
    let (host, problems) = Host::look(site);
    let converter = Converter::new(&host, &store);
    let (plan, outcome) = prepare(site, problems, &converter, &store, &host, log);
    (plan.tree(), outcome)
}

fn prepare(
    site: &Site,
    problems: Vec<String>,
    converter: &Converter<'_>,
    store: &LastGood,
    host: &Host,
    log: &mut dyn Log,
) -> (plan::Plan, Outcome) {
    let mut outcome = Outcome::Complete;
    let Found { mut candidates, findings } = find(site);
    converter.sort(&mut candidates, |candidate| &candidate.main.path);
    let (mut drafts, mut empty) = (Vec::with_capacity(candidates.len()), Vec::new());
    // Each goes through all steps before the next is read, so that only little of it has to be held.
    for draft in parallel::map(candidates, |candidate| read(candidate).map(|read| converter.draft(read))) {
        match draft {
            Ok(draft) => drafts.push(draft),
            Err(path) => empty.push(path),
        }
    }
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
    let drafts = converter.finish(drafts);
    for (diagnostic, line) in drafts.iter().flat_map(Draft::lines) {
        report(diagnostic, &line);
    }
    empty.sort_by(|left: &PathBuf, right| left.file_name().cmp(&right.file_name()));
    for path in empty {
        log.log(Priority::Info, &format!("{}: is empty, and so masks the service", path.display()));
    }
    let plan = plan::plan(drafts, store, host);
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
