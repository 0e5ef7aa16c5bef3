//! The boot of a whole machine under emulation, where control groups have all their controllers: the generator at
//! the real boot, limits in force and enforced, and what is used of them. Takes minutes: `cargo xtask test --all`.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)] // This is a test.

use std::time::Duration;

use conductor_tests::{Image, emulate};

/// Patient: an emulated processor is some thirty times slower than a real one.
const WEB: &str = r#"
image = "localhost/web:1"
command = ["payload"]

[resources]
memory = "96M"
cpus = 1.5
pids = 64

[[ports]]
container = 8080
host = 20000

[health]
path = "/healthz"
interval = "10s"
timeout = "10s"
start-within = "3min"

[restart]
delay = "1s"
max-delay = "1s"
"#;

/// The same limits of another engine, whose containers are not in their units. Without checks and at no boot: it is
/// started when there is nothing else to do.
const BOX: &str = r#"
image = "localhost/web:1"
command = ["payload"]
runtime = "docker"
enabled = false

[resources]
memory = "80M"
cpus = 0.5
pids = 48
slice = "team"
"#;

const SCRIPT: &str = r#"
cgroup=/sys/fs/cgroup/conductor.slice/web.service
echo @controllers $(cat /sys/fs/cgroup/cgroup.controllers)
systemctl start web-health.service
echo @active $(systemctl is-active web.service web-health.service api.service)
journalctl --boot --identifier=conductor-generator --output=cat | sed 's/^/@generator /'
echo @answer $(curl -sS --max-time 30 http://127.0.0.1:20000/healthz)
echo @limits $(cat $cgroup/memory.max $cgroup/cpu.max $cgroup/pids.max)
echo @memory $(cat $cgroup/memory.current)
conductor status web --json | sed 's/^ */@status /'
cursor=$(journalctl --lines=0 --show-cursor | sed -n 's/^-- cursor: //p')
echo @lost $(curl -sS --max-time 60 http://127.0.0.1:20000/memory/300 2>&1)
timeout 240 sh -c 'journalctl --follow --no-tail --after-cursor="$0" --output=cat --unit=web.service |
    grep --max-count=1 "^Started "' "$cursor"
echo @restarts $(systemctl show --property=NRestarts --value web.service)
echo @again $(curl -sS --max-time 30 http://127.0.0.1:20000/healthz)
journalctl --after-cursor="$cursor" --output=cat --unit=web.service | sed 's/^/@log /'
echo @containers $(podman ps --all --format '{{.Names}}')
systemctl start box.service
timeout 120 sh -c 'until docker container inspect --format "{{.State.Status}}" conductor-box | grep running; do sleep 1; done'
echo @docker $(docker inspect --format '{{.HostConfig.Memory}} {{.HostConfig.NanoCpus}} {{.HostConfig.PidsLimit}}' conductor-box)
cgroup=/sys/fs/cgroup/team.slice/docker-$(docker inspect --format '{{.Id}}' conductor-box).scope
echo @docker-limits $(cat $cgroup/memory.max $cgroup/memory.swap.max $cgroup/cpu.max $cgroup/pids.max)
echo @docker-memory $(cat $cgroup/memory.current)
conductor status box --json | sed 's/^ */@docker-status /'
"#;

#[test]
fn a_service_comes_up_at_boot_and_its_memory_limit_is_enforced() {
    let image = Image::with_kernel().unwrap();
    let files = [
        ("/etc/conductor/services/web.toml", WEB),
        ("/etc/conductor/services/box.toml", BOX),
        ("/etc/conductor/services/api.toml", "imgae = \"localhost/web:1\"\n"),
    ];
    let emulation = emulate(&image, &files, SCRIPT, Duration::from_secs(900)).unwrap();
    let marked = |key: &str| emulation.marked(key).join("\n");
    // A number of `conductor status --json`, such as `"memory": 1234,`.
    let status = |mark: &str, key: &str| -> f64 {
        let line =
            emulation.marked(mark).into_iter().find_map(|line| line.strip_prefix(&format!("\"{key}\": ")));
        line.and_then(|number| number.trim_end_matches(',').parse().ok())
            .unwrap_or_else(|| panic!("no {key}:\n{}", emulation.output))
    };
    let number = |mark: &str| marked(mark).parse::<f64>().unwrap();

    let controllers = marked("controllers");
    assert!(controllers.contains("memory") && controllers.contains("pids"), "{controllers}");
    assert_eq!(marked("active"), "active active failed", "{}\n{}", emulation.output, emulation.console);
    // Through the kernel's log: journald did not run yet.
    assert_eq!(
        marked("generator"),
        "/etc/conductor/services/api.toml:1:1: unknown key `imgae` (did you mean `image`?)"
    );
    assert_eq!(marked("answer"), "ok");
    assert_eq!(marked("limits"), format!("{} 150000 100000 64", 96 << 20));
    // What is shown is what the kernel counts: it was asked a moment before.
    assert!(alike(status("status", "memory"), number("memory")), "{}", emulation.output);
    assert!((0.001..600.0).contains(&status("status", "cpu")), "{}", emulation.output);
    // The kernel ended the program; systemd says so, and started it again.
    assert!(marked("log").contains("killed by the OOM killer"), "{}", emulation.output);
    assert_eq!(marked("restarts"), "1", "{}", emulation.output);
    assert_eq!(marked("again"), "ok");
    assert_eq!(marked("containers"), "conductor-web");

    assert_eq!(marked("docker"), format!("{} 500000000 48", 80 << 20));
    assert_eq!(marked("docker-limits"), format!("{} 0 50000 100000 48", 80 << 20));
    // The container's own, not that of docker's client, which is in the unit and ten times as large.
    assert!(alike(status("docker-status", "memory"), number("docker-memory")), "{}", emulation.output);
    assert!((0.001..600.0).contains(&status("docker-status", "cpu")), "{}", emulation.output);
}

/// Within a factor of two: memory in use is never the same twice.
fn alike(one: f64, other: f64) -> bool {
    one > 0.0 && one < 2.0 * other && other < 2.0 * one
}
