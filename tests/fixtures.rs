//! Definition tree in, exact unit tree out.
//!
//! Each directory in `fixtures/` is one case, named for what it shows: `root/` is what the generator
//! reads, `units` is everything it writes (in the text form of `conductor generate`), and `log` what it
//! says. `SNAPSHOTS=overwrite cargo test -p conductor-tests --test fixtures` rewrites the last two. A file `scope`
//! with the word `user` makes it a run for alice's own systemd.

#![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]

mod trees;

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use conductor_generator::{Log, Priority, Roots, run};
use conductor_units::Tree;

use trees::{cases, copy, site};

#[derive(Default)]
struct Lines(String);

impl Log for Lines {
    fn log(&mut self, priority: Priority, message: &str) {
        writeln!(self.0, "<{}>{message}", priority as u8).unwrap();
    }
}

/// Everything below a directory, as a tree of units.
fn dump(directory: &Path, prefix: &str, tree: &mut Tree) {
    let Ok(entries) = fs::read_dir(directory) else { return };
    for entry in entries {
        let entry = entry.unwrap();
        let path = format!("{prefix}{}", entry.file_name().to_str().unwrap());
        let kind = entry.file_type().unwrap();
        if kind.is_dir() {
            dump(&entry.path(), &format!("{path}/"), tree);
        } else if kind.is_symlink() {
            tree.link(path, fs::read_link(entry.path()).unwrap().to_str().unwrap());
        } else {
            tree.file(path, fs::read_to_string(entry.path()).unwrap());
        }
    }
}

/// Runs the generator as systemd does, on an empty output directory.
fn generate(case: &Path, root: &Path) -> (String, String) {
    let output = tempfile::tempdir().unwrap();
    let mut log = Lines::default();
    run(&Roots { site: site(case, root), output: output.path().to_owned() }, &mut log);
    let mut tree = Tree::default();
    dump(output.path(), "", &mut tree);
    (tree.to_string(), log.0)
}

fn compare(file: &Path, actual: &str, differences: &mut Vec<String>) {
    let expected = fs::read_to_string(file).unwrap_or_default();
    if expected == actual {
        return;
    }
    if std::env::var_os("SNAPSHOTS").is_some_and(|mode| mode == "overwrite") {
        if actual.is_empty() {
            fs::remove_file(file).unwrap();
        } else {
            fs::write(file, actual).unwrap();
        }
        return;
    }
    differences.push(format!("--- {}\nexpected:\n{expected}\nactual:\n{actual}", file.display()));
}

#[test]
fn every_tree_is_exactly_as_expected() {
    let mut differences = Vec::new();
    for case in cases() {
        let root = tempfile::tempdir().unwrap();
        copy(&case.join("root"), root.path());
        let (units, log) = generate(&case, root.path());
        compare(&case.join("units"), &units, &mut differences);
        compare(&case.join("log"), &log, &mut differences);
        // The next daemon-reload changes nothing, although the last good units are kept by now.
        let (again, _) = generate(&case, root.path());
        assert_eq!(units, again, "{}: a second run differs", case.display());
    }
    assert!(differences.is_empty(), "{}", differences.join("\n"));
}
