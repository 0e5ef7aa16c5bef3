//! Writes files so that nobody ever sees half of one.

use std::ffi::OsString;
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use conductor_units::{Entry, Tree};

/// A file that could not be written.
#[derive(Debug)]
pub struct WriteError {
    path: PathBuf,
    error: io::Error,
}

impl WriteError {
    pub(crate) fn new(path: &Path, error: io::Error) -> Self {
        Self { path: path.to_owned(), error }
    }

    /// The reason alone.
    pub(crate) fn into_source(self) -> io::Error {
        self.error
    }

    /// Somebody else has written it.
    pub(crate) fn taken(path: &Path) -> Self {
        let said = "another generator has made it already: rename the definition, or the other's source";
        Self::new(path, io::Error::new(io::ErrorKind::AlreadyExists, said))
    }
}

impl fmt::Display for WriteError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "cannot write {}: {}", self.path.display(), self.error)
    }
}

impl std::error::Error for WriteError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.error)
    }
}

/// Writes a tree below `directory`. Stops at the first file that cannot be written: half a service is
/// worse than none.
///
/// # Errors
/// The path and the reason.
pub fn write_tree(directory: &Path, tree: &Tree) -> Result<(), WriteError> {
    for (path, entry) in tree.iter() {
        let path = directory.join(path);
        match entry {
            Entry::File(text) => write_file(&path, text)?,
            Entry::Link(target) => link(&path, target).map_err(|error| WriteError::new(&path, error))?,
        }
    }
    Ok(())
}

/// Writes a file by renaming it into place, and makes its directory.
///
/// # Errors
/// The path and the reason.
pub fn write_file(path: &Path, text: &str) -> Result<(), WriteError> {
    in_place(path, |aside| std::fs::write(aside, text)).map_err(|error| WriteError::new(path, error))
}

/// A link is there as a whole or not at all, so where nothing stands yet it needs no renaming.
pub(crate) fn link(path: &Path, target: &str) -> io::Result<()> {
    let make = |path: &Path| std::os::unix::fs::symlink(target, path);
    match make(path) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => in_place(path, make),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            make_directory_of(path)?;
            make(path)
        }
        result => result,
    }
}

/// Makes something beside `path` and renames it there. No fsync: /run is memory.
fn in_place(path: &Path, make: impl Fn(&Path) -> io::Result<()>) -> io::Result<()> {
    let aside = aside(path);
    make_aside(&aside, make).and_then(|()| std::fs::rename(&aside, path)).inspect_err(|_| {
        // The first error is the one to report.
        drop(std::fs::remove_file(&aside));
    })
}

/// Where a file waits for its name. The name cannot be a unit's (`#` is not allowed in one), so systemd skips it
/// should we be killed in between; there is one generator at a time, so the name needs no randomness.
pub(crate) fn aside(path: &Path) -> PathBuf {
    let mut name = OsString::from(".#");
    name.push(path.file_name().unwrap_or_default());
    path.with_file_name(name)
}

/// Writes a file that waits for its name.
pub(crate) fn write_aside(path: &Path, text: &str) -> io::Result<()> {
    make_aside(&aside(path), |aside| std::fs::write(aside, text))
}

fn make_aside(aside: &Path, make: impl Fn(&Path) -> io::Result<()>) -> io::Result<()> {
    match make(aside) {
        // The usual case costs no system call for directories that are there.
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            make_directory_of(aside)?;
            make(aside)
        }
        // Left over from a generator that was killed.
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            std::fs::remove_file(aside)?;
            make(aside)
        }
        result => result,
    }
}

/// A path below `directory`; its last part is given in pieces. Thousands of paths are made, each in one go.
pub(crate) fn below(directory: &Path, pieces: &[&str]) -> PathBuf {
    let length = directory.as_os_str().len() + 1 + pieces.iter().map(|piece| piece.len()).sum::<usize>();
    let mut path = OsString::with_capacity(length);
    path.push(directory);
    path.push("/");
    for piece in pieces {
        path.push(piece);
    }
    path.into()
}

pub(crate) fn make_directory_of(path: &Path) -> io::Result<()> {
    path.parent().map_or(Ok(()), std::fs::create_dir_all)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn replaces_files_and_links_and_leaves_nothing_beside() {
        let directory = tempfile::tempdir().unwrap();
        let mut tree = Tree::default();
        tree.file("web.service", "one\n");
        tree.link("conductor.target.wants/web.service", "../web.service");
        write_tree(directory.path(), &tree).unwrap();
        std::fs::write(directory.path().join(".#web.service"), "half").unwrap();
        std::os::unix::fs::symlink("x", directory.path().join("conductor.target.wants/.#web.service"))
            .unwrap();
        tree.file("web.service", "two\n");
        write_tree(directory.path(), &tree).unwrap();

        let read = std::fs::read_to_string(directory.path().join("conductor.target.wants/web.service"));
        assert_eq!(read.unwrap(), "two\n");
        let names: Vec<_> =
            std::fs::read_dir(directory.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        assert_eq!(names.len(), 2, "{names:?}");
    }

    #[test]
    fn says_what_could_not_be_written() {
        let error = write_file(Path::new("/proc/nowhere/web.service"), "").unwrap_err();
        assert!(error.to_string().starts_with("cannot write /proc/nowhere/web.service: "), "{error}");
    }
}
