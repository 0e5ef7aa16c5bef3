//! How systemd, and people, call the generator: arguments, environment, exit status.

#![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]

use std::path::Path;
use std::process::{Command, Output};

struct Machine(tempfile::TempDir);

impl Machine {
    fn new(definitions: &[(&str, &str)]) -> Self {
        let root = tempfile::tempdir().unwrap();
        let services = root.path().join("etc/conductor/services");
        std::fs::create_dir_all(&services).unwrap();
        for (name, text) in definitions {
            std::fs::write(services.join(name), text).unwrap();
        }
        for directory in ["normal", "early", "late"] {
            std::fs::create_dir(root.path().join(directory)).unwrap();
        }
        Self(root)
    }

    fn call(&self, arguments: &[&str], environment: &[(&str, &str)]) -> Output {
        Command::new(env!("CARGO_BIN_EXE_conductor-generator"))
            .current_dir(&self.0)
            .env_clear()
            .env("CONDUCTOR_ROOT", self.0.path())
            .envs(environment.iter().copied())
            .args(arguments)
            .output()
            .unwrap()
    }

    fn written(&self, directory: &str) -> usize {
        std::fs::read_dir(self.0.path().join(directory)).unwrap().count()
    }
}

const GOOD: (&str, &str) = ("web.toml", "image = \"localhost/web:1\"");

#[test]
fn one_or_three_directories() {
    for arguments in [&["normal"][..], &["normal", "early", "late"]] {
        let machine = Machine::new(&[GOOD]);
        let output = machine.call(arguments, &[]);
        assert_eq!(output.status.code(), Some(0));
        assert!(output.stdout.is_empty() && output.stderr.is_empty());
        assert!(machine.written("normal") > 0);
        assert_eq!(machine.written("early") + machine.written("late"), 0);
    }
    for arguments in [&[][..], &["normal", "early"], &["a", "b", "c", "d"], &["--dry-run"]] {
        let machine = Machine::new(&[GOOD]);
        let output = machine.call(arguments, &[]);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        assert!(String::from_utf8(output.stderr).unwrap().starts_with("Usage: "));
        assert_eq!(machine.written("normal"), 0);
    }
}

#[test]
fn help_is_no_mistake() {
    let output = Machine::new(&[]).call(&["--help"], &[]);
    assert_eq!(output.status.code(), Some(0));
    assert!(String::from_utf8(output.stdout).unwrap().contains("/etc/conductor/services"));
}

#[test]
fn nothing_to_do_is_no_mistake() {
    let machine = Machine::new(&[]);
    assert_eq!(machine.call(&["normal", "early", "late"], &[]).status.code(), Some(0));
    assert_eq!(machine.written("normal"), 0);
}

#[test]
fn a_broken_definition_is_status_1_after_the_good_ones_are_written() {
    let machine = Machine::new(&[("api.toml", "imgae = 1"), GOOD]);
    let output = machine.call(&["normal"], &[]);
    assert_eq!(output.status.code(), Some(1));
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.starts_with("<3>conductor-generator["), "{said}");
    assert!(said.contains("]: /etc/conductor/services/api.toml:1:1: unknown key `imgae`"), "{said}");
    assert!(machine.0.path().join("normal/web.service").is_file());
}

#[test]
fn nothing_is_done_in_an_initrd() {
    let machine = Machine::new(&[GOOD]);
    let output = machine.call(&["normal", "early", "late"], &[("SYSTEMD_IN_INITRD", "1")]);
    assert_eq!(output.status.code(), Some(0));
    assert_eq!(machine.written("normal"), 0);
    assert!(!machine.0.path().join("run").exists());
}

/// As a user's manager calls it.
const OF_ALICE: [(&str, &str); 3] =
    [("SYSTEMD_SCOPE", "user"), ("HOME", "/home/alice"), ("XDG_RUNTIME_DIR", "/run/user/1001")];

#[test]
fn a_users_manager_gets_the_users_services_and_no_others() {
    let machine = Machine::new(&[GOOD]);
    let own = machine.0.path().join("home/alice/.config/conductor/services");
    let everybodys = machine.0.path().join("etc/conductor/users/services");
    for (directory, name) in [(&own, "mine.toml"), (&everybodys, "ours.toml")] {
        std::fs::create_dir_all(directory).unwrap();
        std::fs::write(directory.join(name), GOOD.1).unwrap();
    }
    assert_eq!(machine.call(&["normal", "early", "late"], &OF_ALICE).status.code(), Some(0));
    for (unit, there) in [("mine.service", true), ("ours.service", true), ("web.service", false)] {
        assert_eq!(machine.0.path().join("normal").join(unit).exists(), there, "{unit}");
    }
    let kept = machine.0.path().join("run/user/1001/conductor/last-good");
    assert!(kept.join("mine.units").is_file() && !machine.0.path().join("run/conductor").exists());

    // $XDG_CONFIG_HOME takes the place of ~/.config.
    let moved = OF_ALICE.into_iter().chain([("XDG_CONFIG_HOME", "/elsewhere")]);
    let machine = Machine::new(&[]);
    let elsewhere = machine.0.path().join("elsewhere/conductor/services");
    std::fs::create_dir_all(&elsewhere).unwrap();
    std::fs::write(elsewhere.join("mine.toml"), GOOD.1).unwrap();
    assert_eq!(machine.call(&["normal"], &moved.collect::<Vec<_>>()).status.code(), Some(0));
    assert!(machine.0.path().join("normal/mine.service").is_file());
}

#[test]
fn a_user_without_a_runtime_directory_is_told_so() {
    let machine = Machine::new(&[GOOD]);
    let output = machine.call(&["normal"], &OF_ALICE[..2]);
    assert_eq!(output.status.code(), Some(1));
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(
        said.starts_with("<3>conductor-generator[") && said.contains("XDG_RUNTIME_DIR is not set"),
        "{said}"
    );
    assert_eq!(machine.written("normal"), 0);
}

#[test]
fn output_that_cannot_be_written() {
    let machine = Machine::new(&[GOOD]);
    std::fs::write(machine.0.path().join("file"), "").unwrap();
    let output = machine.call(&["file"], &[]);
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8(output.stderr).unwrap().contains("cannot write file/"));
    let kept = machine.0.path().join("run/conductor/last-good/web.units");
    assert!(!Path::exists(&kept), "what systemd did not get is not the last good");
}

#[test]
fn what_was_left_half_written_is_replaced() {
    let machine = Machine::new(&[GOOD]);
    let path = |name: &str| machine.0.path().join(name);
    std::fs::create_dir_all(path("run/conductor/last-good")).unwrap();
    std::fs::write(path("run/conductor/last-good/web.units"), "half a hea").unwrap();
    std::fs::write(path("run/conductor/last-good/.#web.units"), "==> x").unwrap();
    std::fs::create_dir_all(path("run/conductor/units")).unwrap();
    std::fs::write(path("run/conductor/units/web:web.service"), "[Un").unwrap();
    assert_eq!(machine.call(&["normal"], &[]).status.code(), Some(0));
    let kept = std::fs::read_to_string(path("run/conductor/last-good/web.units")).unwrap();
    assert!(kept.starts_with("==> conductor.target.wants/web.service -> ../web.service\n"), "{kept}");
    let unit = std::fs::read_to_string(path("normal/web.service")).unwrap();
    assert!(unit.starts_with("# ") && unit.contains("\n[X-Conductor]\nService=web\n"), "{unit}");
}

#[test]
fn another_generators_unit_is_not_written_over() {
    let machine = Machine::new(&[GOOD]);
    let quadlets = machine.0.path().join("normal/web.service");
    std::fs::write(&quadlets, "# Quadlet's").unwrap();
    let output = machine.call(&["normal"], &[]);
    assert_eq!(output.status.code(), Some(1));
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains("normal/web.service: another generator has made it already"), "{said}");
    assert_eq!(std::fs::read_to_string(quadlets).unwrap(), "# Quadlet's");
    assert_eq!(machine.written("normal"), 1, "nothing else of the service either");
}
