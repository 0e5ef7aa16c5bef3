//! What the service manager is told over its notification socket.

use sd_notify::NotifyState;
use std::time::Duration;

/// Tells nothing twice and never fails: without a socket there is nobody to tell.
#[derive(Debug, Default)]
pub struct Notifier {
    status: String,
}

impl Notifier {
    /// Start-up is over.
    pub fn ready(&mut self) {
        send(&[NotifyState::Ready]);
    }

    /// We are about to end.
    pub fn stopping(&mut self) {
        send(&[NotifyState::Stopping]);
    }

    /// The line that `systemctl status` shows.
    pub fn status(&mut self, text: &str) {
        // The socket's protocol is lines: a line break in a status would be the next assignment.
        let text = text.replace(|c: char| c.is_control(), " ");
        if text != self.status {
            send(&[NotifyState::Status(&text)]);
            self.status = text;
        }
    }

    /// We are alive.
    pub fn watchdog(&self) {
        send(&[NotifyState::Watchdog]);
    }
}

/// How often [`Notifier::watchdog`] is to be called, if the service manager wants it: twice within
/// `WatchdogSec=`, as `sd_watchdog_enabled(3)` recommends.
pub fn watchdog_interval() -> Option<Duration> {
    sd_notify::watchdog_enabled().map(|limit| limit / 2).filter(|interval| !interval.is_zero())
}

fn send(state: &[NotifyState<'_>]) {
    let _ = sd_notify::notify(state);
}
