//! The command line as people see it: whole outputs.

#![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]

use std::path::Path;

use snapbox::cmd::{Command, cargo_bin};
use snapbox::str;

/// A machine whose root is an empty directory, and a `conductor` that works there.
struct Machine(tempfile::TempDir);

impl Machine {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn file(self, path: &str, text: &str) -> Self {
        let path = self.0.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
        self
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    fn conductor(&self, arguments: &[&str]) -> Command {
        Command::new(cargo_bin!("conductor"))
            .current_dir(self.path())
            .env("CONDUCTOR_ROOT", self.path())
            .args(arguments)
    }
}

#[test]
fn commands_for_containers_come_after_hyphens() {
    let machine = Machine::new();
    for command in ["run", "exec"] {
        let assert = machine.conductor(&[command, "web", "ls", "-l"]).assert().code(2).stdout_eq(str![]);
        let said = String::from_utf8(assert.get_output().stderr.clone()).unwrap();
        assert!(said.contains("unexpected argument 'ls' found"), "{said}");
        assert!(said.contains("tip: the command comes after two hyphens: '-- ls'"), "{said}");
    }
    let assert = machine.conductor(&["logs", "web", "--nonsense"]).assert().code(2);
    let said = String::from_utf8(assert.get_output().stderr.clone()).unwrap();
    assert!(!said.contains("two hyphens"), "{said}");
}

#[test]
fn check_finds_nothing() {
    Machine::new()
        .file("web.toml", "image = \"localhost/web:1\"\n")
        .conductor(&["check", "web.toml"])
        .assert()
        .success()
        .stdout_eq(str![])
        .stderr_eq(str![[r#"
warning[no-memory-limit]: it may use all of the machine's memory
--> web.toml
 = help: set a limit, such as [resources] memory = "512M", or a slice that has one

1 definition checked: 1 warning

"#]]);
}

#[test]
fn check_shows_the_line_the_reason_and_the_cure() {
    let text = "\
image = \"localhost/web:1\"
comand = [\"httpd\"]
instances = 2

[[ports]]
container = 80
host = 20000
[[ports]]
container = 81
host = 20001

[health]
interval = \"5 parsecs\"
";
    Machine::new()
        .file("web.toml", text)
        .conductor(&["check", "web.toml"])
        .assert()
        .code(1)
        .stdout_eq(str![])
        .stderr_eq(str![[r#"
error[unknown-key]: unknown key `comand`
 --> web.toml:2:1
  |
2 | comand = ["httpd"]
  | ^^^^^^ not known here
  |
  = help: did you mean `command`?

error[port-clash]: with 2 instances, the ports from 20001 and from 20000 on overlap
  --> web.toml:10:8
   |
 7 | host = 20000
   |        ----- and here
...
10 | host = 20001
   |        ^^^^^ claimed here
   |
   = help: instance i gets host + i - 1: leave room for all instances

error[missing-key]: `path` is missing
  --> web.toml:12:1
   |
12 | [health]
   | ^^^^^^^^ has no `path`
   |
   = help: say what to ask for, such as path = "/healthz"

error[invalid-value]: not a time span: write a number and a unit, such as `5s`, `1min 30s` or `500ms`
  --> web.toml:13:12
   |
13 | interval = "5 parsecs"
   |            ^^^^^^^^^^^ not possible here

1 definition checked: 4 errors

"#]]);
}

#[test]
fn check_without_files_checks_the_machine() {
    Machine::new()
        .file("etc/conductor/services/web.toml", "image = \"web\"\n[[ports]]\ncontainer = 80\nhost = 2000\n")
        .file(
            "usr/lib/conductor/services/api.toml",
            "image = \"api\"\n[[ports]]\ncontainer = 80\nhost = 2000\n",
        )
        .conductor(&["check"])
        .assert()
        .code(1)
        .stdout_eq(str![])
        .stderr_eq(str![[r#"
warning[no-memory-limit]: it may use all of the machine's memory
--> /usr/lib/conductor/services/api.toml
 = help: set a limit, such as [resources] memory = "512M", or a slice that has one

warning[moving-tag]: which version runs depends on when the image was fetched
 --> /usr/lib/conductor/services/api.toml:1:9
  |
1 | image = "api"
  |         ^^^^^ no tag of a version
  |
  = help: name a version, such as :1.4.2, or a digest

warning[no-memory-limit]: it may use all of the machine's memory
--> /etc/conductor/services/web.toml
 = help: set a limit, such as [resources] memory = "512M", or a slice that has one

warning[moving-tag]: which version runs depends on when the image was fetched
 --> /etc/conductor/services/web.toml:1:9
  |
1 | image = "web"
  |         ^^^^^ no tag of a version
  |
  = help: name a version, such as :1.4.2, or a digest

error[port-clash]: host port 2000 is taken by /usr/lib/conductor/services/api.toml
 --> /etc/conductor/services/web.toml:4:8
  |
4 | host = 2000
  |        ^^^^ claimed here
  |
 ::: /usr/lib/conductor/services/api.toml:4:8
  |
4 | host = 2000
  |        ---- taken here
  |
  = help: give one of the two other ports: host = …

2 definitions checked: 1 error and 4 warnings

"#]]);
}

#[test]
fn check_compares_a_file_with_what_is_installed() {
    let text = "image = \"web\"\n[[ports]]\ncontainer = 80\nhost = 2000\n";
    let machine = Machine::new()
        .file("etc/conductor/services/web.toml", text)
        .file("web.toml", text)
        .file("api.toml", text);
    // The file would replace the installed definition of the same name …
    machine.conductor(&["check", "web.toml"]).assert().success().stderr_eq(str![[r#"
warning[no-memory-limit]: it may use all of the machine's memory
--> web.toml
 = help: set a limit, such as [resources] memory = "512M", or a slice that has one

warning[moving-tag]: which version runs depends on when the image was fetched
 --> web.toml:1:9
  |
1 | image = "web"
  |         ^^^^^ no tag of a version
  |
  = help: name a version, such as :1.4.2, or a digest

1 definition checked: 2 warnings

"#]]);
    // … and that of another name is in its way.
    machine.conductor(&["check", "api.toml"]).assert().code(1).stderr_eq(str![[r#"
warning[no-memory-limit]: it may use all of the machine's memory
--> api.toml
 = help: set a limit, such as [resources] memory = "512M", or a slice that has one

warning[moving-tag]: which version runs depends on when the image was fetched
 --> api.toml:1:9
  |
1 | image = "web"
  |         ^^^^^ no tag of a version
  |
  = help: name a version, such as :1.4.2, or a digest

error[port-clash]: host port 2000 is taken by /etc/conductor/services/web.toml
 --> api.toml:4:8
  |
4 | host = 2000
  |        ^^^^ claimed here
  |
 ::: /etc/conductor/services/web.toml:4:8
  |
4 | host = 2000
  |        ---- taken here
  |
  = help: give one of the two other ports: host = …

1 definition checked: 1 error and 2 warnings

"#]]);
}

#[test]
fn check_shows_both_definitions_that_are_in_each_others_way() {
    let machine = Machine::new()
        .file(
            "etc/conductor/services/api.toml",
            "image = \"api:1\"\nresources.memory = \"1G\"\nafter = [\"web.service\"]\n",
        )
        .file(
            "etc/conductor/services/web.toml",
            "image = \"web:1\"\nresources.memory = \"1G\"\nrequires = [\"web\"]\n",
        )
        .file("etc/conductor/services/web.toml.d/10-after.toml", "after = [\"api\"]\n");
    machine.conductor(&["check"]).assert().code(1).stderr_eq(str![[r#"
error[cycle]: services wait for each other: api -> web -> api
 --> /etc/conductor/services/web.toml.d/10-after.toml:1:10
  |
1 | after = ["api"]
  |          ^^^^^ web waits for api
  |
 ::: /etc/conductor/services/api.toml:3:10
  |
3 | after = ["web.service"]
  |          ------------- api waits for web
  |
  = help: take one of these out of after, wants or requires

error[cycle]: services wait for each other: web -> web
 --> /etc/conductor/services/web.toml:3:13
  |
3 | requires = ["web"]
  |             ^^^^^ web waits for web
  |
  = help: take one of these out of after, wants or requires

2 definitions checked: 2 errors

"#]]);
    machine.conductor(&["check", "--format", "json"]).assert().code(1).stdout_eq(str![[r#"
{"file":"/etc/conductor/services/web.toml.d/10-after.toml","line":1,"column":10,"end":{"line":1,"column":15},"level":"error","code":"cycle","message":"services wait for each other: api -> web -> api","label":"web waits for api","help":"take one of these out of after, wants or requires","related":{"file":"/etc/conductor/services/api.toml","line":3,"column":10,"end":{"line":3,"column":23},"label":"api waits for web"}}
{"file":"/etc/conductor/services/web.toml","line":3,"column":13,"end":{"line":3,"column":18},"level":"error","code":"cycle","message":"services wait for each other: web -> web","label":"web waits for web","help":"take one of these out of after, wants or requires","related":null}

"#]]);
}

#[test]
fn check_of_a_file_that_is_not_there() {
    Machine::new().conductor(&["check", "nothing.toml"]).assert().code(1).stderr_eq(str![[r#"
error[unreadable]: cannot be read: No such file or directory (os error 2)
--> nothing.toml
 = help: check the path; a link may lead nowhere

1 definition checked: 1 error

"#]]);
}

#[test]
fn broken_settings_are_reported_with_every_command() {
    Machine::new()
        .file("etc/conductor/conductor.toml", "systemd-version = \"252\"\n")
        .file("web.toml", "image = \"web\"\n")
        .conductor(&["check", "web.toml"])
        .assert()
        .code(1)
        .stderr_eq(str![[r#"
error[wrong-type]: string "252" is not a whole number
 --> /etc/conductor/conductor.toml:1:19
  |
1 | systemd-version = "252"
  |                   ^^^^^ of the wrong type

warning[no-memory-limit]: it may use all of the machine's memory
--> web.toml
 = help: set a limit, such as [resources] memory = "512M", or a slice that has one

warning[moving-tag]: which version runs depends on when the image was fetched
 --> web.toml:1:9
  |
1 | image = "web"
  |         ^^^^^ no tag of a version
  |
  = help: name a version, such as :1.4.2, or a digest

1 definition checked: 1 error and 2 warnings

"#]]);
}

#[test]
fn generate_prints_what_the_generator_writes() {
    let fixture = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/fixtures/minimal");
    let expected = std::fs::read_to_string(fixture.join("units")).unwrap();
    let definition = std::fs::read_to_string(fixture.join("root/etc/conductor/services/web.toml")).unwrap();
    let machine = Machine::new().file("etc/conductor/services/web.toml", &definition);
    let shown = machine.conductor(&["generate"]).assert().success().stderr_eq(str![]);
    assert_eq!(String::from_utf8(shown.get_output().stdout.clone()).unwrap(), expected);
}

#[test]
fn generate_shows_a_file_that_is_not_installed() {
    let machine = Machine::new().file("web.toml", "image = \"localhost/web:1\"\n");
    let shown = machine.conductor(&["generate", "web.toml"]).assert().success().stderr_eq(str![[r#"
warning[no-memory-limit]: it may use all of the machine's memory
--> web.toml
 = help: set a limit, such as [resources] memory = "512M", or a slice that has one


"#]]);
    let text = String::from_utf8(shown.get_output().stdout.clone()).unwrap();
    assert!(
        text.contains(
            "==> web.service <==\n# Automatically generated by conductor-generator from web.toml.\n"
        )
    );
    assert!(!text.contains("SourcePath="), "systemd takes absolute paths only");
}

#[test]
fn generate_writes_where_it_is_told() {
    let machine = Machine::new().file("etc/conductor/services/web.toml", "image = \"localhost/web:1\"\n");
    machine.conductor(&["generate", "--output", "units"]).assert().success().stdout_eq(str![]);
    let link = std::fs::read_link(machine.path().join("units/conductor.target.wants/web.service")).unwrap();
    assert_eq!(link, Path::new("../web.service"));
    assert!(machine.path().join("units/web-pull.service").is_file());
    assert!(!machine.path().join("run").exists(), "a preview keeps nothing");
}

#[test]
fn generate_shows_stubs_as_the_generator_writes_them() {
    Machine::new()
        .file("etc/conductor/services/web.toml", "imgae = \"localhost/web:1\"\n")
        .conductor(&["generate"])
        .assert()
        .code(1)
        .stdout_eq(str![[r#"
==> conductor.target.wants/web.service -> ../web.service
==> web.service <==
# Automatically generated by conductor-generator from /etc/conductor/services/web.toml.
# Edit the definition and run `systemctl daemon-reload`, or add a drop-in with `systemctl edit`.

[Unit]
Description=web cannot run: /etc/conductor/services/web.toml:1:1: unknown key `imgae` (did you mean `image`?)
Documentation=man:conductor-service(5)
SourcePath=/etc/conductor/services/web.toml
PartOf=conductor.target

[Service]
Type=oneshot
SyslogIdentifier=web
SyslogLevel=err
ExecStart=/bin/echo "/etc/conductor/services/web.toml:1:1: unknown key `imgae` (did you mean `image`?)"
ExecStart=/bin/echo "Mend /etc/conductor/services/web.toml, then run systemctl daemon-reload and systemctl start web."
ExecStart=/bin/false

"#]])
        .stderr_eq(str![[r#"
error: /etc/conductor/services/web.toml:1:1: unknown key `imgae` (did you mean `image`?)

"#]]);
}

#[test]
fn generate_into_a_place_that_cannot_be_written() {
    Machine::new()
        .file("web.toml", "image = \"web\"\n")
        .file("taken", "")
        .conductor(&["generate", "--output", "taken", "web.toml"])
        .assert()
        .code(1)
        .stderr_eq(str![[r#"
warning[no-memory-limit]: it may use all of the machine's memory
--> web.toml
 = help: set a limit, such as [resources] memory = "512M", or a slice that has one

warning[moving-tag]: which version runs depends on when the image was fetched
 --> web.toml:1:9
  |
1 | image = "web"
  |         ^^^^^ no tag of a version
  |
  = help: name a version, such as :1.4.2, or a digest

error: cannot write taken/conductor.target.wants/web.service: Not a directory (os error 20)

"#]]);
}

#[test]
fn wrong_usage_is_status_2() {
    Machine::new().conductor(&["chekc"]).assert().code(2).stderr_eq(str![[r#"
error: unrecognized subcommand 'chekc'

  tip: some similar subcommands exist: 'schema', 'check'

Usage: conductor [OPTIONS] <COMMAND>

For more information, try '--help'.

"#]]);
}

#[test]
fn the_examples_are_good_practice() {
    let examples = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../packaging/examples");
    let mut files: Vec<String> = Vec::new();
    for directory in ["", "networks", "volumes"] {
        let entries = std::fs::read_dir(examples.join(directory)).unwrap().map(|entry| entry.unwrap().path());
        files.extend(entries.filter(|path| path.is_file()).map(|path| path.display().to_string()));
    }
    files.sort();
    assert!(files.len() >= 10, "{files:?}");
    let arguments: Vec<&str> = ["check"].into_iter().chain(files.iter().map(String::as_str)).collect();
    // Together, as on one machine: their ports and names do not clash, and the networks that they name are there.
    Machine::new().conductor(&arguments).assert().success().stderr_eq(str![[r#"
rails: a container that stops answering is noticed within 18s 700ms (3 checks, one every 5s, timeout 2s)
storefront: a container that stops answering is noticed within 18s 700ms (3 checks, one every 5s, timeout 2s)
team: a container that stops answering is noticed within 38s 500ms (3 checks, one every 10s, timeout 5s)
web: a container that stops answering is noticed within 18s 700ms (3 checks, one every 5s, timeout 2s)
10 definitions checked, nothing found

"#]]);
}

#[test]
fn check_knows_networks_and_volumes_by_their_directories() {
    let machine = Machine::new()
        .file("etc/conductor/networks/backend.toml", "subnets = [{ subnet = '10.0.0.1/8' }]\n")
        .file("etc/conductor/volumes/data.toml", "runtime = 'docker'\n")
        .file(
            "etc/conductor/services/web.toml",
            "image = 'localhost/web:1'\nnetwork = ['backned', 'other']\n[resources]\nmemory = '64M'\n\
             [[volumes]]\nsource = 'data'\ntarget = '/data'\n",
        );
    machine.conductor(&["check"]).assert().code(1).stderr_eq(str![[r#"
warning[missing-network]: the network `backned` has no definition and may not be there
--> /etc/conductor/services/web.toml
 = help: did you mean `backend`?

warning[missing-network]: the network `other` has no definition and may not be there
--> /etc/conductor/services/web.toml
 = help: write /etc/conductor/networks/other.toml to have it made

error[other-engine]: the volume `data` is one of docker's, by /etc/conductor/volumes/data.toml, and the service runs with podman
--> /etc/conductor/services/web.toml
 = help: set `runtime` in one of the two

error[invalid-value]: `10.0.0.1/8` is not where its subnet begins: write 10.0.0.0/8
 --> /etc/conductor/networks/backend.toml:1:23
  |
1 | subnets = [{ subnet = '10.0.0.1/8' }]
  |                       ^^^^^^^^^^^^ not possible here

warning[other-engine]: the service web runs with podman and cannot use it
--> /etc/conductor/volumes/data.toml
 = help: set `runtime` in one of the two

3 definitions checked: 2 errors and 3 warnings

"#]]);
    machine.conductor(&["generate"]).assert().code(1).stderr_eq(str![[r#"
error: /etc/conductor/services/web.toml: the volume `data` is one of docker's, by /etc/conductor/volumes/data.toml, and the service runs with podman (set `runtime` in one of the two)
error: /etc/conductor/networks/backend.toml:1:23: `10.0.0.1/8` is not where its subnet begins: write 10.0.0.0/8

"#]]);
    // One file of each kind, seen from its own directory.
    for (directory, name) in [("networks", "backend"), ("volumes", "data")] {
        let file = format!("{name}.toml");
        let mut check = machine.conductor(&["check", &file]);
        check = check.current_dir(machine.path().join("etc/conductor").join(directory));
        let shown = check.assert().get_output().stderr.clone();
        let shown = String::from_utf8(shown).unwrap();
        assert!(shown.contains(&format!("--> {file}")), "{shown}");
    }
    machine
        .file("etc/conductor/volumes/masked.toml", "")
        .conductor(&["check", "etc/conductor/volumes/masked.toml"])
        .assert()
        .success()
        .stderr_eq(str![[r#"
note: etc/conductor/volumes/masked.toml is empty, and so masks the volume
0 definitions checked, nothing found

"#]]);
}

#[test]
fn generate_and_diff_show_units_of_networks() {
    let machine = Machine::new().file("etc/conductor/networks/backend.toml", "internal = true\n");
    let shown = machine.conductor(&["generate", "etc/conductor/networks/backend.toml"]).assert().success();
    assert!(
        String::from_utf8_lossy(&shown.get_output().stdout).starts_with("==> backend-network.service <==\n")
    );
    let shown = machine.conductor(&["diff"]).assert().code(1);
    let shown = String::from_utf8_lossy(&shown.get_output().stdout).into_owned();
    assert!(shown.contains("+++ /run/systemd/generator/backend-network.service"), "{shown}");
}

/// Editors may not have the package's files: the program prints each of them.
#[test]
fn schema_prints_what_the_package_installs() {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../packaging/schema");
    for entry in std::fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_stem().unwrap().to_str().unwrap();
        let arguments = match name.strip_suffix("-drop-in") {
            Some(kind) => vec!["schema", kind, "--drop-in"],
            None => vec!["schema", name],
        };
        let printed = Machine::new().conductor(&arguments).output().unwrap();
        assert!(printed.status.success(), "{arguments:?}");
        assert_eq!(printed.stdout, std::fs::read(&path).unwrap(), "{arguments:?}");
    }
    let service = Machine::new().conductor(&["schema"]).output().unwrap();
    assert!(
        service.stdout.starts_with(b"{\n  \"$schema\": \"https://json-schema.org/draft/2020-12/schema\"")
    );
    Machine::new().conductor(&["schema", "servis"]).assert().code(2);
}
