//! Where releases are kept, and reading them.
//!
//! A release is a complete definition in one file that nobody edits: what runs comes from there, so that the definition
//! can be changed for the next release without consequences for the live one. Two files and a link are all there is;
//! a new release is live when the link has been replaced, which rename(2) does at once or not at all.

use std::collections::BTreeSet;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use crate::file::{entries, follow, read_text};
use crate::{Diagnostic, Finding, Site, Slot, Source};

/// The link to the live release.
const LIVE: &str = "live";

/// What is kept of one service.
#[derive(Debug, Clone, Default)]
pub struct Releases {
    /// Which release is live.
    pub live: Live,
    /// Which one stands in for it until the next boot.
    pub trial: Option<Slot>,
    /// The releases that are there.
    pub files: Vec<ReleaseFile>,
    /// Links that lead nowhere.
    pub problems: Vec<Finding>,
}

/// Which release of a service is live.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Live {
    /// None: nothing was ever deployed to the end.
    #[default]
    Never,
    /// The one in this slot.
    In(Slot),
    /// One of them, and nobody can tell which.
    Unknown,
}

/// A release as it was found.
#[derive(Debug, Clone)]
pub struct ReleaseFile {
    /// Its slot.
    pub slot: Slot,
    /// Its path and text.
    pub source: Source,
    /// Why there is no text.
    pub problem: Option<Diagnostic>,
}

impl Site {
    /// Where releases are kept, each service's in a directory of its name: beside the definitions that the administrator,
    /// or the user, writes, because generators run before /var is mounted.
    pub fn releases(&self) -> PathBuf {
        let base = self.user.as_ref().map_or(Path::new("/etc"), |user| &user.config);
        base.join("conductor/releases")
    }

    /// Where links are, by the names of services, to releases that stand in for live ones until the next boot.
    pub fn trials(&self) -> PathBuf {
        self.runtime().join("conductor/trials")
    }

    /// The names of services that may have releases.
    pub fn released(&self) -> BTreeSet<String> {
        // What cannot be listed is told of each service when it is read.
        let entries = entries(&self.root, &self.releases()).unwrap_or_default();
        entries.into_iter().filter_map(|entry| entry.name.into_string().ok()).collect()
    }
}

impl Releases {
    /// What is kept of service `name`; nothing if nothing is.
    pub fn read(site: &Site, name: &str) -> Option<Self> {
        let directory = site.releases().join(name);
        let mut releases = Self::default();
        let (live, trial) = (directory.join(LIVE), site.trials().join(name));
        releases.live = match link(site, &live) {
            Ok(slot) => slot.map_or(Live::Never, Live::In),
            Err(problem) => {
                releases.problems.push(Finding { path: live.clone(), diagnostic: problem });
                Live::Unknown
            }
        };
        releases.trial = link(site, &trial).unwrap_or_else(|problem| {
            releases.problems.push(Finding { path: trial, diagnostic: problem });
            None
        });
        for slot in Slot::ALL {
            let path = directory.join(slot.file_name());
            let real = follow(&site.root, &path).unwrap_or_else(|_| site.real(&path));
            if matches!(real.symlink_metadata(), Err(error) if error.kind() == ErrorKind::NotFound) {
                continue;
            }
            let (text, problem) = match read_text(&real) {
                Ok(Some(text)) => (text, None),
                Ok(None) => (String::new(), Some(empty())),
                Err(problem) => (String::new(), Some(problem)),
            };
            releases.files.push(ReleaseFile { slot, source: Source::new(path, text), problem });
        }
        if let Live::In(slot) = releases.live
            && releases.file(slot).is_none()
        {
            let diagnostic =
                Diagnostic::error("release", "is not there, and `live` leads to it").help(RESTORE);
            releases.problems.push(Finding { path: directory.join(slot.file_name()), diagnostic });
        }
        (!releases.is_empty()).then_some(releases)
    }

    /// Which release there are units of, as the live one: one that stands in for it counts only if it can be read.
    pub fn counting(&self, readable: impl FnOnce(Slot) -> bool) -> Live {
        self.trial.filter(|slot| readable(*slot)).map_or(self.live, Live::In)
    }

    /// The release in a slot.
    pub fn file(&self, slot: Slot) -> Option<&ReleaseFile> {
        self.files.iter().find(|file| file.slot == slot)
    }

    fn is_empty(&self) -> bool {
        let Self { live, trial: _, files, problems } = self;
        *live == Live::Never && files.is_empty() && problems.is_empty()
    }
}

const RESTORE: &str =
    "link `live` to the release that is to run, or remove it: then the definition itself counts";

/// The slot that a link is about, by its text: it is not followed, and leads nowhere else.
fn link(site: &Site, path: &Path) -> Result<Option<Slot>, Diagnostic> {
    let directory = path.parent().unwrap_or(path);
    let real = follow(&site.root, directory).unwrap_or_else(|_| site.real(directory));
    match std::fs::read_link(real.join(path.file_name().unwrap_or_default())) {
        Ok(target) => target
            .to_str()
            .and_then(Slot::of_file)
            .map(Some)
            .ok_or_else(|| odd(&format!("leads to {}", target.display().to_string().escape_debug()))),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        // What readlink(2) says of a file.
        Err(error) if error.kind() == ErrorKind::InvalidInput => Err(odd("is not a symbolic link")),
        Err(error) => Err(unreadable(&error)),
    }
}

fn odd(what: &str) -> Diagnostic {
    Diagnostic::error("release", format!("{what}, and should lead to blue.toml or green.toml")).help(RESTORE)
}

fn unreadable(error: &io::Error) -> Diagnostic {
    Diagnostic::error("unreadable", format!("cannot be read: {error}")).help("permit reading it")
}

fn empty() -> Diagnostic {
    Diagnostic::error("release", "is empty").help("deploy the service again, or remove the file")
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    fn site() -> (tempfile::TempDir, Site) {
        let root = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(root.path().join("etc/conductor/releases/web")).unwrap();
        std::fs::create_dir_all(root.path().join("run/conductor/trials")).unwrap();
        let site = Site::system(root.path());
        (root, site)
    }

    #[test]
    fn links_are_read_and_not_followed() {
        let (root, site) = site();
        let at = |path: &str| root.path().join("etc/conductor/releases/web").join(path);
        assert!(Releases::read(&site, "web").is_none() && Releases::read(&site, "api").is_none());
        std::fs::write(at("green.toml"), "image = 'a'").unwrap();
        symlink("green.toml", at("live")).unwrap();
        symlink("blue.toml", root.path().join("run/conductor/trials/web")).unwrap();
        let releases = Releases::read(&site, "web").unwrap();
        assert_eq!((releases.live, releases.trial), (Live::In(Slot::Green), Some(Slot::Blue)));
        assert_eq!(releases.files.len(), 1);
        assert_eq!(
            releases.file(Slot::Green).unwrap().source.path(),
            Path::new("/etc/conductor/releases/web/green.toml")
        );
        assert_eq!(site.released(), ["web".to_owned()].into());
    }

    #[test]
    fn what_is_no_link_to_a_release_is_told() {
        let (root, site) = site();
        let at = |path: &str| root.path().join("etc/conductor/releases/web").join(path);
        symlink("../api/blue.toml", at("live")).unwrap();
        std::fs::write(at("blue.toml"), "").unwrap();
        std::fs::write(root.path().join("run/conductor/trials/web"), "x").unwrap();
        let releases = Releases::read(&site, "web").unwrap();
        let said: Vec<String> = releases.problems.iter().map(Finding::one_line).collect();
        assert_eq!(
            said,
            [
                "/etc/conductor/releases/web/live: leads to ../api/blue.toml, and should lead to blue.toml or green.toml (link `live` to the release that is to run, or remove it: then the definition itself counts)",
                "/run/conductor/trials/web: is not a symbolic link, and should lead to blue.toml or green.toml (link `live` to the release that is to run, or remove it: then the definition itself counts)",
            ]
        );
        assert_eq!(releases.live, Live::Unknown);
        let [blue] = releases.files.try_into().unwrap();
        assert_eq!(blue.problem.unwrap().message, "is empty");
        std::fs::remove_file(at("live")).unwrap();
        symlink("green.toml", at("live")).unwrap();
        let releases = Releases::read(&site, "web").unwrap();
        let said = "/etc/conductor/releases/web/green.toml: is not there, and `live` leads to it (link `live` to the release that is to run, or remove it: then the definition itself counts)";
        assert_eq!(releases.problems.iter().map(Finding::one_line).next_back().unwrap(), said);
    }
}
