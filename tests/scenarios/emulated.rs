//! The boot of a whole machine under emulation, where control groups have all their controllers: the generator at
//! the real boot and a limit that is enforced. Takes minutes: `cargo xtask test --all`.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)] // This is a test.

use std::time::Duration;

use conductor_tests::{Image, emulate};

/// Patient: an emulated processor is some thirty times slower than a real one.
const WEB: &str = r#"
image = "localhost/web:1"
command = ["payload"]

[resources]
memory = "96M"
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

const SCRIPT: &str = r#"
cgroup=/sys/fs/cgroup/conductor.slice/web.service
echo @controllers $(cat /sys/fs/cgroup/cgroup.controllers)
systemctl start web-health.service
echo @active $(systemctl is-active web.service web-health.service api.service)
journalctl --boot --identifier=conductor-generator --output=cat | sed 's/^/@generator /'
echo @answer $(curl -sS --max-time 30 http://127.0.0.1:20000/healthz)
echo @limits $(cat $cgroup/memory.max $cgroup/pids.max)
cursor=$(journalctl --lines=0 --show-cursor | sed -n 's/^-- cursor: //p')
echo @lost $(curl -sS --max-time 60 http://127.0.0.1:20000/memory/300 2>&1)
timeout 240 sh -c 'journalctl --follow --no-tail --after-cursor="$0" --output=cat --unit=web.service |
    grep --max-count=1 "^Started "' "$cursor"
echo @restarts $(systemctl show --property=NRestarts --value web.service)
echo @again $(curl -sS --max-time 30 http://127.0.0.1:20000/healthz)
journalctl --after-cursor="$cursor" --output=cat --unit=web.service | sed 's/^/@log /'
echo @containers $(podman ps --all --format '{{.Names}}')
"#;

#[test]
fn a_service_comes_up_at_boot_and_its_memory_limit_is_enforced() {
    let image = Image::with_kernel().unwrap();
    let files = [
        ("/etc/conductor/services/web.toml", WEB),
        ("/etc/conductor/services/api.toml", "imgae = \"localhost/web:1\"\n"),
    ];
    let emulation = emulate(&image, &files, SCRIPT, Duration::from_secs(600)).unwrap();
    let marked = |key: &str| emulation.marked(key).join("\n");

    let controllers = marked("controllers");
    assert!(controllers.contains("memory") && controllers.contains("pids"), "{controllers}");
    assert_eq!(marked("active"), "active active failed", "{}\n{}", emulation.output, emulation.console);
    // Through the kernel's log: journald did not run yet.
    assert_eq!(
        marked("generator"),
        "/etc/conductor/services/api.toml:1:1: unknown key `imgae` (did you mean `image`?)"
    );
    assert_eq!(marked("answer"), "ok");
    assert_eq!(marked("limits"), format!("{} 64", 96 << 20));
    // The kernel ended the program; systemd says so, and started it again.
    assert!(marked("log").contains("killed by the OOM killer"), "{}", emulation.output);
    assert_eq!(marked("restarts"), "1", "{}", emulation.output);
    assert_eq!(marked("again"), "ok");
    assert_eq!(marked("containers"), "conductor-web");
}
