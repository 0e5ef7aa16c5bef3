//! What is done for the host and not for one upstream.

use std::fs;
use std::io;
use std::os::unix::ffi::OsStrExt as _;

use super::Haproxy;
use super::plan::file;
use crate::{Error, Kind, Others, Upstream, UpstreamName, files};

impl Haproxy {
    /// Writes the files of all upstreams. HAProxy is not told: this is for just before it
    /// starts, from what is committed. The directory is there afterwards in any case, as HAProxy needs it to be.
    pub fn write_all(&self, upstreams: &[Upstream], others: Others) -> Result<(), Error> {
        let fail = |error: io::Error| Error::system("writing HAProxy's backends", error);
        fs::create_dir_all(&self.directory).map_err(fail)?;
        for entry in fs::read_dir(&self.directory).map_err(fail)? {
            let name = entry.map_err(fail)?.file_name();
            let name = name.to_str().and_then(|name| name.strip_suffix(".cfg"));
            let name: Option<UpstreamName> = name.and_then(|name| name.parse().ok());
            if others == Others::Remove
                && let Some(name) =
                    name.filter(|name| upstreams.iter().all(|upstream| upstream.name != *name))
            {
                files::remove(self.kept(&name).path()).map_err(fail)?;
            }
        }
        for upstream in upstreams {
            let kept = self.kept(&upstream.name);
            let text = file(upstream);
            if kept.read().map_err(fail)?.as_deref() != Some(&text) {
                files::write(kept.path(), &text).map_err(fail)?;
            }
        }
        Ok(())
    }

    /// Whether a restart would come back with the servers of now: whether our directory is among its arguments. If
    /// they cannot be read, as in a container, that is nobody's fault.
    pub(super) async fn will_read(&self) -> Result<(), Error> {
        let info = self.ask("show info").await?;
        let pid =
            info.lines().find_map(|line| line.strip_prefix("Pid: ")).and_then(|pid| pid.parse::<u32>().ok());
        let Some(arguments) = pid.and_then(|pid| fs::read(format!("/proc/{pid}/cmdline")).ok()) else {
            return Ok(());
        };
        let directory = self.directory.as_os_str().as_bytes();
        let is_it = |argument: &[u8]| argument.strip_suffix(b"/").unwrap_or(argument) == directory;
        if arguments.split(|byte| *byte == 0).any(is_it) {
            return Ok(());
        }
        let directory = self.directory.display();
        let text = format!(
            "HAProxy was started without `-f {directory}`, so a restart would come back with other servers. Nothing \
             was changed: add that to `EXTRAOPTS=` in /etc/default/haproxy, and restart HAProxy"
        );
        Err(Error::new(Kind::Configuration, text))
    }
}
