//! Who runs nginx.

use conductor_systemd::{Systemd, UnitName};
use rustix::process::Pid;

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
}
