//! Definition tree in, exact unit tree out.
//!
//! Each directory in `fixtures/` is one case, named for what it shows: `root/` is what the generator
//! reads, `units` is everything it writes (in the text form of `conductor generate`; an empty file if it writes
//! nothing), and `log` what it says, if it says anything. `SNAPSHOTS=overwrite cargo test -p conductor-tests --test
//! fixtures` rewrites the last two. A file `scope` with the word `user` makes it a run for alice's own systemd.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a panic is how a test fails")]

mod trees;

use std::fmt::Write as _;
use std::fs;
use std::io::ErrorKind;
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

/// Compares with the file's text; with none, if there is to be no file.
fn compare(file: &Path, actual: Option<&str>, differences: &mut Vec<String>) {
    let expected = match fs::read_to_string(file) {
        Ok(text) => Some(text),
        Err(error) if error.kind() == ErrorKind::NotFound => None,
        Err(error) => panic!("{}: {error}", file.display()),
    };
    if expected.as_deref() == actual {
        return;
    }
    if std::env::var_os("SNAPSHOTS").is_some_and(|mode| mode == "overwrite") {
        match actual {
            Some(actual) => fs::write(file, actual).unwrap(),
            None => fs::remove_file(file).unwrap(),
        }
        return;
    }
    let show =
        |text: Option<&str>| text.map_or_else(|| "no such file".to_owned(), |text| format!("\n{text}"));
    let (expected, actual) = (show(expected.as_deref()), show(actual));
    differences.push(format!("--- {}\nexpected: {expected}\nactual: {actual}", file.display()));
}

#[test]
fn every_tree_is_exactly_as_expected() {
    let mut differences = Vec::new();
    for case in cases() {
        let root = tempfile::tempdir().unwrap();
        copy(&case.join("root"), root.path());
        let (units, log) = generate(&case, root.path());
        // Whoever forgets what is expected is told: a file that is missing never means "nothing".
        compare(&case.join("units"), Some(&units), &mut differences);
        compare(&case.join("log"), Some(log.as_str()).filter(|log| !log.is_empty()), &mut differences);
        // The next daemon-reload changes nothing, although the last good units are kept by now.
        let (again, _) = generate(&case, root.path());
        assert_eq!(units, again, "{}: a second run differs", case.display());
    }
    assert!(differences.is_empty(), "{}", differences.join("\n"));
}
