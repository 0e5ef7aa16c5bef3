//! `cargo xtask gen`: what is made from the types that definitions are read into and from the command line's own
//! definition. It is committed so that the package needs nothing but files.

use std::fs;
use std::path::PathBuf;

use conductor_definition::schema::KINDS;
use conductor_tests::{Context, Error, Result, repository};
use serde_json::Value;

use crate::shell::say;

mod command;
mod manual;
mod notation;
mod roff;

/// Writes the files, or with `check` says which ones are not as they would be written.
pub(crate) fn task(check: bool) -> Result<()> {
    let mut stale = Vec::new();
    for (path, text) in files()? {
        let full = repository().join(&path);
        if fs::read(&full).is_ok_and(|written| written == text) {
            continue;
        }
        if check {
            stale.push(path.display().to_string());
            continue;
        }
        if let Some(directory) = full.parent() {
            fs::create_dir_all(directory).context(directory.display())?;
        }
        fs::write(&full, text).context(full.display())?;
        say(format_args!("wrote {}", path.display()));
    }
    if stale.is_empty() {
        return Ok(());
    }
    Err(Error::new(format!(
        "out of date: {}: run `cargo xtask gen` and commit what it writes",
        stale.join(", ")
    )))
}

/// All of them, by their paths in the repository.
fn files() -> Result<Vec<(PathBuf, Vec<u8>)>> {
    let mut files: Vec<(PathBuf, Vec<u8>)> = command::completions().collect();
    files.push((PathBuf::from("packaging/man/conductor.1"), command::page()?));
    for kind in KINDS {
        let json = |schema: Value| format!("{schema:#}\n").into_bytes();
        let path = |suffix: &str| PathBuf::from(format!("packaging/schema/{}{suffix}.json", kind.name));
        files.push((path(""), json(kind.schema())));
        files.push((path("-drop-in"), json(kind.drop_in())));
    }
    files.extend(manual::pages()?);
    Ok(files)
}
