//! The last good units of each service, under /run.
//!
//! Units and not definitions are kept: after an upgrade that reads definitions differently they are
//! still the very units that the running containers were started with. One file a service, in the text
//! form of [`Tree`]. /run is the one place where a generator may write besides its output directory
//! (systemd 253, NEWS); it is empty after a boot, when nothing runs that would have to be kept.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use conductor_units::Tree;

use crate::WriteError;
use crate::plan::Plan;
use crate::write::write_file;

const DIRECTORY: &str = "run/conductor/last-good";
const SUFFIX: &str = ".units";

/// The store below one root.
#[derive(Debug)]
pub(crate) struct Store {
    directory: PathBuf,
}

impl Store {
    pub(crate) fn new(root: &Path) -> Self {
        Self { directory: root.join(DIRECTORY) }
    }

    /// All that is kept. What cannot be read back is as good as not kept: it is written anew.
    pub(crate) fn load(&self) -> BTreeMap<String, Tree> {
        std::fs::read_dir(&self.directory)
            .into_iter()
            .flatten()
            .flatten()
            .filter_map(|entry| {
                let file_name = entry.file_name();
                let name = file_name.to_str()?.strip_suffix(SUFFIX).filter(|name| !name.starts_with('.'))?;
                let tree = Tree::parse(&std::fs::read_to_string(entry.path()).ok()?).ok()?;
                Some((name.to_owned(), tree))
            })
            .collect()
    }

    /// Keeps the good trees of a plan and forgets what it forgets.
    pub(crate) fn save(&self, plan: &Plan) -> Vec<WriteError> {
        let mut errors = Vec::new();
        for service in plan.services.iter().filter(|service| service.good) {
            let path = self.path(&service.name);
            let text = service.tree.to_string();
            // Nearly always nothing has changed since the last reload.
            if std::fs::read(&path).is_ok_and(|kept| kept == text.as_bytes()) {
                continue;
            }
            errors.extend(write_file(&path, &text).err());
        }
        for name in &plan.forgotten {
            let path = self.path(name);
            if let Err(error) = std::fs::remove_file(&path) {
                errors.push(WriteError::new(&path, error));
            }
        }
        errors
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.join(format!("{name}{SUFFIX}"))
    }
}
