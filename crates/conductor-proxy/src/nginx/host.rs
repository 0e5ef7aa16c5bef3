//! What is done for the host and not for one upstream.

use std::collections::BTreeMap;
use std::io;

use tokio::process::Command;

use super::candidate::Judged;
use super::render::{HTTP, HTTP_FILE, file_name};
use super::{Nginx, Version};
use crate::files;
use crate::lock::Lock;
use crate::{Error, Others, Upstream};

impl Nginx {
    /// Which nginx it is; `None` for one of its relatives.
    ///
    /// # Errors
    /// If it cannot be run.
    pub async fn version(&self) -> Result<Option<Version>, Error> {
        let mut command = Command::new(&self.program);
        command.arg("-v");
        let output = self.run(command, "asking nginx for its version").await?;
        Ok(Version::parse(&String::from_utf8_lossy(&output.stderr)))
    }

    /// Writes the files of all upstreams. nginx is not told: this is for just before it starts, from what is committed,
    /// so that it never starts with what a deploy left half-done. One that cannot be written does not keep others from
    /// it.
    ///
    /// # Errors
    /// The first that there was.
    pub async fn write_all(&self, upstreams: &[Upstream], others: Others) -> Result<(), Error> {
        let _lock = Lock::take(&self.lock, "writing all upstreams", super::switch::LOCK_LIMIT).await?;
        let fail = |error: io::Error| Error::system("writing nginx's upstreams", error);
        std::fs::create_dir_all(&self.directory).map_err(fail)?;
        self.tidy_doors().map_err(fail)?;
        for name in self.names().map_err(fail)? {
            if others == Others::Remove && upstreams.iter().all(|upstream| upstream.name != name) {
                files::remove(&self.directory.join(file_name(&name))).map_err(fail)?;
            }
            self.file(&name).proved().map_err(fail)?;
        }
        let mut result = Ok(());
        for upstream in upstreams {
            let written = self.text(upstream).and_then(|text| {
                let file = self.file(&upstream.name);
                if file.read().map_err(fail)?.as_deref() != Some(&text) {
                    files::write(file.path(), &text).map_err(fail)?;
                }
                file.proved().map_err(fail)
            });
            result = result.and(written);
        }
        self.write_http(None).map_err(fail)?;
        // Where there is no nginx there is nothing to be said for it, and that it is missing others will tell.
        if !upstreams.is_empty() && self.program.exists() && self.has_timeout().await? {
            let http = BTreeMap::from([(HTTP_FILE.to_owned(), Some(HTTP.to_owned()))]);
            // If the administrator has the directive already, a second one would keep nginx from starting.
            if let Judged::Fine(_) = self.judge(&http).await? {
                self.write_http(Some(HTTP)).map_err(fail)?;
            }
        }
        result
    }

    async fn has_timeout(&self) -> Result<bool, Error> {
        Ok(self.version().await?.is_some_and(Version::keeps_connections))
    }

    /// Writes or removes the settings for the `http` block, which are harmless with any upstreams.
    pub(super) fn write_http(&self, content: Option<&str>) -> io::Result<()> {
        let path = self.directory.join(HTTP_FILE);
        content.map_or_else(|| files::remove(&path), |content| files::write(&path, content))
    }
}
