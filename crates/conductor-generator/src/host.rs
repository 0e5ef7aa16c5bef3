//! What the machine says without being asked: files only.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};

use conductor_definition::{Abilities, Scope, Site};
use conductor_units::SystemdVersion;

use crate::abilities::abilities;
use crate::{Unsettled, settings};

/// Directories of packages' units. Those of the administrator and of the running system take
/// precedence over generated units anyway.
const NATIVE: &[&str] = &["/usr/local/lib/systemd/system", "/usr/lib/systemd/system", "/lib/systemd/system"];

/// Directories of the administrator's and the running system's units.
const OVER: &[&str] = &["/etc/systemd/system", "/run/systemd/system"];

/// The same for users' managers; a user's own directories come with them (systemd.unit(5), "Load path when running
/// in user mode").
const NATIVE_OF_USERS: &[&str] = &["/usr/local/lib/systemd/user", "/usr/lib/systemd/user"];
const OVER_USERS: [&str; 2] = ["/etc/systemd/user", "/run/systemd/user"];

/// Where `libsystemd-shared-VERSION.so` is, besides Debian's multiarch directories: Fedora, Arch.
const LIBRARIES: &[&str] = &["usr/lib/systemd", "usr/lib64/systemd", "lib/systemd"];

/// systemd links to each running unit's invocation here, below the runtime directory, and so does a user's
/// (src/core/unit.c, `unit_export_invocation_id`); journald reads them, and so can we without asking it.
const RUNNING: &str = "systemd/units";

/// Facts about the machine.
#[derive(Debug, Default)]
pub struct Host {
    /// The systemd that reads the units.
    pub systemd: SystemdVersion,
    /// Whether that is the machine's or a user's.
    pub scope: Scope,
    abilities: Abilities,
    native: Units,
    over: Units,
    running: BTreeSet<String>,
}

impl Host {
    /// Looks at the files of a site; also returns what is wrong with the machine's settings.
    pub fn look(site: &Site) -> (Self, Unsettled) {
        let root = &site.root;
        let (settings, unsettled) = settings(root);
        let systemd = settings
            .systemd_version
            .map(SystemdVersion)
            .or_else(|| installed_systemd(root))
            .unwrap_or(SystemdVersion::BASELINE);
        let (native, over) = unit_directories(site);
        let host = Self {
            systemd,
            scope: site.scope(),
            abilities: abilities(site, systemd),
            native: Units::new(root, native),
            over: Units::new(root, over),
            running: running_units(&site.real(&site.runtime().join(RUNNING))),
        };
        (host, unsettled)
    }

    /// What definitions may ask for here.
    pub fn abilities(&self) -> Abilities {
        self.abilities
    }

    /// The unit of a package that `unit` would hide.
    pub(crate) fn native_unit(&self, unit: &str) -> Option<PathBuf> {
        self.native.path_of(unit)
    }

    /// The unit that hides `unit`.
    pub(crate) fn unit_over(&self, unit: &str) -> Option<PathBuf> {
        self.over.path_of(unit)
    }

    /// One on which these run.
    #[cfg(test)]
    pub(crate) fn with_running(units: &[&str]) -> Self {
        Self { running: units.iter().map(|unit| (*unit).to_owned()).collect(), ..Self::default() }
    }

    /// Whether `unit`, or an instance of it if it is a template, is running.
    pub(crate) fn runs(&self, unit: &str) -> bool {
        match unit.split_once("@.") {
            Some((template, suffix)) => self.running.iter().any(|running| {
                running.strip_prefix(template).is_some_and(|rest| rest.starts_with('@'))
                    && running.ends_with(&format!(".{suffix}"))
            }),
            None => self.running.contains(unit),
        }
    }
}

/// Directories of units that generated ones hide, and of those that hide generated ones, each by precedence.
fn unit_directories(site: &Site) -> (Vec<PathBuf>, Vec<PathBuf>) {
    let paths = |paths: &'static [&'static str]| paths.iter().map(PathBuf::from);
    let Some(user) = &site.user else { return (paths(NATIVE).collect(), paths(OVER).collect()) };
    let units = |directory: &PathBuf| directory.join("systemd/user");
    let native = [&user.data].into_iter().chain(&user.data_dirs).map(units).chain(paths(NATIVE_OF_USERS));
    let [etc, run] = OVER_USERS.map(PathBuf::from);
    // Distributions link /etc/xdg/systemd/user to /etc/systemd/user, which is the name that people know.
    let further = user.config_dirs.iter().map(units);
    let over = [units(&user.config), etc].into_iter().chain(further).chain([units(&user.runtime), run]);
    (native.collect(), over.collect())
}

/// Units that others have put in some directories.
#[derive(Debug, Default)]
struct Units {
    root: PathBuf,
    /// By precedence.
    directories: Vec<PathBuf>,
    asked: AtomicUsize,
    /// In which of the directories a unit is.
    listed: OnceLock<BTreeMap<OsString, usize>>,
}

/// As many questions as it takes to list the directories, which have some hundreds of units: then that is done
/// instead.
const QUESTIONS: usize = 32;

impl Units {
    fn new(root: &Path, directories: Vec<PathBuf>) -> Self {
        Self { root: root.to_owned(), directories, ..Self::default() }
    }

    /// The unit of this name that counts.
    fn path_of(&self, unit: &str) -> Option<PathBuf> {
        Some(self.directory_of(OsStr::new(unit))?.join(unit))
    }

    /// The first directory that has the unit.
    fn directory_of(&self, unit: &OsStr) -> Option<&Path> {
        // An answer does not depend on how many there were before, so their order is of no matter.
        if self.asked.load(Ordering::Relaxed) < QUESTIONS {
            self.asked.fetch_add(1, Ordering::Relaxed);
            let there = |directory: &&PathBuf| self.real(directory).join(unit).symlink_metadata().is_ok();
            return self.directories.iter().find(there).map(PathBuf::as_path);
        }
        let at = *self.listed.get_or_init(|| self.list()).get(unit)?;
        self.directories.get(at).map(PathBuf::as_path)
    }

    fn list(&self) -> BTreeMap<OsString, usize> {
        let units = |(at, directory): (usize, &PathBuf)| {
            let entries = std::fs::read_dir(self.real(directory));
            entries.into_iter().flatten().flatten().map(move |entry| (entry.file_name(), at))
        };
        // Of several the last inserted stays, and the first directory counts.
        self.directories.iter().enumerate().rev().flat_map(units).collect()
    }

    fn real(&self, directory: &Path) -> PathBuf {
        self.root.join(directory.strip_prefix("/").unwrap_or(directory))
    }
}

/// systemd names its private library after its version: the one way to learn it without running it.
fn installed_systemd(root: &Path) -> Option<SystemdVersion> {
    let library = |directory: PathBuf| {
        std::fs::read_dir(directory).ok()?.flatten().find_map(|entry| version_of(entry.file_name().to_str()?))
    };
    // Debian's name of our own architecture comes first: a tree may be another's, but hardly ever is.
    let own = format!("usr/lib/{}-linux-gnu/systemd", std::env::consts::ARCH);
    let known = std::iter::once(own.as_str()).chain(LIBRARIES.iter().copied());
    known.map(|directory| root.join(directory)).find_map(library).or_else(|| {
        let all = std::fs::read_dir(root.join("usr/lib")).into_iter().flatten().flatten();
        all.map(|entry| entry.path().join("systemd")).find_map(library)
    })
}

/// `libsystemd-shared-257.so`, `libsystemd-shared-257.9-1.fc42.so`
fn version_of(library: &str) -> Option<SystemdVersion> {
    let version = library.strip_prefix("libsystemd-shared-")?;
    let digits = version.split(|c: char| !c.is_ascii_digit()).next()?;
    digits.parse().ok().map(SystemdVersion)
}

fn running_units(directory: &Path) -> BTreeSet<String> {
    std::fs::read_dir(directory)
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|entry| entry.file_name().to_str()?.strip_prefix("invocation:").map(str::to_owned))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_version_from_the_librarys_name() {
        assert_eq!(version_of("libsystemd-shared-257.so"), Some(SystemdVersion(257)));
        assert_eq!(version_of("libsystemd-shared-252.39-1.fc42.so"), Some(SystemdVersion(252)));
        assert_eq!(version_of("libsystemd-shared.so"), None);
        assert_eq!(version_of("libsystemd-core-257.so"), None);
    }

    #[test]
    fn few_questions_and_many_have_the_same_answers() {
        let root = tempfile::tempdir().unwrap();
        for directory in ["usr/lib/systemd/system", "lib/systemd/system"] {
            std::fs::create_dir_all(root.path().join(directory)).unwrap();
            std::fs::write(root.path().join(directory).join("web.service"), "").unwrap();
        }
        std::fs::write(root.path().join("lib/systemd/system/api.service"), "").unwrap();
        let (native, _) = unit_directories(&Site::system(root.path()));
        let host = Host { native: Units::new(root.path(), native), ..Host::default() };
        for _ in 0..=QUESTIONS {
            assert_eq!(host.native_unit("web.service"), Some("/usr/lib/systemd/system/web.service".into()));
            assert_eq!(host.native_unit("api.service"), Some("/lib/systemd/system/api.service".into()));
            assert_eq!(host.native_unit("worker.service"), None);
        }
        assert!(host.native.listed.get().is_some());
    }

    #[test]
    fn an_instance_keeps_its_template_running() {
        let running = ["web@2.service", "api.service"].map(str::to_owned).into();
        let host = Host { running, ..Host::default() };
        assert!(host.runs("web@.service") && host.runs("web@2.service") && host.runs("api.service"));
        assert!(!host.runs("web@1.service") && !host.runs("api@.service") && !host.runs("web.service"));
    }
}
