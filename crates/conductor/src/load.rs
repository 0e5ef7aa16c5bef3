//! Which definitions a command is about.

use std::path::{Path, PathBuf};

use conductor_definition::{Candidate, Diagnostic, Finding, Kind, Site, Source};
use conductor_generator::{Converted, Host, Reading, Readings, convert, established, read_all};

use crate::terminal::say;

/// Definitions that were asked for, converted.
#[derive(Debug)]
pub(crate) struct Loaded {
    pub(crate) definitions: Vec<Converted>,
    /// What is to be said of the machine's settings and of the search path itself.
    besides: Vec<(Source, Diagnostic)>,
}

impl Loaded {
    /// Everything that is to be said, and of which file.
    pub(crate) fn findings(&self) -> impl Iterator<Item = (&Source, &Diagnostic)> {
        let besides = self.besides.iter().map(|(source, diagnostic)| (source, diagnostic));
        besides.chain(self.definitions.iter().flat_map(Converted::findings))
    }
}

/// Converts `files`, or everything on the search path if there are none. Files are looked
/// at together with the installed definitions that they do not replace, so that clashes show, and with the
/// drop-ins that would apply to them.
pub(crate) fn load(site: &Site, files: &[PathBuf]) -> Loaded {
    let (host, unsettled) = Host::look(site);
    let Readings { definitions: mut readings, findings, empty } = read_all(site);
    // The drop-ins of a definition that is checked before it is copied to its place have one.
    let given = |finding: &Finding| {
        files.iter().all(|file| {
            let mut name = file.file_name().unwrap_or_default().to_owned();
            name.push(".d");
            finding.diagnostic.code != "no-definition" || finding.path.file_name() != Some(&name)
        })
    };
    let of_path = |Finding { path, diagnostic }: Finding| (Source::new(path, ""), diagnostic);
    let besides: Vec<_> =
        unsettled.findings().chain(findings.into_iter().filter(given).map(of_path)).collect();
    if files.is_empty() {
        for (kind, path) in &empty {
            masked(*kind, path);
        }
        return Loaded { definitions: convert(readings, &host, &established(site)), besides };
    }
    let given: Vec<Reading> = files.iter().filter_map(|file| reading(site, file)).collect();
    readings.retain(|installed| given.iter().all(|file| installed.name() != file.name()));
    readings.extend(given);
    let mut definitions = convert(readings, &host, &established(site));
    definitions.retain(|definition| files.iter().any(|file| file == definition.source.path()));
    Loaded { definitions, besides }
}

fn reading(site: &Site, file: &Path) -> Option<Reading> {
    let kind = kind_of(file);
    let read = Candidate::given(site, kind, file).read();
    if read.is_none() {
        masked(kind, file);
    }
    // It is looked at for itself, as the next release.
    read.map(|(source, problems)| Reading { kind, source, problems, releases: None })
}

/// What a file defines, wherever the command was started: people change to the directory first.
fn kind_of(file: &Path) -> Kind {
    // Where nobody knows the current directory, only the path itself can tell.
    std::path::absolute(file).map_or_else(|_| Kind::of(file), |path| Kind::of(&path))
}

fn masked(kind: Kind, file: &Path) {
    say(&format!("note: {} is empty, and so masks the {kind}", file.display()));
}
