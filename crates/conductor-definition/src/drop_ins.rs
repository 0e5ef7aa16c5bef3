//! The drop-ins of one definition, and reading all of it.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use crate::file::{Entry, entries, follow};
use crate::search::File;
use crate::{Diagnostic, Kind, Site, Source};

/// Drop-ins of one definition: nobody can follow more than a few.
const MOST: usize = 100;

/// Bytes of a definition with its drop-ins: as long as one file may be.
const LONGEST: usize = 1 << 20;

/// A definition that was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidate {
    /// The main file.
    pub main: File,
    /// Hardly ever there, and all definitions are found before the first is read: hence the box.
    added: Option<Box<Added>>,
}

/// What there is of drop-ins.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Added {
    /// In the order in which they are applied.
    files: Vec<File>,
    /// Why some are missing.
    problems: Vec<Diagnostic>,
}

/// The drop-ins of one definition, merged by file name: the same name in a directory with higher
/// precedence wins, a mask hides a name, and the order is that of the names, whichever directories they
/// are from (systemd.unit(5)).
#[derive(Debug, Default)]
pub(crate) struct DropIns {
    files: BTreeMap<OsString, Option<File>>,
    problems: Vec<Diagnostic>,
}

impl DropIns {
    /// Adds those of a directory; those of directories that were added before win.
    pub(crate) fn list(&mut self, root: &Path, directory: &Path) {
        let entries = match entries(root, directory) {
            Ok(entries) => entries,
            Err(mut problem) => {
                problem.message = format!("the drop-ins in {} {}", directory.display(), problem.message);
                return self.problems.push(problem);
            }
        };
        for Entry { name, file } in entries {
            if name.as_bytes().ends_with(b".toml") {
                self.files.entry(name).or_insert(file);
            }
        }
    }

    /// Whether there is nothing that would be applied or reported.
    pub(crate) fn is_empty(&self) -> bool {
        self.problems.is_empty() && self.files.values().all(Option::is_none)
    }

    /// The definition to which they belong.
    pub(crate) fn of(self, main: File) -> Candidate {
        let Self { files, mut problems } = self;
        let mut drop_ins: Vec<File> = files.into_values().flatten().collect();
        if drop_ins.len() > MOST {
            drop_ins.truncate(MOST);
            let message = format!("there are more than {MOST} drop-ins");
            problems.push(Diagnostic::error("too-many", message).help("put several into one file"));
        }
        let added = Added { files: drop_ins, problems };
        let is_empty = added.files.is_empty() && added.problems.is_empty();
        Candidate { main, added: (!is_empty).then(|| Box::new(added)) }
    }
}

impl Candidate {
    /// The definition in a file that need not be on the search path, as it would be if it were copied
    /// there: drop-ins beside it come first, and those on the search path of `site` count too.
    pub fn given(site: &Site, kind: Kind, path: &Path) -> Self {
        let mut name = path.file_name().unwrap_or_default().to_owned();
        name.push(".d");
        let mut drop_ins = DropIns::default();
        // The path is the caller's, and so is what stands beside the file.
        drop_ins.list(Path::new("/"), &path.with_file_name(&name));
        for directory in site.search_path(kind) {
            drop_ins.list(&site.root, &directory.join(&name));
        }
        drop_ins.of(File::at(path))
    }

    /// The definition that was found at `path` in `site`, looked for once more: of thousands of definitions not each
    /// is held.
    pub fn again(site: &Site, kind: Kind, path: &Path) -> Self {
        let mut name = path.file_name().unwrap_or_default().to_owned();
        name.push(".d");
        let mut drop_ins = DropIns::default();
        for directory in site.search_path(kind) {
            drop_ins.list(&site.root, &directory.join(&name));
        }
        // What cannot be followed cannot be opened either.
        let real = follow(&site.root, path).unwrap_or_else(|_| site.real(path));
        drop_ins.of(File::new(path.to_owned(), real, false))
    }

    /// The drop-ins, in the order in which they are applied.
    pub fn drop_ins(&self) -> &[File] {
        self.added.as_ref().map_or(&[], |added| &added.files)
    }

    /// The text of all files, and what could not be read; nothing if the main file masks its name
    /// because it is empty (systemd.unit(5)). A definition of which a part is missing must not be used: a
    /// service would run without the limits that the part sets.
    pub fn read(&self) -> Option<(Source, Vec<Diagnostic>)> {
        let path = &self.main.path;
        let mut source = match self.main.read() {
            Ok(Some(text)) => Source::new(path, text),
            Ok(None) => return None,
            Err(problem) => return Some((Source::new(path, ""), vec![problem])),
        };
        let mut problems = self.added.as_ref().map_or_else(Vec::new, |added| added.problems.clone());
        for file in self.drop_ins() {
            let path = &file.path;
            match file.read() {
                Ok(Some(text)) if source.len() + text.len() > LONGEST => {
                    let place = source.push(path, "");
                    let problem = Diagnostic::error(
                        "too-long",
                        "with this drop-in the definition is longer than 1 MiB",
                    );
                    problems
                        .push(problem.at(place..place, "").help("put less into drop-ins, or fewer of them"));
                }
                Ok(Some(text)) => {
                    source.push(path, &text);
                }
                // Has done its work: it hides those of its name.
                Ok(None) => {}
                Err(problem) => {
                    let place = source.push(path, "");
                    problems.push(problem.at(place..place, ""));
                }
            }
        }
        Some((source, problems))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_part_is_reported_at_its_own_path() {
        let root = tempfile::tempdir().unwrap();
        let path = |name: &str| root.path().join(name);
        std::fs::create_dir_all(path("web.toml.d/10.toml")).unwrap();
        std::fs::write(path("web.toml.d/20.toml"), b"\xff").unwrap();
        std::fs::write(path("web.toml.d/30.toml"), "").unwrap();
        std::fs::write(path("web.toml"), "image = 'a'").unwrap();
        let (source, problems) =
            Candidate::given(&Site::system(root.path()), Kind::Service, &path("web.toml")).read().unwrap();
        let prefix = format!("{}/web.toml.d/", root.path().display());
        let lines: Vec<String> =
            problems.iter().map(|problem| problem.one_line(&source).replace(&prefix, "")).collect();
        assert_eq!(
            lines,
            [
                "10.toml: is not a regular file (move it out of the way)",
                "20.toml: is not UTF-8: byte 1 cannot be read (save it as UTF-8)",
            ]
        );
        std::fs::write(path("web.toml"), "").unwrap();
        assert!(
            Candidate::given(&Site::system(root.path()), Kind::Service, &path("web.toml")).read().is_none(),
            "masked"
        );
    }

    #[test]
    fn a_definition_is_found_again_with_its_drop_ins() {
        let root = tempfile::tempdir().unwrap();
        let path = |name: &str| root.path().join(name);
        std::fs::create_dir_all(path("usr/lib/conductor/services")).unwrap();
        std::fs::create_dir_all(path("etc/conductor/services/web.toml.d")).unwrap();
        std::fs::write(path("usr/lib/conductor/services/web.toml"), "image = 'a'").unwrap();
        std::fs::write(path("etc/conductor/services/web.toml.d/10.toml"), "instances = 2").unwrap();
        let site = Site::system(root.path());
        let found = crate::find(&site, Kind::Service).candidates.remove(0);
        assert_eq!(
            Candidate::again(&site, Kind::Service, &found.main.path).read().unwrap(),
            found.read().unwrap()
        );
    }

    #[test]
    fn drop_ins_are_bounded_and_listed_or_the_definition_is_not_used() {
        let root = tempfile::tempdir().unwrap();
        let path = |name: &str| root.path().join(name);
        std::fs::create_dir_all(path("web.toml.d")).unwrap();
        std::fs::create_dir_all(path("etc/conductor/services")).unwrap();
        std::fs::write(path("web.toml"), "image = 'a'").unwrap();
        std::fs::write(path("etc/conductor/services/web.toml.d"), "not a directory").unwrap();
        for number in 0..=MOST {
            std::fs::write(path(&format!("web.toml.d/{number}.toml")), "#").unwrap();
        }
        let candidate = Candidate::given(&Site::system(root.path()), Kind::Service, &path("web.toml"));
        assert_eq!(candidate.drop_ins().len(), MOST);
        let (_, problems) = candidate.read().unwrap();
        let messages: Vec<&str> = problems.iter().map(|problem| problem.message.as_str()).collect();
        assert_eq!(
            messages,
            [
                "the drop-ins in /etc/conductor/services/web.toml.d cannot be listed: Not a directory (os error 20)",
                "there are more than 100 drop-ins",
            ]
        );
    }

    #[test]
    fn all_together_are_no_longer_than_one_may_be() {
        let root = tempfile::tempdir().unwrap();
        let path = |name: &str| root.path().join(name);
        std::fs::create_dir_all(path("web.toml.d")).unwrap();
        std::fs::write(path("web.toml"), "image = 'a'").unwrap();
        let half = "#".repeat(LONGEST / 2);
        std::fs::write(path("web.toml.d/10.toml"), &half).unwrap();
        std::fs::write(path("web.toml.d/20.toml"), &half).unwrap();
        std::fs::write(path("web.toml.d/30.toml"), "#").unwrap();
        let (source, problems) =
            Candidate::given(&Site::system(root.path()), Kind::Service, &path("web.toml")).read().unwrap();
        assert!(source.len() <= LONGEST);
        let lines: Vec<String> = problems.iter().map(|problem| problem.one_line(&source)).collect();
        let expected = "web.toml.d/20.toml: with this drop-in the definition is longer than 1 MiB (put less into drop-ins, or fewer of them)";
        assert_eq!(lines, [format!("{}/{expected}", root.path().display())]);
    }
}
