//! What most scenarios begin with: a machine with Conductor on it, and a service called `web`.

use std::time::Duration;

use conductor_tests::{Entry, Follower, Host, Image};

use crate::stage::Engine;

/// Long enough for anything that should happen at once, on a machine with two busy cores.
pub(crate) const SOON: Duration = Duration::from_secs(20);

/// The payload on port 20000, checked often, restarted after two seconds. Test machines are always busy, so that is
/// no excuse for it.
pub(crate) const WEB: &str = r#"
image = "localhost/web:1"
command = ["payload"]

[[ports]]
container = 8080
host = 20000

[health]
path = "/healthz"
interval = "500ms"
timeout = "500ms"
unhealthy-after = 3
start-within = "20s"
kill-grace = "2s"
max-pressure = 100

[restart]
delay = "2s"
max-delay = "2s"
"#;

/// A machine that is up, with Conductor and without definitions.
pub(crate) fn host() -> Host {
    Host::boot(&Image::with_conductor().unwrap()).unwrap()
}

/// A machine on which `web` runs and is healthy.
pub(crate) fn host_with(definition: &str) -> Host {
    let host = host();
    define(&host, "web", definition);
    host.ok(["systemctl", "start", "web.service"]).unwrap();
    host
}

/// Writes a definition and reloads, as an administrator would.
pub(crate) fn define(host: &Host, name: &str, definition: &str) {
    host.write(&format!("/etc/conductor/services/{name}.toml"), definition).unwrap();
    host.ok(["systemctl", "daemon-reload"]).unwrap();
}

/// Asks the payload on `port`; an error is what curl says.
pub(crate) fn ask(host: &Host, port: u16, path: &str) -> Result<String, String> {
    let url = format!("http://127.0.0.1:{port}{path}");
    let output = host.run(["curl", "-sS", "--max-time", "3", "--fail", &url]).unwrap();
    if output.success() { Ok(output.stdout.trim_end().to_owned()) } else { Err(output.stderr) }
}

/// Tells `web` to behave otherwise.
pub(crate) fn tell(host: &Host, path: &str) {
    let checker = "web-health.service";
    if path.starts_with("/mode/") && state(host, checker) == "active" {
        // Whoever breaks before it was seen healthy still starts, and has the time for that. Where that is how it is to
        // be, what follows says so.
        let healthy = || Ok(host.property(checker, "StatusText")?.contains("1/1 healthy"));
        drop(host.eventually(SOON / 2, "it was seen healthy", healthy));
    }
    // A payload that is told to exit does not answer.
    drop(ask(host, 20000, path));
}

/// The journal from now on.
pub(crate) fn journal(host: &Host) -> Follower {
    host.follow(&host.mark().unwrap()).unwrap()
}

pub(crate) fn invocation(host: &Host, unit: &str) -> String {
    host.property(unit, "InvocationID").unwrap()
}

pub(crate) fn state(host: &Host, unit: &str) -> String {
    host.property(unit, "ActiveState").unwrap()
}

/// Nothing happens to `unit` for as long as `span`: the only way to see that something does not happen.
pub(crate) fn undisturbed(host: &Host, unit: &str, span: Duration) {
    let before = invocation(host, unit);
    let touched = |entry: &Entry| entry.unit() == unit && !entry.get("JOB_TYPE").is_empty();
    if let Ok(entry) = journal(host).until(span, "the unit is touched", touched) {
        panic!("{unit}: {}", entry.message());
    }
    assert_eq!(invocation(host, unit), before, "{unit} was restarted");
}

/// Exactly these containers exist, each with one payload, and no process of any other is left: neither
/// in podman's books nor in the kernel's.
pub(crate) fn only_containers(host: &Host, names: &[&str]) {
    only_containers_of(Engine::Podman, host, names);
}

/// The same of an engine.
pub(crate) fn only_containers_of(engine: Engine, host: &Host, names: &[&str]) {
    // The first word of the status, as in "Up 2 seconds".
    let listed = host.ok([engine.name(), "ps", "--all", "--format", "{{.Names}} {{.Status}}"]).unwrap();
    let name_and_word = |line: &str| line.split(' ').take(2).collect::<Vec<_>>().join(" ");
    let mut listed: Vec<String> = listed.lines().map(name_and_word).collect();
    listed.sort_unstable();
    let expected: Vec<String> = names.iter().map(|name| format!("{name} Up")).collect();
    assert_eq!(listed, expected, "containers that {engine:?} knows");
    // What systemd takes for the container: the main process of its unit.
    let main = match engine {
        Engine::Podman => "conmon",
        Engine::Docker => "docker",
    };
    // Once of the whole machine and once of the control groups: nothing has escaped its unit, or its slice.
    let grouped =
        "find /sys/fs/cgroup/conductor.slice -name cgroup.procs -exec cat {} + | xargs -r ps -o comm= -p";
    for listing in
        ["ps -e -o comm=".to_owned(), format!("test ! -e /sys/fs/cgroup/conductor.slice || {grouped}")]
    {
        let processes = host.sh(&listing).unwrap();
        let count = |name: &str| processes.lines().filter(|line| *line == name).count();
        assert_eq!(count("payload"), names.len(), "processes of the payload:\n{processes}");
        assert_eq!(count(main), names.len(), "{main} of containers:\n{processes}");
    }
}

/// An HAProxy whose only frontend leads to `web`.
pub(crate) const HAPROXY: &str = "global
    stats socket /run/haproxy/admin.sock mode 660 level admin
defaults
    mode http
    timeout connect 5s
    timeout client 60s
    timeout server 60s
frontend all
    bind 127.0.0.1:8000
    default_backend web
";
