//! The commands with `--user`, as far as no systemd is needed: whole outputs.

#![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use snapbox::cmd::{Command, cargo_bin};
use snapbox::str;

const WEB: &str = "image = \"localhost/web:1\"\n[resources]\nmemory = \"64M\"\n";
const OWN: &str = "home/alice/.config/conductor/services";

/// A machine below an empty directory on which alice has a service `web`, and journalctl and podman print
/// their arguments.
struct Machine(tempfile::TempDir);

impl Machine {
    fn new() -> Self {
        let machine = Self(tempfile::tempdir().unwrap());
        for program in ["journalctl", "podman"] {
            let path = format!("bin/{program}");
            machine.write(&path, &format!("#!/bin/sh\necho {program} \"$@\"\n"));
            let mode = std::fs::Permissions::from_mode(0o755);
            std::fs::set_permissions(machine.path().join(path), mode).unwrap();
        }
        machine.write(&format!("{OWN}/web.toml"), WEB);
        machine.write("etc/conductor/services/api.toml", WEB);
        machine
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    fn write(&self, path: &str, text: &str) {
        let path = self.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    fn conductor(&self, arguments: &[&str]) -> Command {
        Command::new(cargo_bin!("conductor"))
            .current_dir(self.path())
            .env_clear()
            .env("CONDUCTOR_ROOT", self.path())
            .env("PATH", self.path().join("bin"))
            .env("HOME", "/home/alice")
            .env("XDG_RUNTIME_DIR", "/run/user/1001")
            .args(arguments)
    }

    fn stderr(&self, arguments: &[&str]) -> String {
        let output = self.conductor(arguments).assert().code(1).stdout_eq("").get_output().clone();
        String::from_utf8(output.stderr).unwrap()
    }
}

#[test]
fn the_option_stands_before_the_command_or_behind_it() {
    let machine = Machine::new();
    for arguments in [["--user", "logs", "web"], ["logs", "--user", "web"], ["logs", "web", "--user"]] {
        machine.conductor(&arguments).assert().success().stdout_eq(str![[r#"
journalctl --root=[..] --user --unit=web.service

"#]]);
    }
    machine.conductor(&["exec", "--user", "web", "--", "id"]).assert().success().stdout_eq(str![[r#"
podman exec --interactive conductor-web id

"#]]);
}

#[test]
fn mistakes_are_explained() {
    let machine = Machine::new();
    machine.write(&format!("{OWN}/worker.toml"), "imgae = \"localhost/api:1\"\n");
    machine.write("etc/conductor/users/services/shared.toml", WEB);
    machine.write(&format!("{OWN}/other.toml"), "image =\n");
    let elsewhere = Machine::new();
    std::fs::remove_file(elsewhere.path().join(OWN).join("web.toml")).unwrap();
    let shown = [
        machine.stderr(&["logs", "--user", "api"]),
        machine.stderr(&["logs", "web"]),
        machine.stderr(&["exec", "--user", "worker"]),
        machine.stderr(&["disable", "--user", "shared"]),
        machine.stderr(&["enable", "--user", "other"]),
        elsewhere.stderr(&["logs", "--user", "web"]),
    ];
    snapbox::assert_data_eq!(
        shown.concat(),
        str![[r#"
error: there is no service `api`: `conductor --user status` lists all services
error: there is no service `web`: `conductor status` lists all services
error: the definition of `worker` is broken and there is no earlier one: `conductor --user check` says what to mend
error: `shared` is defined in /etc/conductor/users/services/shared.toml, which is not yours to edit: copy it first with `install -D -m 644 /etc/conductor/users/services/shared.toml /home/alice/.config/conductor/services/shared.toml`, which takes its place, then try again
error: /home/alice/.config/conductor/services/other.toml: is not TOML: `conductor --user check` shows what to mend
error: there is no service `web`: write /home/alice/.config/conductor/services/web.toml to define it

"#]]
    );
    machine.conductor(&["check", "--user"]).env_remove("HOME").assert().code(1).stderr_eq(str![[r#"
error: neither XDG_CONFIG_HOME nor HOME is set: log in as the user, or set HOME

"#]]);
}

#[test]
fn units_are_those_of_a_users_manager() {
    let machine = Machine::new();
    machine
        .conductor(&["generate", "--user", "--output", "run/user/1001/systemd/generator"])
        .assert()
        .success();
    machine.conductor(&["diff", "--user"]).assert().success().stdout_eq(str![]).stderr_eq(str![]);
    machine.write(&format!("{OWN}/web.toml"), &format!("enabled = false\n{WEB}"));
    machine.conductor(&["diff", "--user"]).assert().code(1).stderr_eq(str![]).stdout_eq(str![[r#"
--- /run/user/1001/systemd/generator/conductor.target.wants/web.service
+++ /dev/null
@@ -1 +0,0 @@
-link to ../web.service

"#]]);
    // Of a file that is not in its place yet too.
    machine.write("new.toml", "image = \"localhost/web:1\"\n[pull]\npolicy = \"never\"\n");
    machine.conductor(&["generate", "--user", "new.toml"]).assert().success().stdout_eq(str![[r#"
==> conductor.target.wants/new.service -> ../new.service
==> new.service <==
# Automatically generated by conductor-generator from new.toml.
# Edit the definition and run `systemctl --user daemon-reload`, or add a drop-in with `systemctl --user edit`.

[Unit]
Description=new (localhost/web:1)
Documentation=man:conductor-service(5)
PartOf=conductor.target
StartLimitBurst=10
StartLimitIntervalSec=20min

[Service]
Type=notify
NotifyAccess=all
Delegate=yes
KillMode=mixed
TimeoutStopSec=30s
SuccessExitStatus=143
Restart=always
RestartSec=5s
ExecStart=/usr/bin/podman run --name conductor-new --replace --rm -d /
    --cgroups=split --sdnotify=conmon --pull=never /
    --label conductor.service=new /
    --env CONDUCTOR_INSTANCE=1 /
    --log-driver=journald /
    localhost/web:1
ExecStop=/usr/bin/podman stop --ignore --time=10 conductor-new
ExecStopPost=-/usr/libexec/conductor/remove podman conductor-new
Slice=conductor.slice
SyslogIdentifier=new
LogExtraFields=CONDUCTOR_SERVICE=new CONDUCTOR_RELEASE=1

[X-Conductor]
Service=new
Release=1

"#]]);
}

#[test]
fn enable_and_disable_edit_the_users_file() {
    let machine = Machine::new();
    machine.conductor(&["disable", "--user", "web"]).assert().success().stderr_eq(str![[r#"
web is disabled now (/home/alice/.config/conductor/services/web.toml)

"#]]);
    let written = std::fs::read_to_string(machine.path().join(OWN).join("web.toml")).unwrap();
    assert!(written.contains("enabled = false\n"), "{written}");
    let machines = std::fs::read_to_string(machine.path().join("etc/conductor/services/api.toml")).unwrap();
    assert_eq!(machines, WEB);
}

#[test]
fn what_users_cannot_do_is_checked() {
    let machine = Machine::new();
    let text = "image = \"localhost/web:1\"\nruntime = \"docker\"\n";
    machine.write("docker.toml", text);
    machine.conductor(&["check", "docker.toml"]).assert().success();
    machine.conductor(&["check", "--user", "docker.toml"]).assert().code(1).stderr_eq(str![[r#"
error[not-for-users]: docker runs the machine's containers, not a user's
 --> docker.toml:2:11
  |
2 | runtime = "docker"
  |           ^^^^^^^^ not possible here
  |
  = help: leave `runtime` out: podman needs no root; or define it for the machine, in /etc/conductor

1 definition checked: 1 error

"#]]);
    let low = format!("{WEB}[[ports]]\ncontainer = 80\nhost = 80\n");
    machine.write("low.toml", &low);
    machine.conductor(&["check", "--user", "low.toml"]).assert().success().stderr_eq(str![[r#"
warning[low-port]: only root may publish ports below 1024
 --> low.toml:6:8
  |
6 | host = 80
  |        ^^ 80 is below
  |
  = help: take a higher one, or have root lower the sysctl net.ipv4.ip_unprivileged_port_start

1 definition checked: 1 warning

"#]]);
    // Where root has lowered it.
    machine.write("proc/sys/net/ipv4/ip_unprivileged_port_start", "80\n");
    machine.conductor(&["check", "--user", "low.toml"]).assert().success().stderr_eq(str![[r#"
1 definition checked, nothing found

"#]]);
}
