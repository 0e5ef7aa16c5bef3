//! The last good units of each service, under /run.
//!
//! Units and not definitions are kept: after an upgrade that reads definitions differently they are
//! still the very units that the running containers were started with. One file a service, in the text
//! form of [`Tree`]. /run is the one place where a generator may write besides its output directory
//! (systemd 253, NEWS); it is empty after a boot, when nothing runs that would have to be kept.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::Read;
use std::path::PathBuf;

use conductor_definition::Site;
use conductor_units::Tree;

use crate::plan::{Plan, Planned};
use crate::write::write_file;
use crate::{WriteError, parallel};

/// Below the runtime directory, of the machine or of the user.
const DIRECTORY: &str = "conductor/last-good";
const SUFFIX: &str = ".units";

/// The last good units of a site's services: which names are kept. What is kept under a name is read when it is asked for,
/// because it hardly ever is: nearly always it equals what has just been made.
#[derive(Debug, Default)]
pub struct LastGood {
    directory: PathBuf,
    names: BTreeSet<String>,
}

impl LastGood {
    pub(crate) fn open(site: &Site) -> Self {
        let directory = site.real(&site.runtime().join(DIRECTORY));
        let names = std::fs::read_dir(&directory)
            .into_iter()
            .flatten()
            .flatten()
            .filter_map(|entry| {
                let file_name = entry.file_name();
                let name = file_name.to_str()?.strip_suffix(SUFFIX)?;
                (!name.starts_with('.')).then(|| name.to_owned())
            })
            .collect();
        Self { directory, names }
    }

    /// The names under which something is kept, sorted.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.names.iter().map(String::as_str)
    }

    /// Whether something is kept under this name.
    pub(crate) fn contains(&self, name: &str) -> bool {
        self.names.contains(name)
    }

    /// What is kept. What cannot be read back is as good as not kept: it is written anew.
    pub(crate) fn get(&self, name: &str) -> Option<Tree> {
        if !self.names.contains(name) {
            return None;
        }
        Tree::parse(&std::fs::read_to_string(self.path(name)).ok()?).ok()
    }

    /// Whether exactly this tree is kept.
    pub(crate) fn has(&self, name: &str, tree: &Tree) -> bool {
        if !self.names.contains(name) {
            return false;
        }
        let expected = tree.to_string();
        // One byte more than there should be: a single call then tells a longer file too.
        let mut found = vec![0; expected.len() + 1];
        let length = File::open(self.path(name)).and_then(|mut file| file.read(&mut found)).ok();
        length.and_then(|length| found.get(..length)) == Some(expected.as_bytes())
    }

    /// Keeps the good trees of a plan and forgets what it forgets.
    pub(crate) fn save(&self, plan: &Plan) -> Vec<WriteError> {
        let new: Vec<&Planned> =
            plan.services.iter().filter(|service| service.good && !service.kept).collect();
        let saved = parallel::map(new, |service| {
            write_file(&self.path(&service.name), &service.tree.to_string()).err()
        });
        let mut errors: Vec<WriteError> = saved.into_iter().flatten().collect();
        for name in &plan.forgotten {
            let path = self.path(name);
            if let Err(error) = std::fs::remove_file(&path) {
                errors.push(WriteError::new(&path, error));
            }
        }
        errors
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.join([name, SUFFIX].concat())
    }
}
