//! `units/objects` with an engine that keeps its objects in a directory. The host scenarios have the real ones.

#![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Output};

use snapbox::{assert_data_eq, str};

/// An object is a file of its kind and name: the name that `inspect` says, and its label. As podman does, a name
/// finds what begins with it.
const ENGINE: &str = r#"#!/bin/sh
set -eu
cd "$STATE"
printf "%s\n" "$*" >> log
case $2 in
inspect)
    [ "$3" = --format ] && [ "$4" = '{{.Name}} {{index .Labels "conductor.definition"}}' ]
    for object in "$1.$5"*; do
        [ -e "$object" ] || { echo "no such $1" >&2; exit 1; }
        printf '%s %s\n' "${object#*.}" "$(cat "$object")"
        exit 0
    done ;;
create)
    for last; do :; done
    [ "$last" != full ] || { echo 'Error: no room' >&2; exit 125; }
    for label; do case $label in --label=conductor.definition=*) printf %s "${label#*=*=}" > "$1.$last" ;; esac; done
    echo "$last" ;;
*) exit 2 ;;
esac
"#;

struct Engine(tempfile::TempDir);

impl Engine {
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let program = directory.path().join("engine");
        fs::write(&program, ENGINE).unwrap();
        fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
        Self(directory)
    }

    fn run(&self, arguments: &[&str]) -> Output {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../units/objects");
        let path = format!("{}:/usr/bin:/bin", self.0.path().display());
        let mut command = Command::new(script);
        command.args(arguments).env_clear().env("PATH", path).env("STATE", self.0.path()).output().unwrap()
    }

    /// What it says, and behind that its exit status unless it is 0.
    fn said(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        let text = String::from_utf8(output.stdout).unwrap() + &String::from_utf8(output.stderr).unwrap();
        match output.status.code() {
            Some(0) => text,
            code => format!("{text}{code:?}\n"),
        }
    }

    fn put(&self, object: &str, label: &str) {
        fs::write(self.0.path().join(object), label).unwrap();
    }

    fn label(&self, object: &str) -> String {
        fs::read_to_string(self.0.path().join(object)).unwrap()
    }
}

#[test]
fn is_made_once_and_never_again() {
    let engine = Engine::new();
    let make =
        ["make", "engine", "network", "backend", "--subnet=10.89.4.0/24", "--label=a=b c, \"d\" \\e\nf"];
    assert_data_eq!(
        engine.said(&make),
        str![[r#"
network backend is made with --subnet=10.89.4.0/24 --label=a=b c; 'd' /e f

"#]]
    );
    assert_data_eq!(engine.label("network.backend"), str!["--subnet=10.89.4.0/24 --label=a=b c; 'd' /e f"]);
    assert_data_eq!(engine.said(&make), str![[""]]);
    assert_data_eq!(
        engine.label("log"),
        str![[r#"
network inspect --format {{.Name}} {{index .Labels "conductor.definition"}} backend
network create --subnet=10.89.4.0/24 --label=a=b c, "d" /e
f --label=conductor.definition=--subnet=10.89.4.0/24 --label=a=b c; 'd' /e f backend
network inspect --format {{.Name}} {{index .Labels "conductor.definition"}} backend

"#]]
    );
    let plain = ["make", "engine", "volume", "data"];
    assert_data_eq!(
        engine.said(&plain),
        str![[r#"
volume data is made

"#]]
    );
    assert_data_eq!(engine.said(&plain), str![[""]]);
}

#[test]
fn what_is_there_stays_and_is_talked_about() {
    let engine = Engine::new();
    engine.put("network.backend", "--subnet=10.89.5.0/24");
    engine.put("volume.data", "--opt=type=nfs");
    engine.put("volume.foreign", "");
    assert_data_eq!(
        engine.said(&["make", "engine", "network", "backend", "--internal"]),
        str![[r#"
<4>network backend stays as it was made, with --subnet=10.89.5.0/24. Its definition says --internal now. To make it anew, stop what uses it, run 'engine network rm backend' and start again.

"#]]
    );
    assert_data_eq!(
        engine.said(&["make", "engine", "volume", "data"]),
        str![[r#"
<4>volume data stays as it was made, with --opt=type=nfs. Its definition says nothing now. To make it anew, stop what uses it, save its data, run 'engine volume rm data' and start again.

"#]]
    );
    assert_data_eq!(
        engine.said(&["make", "engine", "volume", "foreign", "--opt=o=uid=5"]),
        str![[r#"
<5>volume foreign was not made from a definition and is used as it is. Its definition says --opt=o=uid=5.

"#]]
    );
    assert_data_eq!(engine.said(&["make", "engine", "volume", "foreign"]), str![[""]]);
    assert_eq!(engine.label("volume.data"), "--opt=type=nfs");
}

#[test]
fn only_the_whole_name_counts() {
    let engine = Engine::new();
    engine.put("volume.database", "");
    assert_data_eq!(
        engine.said(&["check", "engine", "volume", "data"]),
        str![[r#"
<3>volume data is not there, and must not be made otherwise than its definition says: 'systemctl status data-volume' shows why
Some(1)

"#]]
    );
    assert_data_eq!(
        engine.said(&["make", "engine", "volume", "data"]),
        str![[r#"
volume data is made

"#]]
    );
    assert_data_eq!(engine.said(&["check", "engine", "volume", "data", "database"]), str![[""]]);
}

#[test]
fn failures_are_failures() {
    let engine = Engine::new();
    assert_data_eq!(
        engine.said(&["make", "engine", "volume", "full", "--opt=o=size=1"]),
        str![[r#"
Error: no room
Some(125)

"#]]
    );
    assert_data_eq!(
        engine.said(&["check", "engine", "volume", "full"]),
        str![[r#"
<3>volume full is not there, and must not be made otherwise than its definition says: 'systemctl status full-volume' shows why
Some(1)

"#]]
    );
    assert_data_eq!(
        engine.said(&["destroy", "engine", "volume", "x"]),
        str![[r#"
objects make ENGINE network|volume NAME [OPTION...]   makes it with these options unless it is there
objects check ENGINE network|volume NAME...           fails unless all are there
Some(2)

"#]]
    );
    assert_data_eq!(
        engine.said(&["make", "engine"]),
        str![[r#"
objects make ENGINE network|volume NAME [OPTION...]   makes it with these options unless it is there
objects check ENGINE network|volume NAME...           fails unless all are there
Some(2)

"#]]
    );
}
