//! Each machine gets a cgroup of its own: systemd inside owns it, and killing it ends everything in it at once.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use crate::{Context, Result};

/// A cgroup v2 directory; removed (with whatever is left in it) on drop.
#[derive(Debug)]
pub(crate) struct Cgroup(pub(crate) PathBuf);

/// Where the cgroup v2 hierarchy is mounted: `/sys/fs/cgroup`, or `.../unified` on a hybrid layout.
pub(crate) fn mount_point() -> Result<PathBuf> {
    let table = fs::read_to_string("/proc/self/mountinfo")?;
    table
        .lines()
        .filter(|line| line.contains(" - cgroup2 "))
        .find_map(|line| line.split(' ').nth(4))
        .map(PathBuf::from)
        .context("no cgroup v2 hierarchy is mounted; systemd inside the machine needs one")
}

/// Whether systemd manages this machine. Then cgroups are its to hand out, see `machine::spawn`.
pub(crate) fn systemd_is_pid1() -> bool {
    // What sd_booted(3) checks.
    Path::new("/run/systemd/system").is_dir()
}

impl Cgroup {
    /// Makes a cgroup at the top of the hierarchy; only where no systemd owns that.
    pub(crate) fn create(name: &str) -> Result<Self> {
        let path = mount_point()?.join(name);
        fs::create_dir_all(&path).context(path.display())?;
        Ok(Self(path))
    }

    /// The cgroup a process is in, without the `supervisor` level that nspawn adds for itself.
    pub(crate) fn of_process(pid: u32) -> Result<Self> {
        let table = fs::read_to_string(format!("/proc/{pid}/cgroup"))?;
        let path = table.lines().find_map(|line| line.strip_prefix("0::")).context("no cgroup v2 line")?;
        let path = path.strip_suffix("/supervisor").unwrap_or(path);
        Ok(Self(mount_point()?.join(path.trim_start_matches('/'))))
    }

    /// A child for the commands the harness runs, beside the machine's own processes.
    pub(crate) fn child(&self, name: &str) -> Result<Self> {
        let path = self.0.join(name);
        fs::create_dir_all(&path).context(path.display())?;
        Ok(Self(path))
    }

    /// SIGKILL to every process in it and below, in one step: as near to pulling the plug as it gets.
    pub(crate) fn kill(&self) {
        let _ = fs::write(self.0.join("cgroup.kill"), "1");
    }

    /// Kills what is left and removes the directories.
    pub(crate) fn remove(&self) {
        self.kill();
        let deadline = Instant::now() + Duration::from_secs(10);
        // Dying takes the kernel a moment and rmdir(2) says EBUSY until then; nothing waits on this path but us.
        while remove_below(&self.0).is_err() && Instant::now() < deadline {
            std::thread::sleep(Duration::from_millis(5));
        }
    }
}

impl Drop for Cgroup {
    fn drop(&mut self) {
        self.remove();
    }
}

fn remove_below(dir: &Path) -> std::io::Result<()> {
    let entries = match fs::read_dir(dir) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
        other => other?,
    };
    for entry in entries {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            remove_below(&entry.path())?;
        }
    }
    fs::remove_dir(dir)
}
