//! Units are made aside, and linked into systemd's directory when all are made.
//!
//! systemd empties its directory before each run, and nearly always the same units come back. So what is made
//! stays under /run/conductor/units, and systemd gets hard links (link(2)): a unit that has not changed is compared
//! and linked, which costs a fraction of a new file. A link appears as a whole and never takes the place of what
//! somebody else has made, so nothing has to be written beside it and renamed. And of thousands of definitions only
//! the names have to be remembered until all are read.
//!
//! It is no cache that could be stale: a file counts only if it holds exactly the bytes that would be written,
//! and it is never changed, only replaced. Should somebody edit a unit in systemd's directory, the file here
//! changes with it; the next run sees that and makes it anew. The last good units are others
//! ([`crate::last_good`]), which nobody has a link to.

use std::collections::HashSet;
use std::fs::File;
use std::hash::{BuildHasher, RandomState};
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};

use conductor_definition::Site;
use conductor_units::{Entry, Tree};

use crate::WriteError;
use crate::plan::Plan;
use crate::same::holds;
use crate::write::{below, link, make_directory_of, write_file, write_tree};

/// Below the runtime directory, of the machine or of the user.
const DIRECTORY: &str = "conductor/units";

/// Where units are made, and where they go.
#[derive(Debug)]
pub(crate) struct Workshop<'a> {
    output: &'a Path,
    aside: PathBuf,
    /// Whether there can be nothing yet that would be compared, as after a boot.
    empty: bool,
}

/// Stands for the name of the service in what is [`Staged`]: no path of a unit has it.
const NAME: char = '\u{1}';

/// A tree whose files lie ready: the paths, each on a line, with a link's target behind a NUL. In one piece, and without
/// the name that nearly all of them begin with, because of thousands of definitions this is most of what is held.
#[derive(Debug, Clone)]
pub(crate) struct Staged(Box<str>);

impl Staged {
    fn new(service: &str, tree: &Tree) -> Self {
        let mut lines = String::new();
        for (path, entry) in tree.iter() {
            if let Entry::File(_) = entry {
                lines.extend([path, "\n"]);
            }
        }
        // Links last: they lead to files, and a directory for them is made only when there is one.
        for (path, entry) in tree.iter() {
            if let Entry::Link(target) = entry {
                lines.extend([path, "\0", target, "\n"]);
            }
        }
        Self(lines.replace(service, NAME.encode_utf8(&mut [0; 4])).into())
    }

    /// The paths of `service`'s units.
    pub(crate) fn paths(&self, service: &str) -> impl Iterator<Item = String> {
        self.pieces(service).map(|(path, _)| path)
    }

    /// Paths, and where those lead that are symbolic links.
    fn pieces(&self, service: &str) -> impl Iterator<Item = (String, Option<String>)> {
        let whole = move |text: &str| text.replace(NAME, service);
        self.0.split_terminator('\n').map(move |line| match line.split_once('\0') {
            Some((path, target)) => (whole(path), Some(whole(target))),
            None => (whole(line), None),
        })
    }
}

impl<'a> Workshop<'a> {
    pub(crate) fn new(site: &Site, output: &'a Path) -> Self {
        let aside = site.real(&site.runtime().join(DIRECTORY));
        let empty = !exists(&aside);
        Self { output, aside, empty }
    }

    /// Makes the files of a tree, or finds that they are there. Nothing of it is visible to systemd yet.
    pub(crate) fn stage(&self, service: &str, tree: &Tree) -> io::Result<Staged> {
        for (path, entry) in tree.iter() {
            if let Entry::File(text) = entry {
                self.make(&self.file(service, path), text)?;
            }
        }
        Ok(Staged::new(service, tree))
    }

    /// Gives a staged tree to systemd: all of it or nothing.
    pub(crate) fn place(&self, service: &str, staged: &Staged) -> Result<(), WriteError> {
        let mut placed = Vec::new();
        for (path, target) in staged.pieces(service) {
            let place = below(self.output, &[&path]);
            let result = match target {
                Some(target) => link(&place, &target),
                None => place_file(&self.file(service, &path), &place),
            };
            if let Err(error) = result {
                // The first error is the one to report.
                for place in &placed {
                    drop(std::fs::remove_file(place));
                }
                return Err(match error.kind() {
                    ErrorKind::AlreadyExists => WriteError::taken(&place),
                    _ => WriteError::new(&place, error),
                });
            }
            placed.push(place);
        }
        Ok(())
    }

    /// The same for a tree that is not staged.
    pub(crate) fn stage_and_place(&self, service: &str, tree: &Tree) -> Result<(), WriteError> {
        if let Ok(staged) = self.stage(service, tree) {
            return self.place(service, &staged);
        }
        // There is no room aside, or no right to it: then straight into systemd's directory.
        if let Some(unit) = tree.unit_names().find(|unit| exists(&self.output.join(unit))) {
            return Err(WriteError::taken(&self.output.join(unit)));
        }
        write_tree(self.output, tree)
    }

    /// Forgets files that no plan has any more.
    pub(crate) fn tidy(&self, plan: &Plan) {
        let files = plan
            .services
            .iter()
            .flat_map(|service| service.paths().map(|path| self.file(&service.name, &path)));
        // Of thousands of paths only so much; a file that nobody has and that looks like another does no harm.
        let hasher = RandomState::new();
        let used: HashSet<u64> = files.map(|path| hasher.hash_one(path)).collect();
        tidy(&self.aside, &|path| used.contains(&hasher.hash_one(path)));
    }

    /// A file that holds `text` and that nobody has seen yet, unless it was there before.
    fn make(&self, path: &Path, text: &str) -> io::Result<()> {
        let found = if self.empty { None } else { holds(path, std::iter::once(text)).ok() };
        if found == Some(true) {
            return Ok(());
        }
        let mut file = match File::create_new(path) {
            // The usual case costs no system call for directories that are there.
            Err(error) if error.kind() == ErrorKind::NotFound => {
                make_directory_of(path)?;
                File::create_new(path)
            }
            // Not written over: it may be systemd's by now.
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {
                std::fs::remove_file(path)?;
                File::create_new(path)
            }
            result => result,
        }?;
        file.write_all(text.as_bytes())
    }

    /// Two definitions may want the same unit until it is decided whose it is, hence the service in the name.
    fn file(&self, service: &str, path: &str) -> PathBuf {
        below(&self.aside, &[service, ":", path])
    }
}

/// systemd empties the directory before each run: what is there already is another generator's, such as
/// Quadlet's. systemd's own refuse to write over each other too (src/shared/generator.c), and so does link(2).
fn place_file(made: &Path, place: &Path) -> io::Result<()> {
    match std::fs::hard_link(made, place) {
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Err(error),
        Err(error) if error.kind() == ErrorKind::NotFound => {
            make_directory_of(place)?;
            std::fs::hard_link(made, place)
        }
        // A file system without links, or another one.
        Err(_) if exists(place) => Err(ErrorKind::AlreadyExists.into()),
        Err(_) => write_file(place, &std::fs::read_to_string(made)?).map_err(WriteError::into_source),
        Ok(()) => Ok(()),
    }
}

fn exists(path: &Path) -> bool {
    path.symlink_metadata().is_ok()
}

/// Left-overs cost memory and do no harm, so what cannot be removed stays.
fn tidy(directory: &Path, is_used: &dyn Fn(&Path) -> bool) {
    for entry in std::fs::read_dir(directory).into_iter().flatten().flatten() {
        let path = entry.path();
        if is_used(&path) {
            continue;
        }
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            tidy(&path, is_used);
            // Refused while something is in it.
            drop(std::fs::remove_dir(path));
        } else {
            drop(std::fs::remove_file(path));
        }
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::MetadataExt;

    use super::*;

    fn tree(files: &[(&str, &str)]) -> Tree {
        let mut tree = Tree::default();
        for (path, text) in files {
            tree.file(*path, *text);
        }
        tree.link("conductor.target.wants/web.service", "../web.service");
        tree
    }

    /// A fresh output directory, as systemd makes one.
    fn give(root: &Path, output: &str, tree: &Tree) -> PathBuf {
        let output = root.join(output);
        std::fs::create_dir(&output).unwrap();
        Workshop::new(&Site::system(root), &output).stage_and_place("web", tree).unwrap();
        output
    }

    fn inode(path: &Path) -> u64 {
        path.metadata().unwrap().ino()
    }

    #[test]
    fn what_has_not_changed_is_the_same_file_and_no_file_is_changed() {
        let root = tempfile::tempdir().unwrap();
        let files = |text| [("web.service", text), ("web@1.service.d/10.conf", "same\n")];
        let first = give(root.path(), "first", &tree(&files("one\n")));
        let second = give(root.path(), "second", &tree(&files("two\n")));
        let path = "web@1.service.d/10.conf";
        assert_eq!(inode(&first.join(path)), inode(&second.join(path)));
        assert_eq!(std::fs::read_to_string(first.join("web.service")).unwrap(), "one\n");
        assert_eq!(
            std::fs::read_to_string(second.join("conductor.target.wants/web.service")).unwrap(),
            "two\n"
        );
    }

    #[test]
    fn what_somebody_has_edited_is_made_anew() {
        let root = tempfile::tempdir().unwrap();
        let tree = tree(&[("web.service", "one\n")]);
        for (output, again, edited) in [("a", "b", "two\n"), ("c", "d", "one\nmore\n"), ("e", "f", "")] {
            let unit = give(root.path(), output, &tree).join("web.service");
            std::fs::write(&unit, edited).unwrap();
            let unit = give(root.path(), again, &tree).join("web.service");
            assert_eq!(std::fs::read_to_string(unit).unwrap(), "one\n");
        }
    }

    /// /dev/shm is another file system nearly everywhere; where it is not, this is the ordinary case once more.
    #[test]
    fn across_file_systems_units_are_copied() {
        let root = tempfile::tempdir().unwrap();
        let other = tempfile::tempdir_in("/dev/shm").unwrap();
        let tree = tree(&[("web.service", "one\n")]);
        let workshop = Workshop::new(&Site::system(root.path()), other.path());
        workshop.stage_and_place("web", &tree).unwrap();
        assert_eq!(std::fs::read_to_string(other.path().join("web.service")).unwrap(), "one\n");
        let error = workshop.stage_and_place("web", &tree).unwrap_err().to_string();
        assert!(error.contains("another generator has made it already"), "{error}");
    }

    #[test]
    fn without_a_place_aside_units_are_written_all_the_same() {
        let root = tempfile::tempdir().unwrap();
        std::fs::write(root.path().join("run"), "not a directory").unwrap();
        let output = give(root.path(), "output", &tree(&[("web.service", "one\n")]));
        assert_eq!(std::fs::read_to_string(output.join("web.service")).unwrap(), "one\n");
    }

    #[test]
    fn what_no_plan_has_is_forgotten() {
        let root = tempfile::tempdir().unwrap();
        let files = [("web.service", ""), ("web@1.service.d/10.conf", ""), ("web@2.service.d/10.conf", "")];
        let output = give(root.path(), "output", &tree(&files));
        let planned = crate::plan::Planned {
            name: "web".to_owned(),
            units: crate::plan::Units::Held(tree(&files[..2])),
            good: true,
            kept: false,
        };
        let workshop = Workshop::new(&Site::system(root.path()), &output);
        workshop.tidy(&Plan { services: vec![planned], ..Plan::default() });
        let mut left: Vec<_> =
            std::fs::read_dir(&workshop.aside).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        left.sort();
        assert_eq!(left, ["web:web.service", "web:web@1.service.d"]);
    }
}
