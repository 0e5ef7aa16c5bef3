//! Trees that nobody meant to be there: the generator comes to an end and every good definition works.

#![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use conductor_definition::Site;
use conductor_generator::{Log, Outcome, Priority, preview};

#[derive(Default)]
struct Lines(Vec<String>);

impl Log for Lines {
    fn log(&mut self, _: Priority, message: &str) {
        self.0.push(message.to_owned());
    }
}

/// The messages, without the directory, and whether `web` was converted.
fn generate(root: &Path) -> (Vec<String>, Outcome, bool) {
    let mut log = Lines::default();
    let (tree, outcome) = preview(&Site::system(root), &mut log);
    let web = tree.to_string().contains("podman run --name conductor-web ");
    (log.0.iter().map(|line| line.replace("/etc/conductor/services/", "")).collect(), outcome, web)
}

fn root() -> tempfile::TempDir {
    let root = tempfile::tempdir().unwrap();
    fs::create_dir_all(services(root.path())).unwrap();
    fs::write(services(root.path()).join("web.toml"), "image = \"web\"").unwrap();
    root
}

fn services(root: &Path) -> std::path::PathBuf {
    root.join("etc/conductor/services")
}

#[test]
fn names_that_are_not_text() {
    let root = root();
    let named = |name: &[u8]| services(root.path()).join(OsStr::from_bytes(name));
    fs::write(named(b"caf\xe9.toml"), "image = \"a\"").unwrap();
    fs::write(named(b"two\nlines\x1b[31m.toml"), "image = \"a\"").unwrap();
    fs::create_dir(named(b"web.toml.d")).unwrap();
    fs::create_dir(named(b"caf\xe8.toml.d")).unwrap();
    fs::write(named(b"web.toml.d/\xff.toml"), "instances = 0").unwrap();
    fs::write(named(b"caf\xe8.toml.d/1.toml"), "instances = 0").unwrap();
    let (log, outcome, web) = generate(root.path());
    assert_eq!(
        log,
        [
            "caf\u{fffd}.toml: the file name caf\u{fffd}.toml does not give a service name: call it NAME.toml",
            "two lines [31m.toml: `two\\nlines\\u{1b}[31m` cannot be a service's name: use lower-case letters, digits and `-`, and begin with a letter or a digit",
            "web.toml.d/\u{fffd}.toml:1:13: 0 is not between 1 and 1000",
        ]
    );
    assert_eq!((outcome, web), (Outcome::Incomplete, false));
}

#[test]
fn nothing_is_waited_for() {
    let root = root();
    let fifo = |name: &str| {
        let made = std::process::Command::new("mkfifo").arg(root.path().join(name)).status().unwrap();
        assert!(made.success());
    };
    fifo("etc/conductor/services/fifo.toml");
    fifo("etc/conductor/conductor.toml");
    let (log, _, web) = generate(root.path());
    assert!(web);
    assert_eq!(
        log,
        [
            "/etc/conductor/conductor.toml: is not a regular file (move it out of the way)",
            "fifo.toml: is not a regular file (move it out of the way)",
        ]
    );
}

#[test]
fn more_definitions_than_anybody_has() {
    let root = root();
    for number in 0..10_000 {
        fs::write(services(root.path()).join(format!("{number:05}.toml")), "#").unwrap();
    }
    fs::remove_file(services(root.path()).join("00000.toml")).unwrap();
    assert!(generate(root.path()).2, "10 000 are read");
    fs::write(services(root.path()).join("00000.toml"), "image = \"a\"").unwrap();
    let (log, outcome, web) = generate(root.path());
    assert_eq!(
        log.first().map(String::as_str),
        Some(
            "/etc/conductor/services: more than 10000 definitions: those after 09999.toml are left out (move some of them to another machine)"
        )
    );
    assert_eq!((outcome, web), (Outcome::Incomplete, false));
}
