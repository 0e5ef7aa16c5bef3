//! The members of systemd's interfaces that we call, in `org.freedesktop.systemd1(5)`'s words.
//!
//! Nothing here may start a service by calling it: `no_autostart` makes a call fail at once while
//! systemd is off the bus (during daemon-reexec) instead of asking the bus to activate it.

use zbus::{OwnedObjectPath, Variant};

#[zbus::proxy(
    interface = "org.freedesktop.systemd1.Manager",
    default_service = "org.freedesktop.systemd1",
    default_path = "/org/freedesktop/systemd1"
)]
pub(crate) trait Manager {
    /// Without this, systemd sends no signals at all.
    #[zbus(no_autostart)]
    fn subscribe(&self) -> zbus::Result<()>;

    /// The object path of a unit; loads it, and so never fails because a unit is absent.
    #[zbus(no_autostart)]
    fn load_unit(&self, name: &str) -> zbus::Result<OwnedObjectPath>;

    /// The object path of the unit that a process belongs to; 0 is whoever asks.
    #[zbus(name = "GetUnitByPID", no_autostart)]
    fn get_unit_by_pid(&self, pid: u32) -> zbus::Result<OwnedObjectPath>;

    /// Makes a unit that has no file and starts it; answers with its job.
    #[zbus(no_autostart)]
    fn start_transient_unit(
        &self,
        name: &str,
        mode: &str,
        properties: &[(&str, Variant<'_>)],
        aux: &[(&str, Vec<(&str, Variant<'_>)>)],
    ) -> zbus::Result<OwnedObjectPath>;

    /// Answers with the job; so do the next three.
    #[zbus(no_autostart)]
    fn start_unit(&self, name: &str, mode: &str) -> zbus::Result<OwnedObjectPath>;

    #[zbus(no_autostart)]
    fn stop_unit(&self, name: &str, mode: &str) -> zbus::Result<OwnedObjectPath>;

    #[zbus(no_autostart)]
    fn restart_unit(&self, name: &str, mode: &str) -> zbus::Result<OwnedObjectPath>;

    #[zbus(no_autostart)]
    fn reload_unit(&self, name: &str, mode: &str) -> zbus::Result<OwnedObjectPath>;

    /// Forgets the failures of a unit, those that count for its start limit included.
    #[zbus(no_autostart)]
    fn reset_failed_unit(&self, name: &str) -> zbus::Result<()>;

    /// How the system as a whole is: "running", "stopping" and others (systemctl(1), is-system-running).
    #[zbus(property(emits_changed_signal = "false"))]
    fn system_state(&self) -> zbus::Result<String>;

    /// Reads all unit files again; answers when that is done.
    #[zbus(no_autostart)]
    fn reload(&self) -> zbus::Result<()>;

    /// A job has ended, in one way or another.
    #[zbus(signal)]
    fn job_removed(&self, id: u32, job: OwnedObjectPath, unit: &str, result: &str) -> zbus::Result<()>;
}

#[zbus::proxy(interface = "org.freedesktop.systemd1.Unit", default_service = "org.freedesktop.systemd1")]
pub(crate) trait Unit {
    /// Sends a signal to the processes that `whom` names: `main`, `control` or `all`.
    #[zbus(no_autostart)]
    fn kill(&self, whom: &str, signal: i32) -> zbus::Result<()>;

    /// Forgets failures: zeroes the restart counter and the start limit.
    #[zbus(no_autostart)]
    fn reset_failed(&self) -> zbus::Result<()>;
}

#[zbus::proxy(interface = "org.freedesktop.DBus.Properties", default_service = "org.freedesktop.systemd1")]
pub(crate) trait Properties {
    #[zbus(no_autostart)]
    fn get_all(&self, interface: &str) -> zbus::Result<crate::view::UnitProperties>;

    #[zbus(name = "GetAll", no_autostart)]
    fn get_service(&self, interface: &str) -> zbus::Result<crate::view::ServiceProperties>;

    #[zbus(no_autostart)]
    fn get(&self, interface: &str, property: &str) -> zbus::Result<zbus::OwnedVariant>;
}

/// The same interface, read into another set of properties.
#[zbus::proxy(interface = "org.freedesktop.DBus.Properties", default_service = "org.freedesktop.systemd1")]
pub(crate) trait PropertiesAsShown {
    #[zbus(no_autostart)]
    fn get_all(&self, interface: &str) -> zbus::Result<crate::status::StatusProperties>;
}

/// The same interface once more, for the end of a service.
#[zbus::proxy(interface = "org.freedesktop.DBus.Properties", default_service = "org.freedesktop.systemd1")]
pub(crate) trait PropertiesOfEnd {
    #[zbus(no_autostart)]
    fn get_all(&self, interface: &str) -> zbus::Result<crate::transient::EndProperties>;
}
