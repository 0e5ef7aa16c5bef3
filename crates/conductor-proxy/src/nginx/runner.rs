//! Who runs nginx.

use std::fmt;
use std::io;

use conductor_systemd::{Job, Systemd, UnitName};
use rustix::process::{Pid, Signal, kill_process};

use crate::process::Process;
use crate::{Error, Kind};

/// Who runs nginx: where its main process is found, and how it is told to reload.
#[derive(Clone, Debug)]
pub enum Runner {
    /// A unit of systemd, such as `nginx.service`, which is reloaded by a job of systemd's.
    Unit {
        /// The connection.
        systemd: Systemd,
        /// The unit.
        name: UnitName,
    },
    /// A main process that is no unit's, which gets SIGHUP.
    Process(Pid),
    /// Nobody does, yet: its files can be written for when it starts, and that is all.
    NotYet,
}

impl Runner {
    /// nginx's main process.
    pub(super) async fn main(&self) -> Result<Process, Error> {
        let pid = match self {
            Self::Unit { systemd, name } => systemd.main_pid(name).await.map_err(bus)?,
            Self::Process(pid) => Some(pid.as_raw_nonzero().get().unsigned_abs()),
            Self::NotYet => None,
        };
        let pid = pid.and_then(|pid| i32::try_from(pid).ok()).and_then(Pid::from_raw);
        pid.and_then(Process::find).ok_or_else(|| {
            let text = match self {
                Self::Unit { name, .. } => format!(
                    "{name} is not running, so no traffic can move. Nothing was changed: start it with \
                     `systemctl start {name}`, then repeat this"
                ),
                Self::Process(pid) => {
                    format!("nginx's main process {} has ended. Nothing was changed", pid.as_raw_nonzero())
                }
                Self::NotYet => "nginx is not running. Nothing was changed: start it first".to_owned(),
            };
            Error::new(Kind::Unreachable, text)
        })
    }

    /// Asks for a reload; whether it happens has to be seen from the workers. systemd has `nginx -s reload` run, which
    /// sends the signal and ends.
    pub(super) async fn reload(&self, main: Process) -> Result<(), Error> {
        match self {
            Self::Unit { systemd, name } => {
                let end = systemd.job(Job::Reload, name).await.map_err(bus)?;
                if end.is_done() {
                    return Ok(());
                }
                let text =
                    format!("systemd could not reload {name} ({end}); `journalctl -u {name}` says why");
                Err(Error::new(Kind::Refused, text))
            }
            Self::Process(_) | Self::NotYet => kill_process(main.pid(), Signal::HUP)
                .map_err(|error| Error::system("sending SIGHUP to nginx", io::Error::from(error))),
        }
    }

    /// Where the reason is to be found.
    pub(super) fn log(&self) -> impl fmt::Display {
        match self {
            Self::Unit { name, .. } => format!("nginx's error log and `journalctl -u {name}`"),
            Self::Process(_) | Self::NotYet => "nginx's error log".to_owned(),
        }
    }
}

#[expect(clippy::needless_pass_by_value, reason = "for map_err")]
fn bus(error: conductor_systemd::Error) -> Error {
    Error::new(Kind::System, error.to_string())
}
