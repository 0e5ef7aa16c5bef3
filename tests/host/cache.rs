//! A directory of finished things. What is half built is never seen: built aside, then renamed.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Instant, SystemTime};

use crate::overlay::{mounts_below, unmount};
use crate::{Context, Result, announce, run};

/// Finished entries of one kind that are kept when a new one is made; each package build makes a new layer.
const KEPT: usize = 2;

/// Where images and running machines live: `CONDUCTOR_TEST_CACHE`, or a directory that survives `cargo clean`,
/// is shared by work trees and is not a tmpfs (an overlay's upper directory has to be on a disk-like file system).
pub fn cache_root() -> PathBuf {
    std::env::var_os("CONDUCTOR_TEST_CACHE")
        .map_or_else(|| "/var/tmp/conductor-test-hosts".into(), PathBuf::from)
}

/// A finished entry. Held with a shared lock, so that another process does not prune it while it is in use.
#[derive(Debug, Clone)]
pub(crate) struct Cached {
    /// The directory.
    pub(crate) path: PathBuf,
    _in_use: Arc<File>,
}

/// Hash of everything that decides what an entry contains. Stable for one compiler release, which is enough:
/// the worst a change does is one rebuild.
pub(crate) fn key(parts: &impl Hash) -> String {
    let mut hasher = DefaultHasher::new();
    parts.hash(&mut hasher);
    format!("{:016x}", hasher.finish())
}

/// The hash of a file's content. Every machine is booted from the same few files, and hashing megabytes without
/// optimisation takes as long as half of a boot: once for each state of a file is enough.
pub(crate) fn file_key(file: &Path) -> Result<String> {
    static KNOWN: Mutex<BTreeMap<(PathBuf, SystemTime, u64), String>> = Mutex::new(BTreeMap::new());
    let about = file.metadata().context(file.display())?;
    let state = (file.to_owned(), about.modified()?, about.len());
    let mut known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(key) = known.get(&state) {
        return Ok(key.clone());
    }
    let key = key(&fs::read(file).context(file.display())?);
    known.insert(state, key.clone());
    Ok(key)
}

/// Returns the entry `kind`-`key`, calling `build` with an empty directory if there is none yet.
pub(crate) fn entry(kind: &str, key: &str, build: impl Fn(&Path) -> Result<()>) -> Result<Cached> {
    let root = cache_root();
    let path = root.join(format!("{kind}-{key}"));
    let lock_path = root.join("locks").join(format!("{kind}-{key}"));
    fs::create_dir_all(root.join("locks")).context(root.display())?;
    let lock = File::create(&lock_path).context(lock_path.display())?;
    // Whoever uses what is there does not wait for others who do, such as a machine that is left running.
    loop {
        lock.lock_shared()?;
        if path.exists() {
            break;
        }
        lock.unlock()?;
        lock.lock()?; // Two test processes that want the same image: one builds, the other waits here.
        if !path.exists() {
            make(&root, kind, &path, &build)?;
        }
        lock.unlock()?;
    }
    File::open(&path)?.set_modified(SystemTime::now())?;
    Ok(Cached { path, _in_use: Arc::new(lock) })
}

fn make(root: &Path, kind: &str, path: &Path, build: impl Fn(&Path) -> Result<()>) -> Result<()> {
    let aside = path.with_extension("partial"); // A key has no dots.
    discard(&aside)?; // A builder that was killed may have left it, even mounted.
    fs::create_dir(&aside)?;
    let started = Instant::now();
    announce(format_args!("building {kind} ({})", path.display()));
    if let Err(error) = build(&aside).context(format!("building {kind}")) {
        discard(&aside)?;
        return Err(error);
    }
    fs::rename(&aside, path)?;
    announce(format_args!("built {kind} in {:.1} s", started.elapsed().as_secs_f32()));
    prune(root, kind)
}

/// Drops the oldest entries of a kind, except those some process holds.
fn prune(root: &Path, kind: &str) -> Result<()> {
    let mut entries = Vec::new();
    for entry in fs::read_dir(root)? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if name.rsplit_once('-').is_some_and(|(prefix, key)| prefix == kind && key.len() == 16) {
            entries.push((entry.metadata()?.modified()?, name));
        }
    }
    entries.sort();
    let surplus = entries.len().saturating_sub(KEPT);
    for (_, name) in entries.iter().take(surplus) {
        let lock = File::create(root.join("locks").join(name))?;
        if lock.try_lock().is_ok() {
            remove_tree(&root.join(name))?;
        }
    }
    Ok(())
}

fn discard(aside: &Path) -> Result<()> {
    for mount in mounts_below(aside) {
        unmount(&mount);
    }
    remove_tree(aside)
}

/// `rm -rf`, staying on one file system so that a forgotten mount is never emptied.
pub(crate) fn remove_tree(path: &Path) -> Result<()> {
    if path.symlink_metadata().is_err() {
        return Ok(());
    }
    run("rm", ["-rf".as_ref(), "--one-file-system".as_ref(), "--".as_ref(), path.as_os_str()])
}
