//! The boot of a whole machine under emulation. Takes minutes: `cargo xtask test --all`.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)] // This is a test.

use std::time::Duration;

use conductor_tests::{Image, emulate};

/// The frame of the scenario: the machine boots with all controllers and a unit's memory limit is enforced.
#[test]
fn boots_with_controllers_and_enforces_memory_limits() {
    let image = Image::with_kernel().unwrap();
    let script = "
        echo @state $(systemctl is-system-running || true)
        echo @controllers $(cat /sys/fs/cgroup/cgroup.controllers)
        systemd-run --unit=eater -p MemoryMax=32M -p MemorySwapMax=0 --wait -- \
            busybox sh -c 'x=1; while :; do x=$x$x; done' || true
        echo @result $(systemctl show -P Result eater)
        echo @failed $(systemctl --failed --no-legend)
    ";
    let emulation = emulate(&image, &[], script, Duration::from_secs(420)).unwrap();
    let controllers = emulation.marked("controllers").concat();
    assert!(controllers.contains("memory") && controllers.contains("pids"), "{}", emulation.output);
    assert_eq!(emulation.marked("result"), ["oom-kill"], "{}", emulation.output);
}
