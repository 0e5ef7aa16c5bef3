//! Finds definitions on the search path and reads them.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fmt;
use std::io::Read;
use std::path::{Path, PathBuf};

use crate::{Diagnostic, Source};

/// Where definitions are looked for; the first directory that has a file name wins, as with
/// systemd's own units.
pub const SEARCH_PATH: &[&str] =
    &["/etc/conductor/services", "/run/conductor/services", "/usr/lib/conductor/services"];

/// The longest definition that is read, in bytes: the generator runs at every boot.
const MAX_SIZE: u64 = 1 << 20;

/// A definition that was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidate {
    /// As it is called inside the root: what users see.
    pub path: PathBuf,
    /// As it is opened.
    pub real: PathBuf,
}

/// A directory that could not be listed.
#[derive(Debug)]
pub struct SearchError {
    /// The directory.
    pub path: PathBuf,
    /// Why.
    pub error: std::io::Error,
}

impl fmt::Display for SearchError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "cannot list {}: {}", self.path.display(), self.error)
    }
}

impl std::error::Error for SearchError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.error)
    }
}

/// All definitions below `root`, sorted by name, without those that are masked by a link to
/// /dev/null. A directory that does not exist is empty; one that cannot be listed hides no other.
pub fn find(root: &Path) -> (Vec<Candidate>, Vec<SearchError>) {
    let mut found: BTreeMap<OsString, Option<Candidate>> = BTreeMap::new();
    let mut errors = Vec::new();
    for directory in SEARCH_PATH {
        let real = root.join(directory.trim_start_matches('/'));
        if let Err(error) = list(Path::new(directory), &real, &mut found)
            && error.kind() != std::io::ErrorKind::NotFound
        {
            errors.push(SearchError { path: real, error });
        }
    }
    (found.into_values().flatten().collect(), errors)
}

fn list(shown: &Path, real: &Path, found: &mut BTreeMap<OsString, Option<Candidate>>) -> std::io::Result<()> {
    for entry in std::fs::read_dir(real)? {
        let entry = entry?;
        let name = entry.file_name();
        let hidden = name.as_encoded_bytes().starts_with(b".");
        if hidden || !name.as_encoded_bytes().ends_with(b".toml") {
            continue;
        }
        let masked = std::fs::read_link(entry.path()).is_ok_and(|target| target == Path::new("/dev/null"));
        let candidate = Candidate { path: shown.join(&name), real: entry.path() };
        found.entry(name).or_insert_with(|| (!masked).then_some(candidate));
    }
    Ok(())
}

/// Reads a definition.
///
/// # Errors
/// A diagnostic if it is not a regular file, too long, unreadable or not UTF-8.
pub fn read(candidate: &Candidate) -> Result<Source, Diagnostic> {
    let unreadable = |error: std::io::Error| {
        let help = match error.kind() {
            std::io::ErrorKind::NotFound => "check the path; a link may lead nowhere",
            _ => "give root permission to read it, or remove it",
        };
        Diagnostic::error("unreadable", format!("cannot be read: {error}")).help(help)
    };
    // Asked before it is opened: opening a FIFO would wait for a writer, at boot, for ever.
    let metadata = std::fs::metadata(&candidate.real).map_err(unreadable)?;
    if !metadata.is_file() {
        return Err(Diagnostic::error("unreadable", "is not a regular file").help("move it out of the way"));
    }
    let mut bytes = Vec::new();
    let file = std::fs::File::open(&candidate.real).map_err(unreadable)?;
    file.take(MAX_SIZE + 1).read_to_end(&mut bytes).map_err(unreadable)?;
    if bytes.len() as u64 > MAX_SIZE {
        return Err(Diagnostic::error("too-long", "is longer than 1 MiB")
            .help("a definition that long is probably another file under this name"));
    }
    match String::from_utf8(bytes) {
        Ok(text) => Ok(Source { path: candidate.path.clone(), text }),
        Err(error) => Err(Diagnostic::error(
            "not-utf8",
            format!("is not UTF-8: byte {} cannot be read", error.utf8_error().valid_up_to() + 1),
        )
        .help("save it as UTF-8")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(root: &Path) -> Vec<String> {
        find(root).0.into_iter().map(|found| found.path.display().to_string()).collect()
    }

    #[test]
    fn first_directory_wins_and_dev_null_masks() {
        let root = tempfile::tempdir().unwrap();
        for directory in SEARCH_PATH {
            std::fs::create_dir_all(root.path().join(directory.trim_start_matches('/'))).unwrap();
        }
        let write = |path: &str| std::fs::write(root.path().join(path), "").unwrap();
        write("usr/lib/conductor/services/a.toml");
        write("usr/lib/conductor/services/b.toml");
        write("usr/lib/conductor/services/c.toml");
        write("etc/conductor/services/a.toml");
        write("etc/conductor/services/.hidden.toml");
        write("etc/conductor/services/readme");
        let mask = root.path().join("run/conductor/services/b.toml");
        std::os::unix::fs::symlink("/dev/null", mask).unwrap();
        assert_eq!(
            names(root.path()),
            ["/etc/conductor/services/a.toml", "/usr/lib/conductor/services/c.toml"]
        );
    }

    #[test]
    fn nothing_there_is_no_error() {
        let root = tempfile::tempdir().unwrap();
        let (found, errors) = find(root.path());
        assert!(found.is_empty() && errors.is_empty());
    }

    #[test]
    fn only_short_regular_utf8_files_are_read() {
        let root = tempfile::tempdir().unwrap();
        let read_one = |name: &str| {
            let real = root.path().join(name);
            read(&Candidate { path: name.into(), real }).map_err(|diagnostic| diagnostic.code)
        };
        std::fs::create_dir(root.path().join("directory.toml")).unwrap();
        std::fs::write(root.path().join("latin1.toml"), b"description = \"\xe9\"").unwrap();
        std::fs::write(root.path().join("long.toml"), vec![b'#'; 1 << 20 | 1]).unwrap();
        std::fs::write(root.path().join("good.toml"), "# nothing").unwrap();
        assert_eq!(read_one("directory.toml"), Err("unreadable"));
        assert_eq!(read_one("missing.toml"), Err("unreadable"));
        assert_eq!(read_one("latin1.toml"), Err("not-utf8"));
        assert_eq!(read_one("long.toml"), Err("too-long"));
        assert_eq!(read_one("good.toml").unwrap().text, "# nothing");
    }
}
