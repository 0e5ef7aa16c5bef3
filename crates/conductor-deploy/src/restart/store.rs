//! The file of a restart that has not ended. It is below /run: whatever a restart may leave half done, a boot does anew.

use std::path::PathBuf;

use super::RestartRecord;
use crate::store::{Store, read, remove, write};
use crate::{Entry, Failure};

impl Store {
    /// Writes down where a restart is.
    pub fn note_restart(&self, record: &RestartRecord) -> Result<(), Failure> {
        let text = serde_json::to_string(record).map_err(|error| Failure::system("a record", error))?;
        write(&self.restart_file(), &text)
    }

    /// The restart that was not finished.
    pub fn unfinished_restart(&self) -> Result<Option<RestartRecord>, Failure> {
        let path = self.restart_file();
        let Some(text) = read(&path)? else { return Ok(None) };
        serde_json::from_str(&text)
            .map(Some)
            .map_err(|error| Failure::system(format!("reading {}", path.display()), error))
    }

    /// Notes the end of a restart, of which nothing is left to be done.
    pub fn finish_restart(&self, entry: &Entry) -> Result<(), Failure> {
        self.note(entry)?;
        self.forget_restart()
    }

    fn restart_file(&self) -> PathBuf {
        self.run().join(format!("{}.restart", self.name()))
    }

    /// Forgets a restart: another release is live.
    pub fn forget_restart(&self) -> Result<(), Failure> {
        remove(&self.restart_file())
    }
}
