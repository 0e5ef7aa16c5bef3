//! Watching a release that has requests already, and can still be taken back.
//!
//! Unhealthy is what `[health]` calls so: `unhealthy-after` checks in a row that failed, of whichever instances; or an
//! instance that is not in the run in which it settled. One failed check begins nothing anew, and ends nothing.

use std::time::{Duration, Instant};

use conductor_systemd::{InvocationId, Scope, Systemd, Watch};

use crate::settle::{check, look};
use crate::{Failure, host};

/// When a release counts as unhealthy.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Baking {
    /// The time from one check to the next.
    pub(crate) interval: Duration,
    /// So many failed checks in a row.
    pub(crate) tolerance: u32,
}

/// The runs of some instances, each with how often systemd has restarted it.
pub(crate) type Runs = Vec<(InvocationId, u32)>;

/// Keeps an eye on instances.
pub(crate) struct Vigil {
    systemd: Systemd,
    watch: Watch,
    units: Vec<String>,
    runs: Runs,
    how: Baking,
    checks: Vec<Vec<String>>,
    /// Checks in a row that failed.
    failed: u32,
    due: Instant,
}

impl Vigil {
    /// Over these units, in these runs.
    pub(crate) fn new(
        systemd: &Systemd,
        scope: Scope,
        (units, runs): (&[String], Runs),
        how: Baking,
        checks: Vec<Vec<String>>,
    ) -> Result<Self, Failure> {
        let names: Result<Vec<_>, Failure> = units.iter().map(|unit| host::name(unit)).collect();
        Ok(Self {
            systemd: systemd.clone(),
            watch: Watch::start(scope, names?),
            units: units.to_vec(),
            runs,
            how,
            checks,
            failed: 0,
            due: Instant::now() + how.interval,
        })
    }

    /// Waits until there may be something to see, for so long at the most, and looks.
    ///
    /// # Errors
    /// It is unhealthy.
    pub(crate) async fn look(&mut self, limit: Duration) -> Result<(), Failure> {
        let left = self.due.saturating_duration_since(Instant::now()).min(limit);
        tokio::select! {
            changed = self.watch.changed() => changed?,
            () = tokio::time::sleep(left) => {}
        }
        drop(self.watch.seen());
        if look(&self.systemd, &self.units).await? != self.runs {
            return Err(Failure::gate("an instance was restarted while it was watched"));
        }
        if Instant::now() < self.due {
            return Ok(());
        }
        let said = check(&self.checks).await?;
        self.due = Instant::now() + self.how.interval;
        self.failed = if said.is_some() { self.failed.saturating_add(1) } else { 0 };
        match said {
            Some(said) if self.failed >= self.how.tolerance => {
                let times = if self.failed == 1 {
                    "check".to_owned()
                } else {
                    format!("{} checks in a row", self.failed)
                };
                Err(Failure::gate(format!("it got unhealthy, {times} failed: {said}")))
            }
            _ => Ok(()),
        }
    }

    /// Whether the last check went well.
    pub(crate) fn is_well(&self) -> bool {
        self.failed == 0
    }
}
