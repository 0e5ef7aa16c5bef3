//! `systemd-analyze verify` over generated units, by the systemd of a suite.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::overlay::Overlay;
use crate::rundir::RunDir;
use crate::{Context, Error, Image, Result, repository, run};

/// Units are copied here, where the generator would have put them.
const GENERATED: &str = "/run/systemd/generator";

/// Verifies every unit of the directory `units` (with its drop-ins and links) under the systemd of `image`.
///
/// Requires *empty standard error*: the exit status is 0 even when a key or a value was not understood. Programs of
/// ours that the image lacks are made up, because verify asks whether they can be executed; they are not run.
pub fn verify_units(image: &Image, units: &Path) -> Result<()> {
    let dir = RunDir::create()?;
    let lower = image.lower_dirs();
    let lower: Vec<&Path> = lower.iter().map(PathBuf::as_path).collect();
    let overlay = Overlay::mount(&lower, &dir.path)?;
    let inside = |path: &str| overlay.merged.join(path.trim_start_matches('/'));
    std::fs::create_dir_all(inside(GENERATED))?;
    run("cp", ["-aT".as_ref(), units.as_os_str(), inside(GENERATED).as_os_str()])?;
    for program in [
        "/usr/bin/conductor",
        "/usr/bin/conductor-health",
        "/usr/bin/docker",
        "/usr/libexec/conductor/objects",
    ] {
        if !inside(program).exists() {
            run("install", ["-Dm755", "/bin/true", &inside(program).to_string_lossy()])?;
        }
    }
    for unit in ["conductor.target", "conductor.slice"] {
        let shipped = repository().join("units").join(unit);
        std::fs::copy(&shipped, inside("/etc/systemd/system").join(unit)).context(shipped.display())?;
    }
    let mut names = Vec::new();
    for entry in std::fs::read_dir(inside(GENERATED))? {
        let entry = entry?;
        if entry.file_type()?.is_file() {
            names.push(format!("{GENERATED}/{}", entry.file_name().to_string_lossy()));
        }
    }
    names.sort();
    let mut verify = Command::new("chroot");
    verify
        .arg(&overlay.merged)
        .args(["systemd-analyze", "verify", "--recursive-errors=no", "--man=no"])
        .args(&names);
    let output = verify.env_clear().env("PATH", crate::exec::PATH).output()?;
    let complaints = String::from_utf8_lossy(&output.stderr).into_owned();
    if !complaints.is_empty() || !output.status.success() {
        let systemd = image.suite.codename();
        return Err(Error::new(format!("systemd of {systemd} complains ({}):\n{complaints}", output.status)));
    }
    Ok(())
}
