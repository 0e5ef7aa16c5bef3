//! systemd kills a generator that takes too long, and people edit what they should not: what is kept stays whole.

#![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// More than the threshold from which work is done in several threads.
const SERVICES: usize = 130;

struct Machine(tempfile::TempDir);

impl Machine {
    fn new() -> Self {
        // In memory, as /run is.
        let root = tempfile::tempdir_in("/dev/shm").unwrap();
        fs::create_dir_all(root.path().join("etc/conductor/services")).unwrap();
        Self(root)
    }

    fn path(&self, path: &str) -> PathBuf {
        self.0.path().join(path)
    }

    fn define(&self, name: &str, text: &str) {
        fs::write(self.path(&format!("etc/conductor/services/{name}.toml")), text).unwrap();
    }

    fn define_all(&self, tag: &str) {
        for number in 0..SERVICES {
            self.define(&format!("s{number}"), &format!("image = \"localhost/web:{tag}\""));
        }
    }

    /// The generator on an empty directory, as systemd runs it.
    fn generator(&self) -> Command {
        let output = self.path("normal");
        if output.exists() {
            fs::remove_dir_all(&output).unwrap();
        }
        fs::create_dir(&output).unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_conductor-generator"));
        command.env_clear().env("CONDUCTOR_ROOT", self.0.path()).arg(output).stderr(Stdio::null());
        command
    }

    fn run(&self) {
        assert!(self.generator().status().unwrap().code().is_some());
    }

    /// What is kept, by file name.
    fn kept(&self) -> BTreeMap<String, String> {
        texts(&self.path("run/conductor/last-good"))
    }
}

/// Files whose names do not say that they are unfinished.
fn texts(directory: &Path) -> BTreeMap<String, String> {
    let entries = fs::read_dir(directory).into_iter().flatten().map(|entry| entry.unwrap());
    let files = entries.filter(|entry| entry.file_type().unwrap().is_file());
    let named = files.map(|entry| (entry.file_name().into_string().unwrap(), entry.path()));
    let whole = named.filter(|(name, _)| !name.starts_with('.'));
    whole.map(|(name, path)| (name, fs::read_to_string(path).unwrap())).collect()
}

/// How far a run has come, in files: made ready, then given to systemd, then kept.
fn progress(machine: &Machine) -> usize {
    let names = |path: &str| {
        let entries = fs::read_dir(machine.path(path)).into_iter().flatten().flatten();
        entries.map(|entry| entry.file_name()).collect::<Vec<_>>()
    };
    let begins = |name: &OsString| name.as_encoded_bytes().starts_with(b".#");
    let waiting = names("run/conductor/last-good").iter().filter(|name| begins(name)).count();
    match names("normal").iter().filter(|name| name.as_encoded_bytes().ends_with(b".service")).count() {
        0 => waiting,
        placed if placed < 2 * SERVICES => SERVICES + placed,
        placed => 2 * SERVICES + placed - waiting,
    }
}

#[test]
fn whenever_it_is_killed_everything_is_old_or_new() {
    const STEPS: usize = 4 * SERVICES;
    /// It may be over before we look; so many rounds never all miss.
    const MOST_ROUNDS: usize = 500;
    let machine = Machine::new();
    let mut versions = Vec::new();
    for tag in ["1", "2"] {
        machine.define_all(tag);
        machine.run();
        versions.push((machine.kept(), texts(&machine.path("normal"))));
    }
    let (mut some_new, mut some_placed) = (0, 0);
    for round in 1..MOST_ROUNDS {
        if some_new > 0 && some_placed > 0 && round > 6 {
            break;
        }
        machine.define_all(["1", "2"][round % 2]);
        let mut child = machine.generator().spawn().unwrap();
        while progress(&machine) < (97 * round) % STEPS && child.try_wait().unwrap().is_none() {}
        child.kill().unwrap();
        child.wait().unwrap();
        let kept = machine.kept();
        assert_eq!(kept.len(), SERVICES);
        let mut seen = BTreeSet::new();
        for (name, text) in &kept {
            let version = versions.iter().position(|(kept, _)| kept[name] == *text);
            seen.insert(version.unwrap_or_else(|| panic!("{name} is neither old nor new:\n{text}")));
        }
        some_new += usize::from(seen.len() > 1);
        let units = texts(&machine.path("normal"));
        for (name, text) in &units {
            assert!(versions.iter().any(|(_, units)| units[name] == *text), "{name} is half a unit:\n{text}");
        }
        some_placed += usize::from(!units.is_empty() && units.len() < 2 * SERVICES);
    }
    assert!(
        some_new > 0 && some_placed > 0,
        "always killed too early or too late: {some_new}, {some_placed}"
    );
    machine.define_all("1");
    machine.run();
    assert_eq!((machine.kept(), texts(&machine.path("normal"))), versions[0]);
    let unfinished = fs::read_dir(machine.path("run/conductor/last-good")).unwrap().count();
    assert_eq!(unfinished, SERVICES, "what was left behind is cleared away");
}

#[test]
fn an_edit_of_a_generated_unit_changes_nothing_that_is_kept() {
    let machine = Machine::new();
    machine.define("web", "image = \"localhost/web:1\"");
    machine.run();
    let unit = machine.path("normal/web.service");
    let (good, kept) = (fs::read_to_string(&unit).unwrap(), machine.kept());
    for definition in ["image = \"localhost/web:1\"", "imgae = 1"] {
        // In place, as some editors do, and not by renaming.
        fs::write(&unit, "[Service]\nExecStart=/bin/false\n").unwrap();
        machine.define("web", definition);
        machine.run();
        assert_eq!(fs::read_to_string(&unit).unwrap(), good, "with {definition}");
        assert_eq!(machine.kept(), kept, "with {definition}");
    }
}

#[test]
fn units_of_services_that_are_gone_are_not_hoarded() {
    let machine = Machine::new();
    machine.define("web", "image = \"localhost/web:1\"");
    machine.define("api", "image = \"localhost/api:1\"");
    machine.run();
    fs::remove_file(machine.path("etc/conductor/services/api.toml")).unwrap();
    machine.run();
    let left: Vec<String> = texts(&machine.path("run/conductor/units")).into_keys().collect();
    assert_eq!(left, ["web:web-pull.service", "web:web.service"]);
    assert_eq!(machine.kept().into_keys().collect::<Vec<_>>(), ["web.units"]);
}
