//! Files that somebody else reads at any time: whole, old or new, and the old one kept until the new one is proved.

use std::fs::{self, File, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

/// A file, and beside it what was in it before as long as nobody has proved that the new content is in effect. The
/// name of that begins with a dot and ends in another way, so no `*.conf` or `*.cfg` finds it.
#[derive(Debug)]
pub(crate) struct Kept {
    path: PathBuf,
    before: PathBuf,
}

impl Kept {
    pub(crate) fn new(directory: &Path, name: &str) -> Self {
        Self { path: directory.join(name), before: directory.join(format!(".{name}.before")) }
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// What is in the file; `None` if there is none.
    pub(crate) fn read(&self) -> io::Result<Option<String>> {
        read(&self.path)
    }

    /// Whether the content was replaced and never proved.
    pub(crate) fn is_unproved(&self) -> bool {
        self.before.exists()
    }

    /// Replaces the content; `None` removes the file. What was kept by an earlier, unproved replacement is kept on: that is what was last in
    /// effect for certain.
    pub(crate) fn replace(&self, content: Option<&str>) -> io::Result<()> {
        if !self.is_unproved() {
            // Nothing before is kept as nothing: what we write is never empty.
            write(&self.before, &self.read()?.unwrap_or_default())?;
        }
        content.map_or_else(|| remove(&self.path), |content| write(&self.path, content))
    }

    /// The content is in effect.
    pub(crate) fn proved(&self) -> io::Result<()> {
        remove(&self.before)
    }

    /// Puts back what was last in effect.
    pub(crate) fn restore(&self) -> io::Result<()> {
        match read(&self.before)? {
            None => Ok(()),
            Some(nothing) if nothing.is_empty() => {
                remove(&self.path)?;
                remove(&self.before)
            }
            // A rename does both at once.
            Some(_) => {
                fs::rename(&self.before, &self.path)?;
                sync(&self.path)
            }
        }
    }
}

/// Writes a whole file that others may read, or leaves the old one.
pub(crate) fn write(path: &Path, content: &str) -> io::Result<()> {
    let directory = path.parent().unwrap_or(Path::new("/"));
    fs::create_dir_all(directory)?;
    let readable = Permissions::from_mode(0o644);
    let mut file =
        tempfile::Builder::new().prefix(".").suffix(".new").permissions(readable).tempfile_in(directory)?;
    file.write_all(content.as_bytes())?;
    file.as_file().sync_all()?;
    file.persist(path).map_err(|error| error.error)?;
    sync(path)
}

fn read(path: &Path) -> io::Result<Option<String>> {
    match fs::read(path) {
        Ok(bytes) => Ok(Some(String::from_utf8_lossy(&bytes).into_owned())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

pub(crate) fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => sync(path),
    }
}

/// A rename is on disk when its directory is.
fn sync(path: &Path) -> io::Result<()> {
    path.parent().map_or(Ok(()), |directory| File::open(directory)?.sync_all())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(directory: &Path) -> Vec<String> {
        let mut names: Vec<_> = fs::read_dir(directory)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    #[test]
    fn what_was_before_comes_back() {
        let directory = tempfile::tempdir().unwrap();
        let file = Kept::new(directory.path(), "web.conf");
        file.replace(Some("one")).unwrap();
        file.restore().unwrap();
        assert_eq!(names(directory.path()), [""; 0], "there was nothing");

        file.replace(Some("one")).unwrap();
        file.proved().unwrap();
        file.replace(Some("two")).unwrap();
        assert!(file.is_unproved());
        file.replace(Some("three")).unwrap();
        assert_eq!(file.read().unwrap().unwrap(), "three");
        file.restore().unwrap();
        assert_eq!(file.read().unwrap().unwrap(), "one", "two was never proved");
        assert_eq!(names(directory.path()), ["web.conf"]);
        file.restore().unwrap();
        assert_eq!(file.read().unwrap().unwrap(), "one", "nothing to restore");
        let mode = fs::metadata(file.path()).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o644);
    }
}
