//! What goes into a root file system. The text of this file is part of the cache key: edit it and images are rebuilt.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::Command;

use crate::{Context, Result, Suite, apt, stdout_of};

/// This file itself, for the cache key.
pub(crate) const SOURCE: &str = include_str!("recipe.rs");

/// Names are the same in every suite. nftables is what podman's netavark publishes ports with.
const PACKAGES: &[&str] = &[
    "aardvark-dns",
    "catatonit",
    "busybox-static",
    "crun",
    "curl",
    "dbus",
    "iproute2",
    "netavark",
    "nftables",
    "nginx-light",
    "podman",
    "polkitd",
    "procps",
    "systemd",
    "systemd-sysv",
];

/// What netavark published ports with before it learnt nftables; and runc, see [`BOOKWORM_FILES`].
const BOOKWORM_PACKAGES: &[&str] = &["iptables", "runc"];

/// A kernel of its own, for the emulated boot. The cloud flavour leaves out drivers for real hardware.
const KERNEL_PACKAGES: &[&str] = &["initramfs-tools", "linux-image-cloud-amd64", "lz4"];

/// Units that cannot work, or only cost time, in a container without network or hardware; masked so that
/// `systemctl is-system-running` can say `running` and a failed unit always means something.
const MASKED: &[&str] = &[
    "apt-daily-upgrade.timer",
    "apt-daily.timer",
    "console-getty.service",
    "dpkg-db-backup.timer",
    "e2scrub_all.timer",
    "e2scrub_reap.service",
    "fstrim.timer",
    "podman-auto-update.timer",
    "podman.service",
    "podman.socket",
    "systemd-modules-load.service",
    "systemd-networkd-wait-online.service",
];

/// Files every machine starts with.
const FILES: &[(&str, &str)] = &[
    // No cgroup controllers reach into the machine, and podman refuses to run without `pids` unless told so. Podman 4
    // on bookworm would still prefer CNI, whose plugins are not there.
    (
        "/etc/containers/containers.conf",
        "[containers]\npids_limit = 0\n[network]\nnetwork_backend = \"netavark\"\n",
    ),
    // Kept across reboots, and readable from outside when the machine is dead. No limit on lines per second: a test
    // that fails for want of a line would be a puzzle.
    (
        "/etc/systemd/journald.conf.d/test.conf",
        "[Journal]\nStorage=persistent\nRateLimitIntervalSec=0\nSystemMaxUse=256M\n",
    ),
    // Empty, not absent: every machine gets an id of its own without this counting as a first boot (machine-id(5)).
    ("/etc/machine-id", ""),
    ("/etc/hostname", "conductor-test\n"),
    ("/etc/hosts", "127.0.0.1 localhost\n127.0.1.1 conductor-test\n::1 localhost\n"),
    ("/etc/resolv.conf", ""),
    ("/etc/fstab", ""),
];

/// The same, on bookworm only.
const BOOKWORM_FILES: &[(&str, &str)] = &[
    // crun 1.8 insists on raising its limit of locked memory before it loads the filter of devices, which takes
    // CAP_SYS_RESOURCE, and the machines that tests run on may lack that. runc tries too, and goes on without.
    ("/etc/containers/containers.conf.d/runtime.conf", "[engine]\nruntime = \"runc\"\n"),
];

/// Everything the image of a suite consists of.
fn packages(suite: Suite, kernel: bool) -> Vec<&'static str> {
    let kernel = if kernel { KERNEL_PACKAGES } else { &[] };
    let extra = if suite == Suite::Bookworm { BOOKWORM_PACKAGES } else { &[] };
    PACKAGES.iter().chain(kernel).chain(extra).copied().collect()
}

/// Builds the root file system of `suite` in the empty directory `root`.
pub(crate) fn build(suite: Suite, kernel: bool, root: &Path) -> Result<()> {
    let mut command = Command::new("mmdebstrap");
    command.args(["--quiet", "--mode=root", "--variant=minbase", "--format=directory"]);
    command.arg(format!("--include={}", packages(suite, kernel).join(",")));
    command.args(apt::options()?.iter().map(|option| format!("--aptopt={option}")));
    command.arg(suite.codename()).arg(root).arg(apt::source_line(suite.codename())?);
    if kernel {
        // Unpacking the initramfs is a good part of an emulated boot, and lz4 is the cheapest to unpack. In place
        // before the kernel's scripts build it.
        command.arg(
            "--essential-hook=mkdir -p \"$1/etc/initramfs-tools/conf.d\" && \
             echo COMPRESS=lz4 > \"$1/etc/initramfs-tools/conf.d/test\"",
        );
    }
    stdout_of(&mut command)?;
    customize(suite, root)
}

fn customize(suite: Suite, root: &Path) -> Result<()> {
    let extra = if suite == Suite::Bookworm { BOOKWORM_FILES } else { &[] };
    for (path, text) in FILES.iter().chain(extra) {
        let file = root.join(path.trim_start_matches('/'));
        let parent = file.parent().context("a file has a directory")?;
        fs::create_dir_all(parent)?;
        if file.is_symlink() {
            fs::remove_file(&file)?;
        }
        fs::write(&file, text).context(file.display())?;
    }
    for unit in MASKED {
        let link = root.join("etc/systemd/system").join(unit);
        if link.symlink_metadata().is_ok() {
            fs::remove_file(&link)?;
        }
        symlink("/dev/null", &link).context(link.display())?;
    }
    fs::create_dir_all(root.join("var/log/journal"))?;
    Ok(())
}
