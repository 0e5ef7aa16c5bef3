//! The directory of one machine, and the sweep that removes those whose owner died.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use crate::cache::{cache_root, remove_tree};
use crate::cgroup::Cgroup;
use crate::overlay::{mounts_below, unmount};
use crate::{Context, Result};

static NEXT: AtomicU32 = AtomicU32::new(0);

/// `run/<name>`: disk, console log, notification socket. The lock in it ends with the process, however that ends.
#[derive(Debug)]
pub(crate) struct RunDir {
    /// Unique among the machines of this system; also the cgroup's and the host's name.
    pub(crate) name: String,
    /// The directory.
    pub(crate) path: PathBuf,
    _owner: File,
}

impl RunDir {
    /// Removes what dead owners left behind, then makes a fresh directory.
    pub(crate) fn create() -> Result<Self> {
        let root = cache_root().join("run");
        fs::create_dir_all(&root).context(root.display())?;
        // Nobody else sweeps between the making of a directory and the locking of it.
        let turn = File::create(root.join(".turn"))?;
        turn.lock()?;
        sweep(&root)?;
        let name = format!("conductor-{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        let path = root.join(&name);
        fs::create_dir(&path).context(path.display())?;
        let owner = File::create(path.join("owner"))?;
        owner.lock()?;
        Ok(Self { name, path, _owner: owner })
    }

    /// Notes the machine's cgroup for whoever has to sweep up.
    pub(crate) fn record(&self, cgroup: &Cgroup) -> Result<()> {
        fs::write(self.path.join("cgroup"), cgroup.0.as_os_str().as_encoded_bytes())?;
        Ok(())
    }
}

impl Drop for RunDir {
    fn drop(&mut self) {
        clear(&self.path);
    }
}

fn sweep(root: &Path) -> Result<()> {
    for entry in fs::read_dir(root)? {
        let path = entry?.path();
        if path.is_dir() {
            let owned = File::open(path.join("owner")).is_ok_and(|lock| lock.try_lock().is_err());
            if !owned {
                clear(&path);
            }
        }
    }
    Ok(())
}

/// Ends the machine, unmounts its disk and removes the directory; each step copes with the others' absence.
fn clear(path: &Path) {
    let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    if let Ok(cgroup) = fs::read_to_string(path.join("cgroup")) {
        // Never a cgroup that does not carry the machine's name, whatever the file says.
        if cgroup.contains(&name) {
            Cgroup(cgroup.into()).remove();
        }
    }
    for mount in mounts_below(path) {
        unmount(&mount);
    }
    let _ = remove_tree(path);
}
