//! Watching a release that has requests already, and can still be taken back.
//!
//! It is a matter of being earlier than the sidecar: that terminates an instance after `unhealthy-after` failed checks,
//! and requests that are at the instance then are lost. So it is asked twice as often here, and given up one failed check
//! in a row earlier; by then the requests go elsewhere. An instance that is not in the run in which it settled is given
//! up at once. One failed check begins nothing anew, and ends nothing.

use std::time::{Duration, Instant};

use conductor_systemd::{InvocationId, Scope, Systemd, Watch};

use crate::settle::{check, look};
use crate::{Failure, host};

/// When a release counts as unhealthy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Baking {
    /// The time from one check to the next.
    pub(crate) interval: Duration,
    /// So many failed checks in a row.
    pub(crate) tolerance: u32,
}

impl Baking {
    /// In time for a sidecar that asks so often, and terminates after so many failures.
    pub(crate) fn before(interval: Duration, unhealthy_after: u32) -> Self {
        // Never for one failure alone: a check may be lost.
        let (parts, tolerance) = if unhealthy_after > 2 { (2, unhealthy_after - 1) } else { (3, 2) };
        Self { interval: interval / parts, tolerance }
    }
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
    /// Checks in a row that failed, of each instance.
    failed: Vec<u32>,
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
            failed: vec![0; units.len()],
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
        let runs = look(&self.systemd, &self.units).await?;
        let both = self.runs.iter().zip(&runs);
        if let Some((unit, _)) = self.units.iter().zip(both).find(|(_, (then, now))| then != now) {
            return Err(Failure::gate(format!("{unit} was restarted while it was watched")));
        }
        if Instant::now() < self.due {
            return Ok(());
        }
        let said = check(&self.checks).await?;
        self.due = Instant::now() + self.how.interval;
        for ((failed, said), unit) in self.failed.iter_mut().zip(said).zip(&self.units) {
            *failed = if said.is_some() { failed.saturating_add(1) } else { 0 };
            if let Some(said) = said.filter(|_| *failed >= self.how.tolerance) {
                return Err(Failure::gate(format!(
                    "{unit} got unhealthy, {failed} checks in a row failed: {said}"
                )));
            }
        }
        Ok(())
    }

    /// Whether the last check went well.
    pub(crate) fn is_well(&self) -> bool {
        self.failed.iter().all(|failed| *failed == 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The sidecar fails for the last time that many intervals after the first; we have as many pauses between checks,
    /// and one before the first.
    #[test]
    fn it_is_given_up_before_the_sidecar_terminates_it() {
        let interval = Duration::from_secs(4);
        for unhealthy_after in 2..10 {
            let Baking { interval: pause, tolerance } = Baking::before(interval, unhealthy_after);
            assert!(pause * tolerance < interval * (unhealthy_after - 1), "{unhealthy_after}");
        }
        assert_eq!(Baking::before(interval, 1), Baking { interval: interval / 3, tolerance: 2 });
    }
}
