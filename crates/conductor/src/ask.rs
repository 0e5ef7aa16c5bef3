//! Questions to systemd.

use std::future::Future;

use conductor_systemd::{Scope, Systemd, UnitName, UnitStatus};

/// Waits for an answer. One thread is plenty for a command that asks and shows.
pub(crate) fn wait_for<T>(asking: impl Future<Output = Result<T, String>>) -> Result<T, String> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| format!("cannot wait for systemd: {error}"))?;
    let answer = runtime.block_on(asking);
    // An engine that fetches an image for nobody any more is not waited for.
    runtime.shutdown_background();
    answer
}

/// Connects to PID 1, or to the user's own manager.
pub(crate) async fn connect(scope: Scope) -> Result<Systemd, String> {
    Systemd::connect(scope).await.map_err(|error| match scope {
        Scope::System => {
            format!("systemd cannot be asked: {error}: run it on a machine whose systemd and D-Bus are up")
        }
        Scope::User => format!(
            "your systemd cannot be asked: {error}: log in, or have root run `loginctl enable-linger`"
        ),
    })
}

/// What systemd says of one unit.
pub(crate) async fn ask(systemd: &Systemd, unit: &str) -> Result<UnitStatus, String> {
    let name: UnitName =
        unit.parse().map_err(|error: conductor_systemd::InvalidUnitName| error.to_string())?;
    systemd.status(&name).await.map_err(|error| format!("{error}: try again"))
}

/// The same, on a connection of its own.
pub(crate) fn unit_status(scope: Scope, unit: &str) -> Result<UnitStatus, String> {
    wait_for(async { ask(&connect(scope).await?, unit).await })
}
