//! The systemd generator (systemd.generator(7)), as a library so that `conductor check` and
//! `conductor generate` do exactly what happens at boot.
//!
//! It asks nobody: no D-Bus, no programs, no network, no locks; `/var` and `/home` may be missing.
//! systemd's directory stays empty until all definitions are read and converted, and what each becomes lies ready.

mod abilities;
mod attach;
mod circles;
mod convert;
mod depend;
mod draft;
mod host;
mod in_the_way;
mod last_good;
pub mod log;
mod objects;
mod parallel;
mod plan;
mod releases;
mod same;
mod together;
mod workshop;
mod write;

use std::path::{Path, PathBuf};

use conductor_definition::{
    DefinitionName, Diagnostic, Found, Kind, Settings, Site, Source, find, read_text,
};
use conductor_units::Tree;

use convert::{Converter, read};
use plan::Units;
use releases::Released;
use workshop::Workshop;

pub use convert::{Converted, Reading, Readings, convert, read_all};
pub use host::Host;
pub use last_good::LastGood;
pub use log::{Log, Priority};
pub use write::{WriteError, write_file, write_tree};

/// Errors that are logged in one run: the kernel's log holds some thousands of lines, and other messages of the boot are
/// in it too.
const MOST_LINES: usize = 1000;

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
    let (host, unsettled) = Host::look(&roots.site);
    let keep = |name: &DefinitionName, tree: Tree| {
        let key = &name.key();
        let kept = store.has(key, &tree);
        // What has to stay is known only when all definitions are read.
        let changed = !kept && store.contains(key);
        if changed && plan::leaves_something(key, &tree, &store, &host) {
            return Units::Held(tree);
        }
        // What cannot be made ready is tried again later, and reported then.
        match workshop.stage(key, &tree) {
            Ok(files) if kept || store.stage(key, &tree).is_ok() => Units::Staged { files, kept },
            _ => Units::Held(tree),
        }
    };
    let converter = Converter::new(&host, &store).keeping(&roots.site, &keep);
    let (mut plan, mut outcome) = prepare(&roots.site, &unsettled, &converter, &store, &host, log);
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
    let (host, unsettled) = Host::look(site);
    let converter = Converter::new(&host, &store);
    let (plan, outcome) = prepare(site, &unsettled, &converter, &store, &host, log);
    (plan.tree(), outcome)
}

fn prepare(
    site: &Site,
    unsettled: &Unsettled,
    converter: &Converter<'_>,
    store: &LastGood,
    host: &Host,
    log: &mut dyn Log,
) -> (plan::Plan, Outcome) {
    let mut outcome = Outcome::Complete;
    let (mut findings, mut empty) = (Vec::new(), Vec::new());
    let mut of_objects = Vec::new();
    let released = Released::look(site);
    for kind in [Kind::Network, Kind::Volume] {
        let Found { candidates, findings: found } = find(site, kind);
        findings.extend(found);
        for reading in candidates.into_iter().map(|candidate| read(kind, candidate, &released)) {
            match reading {
                Ok(reading) => of_objects.push(reading),
                Err(path) => empty.push((kind, PathBuf::from(path))),
            }
        }
    }
    let objects = objects::convert(of_objects, converter);
    let converter = converter.clone().knowing(&objects.known);
    let kind = Kind::Service;
    let Found { mut candidates, findings: found } = find(site, kind);
    findings.extend(found);
    converter.sort(&mut candidates, |candidate| DefinitionName::from_path(kind, &candidate.main.path).ok());
    // Each goes through all steps before the next is read, so that only little of it has to be held.
    let draft =
        |candidate| read(kind, candidate, &released).map(|reading| Box::new(converter.draft(reading)));
    let drafts = parallel::map(candidates, draft).into_iter();
    let drafts =
        drafts.filter_map(|draft| draft.map_err(|path| empty.push((kind, path.into()))).ok()).collect();
    for problem in unsettled.lines() {
        log.log(Priority::Error, &problem);
        outcome = Outcome::Incomplete;
    }
    // Warnings are for `conductor check`: at every boot and reload nobody would read them.
    let mut errors = 0;
    let mut report = |diagnostic: &Diagnostic, line: &str| {
        if diagnostic.is_error() {
            errors += 1;
            if errors <= MOST_LINES {
                log.log(Priority::Error, line);
            }
            outcome = Outcome::Incomplete;
        }
    };
    for finding in &findings {
        report(&finding.diagnostic, &finding.one_line());
    }
    let drafts = converter.finish(drafts, objects.drafts);
    for (diagnostic, line) in drafts.iter().flat_map(|draft| draft.lines()) {
        report(diagnostic, &line);
    }
    if errors > MOST_LINES {
        let more = errors - MOST_LINES;
        log.log(Priority::Error, &format!("{more} more errors are not shown here: run `conductor check`"));
    }
    let by_name = |empty: &(Kind, PathBuf)| (empty.0, empty.1.file_name().map(std::ffi::OsStr::to_owned));
    empty.sort_by_cached_key(by_name);
    for (kind, path) in empty {
        log.log(Priority::Info, &format!("{}: is empty, and so masks the {kind}", path.display()));
    }
    let plan = plan::plan(drafts, store, host);
    for (priority, note) in &plan.notes {
        log.log(*priority, note);
    }
    (plan, outcome)
}

/// What is wrong with the machine's settings: the file, and what is to be said of it.
#[derive(Debug)]
pub struct Unsettled {
    source: Source,
    diagnostics: Vec<Diagnostic>,
}

impl Unsettled {
    /// Each with its file.
    pub fn findings(self) -> impl Iterator<Item = (Source, Diagnostic)> {
        let Self { source, diagnostics } = self;
        diagnostics.into_iter().map(move |diagnostic| (source.clone(), diagnostic))
    }

    fn lines(&self) -> impl Iterator<Item = String> {
        self.diagnostics.iter().map(|diagnostic| diagnostic.one_line(&self.source))
    }
}

/// Reads the machine's settings.
pub(crate) fn settings(root: &Path) -> (Settings, Unsettled) {
    let shown = PathBuf::from(Settings::PATH);
    let real = root.join(Settings::PATH.trim_start_matches('/'));
    if matches!(real.symlink_metadata(), Err(error) if error.kind() == std::io::ErrorKind::NotFound) {
        return (Settings::default(), Unsettled { source: Source::new(shown, ""), diagnostics: Vec::new() });
    }
    let (source, settings, diagnostics) = match read_text(&real) {
        Ok(text) => {
            let source = Source::new(shown, text.unwrap_or_default());
            let (settings, diagnostics) = Settings::parse(&source);
            (source, settings, diagnostics)
        }
        Err(problem) => (Source::new(shown, ""), Settings::default(), vec![problem]),
    };
    (settings, Unsettled { source, diagnostics })
}

impl Converted {
    /// Everything found in the definition and in its releases, and in which files.
    pub fn findings(&self) -> impl Iterator<Item = (&Source, &Diagnostic)> {
        let own = self.diagnostics.iter().map(|found| (&self.source, found));
        own.chain(self.releases.iter().flat_map(|(source, found)| found.iter().map(move |one| (source, one))))
    }

    /// A diagnostic on one line, with its place.
    pub fn line(&self, diagnostic: &Diagnostic) -> String {
        diagnostic.one_line(&self.source)
    }
}
