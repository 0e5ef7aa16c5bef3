//! Reads files and follows links, without ever waiting and without leaving the root.

use std::ffi::OsString;
use std::fs::{File, Metadata};
use std::io::{self, ErrorKind, Read};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::FileTypeExt;
use std::path::{Component, Path, PathBuf};

use crate::{Diagnostic, search};

/// The longest file that is read, in bytes: the generator runs at every boot.
const MAX_SIZE: u64 = 1 << 20;

/// Links that are followed from one path; the kernel's own limit (path_resolution(7)).
const MOST_LINKS: usize = 40;

/// A link to this masks (systemd.unit(5)).
const NULL: &str = "/dev/null";

/// Reads a file; nothing if it is empty, or is /dev/null under another name, which means "masked" to
/// systemd (systemd.unit(5)) and so to us.
///
/// # Errors
/// A diagnostic if it is not a regular file, too long, unreadable or not UTF-8.
pub fn read_text(path: &Path) -> Result<Option<String>, Diagnostic> {
    // Asked before it is opened: opening a FIFO would wait for a writer, at boot, for ever.
    let metadata = std::fs::metadata(path).map_err(|error| unreadable(&error))?;
    if is_masked(&metadata)? { Ok(None) } else { read_regular(path) }
}

/// The same for what is known to be a regular file, or was one a moment ago.
pub(crate) fn read_regular(path: &Path) -> Result<Option<String>, Diagnostic> {
    let mut file = File::open(path).map_err(|error| unreadable(&error))?;
    let metadata = file.metadata().map_err(|error| unreadable(&error))?;
    if is_masked(&metadata)? {
        return Ok(None);
    }
    let length = metadata.len().min(MAX_SIZE);
    // One byte more than there should be: a single call then tells that it was the whole file.
    let mut bytes = vec![0; usize::try_from(length).unwrap_or(0) + 1];
    let read = file.read(&mut bytes).map_err(|error| unreadable(&error))?;
    bytes.truncate(read);
    if read as u64 != length {
        let rest = (MAX_SIZE + 1).saturating_sub(read as u64);
        file.take(rest).read_to_end(&mut bytes).map_err(|error| unreadable(&error))?;
    }
    if bytes.len() as u64 > MAX_SIZE {
        return Err(Diagnostic::error("too-long", "is longer than 1 MiB")
            .help("a definition that long is probably another file under this name"));
    }
    String::from_utf8(bytes).map(Some).map_err(|error| {
        let at = error.utf8_error().valid_up_to() + 1;
        Diagnostic::error("not-utf8", format!("is not UTF-8: byte {at} cannot be read"))
            .help("save it as UTF-8")
    })
}

/// Whether it masks; what does not is a regular file, or an error.
fn is_masked(metadata: &Metadata) -> Result<bool, Diagnostic> {
    if masks(metadata) {
        return Ok(true);
    }
    if metadata.is_file() {
        return Ok(false);
    }
    Err(Diagnostic::error("unreadable", "is not a regular file").help("move it out of the way"))
}

/// systemd's `null_or_empty()` (src/basic/stat-util.c): a file without a byte, or a device.
fn masks(metadata: &Metadata) -> bool {
    let kind = metadata.file_type();
    (metadata.is_file() && metadata.len() == 0) || kind.is_char_device() || kind.is_block_device()
}

fn unreadable(error: &io::Error) -> Diagnostic {
    let help = match error.kind() {
        ErrorKind::NotFound => "check the path; a link may lead nowhere",
        ErrorKind::PermissionDenied => "permit reading it, or remove it",
        // Too many levels of links, for one; std has no stable name for that.
        _ => "remove it, or put a regular file in its place",
    };
    Diagnostic::error("unreadable", format!("cannot be read: {error}")).help(help)
}

/// A name in a directory, hidden ones left out.
pub(crate) struct Entry {
    pub(crate) name: OsString,
    /// The file, or directory, of that name; nothing if it is a link to /dev/null, which masks the name.
    pub(crate) file: Option<search::File>,
}

/// What is in a directory inside `root`; nothing if there is no such directory.
///
/// # Errors
/// A diagnostic if it cannot be listed.
pub(crate) fn entries(root: &Path, directory: &Path) -> Result<Vec<Entry>, Diagnostic> {
    let list = || -> io::Result<Vec<Entry>> {
        let mut entries = Vec::new();
        for entry in std::fs::read_dir(follow(root, directory)?)? {
            let entry = entry?;
            let name = entry.file_name();
            if name.as_bytes().starts_with(b".") {
                continue;
            }
            let path = directory.join(&name);
            // The type comes with the name: only links cost system calls of their own.
            let kind = entry.file_type()?;
            let real = if kind.is_symlink() {
                follow(root, &path).unwrap_or_else(|_| entry.path())
            } else {
                entry.path()
            };
            let file = (real != Path::new(NULL)).then(|| search::File::new(path, real, kind.is_file()));
            entries.push(Entry { name, file });
        }
        Ok(entries)
    };
    match list() {
        Err(error) if error.kind() != ErrorKind::NotFound => {
            Err(Diagnostic::error("unlisted", format!("cannot be listed: {error}"))
                .help("put a directory in its place that can be listed, or remove it"))
        }
        entries => Ok(entries.unwrap_or_default()),
    }
}

/// Where a path below `root` leads, as the machine that lives there would follow it: its absolute links
/// begin at the root. Only links are followed that somebody made below the root; `/dev/null` is itself, for
/// the tree of an image need not have devices.
///
/// # Errors
/// What keeps a link from being followed, or too many of them.
pub(crate) fn follow(root: &Path, path: &Path) -> io::Result<PathBuf> {
    if root == Path::new("/") {
        // The kernel follows it as well as we do.
        let masks = std::fs::read_link(path).is_ok_and(|target| target == Path::new(NULL));
        return Ok(if masks { PathBuf::from(NULL) } else { path.to_owned() });
    }
    let mut links = 0;
    let mut todo: Vec<PathBuf> = components(path);
    let mut done = PathBuf::new();
    while let Some(next) = todo.pop() {
        if next.as_os_str() == ".." {
            done.pop();
            continue;
        }
        done.push(next);
        // Not a link, or nothing at all: then opening it says so.
        let Ok(target) = std::fs::read_link(root.join(&done)) else { continue };
        if target == Path::new(NULL) && todo.is_empty() {
            return Ok(target);
        }
        links += 1;
        if links > MOST_LINKS {
            return Err(io::Error::other("too many levels of symbolic links"));
        }
        if target.is_absolute() {
            done = PathBuf::new();
        } else {
            done.pop();
        }
        todo.extend(components(&target));
    }
    Ok(root.join(done))
}

/// The parts of a path that matter, the last one first.
fn components(path: &Path) -> Vec<PathBuf> {
    path.components()
        .rev()
        .filter_map(|component| match component {
            Component::Normal(name) => Some(PathBuf::from(name)),
            Component::ParentDir => Some(PathBuf::from("..")),
            _ => None,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn only_short_regular_utf8_files_are_read() {
        let root = tempfile::tempdir().unwrap();
        let path = |name: &str| root.path().join(name);
        let read = |name: &str| read_text(&path(name)).map_err(|diagnostic| diagnostic.code);
        std::fs::create_dir(path("directory")).unwrap();
        std::fs::write(path("latin1"), b"description = \"\xe9\"").unwrap();
        std::fs::write(path("long"), vec![b'#'; 1 << 20 | 1]).unwrap();
        std::fs::write(path("longest"), vec![b'#'; 1 << 20]).unwrap();
        std::fs::write(path("good"), "# nothing").unwrap();
        std::fs::write(path("empty"), "").unwrap();
        symlink("loop", path("loop")).unwrap();
        symlink("/dev/null", path("null")).unwrap();
        symlink("/dev/zero", path("zero")).unwrap();
        for (name, code) in [
            ("directory", "unreadable"),
            ("missing", "unreadable"),
            ("loop", "unreadable"),
            ("latin1", "not-utf8"),
            ("long", "too-long"),
        ] {
            assert_eq!(read(name), Err(code), "{name}");
        }
        assert_eq!(read("longest").map(|text| text.map(|text| text.len())), Ok(Some(1 << 20)));
        assert_eq!(read("good"), Ok(Some("# nothing".to_owned())));
        for name in ["empty", "null", "zero"] {
            assert_eq!(read(name), Ok(None), "{name}");
        }
    }

    #[test]
    fn links_stay_below_the_root() {
        let root = tempfile::tempdir().unwrap();
        let path = |name: &str| root.path().join(name);
        std::fs::create_dir_all(path("etc/a")).unwrap();
        symlink("/etc/a", path("absolute")).unwrap();
        symlink("../../../etc/a", path("etc/a/above")).unwrap();
        symlink("/loop", path("loop")).unwrap();
        symlink("/dev/null", path("mask")).unwrap();
        symlink("mask", path("mask-of-mask")).unwrap();
        let follow = |name: &str| follow(root.path(), Path::new(name));
        assert_eq!(follow("/absolute/x.toml").unwrap(), path("etc/a/x.toml"));
        assert_eq!(follow("/absolute/above").unwrap(), path("etc/a"));
        assert_eq!(follow("/mask-of-mask").unwrap(), Path::new("/dev/null"));
        assert!(follow("/loop").is_err());
    }
}
