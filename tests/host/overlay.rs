//! Mounts that end with the value that holds them.

use std::fs;
use std::path::{Path, PathBuf};

use crate::{Context, Result, run};

/// An overlay mount: read-only layers below, one writable directory on top. Unmounted on drop.
#[derive(Debug)]
pub(crate) struct Overlay {
    /// Where the merged tree is.
    pub(crate) merged: PathBuf,
}

impl Overlay {
    /// Mounts `lower` (topmost first) under `dir`, which gets `upper`, `work` and `merged`.
    pub(crate) fn mount(lower: &[&Path], dir: &Path) -> Result<Self> {
        let [upper, work, merged] = ["upper", "work", "merged"].map(|name| dir.join(name));
        for part in [&upper, &work, &merged] {
            fs::create_dir_all(part).context(part.display())?;
        }
        let lower: Vec<String> = lower.iter().map(|path| path.display().to_string()).collect();
        let options =
            format!("lowerdir={},upperdir={},workdir={}", lower.join(":"), upper.display(), work.display());
        run("mount", ["-t", "overlay", "overlay", "-o", &options, &merged.display().to_string()]).context(
            "mounting the machine's disk; the cache has to be on a file system overlayfs can write to",
        )?;
        Ok(Self { merged })
    }
}

impl Drop for Overlay {
    fn drop(&mut self) {
        unmount(&self.merged);
    }
}

/// Unmounts `target`; lazily if something still has it open, since nobody is left to tell.
pub(crate) fn unmount(target: &Path) {
    if run("umount", [target]).is_err() {
        let _ = run("umount", ["--lazy".as_ref(), target.as_os_str()]);
    }
}

/// Everything mounted at or below `dir`, innermost first (the second field of mountinfo, proc_pid_mountinfo(5)).
pub(crate) fn mounts_below(dir: &Path) -> Vec<PathBuf> {
    let table = fs::read_to_string("/proc/self/mountinfo").unwrap_or_default();
    let mut found: Vec<PathBuf> = table
        .lines()
        .filter_map(|line| line.split(' ').nth(4))
        .map(PathBuf::from)
        .filter(|point| point.starts_with(dir))
        .collect();
    found.reverse();
    found
}
