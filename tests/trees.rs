//! The fixtures' directories, for the comparison of trees and for the verifiers of real systemds.

use std::fs;
use std::path::{Path, PathBuf};

use conductor_definition::{Site, UserDirectories};

/// Fewer would mean that they are looked for in the wrong place, or were lost.
const FEWEST: usize = 40;

/// All cases, sorted by name.
pub(crate) fn cases() -> Vec<PathBuf> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures");
    let mut cases: Vec<PathBuf> =
        fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path()).collect();
    cases.sort();
    assert!(cases.len() >= FEWEST, "{} fixtures are all that were found", cases.len());
    cases
}

/// Whose machine a case is: the system's, or if its file `scope` says so alice's, below `root`.
pub(crate) fn site(case: &Path, root: &Path) -> Site {
    let scope = fs::read_to_string(case.join("scope")).unwrap_or_else(|_| "system\n".to_owned());
    assert!(["system\n", "user\n"].contains(&scope.as_str()), "{}: no scope {scope:?}", case.display());
    Site { root: root.to_owned(), user: (scope == "user\n").then(alice) }
}

fn alice() -> UserDirectories {
    let environment = |name: &str| match name {
        "HOME" => Some("/home/alice".into()),
        "XDG_RUNTIME_DIR" => Some("/run/user/1001".into()),
        _ => None,
    };
    UserDirectories::from_environment(environment).unwrap()
}

/// Copies a tree, links as links.
pub(crate) fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        let kind = entry.file_type().unwrap();
        if kind.is_dir() {
            copy(&entry.path(), &target);
        } else if kind.is_symlink() {
            std::os::unix::fs::symlink(fs::read_link(entry.path()).unwrap(), target).unwrap();
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}
