//! Work that takes systemd and its time, and those who ask for its end.

use std::time::Duration;

use conductor_definition::{Scope, Site};
use conductor_deploy::{Failure, FailureKind};
use conductor_systemd::Systemd;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;

use crate::ask::{connect, wait_for};
use crate::whose::manager;

/// Runs with a connection to systemd, and listens for those who ask for an end. While the machine shuts down that is
/// the end of it: what it may still wait for, such as requests at an old release, would hold up the shutdown, and what
/// it has begun is safe wherever it is killed.
pub(super) fn within<T>(
    site: &Site,
    work: impl AsyncFnOnce(Systemd, watch::Receiver<bool>) -> Result<T, Failure>,
) -> Result<T, Failure> {
    let system = |text: String| Failure::new(FailureKind::System, text);
    wait_for(async {
        let (asked, interrupt) = watch::channel(false);
        let listen = |kind| signal(kind).map_err(|error| format!("cannot listen for signals: {error}"));
        let (mut int, mut term, mut hup) = (
            listen(SignalKind::interrupt())?,
            listen(SignalKind::terminate())?,
            listen(SignalKind::hangup())?,
        );
        let systemd = connect(manager(site)).await?;
        let asking = systemd.clone();
        let shutdown = async {
            loop {
                tokio::select! {
                    _ = int.recv() => {}
                    _ = term.recv() => {}
                    _ = hup.recv() => {}
                    // A shutdown may begin while it still waits for what it was asked to end with.
                    () = tokio::time::sleep(AGAIN), if *asked.borrow() => {}
                }
                asked.send_replace(true);
                if shuts_down(site, &asking).await {
                    return Failure::new(FailureKind::Interrupted, SHUTS_DOWN);
                }
            }
        };
        let listening = async {
            tokio::select! {
                biased;
                result = work(systemd, interrupt) => result,
                failure = shutdown => Err(failure),
            }
        };
        Ok(tokio::task::LocalSet::new().run_until(listening).await)
    })
    .map_err(system)?
}

/// Until systemd is asked again whether the machine shuts down.
const AGAIN: Duration = Duration::from_secs(1);

/// Whether the machine shuts down, or the user's manager ends. If systemd cannot say so, a request to end is one like
/// any other.
async fn shuts_down(site: &Site, systemd: &Systemd) -> bool {
    if systemd.is_stopping().await.unwrap_or(false) {
        return true;
    }
    // Sessions are ended before their user's own manager is.
    site.scope() == Scope::User
        && match connect(conductor_systemd::Scope::System).await {
            Ok(machines) => machines.is_stopping().await.unwrap_or(false),
            Err(_) => false,
        }
}

const SHUTS_DOWN: &str = "the machine shuts down, so all is left as it is: it comes up with the release that is live, \
                          and the next command for the service clears up what is left of this one";
