//! The commands about services, as far as no systemd is needed: whole outputs.

#![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use snapbox::cmd::{Command, cargo_bin};
use snapbox::str;

const WEB: &str = "\
instances = 2
image = \"localhost/web:1\"   # ours

[[ports]]
container = 80
host = 20000

[health]
path = \"/\"
";

/// A machine below an empty directory on which journalctl and podman print their arguments.
struct Machine(tempfile::TempDir);

impl Machine {
    fn new() -> Self {
        let machine = Self(tempfile::tempdir().unwrap());
        for program in ["journalctl", "podman"] {
            let path = format!("bin/{program}");
            machine.write(&path, &format!("#!/bin/sh\necho {program} \"$@\"\n"));
            let mode = std::fs::Permissions::from_mode(0o755);
            std::fs::set_permissions(machine.0.path().join(path), mode).unwrap();
        }
        machine
    }

    fn with(name: &str, text: &str) -> Self {
        let machine = Self::new();
        machine.write(&format!("etc/conductor/services/{name}.toml"), text);
        machine
    }

    fn write(&self, path: &str, text: &str) {
        let path = self.0.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    fn read(&self, path: &str) -> String {
        std::fs::read_to_string(self.0.path().join(path)).unwrap()
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    fn conductor(&self, arguments: &[&str]) -> Command {
        Command::new(cargo_bin!("conductor"))
            .current_dir(self.path())
            .env("CONDUCTOR_ROOT", self.path())
            .env("PATH", self.path().join("bin"))
            .args(arguments)
    }

    fn stderr(&self, arguments: &[&str]) -> String {
        let output = self.conductor(arguments).assert().code(1).stdout_eq("").get_output().clone();
        String::from_utf8(output.stderr).unwrap()
    }
}

#[test]
fn logs_names_the_units() {
    let machine = Machine::with("web", WEB);
    machine.conductor(&["logs", "web"]).assert().success().stdout_eq(str![[r#"
journalctl --root=[..] --unit=web@1.service --unit=web@2.service

"#]]);
    let all = ["logs", "web.service", "--all", "-i", "2", "--follow", "-n", "5", "--since", "-1h"];
    machine.conductor(&all).assert().success().stdout_eq(str![[r#"
journalctl --root=[..] --unit=web@2.service --unit=web-health.service --unit=web-pull.service --follow --lines=5 --since=-1h

"#]]);
}

#[test]
fn logs_of_a_broken_definition_are_those_of_its_stub() {
    let machine = Machine::with("web", "imgae = 1");
    machine.conductor(&["logs", "web"]).assert().success().stdout_eq(str![[r#"
journalctl --root=[..] --unit=web.service

"#]]);
}

#[test]
fn exec_finds_the_container() {
    let machine = Machine::with("web", WEB);
    machine.conductor(&["exec", "web", "-i", "2"]).assert().success().stdout_eq(str![[r#"
podman exec --interactive conductor-web.2 /bin/sh

"#]]);
    machine.write("etc/conductor/services/api.toml", "image = \"localhost/api:1\"\n");
    machine.conductor(&["exec", "api", "--", "ls", "-l"]).assert().success().stdout_eq(str![[r#"
podman exec --interactive conductor-api ls -l

"#]]);
}

#[test]
fn mistakes_are_explained() {
    let machine = Machine::with("web", WEB);
    machine.write("etc/conductor/services/api.toml", "image = \"localhost/api:1\"\n");
    machine.write("etc/conductor/services/worker.toml", "imgae = \"localhost/api:1\"\n");
    let shown = [
        machine.stderr(&["logs", "wbe"]),
        machine.stderr(&["status", "nothing-like-it"]),
        machine.stderr(&["status"]),
        machine.stderr(&["exec", "web"]),
        machine.stderr(&["exec", "web", "-i", "3"]),
        machine.stderr(&["exec", "api", "-i", "1"]),
        machine.stderr(&["exec", "worker"]),
        machine.stderr(&["enable", "web", "--now"]),
        Machine::new().stderr(&["logs", "web"]),
    ];
    snapbox::assert_data_eq!(
        shown.concat(),
        str![[r#"
error: there is no service `wbe`: did you mean `web`?
error: there is no service `nothing-like-it`: `conductor status` lists all services
error: status is that of the machine that runs: leave out --root and CONDUCTOR_ROOT
error: `web` has several containers: choose one with --instance (1, 2)
error: `web` has no instance 3: choose one of 1, 2
error: `api` is a single container: leave --instance out
error: the definition of `worker` is broken and there is no earlier one: `conductor check` says what to mend
error: --now is for the machine that runs: leave out --now, or --root
error: there is no service `web`: write /etc/conductor/services/web.toml to define it

"#]]
    );
}

#[test]
fn a_program_that_is_not_there() {
    let machine = Machine::with("web", WEB);
    std::fs::remove_file(machine.path().join("bin/journalctl")).unwrap();
    assert_eq!(
        machine.stderr(&["logs", "web"]),
        "error: journalctl is not on this machine or not in PATH: install it\n"
    );
}

#[test]
fn diff_before_and_after_a_reload() {
    let machine = Machine::with("web", "image = \"localhost/web:1\"\n");
    machine.write("run/systemd/generator/other.service", "[Unit]\n");
    machine.conductor(&["generate", "--output", "run/systemd/generator"]).assert().success();
    machine.conductor(&["diff"]).assert().success().stdout_eq(str![]).stderr_eq(str![]);

    machine.write("etc/conductor/services/web.toml", "image = \"localhost/web:1\"\nenabled = false\n");
    machine.conductor(&["diff"]).assert().code(1).stderr_eq(str![]).stdout_eq(str![[r#"
--- /run/systemd/generator/conductor.target.wants/web.service
+++ /dev/null
@@ -1 +0,0 @@
-link to ../web.service

"#]]);

    machine.write("etc/conductor/services/web.toml", "image = \"localhost/web:2\"\n");
    let changed = machine.conductor(&["diff"]).assert().code(1).get_output().stdout.clone();
    let changed = String::from_utf8(changed).unwrap();
    let lines = "-Description=web (localhost/web:1)\n+Description=web (localhost/web:2)\n";
    assert!(changed.contains(lines) && !changed.contains("other.service"), "{changed}");
}

#[test]
fn diff_shows_new_and_removed_units() {
    let machine = Machine::with("web", "image = \"localhost/web:1\"\n");
    let new = machine.conductor(&["diff"]).assert().code(1).get_output().stdout.clone();
    let new = String::from_utf8(new).unwrap();
    assert!(new.contains("--- /dev/null\n+++ /run/systemd/generator/web.service\n@@ -0,0 +1,"), "{new}");
    machine.conductor(&["generate", "--output", "run/systemd/generator"]).assert().success();
    std::fs::remove_file(machine.path().join("etc/conductor/services/web.toml")).unwrap();
    let gone = machine.conductor(&["diff"]).assert().code(1).get_output().stdout.clone();
    let gone = String::from_utf8(gone).unwrap();
    assert!(gone.contains("--- /run/systemd/generator/web.service\n+++ /dev/null\n"), "{gone}");
}

#[test]
fn diff_says_what_is_broken_and_what_it_cannot_read() {
    let machine = Machine::with("web", "imgae = 1\n");
    let stub = machine.conductor(&["diff"]).assert().code(1);
    let message = String::from_utf8(stub.get_output().stderr.clone()).unwrap();
    assert!(message.starts_with("error: /etc/conductor/services/web.toml:1:1: "), "{message}");
    machine.write("run/systemd/generator", "a file");
    machine.conductor(&["diff"]).assert().code(2).stderr_eq(str![[r#"
error: cannot read [..]/run/systemd/generator: Not a directory (os error 20)

"#]]);
}

#[test]
fn enable_and_disable_change_one_key() {
    let machine = Machine::with("web", WEB);
    machine.conductor(&["disable", "web"]).assert().success().stdout_eq(str![]).stderr_eq(str![[r#"
web is disabled now (/etc/conductor/services/web.toml)

"#]]);
    let written = machine.read("etc/conductor/services/web.toml");
    assert_eq!(written, WEB.replace("# ours\n", "# ours\nenabled = false\n"));
    machine.conductor(&["disable", "web"]).assert().success().stderr_eq(str![[r#"
web is disabled already

"#]]);
    machine.conductor(&["enable", "web"]).assert().success();
    assert_eq!(machine.read("etc/conductor/services/web.toml"), written.replace("false", "true"));
}

#[test]
fn definitions_of_packages_are_not_edited() {
    let machine = Machine::new();
    machine.write("usr/lib/conductor/services/web.toml", WEB);
    machine.conductor(&["disable", "web"]).assert().code(1).stderr_eq(str![[r#"
error: `web` is defined in /usr/lib/conductor/services/web.toml, which is not yours to edit: copy it first with `cp /usr/lib/conductor/services/web.toml /etc/conductor/services/web.toml`, which takes its place, then try again

"#]]);
    assert_eq!(machine.read("usr/lib/conductor/services/web.toml"), WEB);
}

#[test]
fn json_has_what_is_wrong_besides_definitions_too() {
    let machine = Machine::with("web", "image = \"web:1\"\nresources.memory = \"1M\"\n");
    machine.write("etc/conductor/conductor.toml", "systemd-version = \"abc\"\n");
    machine.write("etc/conductor/services/nobody.toml.d/x.toml", "enabled = false\n");
    machine
        .conductor(&["check", "--format", "json"])
        .assert()
        .code(1)
        .stderr_eq(str![])
        .stdout_eq(str![[r#"
{"file":"/etc/conductor/conductor.toml","line":1,"column":19,"end":{"line":1,"column":24},"level":"error","code":"wrong-type","message":"string /"abc/" is not a whole number","label":"of the wrong type","help":null,"related":null}
{"file":"/etc/conductor/services/nobody.toml.d","line":null,"column":null,"end":null,"level":"warning","code":"no-definition","message":"drop-ins without a definition: there is no nobody.toml","label":null,"help":"write the definition, or remove the directory","related":null}

"#]]);
}

#[test]
fn a_root_that_is_not_there_is_an_error() {
    for command in ["check", "generate", "diff", "status", "logs"] {
        let mut arguments = vec![command, "--root", "/nonexistent"];
        arguments.extend((command == "logs").then_some("web"));
        let output =
            Machine::new().conductor(&arguments).assert().failure().stdout_eq("").get_output().clone();
        assert_eq!(
            String::from_utf8(output.stderr).unwrap(),
            "error: /nonexistent is not a directory: give --root or CONDUCTOR_ROOT the one that holds etc and usr\n",
            "{command}"
        );
    }
}

#[test]
fn check_speaks_json() {
    let text = "image = \"web:1\"\ncomand = [\"é\"]\n";
    let machine = Machine::with("web", text);
    machine.conductor(&["check", "--format", "json"]).assert().code(1).stderr_eq(str![]).stdout_eq(str![[r#"
{"file":"/etc/conductor/services/web.toml","line":2,"column":1,"end":{"line":2,"column":7},"level":"error","code":"unknown-key","message":"unknown key `comand`","label":"not known here","help":"did you mean `command`?","related":null}

"#]]);
    Machine::with("web", "image = \"web:1\"\n")
        .conductor(&["check", "--format", "json"])
        .assert()
        .success()
        .stderr_eq(str![])
        .stdout_eq(str![[r#"
{"file":"/etc/conductor/services/web.toml","line":null,"column":null,"end":null,"level":"warning","code":"no-memory-limit","message":"it may use all of the machine's memory","label":null,"help":"set a limit, such as [resources] memory = /"512M/", or a slice that has one","related":null}

"#]]);
}
