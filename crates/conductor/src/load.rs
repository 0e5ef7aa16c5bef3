//! Which definitions a command is about.

use std::path::{Path, PathBuf};

use conductor_definition::{Candidate, ServiceName, Source, read};
use conductor_generator::{Converted, Host, Reading, convert, established, read_all};

use crate::terminal::say;

/// Definitions that were asked for, converted.
#[derive(Debug)]
pub(crate) struct Loaded {
    pub(crate) definitions: Vec<Converted>,
    /// How many problems with the machine's settings or directories were shown.
    pub(crate) problems: usize,
}

/// Converts `files`, or everything on the search path below `root` if there are none. Files are looked
/// at together with the installed definitions that they do not replace, so that clashes show.
pub(crate) fn load(root: &Path, files: &[PathBuf]) -> Loaded {
    let (host, mut problems) = Host::look(root);
    let (mut readings, unlisted) = read_all(root);
    problems.extend(unlisted);
    for problem in &problems {
        say(&format!("error: {problem}"));
    }
    if files.is_empty() {
        return Loaded {
            definitions: convert(readings, &host, &established(root)),
            problems: problems.len(),
        };
    }
    let given: Vec<Reading> = files.iter().map(|file| reading(file)).collect();
    readings.retain(|installed| given.iter().all(|file| name(installed) != name(file)));
    readings.extend(given);
    let mut definitions = convert(readings, &host, &established(root));
    definitions.retain(|definition| files.contains(&definition.source.path));
    Loaded { definitions, problems: problems.len() }
}

fn name(reading: &Reading) -> Option<ServiceName> {
    ServiceName::from_path(&reading.source.path).ok()
}

fn reading(file: &Path) -> Reading {
    match read(&Candidate { path: file.to_owned(), real: file.to_owned() }) {
        Ok(source) => Reading { source, problem: None },
        Err(problem) => {
            Reading { source: Source { path: file.to_owned(), text: String::new() }, problem: Some(problem) }
        }
    }
}
