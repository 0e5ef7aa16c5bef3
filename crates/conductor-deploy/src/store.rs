//! Files: releases, the link to the live one, what is written down, and the lock.
//!
//! Each file is written beside its place, synced, and renamed; then its directory is synced. Whenever power is cut, each
//! is what it was or what it was to be.

use std::fs::{self, File};
use std::io::{self, ErrorKind, Write as _};
use std::os::unix::fs::{OpenOptionsExt as _, symlink};
use std::path::{Path, PathBuf};

use conductor_definition::{Live, Releases, Scope, Site, Slot};
use nix::fcntl::{Flock, FlockArg};

use crate::Failure;
use crate::record::{Entry, Record};

/// The files of one service's releases.
#[derive(Debug, Clone)]
pub struct Store {
    site: Site,
    name: String,
    releases: PathBuf,
    state: PathBuf,
}

/// Holds the service's lock for as long as it lives, and no longer than its process.
#[derive(Debug)]
pub struct Lock(#[expect(dead_code, reason = "kept open")] Flock<File>);

impl Store {
    /// Those of service `name`.
    pub fn new(site: &Site, name: &str) -> Self {
        let state = match &site.user {
            None => PathBuf::from("/var/lib"),
            Some(user) => user.data.clone(),
        };
        Self {
            releases: site.real(&site.releases().join(name)),
            state: site.real(&state.join("conductor/deploys").join(name)),
            site: site.clone(),
            name: name.to_owned(),
        }
    }

    /// Takes the lock.
    ///
    /// # Errors
    /// Who holds it.
    pub fn lock(&self, holder: &str) -> Result<Lock, Failure> {
        let path = self.lock_file();
        let failed = |error: &dyn std::fmt::Display| Failure::system(format!("locking {}", self.name), error);
        fs::create_dir_all(path.parent().unwrap_or(&path)).map_err(|error| failed(&error))?;
        // Whoever may read a file may lock it (flock(2)): so this one only those may read who may deploy.
        let file =
            File::options().read(true).write(true).create(true).truncate(false).mode(0o600).open(&path);
        let file = file.map_err(|error| failed(&error))?;
        match Flock::lock(file, FlockArg::LockExclusiveNonblock) {
            Ok(lock) => {
                // For people only: the lock is the kernel's.
                fs::write(self.holder_file(), holder).map_err(|error| failed(&error))?;
                self.clear().map_err(|error| failed(&error))?;
                Ok(Lock(lock))
            }
            Err((_, nix::errno::Errno::EWOULDBLOCK)) => Err(self.locked()),
            Err((_, error)) => Err(failed(&error)),
        }
    }

    /// Removes what somebody had begun to write who was killed. The lock is ours, so nobody writes now.
    fn clear(&self) -> io::Result<()> {
        for directory in [&self.releases, &self.state, &self.state.join("releases")] {
            let entries = match fs::read_dir(directory) {
                Err(error) if error.kind() == ErrorKind::NotFound => continue,
                entries => entries?,
            };
            for entry in entries {
                let path = entry?.path();
                let is_begun = path.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b"."));
                if is_begun {
                    fs::remove_file(path)?;
                }
            }
        }
        Ok(())
    }

    pub(crate) fn lock_file(&self) -> PathBuf {
        self.run().join(format!("{}.lock", self.name))
    }

    /// Who took the lock last, for everybody to read.
    pub(crate) fn holder_file(&self) -> PathBuf {
        self.run().join(format!("{}.holder", self.name))
    }

    /// Which release is live.
    pub fn live(&self) -> Live {
        Releases::read(&self.site, &self.name).map_or(Live::Never, |releases| releases.live)
    }

    /// The text of the release in a slot.
    pub fn release(&self, slot: Slot) -> Result<Option<String>, Failure> {
        read(&self.releases.join(slot.file_name()))
    }

    /// Puts a release into a slot; nothing takes it out.
    pub fn put(&self, slot: Slot, text: Option<&str>) -> Result<(), Failure> {
        let path = self.releases.join(slot.file_name());
        match text {
            Some(text) => write(&path, text),
            None => remove(&path),
        }
    }

    /// Makes the release in a slot the live one, by one rename; or none.
    pub fn set_live(&self, slot: Option<Slot>) -> Result<(), Failure> {
        link(&self.releases.join("live"), slot)
    }

    /// Lets the release in a slot stand in for the live one until the next boot; or none.
    pub fn set_trial(&self, slot: Option<Slot>) -> Result<(), Failure> {
        link(&self.site.real(&self.site.trials().join(&self.name)), slot)
    }

    /// The deploy that was not finished.
    pub fn unfinished(&self) -> Result<Option<Record>, Failure> {
        let path = self.current();
        let Some(text) = read(&path)? else { return Ok(None) };
        let record: Record = serde_json::from_str(&text)
            .map_err(|error| Failure::system(format!("reading {}", path.display()), error))?;
        // Since the last boot it may have got further.
        let since = read(&self.since_boot())?.and_then(|text| serde_json::from_str::<Record>(&text).ok());
        Ok(Some(since.filter(|since| since.id == record.id).unwrap_or(record)))
    }

    /// Writes down where a deploy is, so that it outlives a power cut.
    pub fn record(&self, record: &Record) -> Result<(), Failure> {
        write(&self.current(), &json(record)?)?;
        self.record_until_boot(record)
    }

    /// Writes down where a deploy is that was recorded before. It is forgotten together with everything that runs, and
    /// takes no time.
    pub fn record_until_boot(&self, record: &Record) -> Result<(), Failure> {
        write(&self.since_boot(), &json(record)?)
    }

    /// Notes the end of a deploy, of which nothing is left to be done.
    pub fn finish(&self, entry: &Entry) -> Result<(), Failure> {
        self.note(entry)?;
        remove(&self.current())?;
        remove(&self.since_boot())
    }

    /// Adds to the history, unless it was the last thing that somebody did who was killed.
    pub fn note(&self, entry: &Entry) -> Result<(), Failure> {
        let path = self.state.join("history");
        let mut text = read(&path)?.unwrap_or_default();
        let last = text.lines().next_back().and_then(|line| serde_json::from_str::<Entry>(line).ok());
        if last.is_some_and(|last| last.id == entry.id) {
            return Ok(());
        }
        text += &json(entry)?;
        text.push('\n');
        write(&path, &text)
    }

    /// All deploys that ended, the first one first. Lines that cannot be read are left out.
    pub fn history(&self) -> Result<Vec<Entry>, Failure> {
        let text = read(&self.state.join("history"))?.unwrap_or_default();
        Ok(text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect())
    }

    /// The release that a deploy made, as long as it is kept.
    pub fn kept(&self, id: &str) -> Result<Option<String>, Failure> {
        read(&self.kept_path(id))
    }

    /// Keeps a release.
    pub fn keep(&self, id: &str, text: &str) -> Result<(), Failure> {
        write(&self.kept_path(id), text)
    }

    /// Forgets a release.
    pub fn forget(&self, id: &str) -> Result<(), Failure> {
        remove(&self.kept_path(id))
    }

    /// The ids of all releases that are kept.
    pub fn all_kept(&self) -> Vec<String> {
        let entries = fs::read_dir(self.state.join("releases")).into_iter().flatten().flatten();
        let id = |entry: fs::DirEntry| Some(entry.file_name().to_str()?.strip_suffix(".toml")?.to_owned());
        entries.filter_map(id).filter(|id| !id.starts_with('.')).collect()
    }

    /// Whether a release in some slot, of whichever service, names an image.
    pub fn is_released(&self, image: &str) -> bool {
        let directories = self.site.released().into_iter();
        let directories = directories.map(|name| self.site.real(&self.site.releases().join(name)));
        let mut files =
            directories.flat_map(|directory| Slot::ALL.map(|slot| directory.join(slot.file_name())));
        files.any(|file| fs::read_to_string(file).is_ok_and(|text| text.contains(image)))
    }

    /// The service.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Whose services they are.
    pub fn scope(&self) -> Scope {
        self.site.scope()
    }

    fn kept_path(&self, id: &str) -> PathBuf {
        self.state.join("releases").join(format!("{id}.toml"))
    }

    fn current(&self) -> PathBuf {
        self.state.join("current")
    }

    /// The record as it is since the last boot.
    fn since_boot(&self) -> PathBuf {
        self.run().join(format!("{}.current", self.name))
    }

    pub(crate) fn run(&self) -> PathBuf {
        self.site.real(&self.site.runtime().join("conductor/deploy"))
    }
}

fn json(what: &impl serde::Serialize) -> Result<String, Failure> {
    serde_json::to_string(what).map_err(|error| Failure::system("writing down a deploy", error))
}

pub(crate) fn read(path: &Path) -> Result<Option<String>, Failure> {
    match fs::read_to_string(path) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(Failure::system(format!("reading {}", path.display()), error)),
    }
}

pub(crate) fn write(path: &Path, text: &str) -> Result<(), Failure> {
    let writing = || -> io::Result<()> {
        let directory = path.parent().unwrap_or(path);
        fs::create_dir_all(directory)?;
        let mut file = tempfile::Builder::new().prefix(".").tempfile_in(directory)?;
        file.write_all(text.as_bytes())?;
        file.as_file().sync_all()?;
        file.persist(path)?;
        sync(directory)
    };
    writing().map_err(|error| Failure::system(format!("writing {}", path.display()), error))
}

pub(crate) fn remove(path: &Path) -> Result<(), Failure> {
    let removing = || match fs::remove_file(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error),
        Ok(()) => sync(path.parent().unwrap_or(path)),
    };
    removing().map_err(|error| Failure::system(format!("removing {}", path.display()), error))
}

fn link(path: &Path, slot: Option<Slot>) -> Result<(), Failure> {
    let Some(slot) = slot else { return remove(path) };
    let linking = || -> io::Result<()> {
        let directory = path.parent().unwrap_or(path);
        fs::create_dir_all(directory)?;
        let mut beside = std::ffi::OsString::from(".");
        beside.push(path.file_name().unwrap_or_default());
        let beside = directory.join(beside);
        match symlink(slot.file_name(), &beside) {
            // Of somebody who was killed; the lock is ours.
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {
                fs::remove_file(&beside)?;
                symlink(slot.file_name(), &beside)?;
            }
            linked => linked?,
        }
        fs::rename(&beside, path)?;
        sync(directory)
    };
    linking().map_err(|error| Failure::system(format!("linking {}", path.display()), error))
}

fn sync(directory: &Path) -> io::Result<()> {
    File::open(directory)?.sync_all()
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::MetadataExt as _;

    use super::*;
    use crate::FailureKind;

    #[test]
    fn records_and_what_is_left_of_them() {
        let root = tempfile::tempdir().unwrap();
        let store = Store::new(&Site::system(root.path()), "web");
        let mut record = crate::record::tests::example();
        store.record(&record).unwrap();
        record.reached = Some(crate::Step::Start);
        store.record_until_boot(&record).unwrap();
        assert_eq!(store.unfinished().unwrap().unwrap().reached, Some(crate::Step::Start));
        // A power cut.
        fs::remove_dir_all(root.path().join("run")).unwrap();
        assert_eq!(store.unfinished().unwrap().unwrap().reached, None);
        // What is of another deploy says nothing of this one.
        store.record_until_boot(&Record { id: "other".to_owned(), ..record.clone() }).unwrap();
        assert_eq!(store.unfinished().unwrap().unwrap().id, record.id);
        // Killed between the two things that an end consists of.
        let entry = record.entry(1, crate::Outcome::Undone, None);
        store.note(&entry).unwrap();
        fs::write(root.path().join("var/lib/conductor/deploys/web/.tmpAbc"), "half").unwrap();
        let _lock = store.lock("me").unwrap();
        store.finish(&entry).unwrap();
        assert_eq!(store.history().unwrap().len(), 1);
        assert!(store.unfinished().unwrap().is_none());
        let left: Vec<_> = fs::read_dir(root.path().join("var/lib/conductor/deploys/web")).unwrap().collect();
        assert_eq!(left.len(), 1, "the history: {left:?}");
    }

    #[test]
    fn releases_links_and_locks() {
        let root = tempfile::tempdir().unwrap();
        let site = Site::system(root.path());
        let store = Store::new(&site, "web");
        assert_eq!(store.live(), Live::Never);
        store.put(Slot::Green, Some("image = 'a'")).unwrap();
        symlink("x", root.path().join("etc/conductor/releases/web/.live")).unwrap();
        store.set_live(Some(Slot::Green)).unwrap();
        assert_eq!(store.live(), Live::In(Slot::Green));
        store.set_live(None).unwrap();
        store.set_live(None).unwrap();
        assert_eq!(store.live(), Live::Never);
        store.put(Slot::Green, None).unwrap();
        assert_eq!(store.release(Slot::Green).unwrap(), None);
        store.set_trial(Some(Slot::Blue)).unwrap();
        assert_eq!(
            fs::read_link(root.path().join("run/conductor/trials/web")).unwrap(),
            Path::new("blue.toml")
        );

        let lock = store.lock("me, 4711").unwrap();
        assert_eq!(store.holder().as_deref(), Some("me, 4711"));
        let failure = store.lock("you").unwrap_err();
        assert_eq!(failure.kind, FailureKind::Locked);
        assert!(failure.text.contains("(me, 4711)"), "{failure}");
        let files = root.path().join("run/conductor/deploy");
        let mode = |name: &str| fs::metadata(files.join(name)).unwrap().mode() & 0o777;
        assert_eq!((mode("web.lock"), mode("web.holder") & 0o444), (0o600, 0o444));
        drop(lock);
        assert_eq!(store.holder(), None);
        store.lock("you").unwrap();
    }
}
