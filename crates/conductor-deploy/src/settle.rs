//! Healthy and settled: what a release has to show before it takes over.
//!
//! All at the same time, for as long as `settle` says: every instance is up in the same run (InvocationID) as at the
//! beginning and was not restarted by systemd meanwhile, and no check of it has failed. A failed check begins the time
//! anew, up to a limit; another run ends it at once, for a release that dies is none to wait for.

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use conductor_systemd::{ActiveState, InvocationId, Systemd, UnitView};
use tokio::task::JoinSet;

use crate::{Failure, host};

/// What is asked, and for how long.
#[derive(Debug, Clone)]
pub(crate) struct Settling {
    /// How long it has to be healthy.
    pub(crate) time: Duration,
    /// The time from one look to the next.
    pub(crate) interval: Duration,
    /// How long it may take as a whole.
    pub(crate) limit: Duration,
    /// Programs that check each instance once.
    pub(crate) checks: Vec<Vec<String>>,
}

pub(crate) async fn settle(systemd: &Systemd, units: &[String], how: &Settling) -> Result<(), Failure> {
    let begin = Instant::now();
    let runs = look(systemd, units).await?;
    let mut healthy_since = Instant::now();
    loop {
        let said = check(&how.checks).await?.into_iter().flatten().next();
        let now = look(systemd, units).await?;
        if let Some((unit, _)) = units.iter().zip(runs.iter().zip(&now)).find(|(_, (then, now))| then != now)
        {
            return Err(Failure::gate(format!(
                "{unit} ended while it was watched, and systemd restarted it"
            )));
        }
        if let Some(said) = said {
            healthy_since = Instant::now();
            if begin.elapsed() > how.limit {
                return Err(Failure::gate(format!("it does not stay healthy: {said}")));
            }
        }
        let left = how.time.saturating_sub(healthy_since.elapsed());
        if left.is_zero() {
            return Ok(());
        }
        tokio::time::sleep(left.min(how.interval)).await;
    }
}

/// The runs of all instances, each with how often systemd has restarted it.
pub(crate) async fn look(systemd: &Systemd, units: &[String]) -> Result<Vec<(InvocationId, u32)>, Failure> {
    let mut runs = Vec::new();
    for unit in units {
        let view: UnitView = systemd.unit(&host::name(unit)?).await?;
        // Whoever reloads it, for a new certificate say, has not ended it.
        let up = matches!(view.active_state, ActiveState::Active | ActiveState::Reloading);
        let run = view.invocation.filter(|_| up);
        let Some(run) = run else {
            let state = view.active_state.as_str();
            return Err(Failure::gate(format!(
                "{unit} ended while it was watched and does not run any more (it is {state})"
            )));
        };
        let restarts = systemd.restarts(&run).await?;
        runs.push((run, restarts));
    }
    Ok(runs)
}

/// Checks all instances at once; what is said of each that is not healthy.
pub(crate) async fn check(checks: &[Vec<String>]) -> Result<Vec<Option<String>>, Failure> {
    let mut running = JoinSet::new();
    for (number, words) in checks.iter().enumerate() {
        let words = words.clone();
        running.spawn_blocking(move || {
            let (program, arguments) = words.split_first()?;
            Some((number, Command::new(program).args(arguments).stdin(Stdio::null()).output()))
        });
    }
    let mut bad = vec![None; checks.len()];
    while let Some(ended) = running.join_next().await {
        let ended = ended.map_err(|error| Failure::system("checking", error))?;
        let Some((number, output)) = ended else { continue };
        let output = output.map_err(|error| Failure::system("checking", error))?;
        if let Some(said) = bad.get_mut(number).filter(|_| !output.status.success()) {
            let all = [output.stdout, output.stderr].concat();
            // The verdict comes first, the details below it.
            let verdict = String::from_utf8_lossy(&all).trim().lines().next().unwrap_or_default().to_owned();
            *said = Some(verdict.trim_start_matches("unhealthy: ").to_owned());
        }
    }
    Ok(bad)
}
