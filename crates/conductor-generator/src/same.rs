//! Compares files with what would be written.

use std::cell::RefCell;
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

thread_local! {
    /// For each thread, because so many files are compared.
    static BUFFER: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

/// Whether the file holds exactly these parts, one after the other.
///
/// # Errors
/// What keeps it from being read.
pub(crate) fn holds<'a>(path: &Path, parts: impl Iterator<Item = &'a str> + Clone) -> io::Result<bool> {
    let length: usize = parts.clone().map(str::len).sum();
    BUFFER.with_borrow_mut(|buffer| {
        // One byte more than there should be: a single call then tells a longer file too.
        if buffer.len() <= length {
            buffer.resize(length + 1, 0);
        }
        let read = File::open(path)?.read(buffer.get_mut(..=length).unwrap_or_default())?;
        let mut rest = buffer.get(..read).unwrap_or_default();
        let mut expected = parts;
        let same = expected.all(|part| match rest.strip_prefix(part.as_bytes()) {
            Some(after) => {
                rest = after;
                true
            }
            None => false,
        });
        Ok(same && rest.is_empty())
    })
}

#[cfg(test)]
mod tests {

    #[test]
    fn neither_shorter_nor_longer_nor_other() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("file");
        std::fs::write(&path, "one two").unwrap();
        let holds = |parts: &[&str]| super::holds(&path, parts.iter().copied()).unwrap();
        assert!(holds(&["one two"]) && holds(&["one", "", " ", "two"]));
        for parts in [&[][..], &["one"], &["one two "], &["one", "two"], &["one twx"]] {
            assert!(!holds(parts), "{parts:?}");
        }
        assert!(super::holds(&directory.path().join("none"), [].into_iter()).is_err());
        assert!(super::holds(directory.path(), ["x"].into_iter()).is_err());
    }
}
