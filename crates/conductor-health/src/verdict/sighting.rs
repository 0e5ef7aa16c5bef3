//! What a unit's state means for its checks.

use crate::opened;
use conductor_systemd::{ActiveState, FreezerState, InvocationId, LoadState, UnitView};
use std::fmt;

/// A unit as its health checks care about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sighting {
    /// Nobody knows: the bus is away.
    Blind,
    /// Not in a state in which an answer would mean anything.
    Away(Away),
    /// Running, with nothing pending that would change it: this run may be checked.
    Up {
        /// Which run.
        invocation: InvocationId,
        /// Whether its start has waited for a healthy answer, and got it.
        opened: bool,
    },
}

impl Sighting {
    /// Whether the unit looks the same. What its status says may change in the middle of a run.
    pub(super) fn is_same(self, other: Self) -> bool {
        match (self, other) {
            (Self::Up { invocation: one, .. }, Self::Up { invocation: other, .. }) => one == other,
            _ => self == other,
        }
    }
}

/// Why a unit is not checked at the moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Away {
    /// There is no such unit, or it is masked.
    Missing,
    /// Stopped.
    Stopped,
    /// Failed, and systemd does not try again.
    Failed,
    /// Being started for the first time or by hand.
    Starting,
    /// Being restarted, or waiting for it.
    Restarting,
    /// Being stopped.
    Stopping,
    /// Reloading its configuration.
    Reloading,
    /// Active, without a process.
    NotRunning,
    /// About to be stopped, restarted or reloaded: a job is queued.
    Pending,
    /// Frozen by `systemctl freeze`.
    Frozen,
}

impl From<&UnitView> for Sighting {
    fn from(unit: &UnitView) -> Self {
        if let (true, Some(invocation)) = (unit.is_steady(), unit.invocation) {
            let opened = unit.status_text.as_deref().is_some_and(|status| opened::read(status).is_some());
            return Self::Up { invocation, opened };
        }
        Self::Away(match unit.active_state {
            ActiveState::Inactive | ActiveState::Failed if !is_loadable(&unit.load_state) => Away::Missing,
            // Between two runs a service passes through these for an instant; a job or the next
            // signal tells. Nothing depends on which word is shown meanwhile.
            ActiveState::Inactive => Away::Stopped,
            ActiveState::Failed => Away::Failed,
            // auto-restart, auto-restart-queued (since 254).
            ActiveState::Activating if unit.sub_state.starts_with("auto-restart") => Away::Restarting,
            ActiveState::Activating => Away::Starting,
            ActiveState::Deactivating => Away::Stopping,
            ActiveState::Reloading => Away::Reloading,
            _ if unit.job.is_some() => Away::Pending,
            _ if unit.freezer_state != FreezerState::Running => Away::Frozen,
            _ => Away::NotRunning,
        })
    }
}

/// A unit whose file is gone keeps running and keeps being checked; see `Sighting::from`.
fn is_loadable(state: &LoadState) -> bool {
    !matches!(state, LoadState::NotFound | LoadState::Masked)
}

impl fmt::Display for Away {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Missing => "no such unit",
            Self::Stopped => "stopped",
            Self::Failed => "failed",
            Self::Starting => "starting",
            Self::Restarting => "restarting",
            Self::Stopping => "stopping",
            Self::Reloading => "reloading",
            Self::NotRunning => "active without a process",
            Self::Pending => "a job is pending",
            Self::Frozen => "frozen",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unit(load: &str, active: &str, sub: &str) -> UnitView {
        UnitView {
            id: "web.service".to_owned(),
            load_state: load.into(),
            active_state: active.into(),
            sub_state: sub.to_owned(),
            job: None,
            freezer_state: FreezerState::Running,
            invocation: InvocationId::from_bytes(&[1; 16]),
            status_text: None,
        }
    }

    #[test]
    fn every_state_but_one_is_away() {
        for (load, active, sub, away) in [
            ("not-found", "inactive", "dead", Away::Missing),
            ("masked", "inactive", "dead", Away::Missing),
            ("loaded", "inactive", "dead", Away::Stopped),
            ("loaded", "failed", "failed", Away::Failed),
            ("loaded", "activating", "start-post", Away::Starting),
            ("loaded", "activating", "auto-restart", Away::Restarting),
            ("loaded", "activating", "auto-restart-queued", Away::Restarting),
            ("loaded", "deactivating", "stop-sigterm", Away::Stopping),
            ("loaded", "reloading", "reload", Away::Reloading),
            ("loaded", "active", "exited", Away::NotRunning),
            ("loaded", "maintenance", "x", Away::NotRunning),
        ] {
            assert_eq!(Sighting::from(&unit(load, active, sub)), Sighting::Away(away), "{active}/{sub}");
        }
        // Its file may be gone; the run is no less real.
        for load in ["loaded", "not-found"] {
            assert!(matches!(
                Sighting::from(&unit(load, "active", "running")),
                Sighting::Up { opened: false, .. }
            ));
        }
    }

    #[test]
    fn a_run_that_its_own_start_waited_for_says_so() {
        let status = Some("Healthy at http://127.0.0.1:20000/healthz after 120ms".to_owned());
        let waited = UnitView { status_text: status, ..unit("loaded", "active", "running") };
        assert!(matches!(Sighting::from(&waited), Sighting::Up { opened: true, .. }));
        assert!(Sighting::from(&waited).is_same(Sighting::from(&unit("loaded", "active", "running"))));
    }

    #[test]
    fn a_job_or_the_freezer_defers() {
        let running = || unit("loaded", "active", "running");
        let pending = UnitView { job: Some(7), ..running() };
        assert_eq!(Sighting::from(&pending), Sighting::Away(Away::Pending));
        let frozen = UnitView { freezer_state: FreezerState::Frozen, ..running() };
        assert_eq!(Sighting::from(&frozen), Sighting::Away(Away::Frozen));
        let never_ran = UnitView { invocation: None, ..running() };
        assert_eq!(Sighting::from(&never_ran), Sighting::Away(Away::NotRunning));
    }
}
