//! Finds definitions and their drop-ins on the search path, by the rules that systemd has for units
//! (systemd.unit(5), "Unit file load path" and the description of drop-ins).

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use crate::drop_ins::DropIns;
use crate::file::{Entry, entries, read_regular, read_text};
use crate::suggest::nearest;
use crate::{Candidate, Diagnostic, Kind, Site, Source};

/// Definitions of a kind that are read: the generator runs at every boot, and must come to an end whatever somebody
/// has unpacked there.
const MOST: usize = 10_000;

/// Directories of drop-ins for which a definition of a similar name is looked for.
const MOST_COMPARED: usize = 10;

/// A file that was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct File {
    /// As it is called inside the root: what users see.
    pub path: PathBuf,
    /// As it is opened, if that is another path: two paths of each file are much memory.
    real: Option<PathBuf>,
    /// Whether it is known to be a regular file.
    regular: bool,
}

impl File {
    pub(crate) fn new(path: PathBuf, real: PathBuf, regular: bool) -> Self {
        let real = Some(real).filter(|real| *real != path);
        Self { path, real, regular }
    }

    /// A file of which nothing is known but the path.
    pub(crate) fn at(path: &Path) -> Self {
        Self { path: path.to_owned(), real: None, regular: false }
    }

    /// The path by which it is opened.
    pub fn real(&self) -> &Path {
        self.real.as_ref().unwrap_or(&self.path)
    }

    /// Its text; nothing if it masks.
    pub(crate) fn read(&self) -> Result<Option<String>, Diagnostic> {
        if self.regular { read_regular(self.real()) } else { read_text(self.real()) }
    }
}

/// Something to be said about a directory, or a file that is not a definition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// What it is about.
    pub path: PathBuf,
    /// What is to be said; it has no place in a text.
    pub diagnostic: Diagnostic,
}

/// What is on the search path.
#[derive(Debug, Default)]
pub struct Found {
    /// All definitions, sorted by name, without those that are masked.
    pub candidates: Vec<Candidate>,
    /// Directories that cannot be listed, drop-ins without a definition and the like.
    pub findings: Vec<Finding>,
}

impl Finding {
    fn new(path: impl Into<PathBuf>, diagnostic: Diagnostic) -> Self {
        Self { path: path.into(), diagnostic }
    }

    /// The finding on one line, for logs.
    pub fn one_line(&self) -> String {
        self.diagnostic.one_line(&Source::new(&self.path, ""))
    }
}

impl Found {
    /// The definition in the file `NAME.toml`.
    pub fn named(self, name: &str) -> Option<Candidate> {
        let file = format!("{name}.toml");
        let has_name =
            |found: &Candidate| found.main.path.file_name().is_some_and(|found| found == file.as_str());
        self.candidates.into_iter().find(has_name)
    }
}

/// All definitions of a kind in a site. A directory that does not exist is empty; one that cannot be listed
/// hides no other.
pub fn find(site: &Site, kind: Kind) -> Found {
    find_at_most(site, kind, MOST)
}

fn find_at_most(site: &Site, kind: Kind, most: usize) -> Found {
    let path = site.search_path(kind);
    let mut search = Search { root: &site.root, most, ..Search::default() };
    for directory in &path {
        search.list(directory);
    }
    search.finish(path.first())
}

struct Search<'a> {
    root: &'a Path,
    most: usize,
    /// By file name; `None` is masked. A mask hides what comes later on the path as a file does.
    definitions: BTreeMap<OsString, Option<File>>,
    /// By the file name of their definition: the directories, the one with the highest precedence first.
    drop_ins: BTreeMap<OsString, Vec<PathBuf>>,
    findings: Vec<Finding>,
    too_many: bool,
}

impl Default for Search<'_> {
    fn default() -> Self {
        Self {
            root: Path::new("/"),
            most: MOST,
            definitions: BTreeMap::new(),
            drop_ins: BTreeMap::new(),
            findings: Vec::new(),
            too_many: false,
        }
    }
}

impl Search<'_> {
    fn list(&mut self, directory: &Path) {
        let entries = match entries(self.root, directory) {
            Ok(entries) => entries,
            Err(diagnostic) => return self.findings.push(Finding::new(directory, diagnostic)),
        };
        for Entry { name, file } in entries {
            if let Some(definition) =
                name.as_bytes().strip_suffix(b".d").filter(|name| name.ends_with(b".toml"))
            {
                let definition = OsStr::from_bytes(definition).to_owned();
                self.drop_ins.entry(definition).or_default().push(directory.join(&name));
            } else if name.as_bytes().ends_with(b".toml") {
                self.definitions.entry(name).or_insert(file);
            } else if let Some(stem) = misspelt(&name) {
                let help = format!("rename it to {}.toml", stem.to_string_lossy());
                let warning =
                    Diagnostic::warning("not-read", "is not read: definitions are called NAME.toml");
                self.findings.push(Finding::new(directory.join(&name), warning.help(help)));
            }
            // Whatever is last goes, so that it is always the same ones that stay.
            if self.definitions.len() > self.most {
                self.definitions.pop_last();
                self.too_many = true;
            }
            if self.drop_ins.len() > self.most {
                self.drop_ins.pop_last();
            }
        }
    }

    /// `first` is the directory that findings about all of them are said of.
    fn finish(mut self, first: Option<&PathBuf>) -> Found {
        let names: Vec<String> =
            self.definitions.keys().map(|name| name.to_string_lossy().into_owned()).collect();
        let last = names.last().map(String::as_str).unwrap_or_default();
        let mut found = Found::default();
        for (name, main) in std::mem::take(&mut self.definitions) {
            let directories = self.drop_ins.remove(&name).unwrap_or_default();
            if let Some(main) = main {
                found.candidates.push(self.drop_ins(&directories).of(main));
            }
        }
        if self.too_many {
            let message = format!("more than {} definitions: those after {last} are left out", self.most);
            let diagnostic =
                Diagnostic::error("too-many", message).help("move some of them to another machine");
            self.findings.push(Finding::new(first.cloned().unwrap_or_default(), diagnostic));
            // The definitions of later drop-ins may be among those.
            self.drop_ins.retain(|name, _| *name.to_string_lossy() <= *last);
        }
        let mut orphans = 0;
        for (name, directories) in &self.drop_ins {
            if self.drop_ins(directories).is_empty() {
                continue;
            }
            orphans += 1;
            let name = name.to_string_lossy();
            let message = format!("drop-ins without a definition: there is no {name}");
            // Of very many none is a slip of the finger, and each is compared with all.
            let names = if orphans <= MOST_COMPARED { names.as_slice() } else { &[] };
            let help = match nearest(&name, names.iter().map(String::as_str)) {
                Some(near) => format!("did you mean {near}.d?"),
                None => "write the definition, or remove the directory".to_owned(),
            };
            let warning = Diagnostic::warning("no-definition", message).help(help);
            self.findings.extend(directories.iter().map(|path| Finding::new(path, warning.clone())));
        }
        found.findings = self.findings;
        found
    }

    fn drop_ins(&self, directories: &[PathBuf]) -> DropIns {
        let mut drop_ins = DropIns::default();
        for directory in directories {
            drop_ins.list(self.root, directory);
        }
        drop_ins
    }
}

/// What stands before a `.TOML`: suffixes are in lower case, as those of units are.
fn misspelt(name: &OsStr) -> Option<&OsStr> {
    let (stem, suffix) = name.as_bytes().split_last_chunk::<5>()?;
    (suffix != b".toml" && suffix.eq_ignore_ascii_case(b".toml")).then(|| OsStr::from_bytes(stem))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    struct Tree(tempfile::TempDir);

    impl Tree {
        fn new(files: &[&str]) -> Self {
            let root = tempfile::tempdir().unwrap();
            for file in files {
                let path = root.path().join(file);
                std::fs::create_dir_all(path.parent().unwrap()).unwrap();
                std::fs::write(path, "#").unwrap();
            }
            Self(root)
        }

        fn link(self, path: &str, target: &str) -> Self {
            let path = self.0.path().join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            symlink(target, path).unwrap();
            self
        }

        /// Main files and, behind them, their drop-ins; then the findings.
        fn found(&self, most: usize) -> Vec<String> {
            let Found { candidates, findings } =
                find_at_most(&Site::system(self.0.path()), Kind::Service, most);
            let short = |path: &Path| path.display().to_string().replace("conductor/services/", "");
            let shown = candidates.iter().map(|found| {
                let files = std::iter::once(&found.main).chain(found.drop_ins());
                files.map(|file| short(&file.path)).collect::<Vec<_>>().join(" ")
            });
            shown.chain(findings.iter().map(|finding| short(finding.one_line().as_ref()))).collect()
        }
    }

    #[test]
    fn first_directory_wins_and_dev_null_masks() {
        let tree = Tree::new(&[
            "usr/lib/conductor/services/a.toml",
            "usr/lib/conductor/services/b.toml",
            "usr/lib/conductor/services/c.toml",
            "usr/lib/conductor/services/d.toml",
            "etc/conductor/services/a.toml",
            "etc/conductor/services/.hidden.toml",
            "etc/conductor/services/readme",
        ])
        .link("run/conductor/services/b.toml", "/dev/null")
        .link("etc/conductor/services/d.toml", "/run/conductor/services/b.toml");
        assert_eq!(tree.found(9), ["/etc/a.toml", "/usr/lib/c.toml"]);
    }

    #[test]
    fn kinds_have_directories_of_their_own() {
        let tree = Tree::new(&[
            "etc/conductor/networks/Back_end.toml",
            "usr/lib/conductor/networks/Back_end.toml.d/10.toml",
            "etc/conductor/services/web.toml",
        ])
        .link("run/conductor/volumes/data.toml", "/dev/null");
        let found = |kind| {
            let Found { candidates, findings } = find(&Site::system(tree.0.path()), kind);
            let files =
                |found: &Candidate| format!("{} {}", found.main.path.display(), found.drop_ins().len());
            (candidates.iter().map(files).collect::<Vec<_>>(), findings.len())
        };
        assert_eq!(found(Kind::Service), (vec!["/etc/conductor/services/web.toml 0".to_owned()], 0));
        assert_eq!(found(Kind::Network), (vec!["/etc/conductor/networks/Back_end.toml 1".to_owned()], 0));
        assert_eq!(found(Kind::Volume), (vec![], 0));
    }

    #[test]
    fn drop_ins_merge_by_name_whichever_directory_has_the_main_file() {
        let tree = Tree::new(&[
            "usr/lib/conductor/services/web.toml",
            "usr/lib/conductor/services/web.toml.d/10-a.toml",
            "usr/lib/conductor/services/web.toml.d/20-b.toml",
            "usr/lib/conductor/services/web.toml.d/30-c.toml",
            "run/conductor/services/web.toml.d/20-b.toml",
            "run/conductor/services/web.toml.d/05-d.toml",
            "etc/conductor/services/web.toml.d/20-b.toml",
            "etc/conductor/services/web.toml.d/.hidden.toml",
            "etc/conductor/services/web.toml.d/readme",
        ])
        .link("etc/conductor/services/web.toml.d/30-c.toml", "/dev/null");
        assert_eq!(
            tree.found(9),
            [
                "/usr/lib/web.toml /run/web.toml.d/05-d.toml /usr/lib/web.toml.d/10-a.toml /etc/web.toml.d/20-b.toml"
            ]
        );
    }

    #[test]
    fn drop_ins_need_a_definition_but_not_an_unmasked_one() {
        let tree = Tree::new(&[
            "etc/conductor/services/web.toml",
            "etc/conductor/services/wbe.toml.d/10.toml",
            "etc/conductor/services/other.toml.d/10.toml",
            "etc/conductor/services/empty.toml.d/readme",
            "etc/conductor/services/masked.toml.d/10.toml",
        ])
        .link("etc/conductor/services/masked.toml", "/dev/null");
        assert_eq!(
            tree.found(9),
            [
                "/etc/web.toml",
                "/etc/other.toml.d: warning: drop-ins without a definition: there is no other.toml (write the definition, or remove the directory)",
                "/etc/wbe.toml.d: warning: drop-ins without a definition: there is no wbe.toml (did you mean web.toml.d?)",
            ]
        );
    }

    #[test]
    fn capitals_in_the_suffix_are_told_of() {
        let tree = Tree::new(&[
            "etc/conductor/services/web.TOML",
            "etc/conductor/services/toml",
            "etc/conductor/services/web.toml~",
            "etc/conductor/services/.api.Toml",
        ]);
        assert_eq!(
            tree.found(9),
            ["/etc/web.TOML: warning: is not read: definitions are called NAME.toml (rename it to web.toml)"]
        );
    }

    #[test]
    fn too_many_are_cut_off_by_name() {
        let tree = Tree::new(&[
            "etc/conductor/services/c.toml",
            "etc/conductor/services/d.toml",
            "usr/lib/conductor/services/a.toml",
            "usr/lib/conductor/services/d.toml.d/10.toml",
        ]);
        assert_eq!(
            tree.found(2),
            [
                "/usr/lib/a.toml",
                "/etc/c.toml",
                "/etc/conductor/services: more than 2 definitions: those after c.toml are left out (move some of them to another machine)",
            ]
        );
    }

    #[test]
    fn what_is_no_directory_hides_nothing() {
        let tree = Tree::new(&["etc/conductor/services", "usr/lib/conductor/services/web.toml"])
            .link("run/conductor/services", "services");
        let found = tree.found(9);
        assert_eq!(found[0], "/usr/lib/web.toml");
        assert!(found[1].starts_with("/etc/conductor/services: cannot be listed: "), "{found:?}");
        assert!(found[2].starts_with("/run/conductor/services: cannot be listed: "), "{found:?}");
        assert!(Tree::new(&[]).found(9).is_empty());
    }
}
