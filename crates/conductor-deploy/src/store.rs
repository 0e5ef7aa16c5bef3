//! Files: releases, the link to the live one, what is written down, and the lock.
//!
//! Each file is written beside its place, synced, and renamed; then its directory is synced. Whenever power is cut, each
//! is what it was or what it was to be.

use std::fs::{self, File};
use std::io::{self, ErrorKind, Write as _};
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use conductor_definition::{Live, Releases, Scope, Site, Slot};
use nix::fcntl::{Flock, FlockArg};

use crate::record::{Entry, Record};
use crate::{Failure, FailureKind};

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
        let path = self.site.real(&self.site.runtime().join("conductor/deploy"));
        let failed = |error: &dyn std::fmt::Display| Failure::system(format!("locking {}", self.name), error);
        fs::create_dir_all(&path).map_err(|error| failed(&error))?;
        let path = path.join(format!("{}.lock", self.name));
        let file = File::options().read(true).write(true).create(true).truncate(false).open(&path);
        let file = file.map_err(|error| failed(&error))?;
        match Flock::lock(file, FlockArg::LockExclusiveNonblock) {
            Ok(mut lock) => {
                // For people only: the lock is the kernel's.
                lock.set_len(0).and_then(|()| lock.write_all(holder.as_bytes())).map_err(|e| failed(&e))?;
                Ok(Lock(lock))
            }
            Err((_, nix::errno::Errno::EWOULDBLOCK)) => {
                let who = fs::read_to_string(&path).unwrap_or_default();
                let said = format!(
                    "{} is being deployed by somebody else ({}): wait for its end, or end that process",
                    self.name,
                    who.trim()
                );
                Err(Failure::new(FailureKind::Locked, said))
            }
            Err((_, error)) => Err(failed(&error)),
        }
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
        serde_json::from_str(&text)
            .map(Some)
            .map_err(|error| Failure::system(format!("reading {}", path.display()), error))
    }

    /// Writes down where a deploy is.
    pub fn record(&self, record: &Record) -> Result<(), Failure> {
        let text = serde_json::to_string(record).map_err(|error| Failure::system("a record", error))?;
        write(&self.current(), &text)
    }

    /// Notes the end of a deploy, of which nothing is left to be done.
    pub fn finish(&self, entry: &Entry) -> Result<(), Failure> {
        self.note(entry)?;
        remove(&self.current())
    }

    /// Adds to the history.
    pub fn note(&self, entry: &Entry) -> Result<(), Failure> {
        let path = self.state.join("history");
        let mut text = read(&path)?.unwrap_or_default();
        text += &serde_json::to_string(entry).map_err(|error| Failure::system("an entry", error))?;
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
}

fn read(path: &Path) -> Result<Option<String>, Failure> {
    match fs::read_to_string(path) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(Failure::system(format!("reading {}", path.display()), error)),
    }
}

fn write(path: &Path, text: &str) -> Result<(), Failure> {
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

fn remove(path: &Path) -> Result<(), Failure> {
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
    use super::*;

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
        let failure = store.lock("you").unwrap_err();
        assert_eq!(failure.kind, FailureKind::Locked);
        assert!(failure.text.contains("(me, 4711)"), "{failure}");
        drop(lock);
        store.lock("you").unwrap();
    }
}
