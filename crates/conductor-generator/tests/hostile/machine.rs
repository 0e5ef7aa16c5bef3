//! A machine with a good definition, `web`, and others.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::LazyLock;

const WEB: &str = "image = \"localhost/web:1\"\ninstances = 2\n[environment]\nA = \"%n $x\"\n";

/// What the program may use: memory, so that a machine that boots is left some, and stack, a quarter of what it has.
const LIMITS: &str = "ulimit -v 1048576; ulimit -s 2048; exec timeout 300 \"$0\" \"$@\"";

pub(crate) struct Machine(tempfile::TempDir);

/// How a run ended.
pub(crate) struct Run {
    pub(crate) status: Option<i32>,
    /// What it said, less the time and place.
    pub(crate) log: Vec<String>,
    /// Everything that it wrote for systemd: the text of files, the targets of links.
    pub(crate) units: BTreeMap<String, String>,
}

/// What becomes of `web` alone.
static ALONE: LazyLock<BTreeMap<String, String>> = LazyLock::new(|| {
    let run = Machine::new().run();
    assert_eq!((run.status, run.log.len()), (Some(0), 0), "{:?}", run.log);
    run.units
});

impl Machine {
    pub(crate) fn new() -> Self {
        let machine = Self(tempfile::tempdir().unwrap());
        fs::create_dir_all(machine.services()).unwrap();
        fs::create_dir(machine.path("out")).unwrap();
        machine.define("web", WEB);
        machine
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    pub(crate) fn services(&self) -> PathBuf {
        self.path("etc/conductor/services")
    }

    pub(crate) fn define(&self, name: &str, text: impl AsRef<[u8]>) {
        fs::write(self.services().join(format!("{name}.toml")), text).unwrap();
    }

    /// Runs the generator as systemd does, within limits.
    pub(crate) fn run(&self) -> Run {
        let output = Command::new("sh")
            .args(["-c", LIMITS, env!("CARGO_BIN_EXE_conductor-generator")])
            .args(["out", "out", "out"])
            .current_dir(&self.0)
            .env("CONDUCTOR_ROOT", self.0.path())
            .output()
            .unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        let log = said.lines().map(|line| {
            let (_, message) = line.split_once("]: ").unwrap_or(("", line));
            message.replace("/etc/conductor/services/", "")
        });
        let mut units = BTreeMap::new();
        list(&self.path("out"), "", &mut units);
        Run { status: output.status.code(), log: log.collect(), units }
    }

    /// The same, where `web` must come out as if it were alone.
    pub(crate) fn run_beside_web(&self) -> Run {
        let run = self.run();
        for (path, content) in ALONE.iter() {
            assert_eq!(run.units.get(path), Some(content), "{path} with {:?}: {:?}", run.status, run.log);
        }
        run
    }

    /// What is said of a definition that is wrong, and nothing else is.
    pub(crate) fn refusal(&self) -> Vec<String> {
        let run = self.run_beside_web();
        assert_eq!(run.status, Some(1), "{:?}", run.log);
        assert!(!run.log.is_empty());
        for line in &run.log {
            assert!(!line.contains(char::is_control) && line.chars().count() <= 1001, "{line}");
        }
        run.log
    }
}

/// What is said of a definition called `bad`.
pub(crate) fn said_of(text: impl AsRef<[u8]>) -> Vec<String> {
    let machine = Machine::new();
    machine.define("bad", text);
    machine.refusal()
}

fn list(directory: &Path, prefix: &str, units: &mut BTreeMap<String, String>) {
    for entry in fs::read_dir(directory).unwrap() {
        let entry = entry.unwrap();
        let path = format!("{prefix}{}", entry.file_name().to_str().unwrap());
        let kind = entry.file_type().unwrap();
        if kind.is_dir() {
            list(&entry.path(), &format!("{path}/"), units);
        } else if kind.is_symlink() {
            let target = fs::read_link(entry.path()).unwrap();
            // Units may be links to where they were made; what counts is what systemd reads.
            let text = if prefix.ends_with(".wants/") { None } else { fs::read_to_string(entry.path()).ok() };
            units.insert(path, text.unwrap_or_else(|| target.to_str().unwrap().to_owned()));
        } else {
            units.insert(path, fs::read_to_string(entry.path()).unwrap());
        }
    }
}
