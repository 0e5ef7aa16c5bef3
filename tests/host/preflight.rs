//! What the machine itself must have before a test host can be built on it.

use std::path::Path;

use crate::{Error, Result};

/// A program the harness calls and the Debian package that brings it.
#[derive(Debug, Clone, Copy)]
pub struct Need {
    /// Name of the program, looked up in `PATH` and the sbin directories.
    pub program: &'static str,
    /// Package to install.
    pub package: &'static str,
}

const fn need(program: &'static str, package: &'static str) -> Need {
    Need { program, package }
}

const NEEDS: &[Need] = &[
    need("mmdebstrap", "mmdebstrap"),
    need("systemd-nspawn", "systemd-container"),
    need("nsenter", "util-linux"),
    need("mount", "mount"),
    need("apt-config", "apt"),
];

const EMULATION_NEEDS: &[Need] =
    &[need("qemu-system-x86_64", "qemu-system-x86"), need("mke2fs", "e2fsprogs")];

/// The package that brings `program`, if it is one the harness needs.
pub(crate) fn package_of(program: &str) -> Option<&'static str> {
    NEEDS.iter().chain(EMULATION_NEEDS).find(|need| need.program == program).map(|need| need.package)
}

/// Programs that are not installed; `emulation` asks for those of the emulated boot too.
pub fn missing(emulation: bool) -> Vec<Need> {
    let extra = if emulation { EMULATION_NEEDS } else { &[] };
    NEEDS.iter().chain(extra).filter(|need| !installed(need.program)).copied().collect()
}

fn installed(program: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let sbin = ["/usr/sbin", "/sbin"].map(std::path::PathBuf::from);
    std::env::split_paths(&path).chain(sbin).any(|dir| dir.join(program).is_file())
}

/// Fails with one message that names everything that is in the way.
pub fn require(emulation: bool) -> Result<()> {
    let mut problems = Vec::new();
    if !is_debian() {
        problems.push(
            "this is not Debian: the test host is built by mmdebstrap from Debian's own archive".to_owned(),
        );
    }
    if !nix::unistd::Uid::effective().is_root() {
        problems
            .push("not root: booting a machine needs mounts, cgroups and namespaces; run as root".to_owned());
    }
    let packages: Vec<&str> = missing(emulation).iter().map(|need| need.package).collect();
    if !packages.is_empty() {
        problems.push(format!("missing tools: apt-get install {}", packages.join(" ")));
    }
    if problems.is_empty() {
        return Ok(());
    }
    Err(Error::new(format!("cannot run host scenarios here:\n  - {}", problems.join("\n  - "))))
}

/// Whether os-release(5) says Debian. Derivatives have other archives and keys, so `ID_LIKE` does not count.
pub(crate) fn is_debian() -> bool {
    os_release("ID").as_deref() == Some("debian")
}

/// One value of the machine's os-release(5).
pub(crate) fn os_release(key: &str) -> Option<String> {
    let text = std::fs::read_to_string(Path::new("/etc/os-release")).ok()?;
    text.lines()
        .filter_map(|line| line.split_once('='))
        .find(|(name, _)| *name == key)
        .map(|(_, value)| value.trim_matches('"').to_owned())
}
