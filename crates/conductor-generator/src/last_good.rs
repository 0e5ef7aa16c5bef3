//! The last good units of each service, under /run.
//!
//! Units and not definitions are kept: after an upgrade that reads definitions differently they are
//! still the very units that the running containers were started with. One file a service, in the text
//! form of [`Tree`], replaced as a whole: whenever the generator is killed, each service's are its old ones or its
//! new ones. /run is the one place where a generator may write besides its output directory
//! (systemd 253, NEWS); it is empty after a boot, when nothing runs that would have to be kept.

use std::path::PathBuf;

use conductor_definition::Site;
use conductor_units::Tree;

use crate::plan::{Plan, Planned, Units};
use crate::same::holds;
use crate::write::{aside, below, write_aside, write_file};
use crate::{WriteError, parallel};

/// Below the runtime directory, of the machine or of the user.
const DIRECTORY: &str = "conductor/last-good";
const SUFFIX: &str = ".units";

/// The last good units of a site's services: which names are kept. What is kept under a name is read when it is asked for,
/// because it hardly ever is: nearly always it equals what has just been made.
#[derive(Debug, Default)]
pub struct LastGood {
    directory: PathBuf,
    /// Sorted.
    names: Vec<Box<str>>,
    /// Files that a generator did not live to rename.
    unfinished: Vec<PathBuf>,
}

impl LastGood {
    pub(crate) fn open(site: &Site) -> Self {
        let directory = site.real(&site.runtime().join(DIRECTORY));
        let (mut names, mut unfinished) = (Vec::new(), Vec::new());
        for entry in std::fs::read_dir(&directory).into_iter().flatten().flatten() {
            let file_name = entry.file_name();
            let Some(name) = file_name.to_str().and_then(|name| name.strip_suffix(SUFFIX)) else { continue };
            if name.starts_with('.') {
                unfinished.push(entry.path());
            } else {
                names.push(name.into());
            }
        }
        names.sort_unstable();
        Self { directory, names, unfinished }
    }

    /// The names under which something is kept, sorted.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.names.iter().map(|name| &**name)
    }

    /// Whether something is kept under this name.
    pub(crate) fn contains(&self, name: &str) -> bool {
        self.names.binary_search_by(|kept| (**kept).cmp(name)).is_ok()
    }

    /// What is kept. What cannot be read back is as good as not kept: it is written anew.
    pub(crate) fn get(&self, name: &str) -> Option<Tree> {
        if !self.contains(name) {
            return None;
        }
        Tree::parse(&std::fs::read_to_string(self.path(name)).ok()?).ok()
    }

    /// Whether exactly this tree is kept.
    pub(crate) fn has(&self, name: &str, tree: &Tree) -> bool {
        self.contains(name) && holds(&self.path(name), tree.parts()).unwrap_or(false)
    }

    /// Writes a tree beside what is kept; [`Self::save`] puts it in its place.
    pub(crate) fn stage(&self, name: &str, tree: &Tree) -> Result<(), WriteError> {
        let path = self.path(name);
        write_aside(&path, &tree.to_string()).map_err(|error| WriteError::new(&path, error))
    }

    /// Keeps the good trees of a plan and forgets what it forgets.
    pub(crate) fn save(&self, plan: &Plan) -> Vec<WriteError> {
        let new: Vec<&Planned> =
            plan.services.iter().filter(|service| service.good && !service.kept).collect();
        let saved = parallel::map(new, |service| {
            let path = self.path(&service.name);
            match &service.units {
                Units::Held(tree) => write_file(&path, &tree.to_string()).err(),
                Units::Staged { .. } => {
                    std::fs::rename(aside(&path), &path).map_err(|error| WriteError::new(&path, error)).err()
                }
            }
        });
        let mut errors: Vec<WriteError> = saved.into_iter().flatten().collect();
        for name in &plan.forgotten {
            let path = self.path(name);
            if let Err(error) = std::fs::remove_file(&path) {
                errors.push(WriteError::new(&path, error));
            }
        }
        // They do no harm; those that have got their name meanwhile are not there any more.
        self.unfinished.iter().for_each(|path| drop(std::fs::remove_file(path)));
        errors
    }

    fn path(&self, name: &str) -> PathBuf {
        below(&self.directory, &[name, SUFFIX])
    }
}
