//! Which definitions a command is about.

use std::path::{Path, PathBuf};

use conductor_definition::{Candidate, Finding, ServiceName, Site};
use conductor_generator::{Converted, Host, Reading, Readings, convert, established, read_all};

use crate::report::{Count, show_findings};
use crate::terminal::say;

/// Definitions that were asked for, converted.
#[derive(Debug)]
pub(crate) struct Loaded {
    pub(crate) definitions: Vec<Converted>,
    /// How many problems with the machine's settings or directories were shown.
    pub(crate) problems: usize,
    /// How many warnings about the directories were shown.
    pub(crate) warnings: usize,
}

/// Converts `files`, or everything on the search path if there are none. Files are looked
/// at together with the installed definitions that they do not replace, so that clashes show, and with the
/// drop-ins that would apply to them.
pub(crate) fn load(site: &Site, files: &[PathBuf]) -> Loaded {
    let (host, problems) = Host::look(site);
    let Readings { definitions: mut readings, findings, empty } = read_all(site);
    for problem in &problems {
        say(&format!("error: {problem}"));
    }
    // The drop-ins of a definition that is checked before it is copied to its place have one.
    let given = |finding: &&Finding| {
        files.iter().all(|file| {
            let mut name = file.file_name().unwrap_or_default().to_owned();
            name.push(".d");
            finding.diagnostic.code != "no-definition" || finding.path.file_name() != Some(&name)
        })
    };
    let Count { errors, warnings } = show_findings(findings.iter().filter(given));
    let count = problems.len() + errors;
    if files.is_empty() {
        for path in &empty {
            masked(path);
        }
        return Loaded {
            definitions: convert(readings, &host, &established(site)),
            problems: count,
            warnings,
        };
    }
    let given: Vec<Reading> = files.iter().filter_map(|file| reading(site, file)).collect();
    readings.retain(|installed| given.iter().all(|file| name(installed) != name(file)));
    readings.extend(given);
    let mut definitions = convert(readings, &host, &established(site));
    definitions.retain(|definition| files.iter().any(|file| file == definition.source.path()));
    Loaded { definitions, problems: count, warnings }
}

fn name(reading: &Reading) -> Option<ServiceName> {
    ServiceName::from_path(reading.source.path()).ok()
}

fn reading(site: &Site, file: &Path) -> Option<Reading> {
    let read = Candidate::given(site, file).read();
    if read.is_none() {
        masked(file);
    }
    read.map(|(source, problems)| Reading { source, problems })
}

fn masked(file: &Path) {
    say(&format!("note: {} is empty, and so masks the service", file.display()));
}
