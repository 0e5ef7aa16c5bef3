//! `systemd-analyze verify` over generated units, by the systemd of a suite.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::overlay::Overlay;
use crate::rundir::RunDir;
use crate::{Context, Error, Image, Result, repository, run};

/// Whose service manager is to read units.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Manager {
    /// PID 1.
    System,
    /// A user's own.
    User,
}

impl Manager {
    /// Units are copied here, where the generator would have put them.
    fn generated(self) -> &'static str {
        match self {
            Self::System => "/run/systemd/generator",
            Self::User => "/run/user/0/systemd/generator",
        }
    }

    /// Units that the package ships: here, and installed there.
    fn shipped(self) -> (&'static str, &'static str) {
        match self {
            Self::System => ("units", "/etc/systemd/system"),
            Self::User => ("units/user", "/etc/systemd/user"),
        }
    }

    fn option(self) -> &'static str {
        match self {
            Self::System => "--system",
            Self::User => "--user",
        }
    }
}

/// Verifies every unit of the directory `units` (with its drop-ins and links) under a manager of the systemd of
/// `image`.
///
/// Requires *empty standard error*: the exit status is 0 even when a key or a value was not understood. Programs of
/// ours that the image lacks are made up, because verify asks whether they can be executed; they are not run.
pub fn verify_units(image: &Image, manager: Manager, units: &Path) -> Result<()> {
    let dir = RunDir::create()?;
    let lower = image.lower_dirs();
    let lower: Vec<&Path> = lower.iter().map(PathBuf::as_path).collect();
    let overlay = Overlay::mount(&lower, &dir.path)?;
    let inside = |path: &str| overlay.merged.join(path.trim_start_matches('/'));
    let generated = manager.generated();
    std::fs::create_dir_all(inside(generated))?;
    run("cp", ["-aT".as_ref(), units.as_os_str(), inside(generated).as_os_str()])?;
    for program in [
        "/usr/bin/conductor",
        "/usr/bin/conductor-health",
        "/usr/bin/docker",
        "/usr/libexec/conductor/objects",
        "/usr/libexec/conductor/remove",
    ] {
        if !inside(program).exists() {
            run("install", ["-Dm755", "/bin/true", &inside(program).to_string_lossy()])?;
        }
    }
    let (from, to) = manager.shipped();
    for unit in ["conductor.target", "conductor.slice"] {
        let shipped = repository().join(from).join(unit);
        std::fs::copy(&shipped, inside(to).join(unit)).context(shipped.display())?;
    }
    let mut names = Vec::new();
    for entry in std::fs::read_dir(inside(generated))? {
        let entry = entry?;
        if entry.file_type()?.is_file() {
            names.push(format!("{generated}/{}", entry.file_name().to_string_lossy()));
        }
    }
    names.sort();
    let mut verify = Command::new("chroot");
    verify
        .arg(&overlay.merged)
        .args(["systemd-analyze", manager.option(), "verify", "--recursive-errors=no", "--man=no"])
        .args(&names);
    verify.env_clear().env("PATH", crate::exec::PATH);
    if manager == Manager::User {
        verify.envs([("HOME", "/root"), ("XDG_RUNTIME_DIR", "/run/user/0")]);
    }
    let output = verify.output()?;
    let complaints = String::from_utf8_lossy(&output.stderr).into_owned();
    if !complaints.is_empty() || !output.status.success() {
        let systemd = image.suite.codename();
        return Err(Error::new(format!("systemd of {systemd} complains ({}):\n{complaints}", output.status)));
    }
    Ok(())
}
