//! `conductor proxy render`: from definitions and releases to files.

#![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]

use std::os::unix::fs::symlink;
use std::path::Path;

use snapbox::cmd::{Command, cargo_bin};
use snapbox::{assert_data_eq, str};

struct Machine(tempfile::TempDir);

impl Machine {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn file(&self, path: &str, text: &str) {
        let path = self.0.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    fn live(&self, service: &str, release: &str) {
        let link = self.0.path().join(format!("etc/conductor/releases/{service}/live"));
        if link.symlink_metadata().is_ok() {
            std::fs::remove_file(&link).unwrap();
        }
        symlink(release, link).unwrap();
    }

    fn read(&self, path: &str) -> String {
        std::fs::read_to_string(self.0.path().join("run/conductor").join(path)).unwrap()
    }

    fn servers(&self, path: &str) -> Vec<String> {
        let text = self.read(path);
        // A line with a brace begins a block of nginx's.
        let lines = text.lines().filter(|line| !line.ends_with('{'));
        let servers = lines.filter_map(|line| line.trim_start().strip_prefix("server "));
        servers.filter_map(|server| server.split(' ').next().map(str::to_owned)).collect()
    }

    fn has(&self, path: &str) -> bool {
        Path::new(self.0.path()).join("run/conductor").join(path).exists()
    }

    fn render(&self) -> snapbox::cmd::OutputAssert {
        let mut command = Command::new(cargo_bin!("conductor"));
        command = command.env("CONDUCTOR_ROOT", self.0.path());
        command.args(["proxy", "render"]).assert()
    }
}

fn definition(instances: u16, proxy: &str) -> String {
    format!(
        "image = \"localhost/web:1\"\ninstances = {instances}\n[[ports]]\ncontainer = 80\nhost = 20000\n\
         [health]\npath = \"/\"\n[proxy]\n{proxy}\n"
    )
}

fn release(instances: u16, proxy: &str) -> String {
    let digest = "1123456789abcdef".repeat(4);
    definition(instances, proxy)
        .replace("localhost/web:1", &format!("registry.example.com/web@sha256:{digest}"))
        .replace("[[ports]]", "revision = \"1\"\n[[ports]]")
}

#[test]
fn the_live_release_counts() {
    let machine = Machine::new();
    machine.file("etc/conductor/services/web.toml", &definition(1, "upstream = \"front\""));
    machine.render().success().stderr_eq(str![]);
    assert_eq!(machine.servers("nginx/front.conf"), ["127.0.0.1:20000"], "never deployed");

    machine.file("etc/conductor/releases/web/blue.toml", &release(2, "upstream = \"front\""));
    machine.file("etc/conductor/releases/web/green.toml", &release(1, "upstream = \"front\""));
    machine.live("web", "blue.toml");
    machine.render().success().stderr_eq(str![]);
    assert_eq!(machine.servers("nginx/front.conf"), ["127.0.0.1:20000", "127.0.0.1:20002"]);
    machine.live("web", "green.toml");
    machine.render().success().stderr_eq(str![]);
    assert_eq!(machine.servers("nginx/front.conf"), ["127.0.0.1:20001"]);
    assert!(machine.has("haproxy"), "HAProxy needs the directory");
    assert!(!machine.has("haproxy/front.cfg"));
}

#[test]
fn haproxy_has_files_of_its_own() {
    let machine = Machine::new();
    machine.file(
        "etc/conductor/services/web.toml",
        &definition(2, "upstream = \"front\"\ndriver = \"haproxy\""),
    );
    machine.file("etc/conductor/services/job.toml", "image = \"localhost/job:1\"\n");
    machine.render().success().stderr_eq(str![]);
    assert_data_eq!(
        machine.read("haproxy/front.cfg"),
        str![[r#"
# Written by Conductor for the backend front; what is changed here is lost.
backend front
    server 127.0.0.1:20000 127.0.0.1:20000 weight 1
    server 127.0.0.1:20002 127.0.0.1:20002 weight 1
backend front_dark

"#]]
    );
}

#[test]
fn a_broken_definition_hurts_no_other() {
    let machine = Machine::new();
    machine.file("etc/conductor/services/api.toml", &definition(1, "upstream = \"api\""));
    machine.render().success();
    machine.file(
        "etc/conductor/services/web.toml",
        &definition(1, "upstream = \"web\"").replace("20000", "30000"),
    );
    machine.file("etc/conductor/services/api.toml", "image = 1\n");
    machine.render().code(1).stderr_eq(str![[r#"
error: /etc/conductor/services/api.toml has errors: `conductor check` shows them

"#]]);
    assert_eq!(machine.servers("nginx/web.conf"), ["127.0.0.1:30000"]);
    assert_eq!(machine.servers("nginx/api.conf"), ["127.0.0.1:20000"], "its last one stays");
    std::fs::remove_file(machine.0.path().join("etc/conductor/services/api.toml")).unwrap();
    machine.render().success();
    assert!(!machine.has("nginx/api.conf"), "it is gone for good");
}
