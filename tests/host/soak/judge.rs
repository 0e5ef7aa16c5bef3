//! What came of a soak.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use super::fleet::Fleet;
use super::record::{Event, What};

/// What must hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rules {
    /// `RestartSec=` of instances.
    pub delay: Duration,
    /// `RestartSec=` of checkers.
    pub checker_delay: Duration,
    /// How long after it is over a fault may still be the reason for a restart.
    pub reach: Duration,
}

/// Entries are written a moment before or after what they tell.
const TOLERATED: Duration = Duration::from_millis(10);

/// The machine at the end.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Ending {
    /// `ActiveState=` by unit.
    pub states: BTreeMap<String, String>,
    /// `StatusText=` by checker.
    pub statuses: BTreeMap<String, String>,
    /// All that the engine knows of.
    pub containers: Vec<Container>,
    /// How many processes of the program in the containers there are.
    pub programs: usize,
    /// How many processes that watch over a container.
    pub monitors: usize,
}

/// A container as the engine lists it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Container {
    /// Its name.
    pub name: String,
    /// What the engine says of it, such as `Up 3 minutes`.
    pub status: String,
}

/// Something that must not be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Finding {
    /// No fault explains this restart.
    Unexplained(String, Duration),
    /// It was started again too soon after its end.
    TooClose(String, Duration, Duration),
    /// It was started again by something other than its own `Restart=`.
    NotByItself(String, Duration),
    /// A unit is not up.
    NotUp(String, String),
    /// A checker does not find all instances healthy.
    NotHealthy(String, String),
    /// The engine has a container that it should not have, or in a state in which it should not be.
    Stale(Container),
    /// A container is missing.
    Missing(String),
    /// Processes are left over, or missing: what, how many, how many there should be.
    Processes(&'static str, usize, usize),
    /// Nothing was restarted: the faults cannot have been any.
    NothingHappened,
}

/// Judges the record of a soak and what was left at its end.
pub fn judge(fleet: Fleet, rules: Rules, events: &[Event], ending: &Ending) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut restarts = 0;
    for unit in fleet.targets().map(|target| (target.unit(), rules.delay)).chain(checkers(fleet, rules)) {
        let (unit, delay) = unit;
        let own: Vec<&Event> = events.iter().filter(|event| event.unit == unit).collect();
        restarts += own.iter().filter(|event| event.what == What::Restart).count();
        findings.extend(unexplained(&unit, rules.reach, &own));
        findings.extend(badly_timed(&unit, delay, &own));
    }
    if restarts == 0 && events.iter().any(|event| matches!(event.what, What::Fault(..))) {
        findings.push(Finding::NothingHappened);
    }
    findings.extend(leftovers(fleet, ending));
    findings
}

/// Units of checkers, with the delay of their restarts.
fn checkers(fleet: Fleet, rules: Rules) -> impl Iterator<Item = (String, Duration)> {
    let first = fleet.targets().filter(|target| target.instance == 1);
    first.map(move |target| (target.checker(), rules.checker_delay))
}

/// Restarts that no fault explains. Each fault explains one: of those that may be the reason, the one whose time is over
/// first is taken, which leaves as many as can be for later restarts.
fn unexplained(unit: &str, reach: Duration, events: &[&Event]) -> Vec<Finding> {
    let mut faults: Vec<(Duration, Duration)> = Vec::new();
    for event in events {
        if let What::Fault(_, span) = event.what {
            faults.push((event.at, event.at + span + reach));
        }
    }
    faults.sort_by_key(|(_, until)| *until);
    let mut findings = Vec::new();
    for restart in events.iter().filter(|event| event.what == What::Restart) {
        let may_be_it = |(from, until): &(Duration, Duration)| (*from..=*until).contains(&restart.at);
        match faults.iter().position(may_be_it) {
            Some(reason) => drop(faults.remove(reason)),
            None => findings.push(Finding::Unexplained(unit.to_owned(), restart.at)),
        }
    }
    findings
}

/// Starts that came too soon, or not from `Restart=`.
fn badly_timed(unit: &str, delay: Duration, events: &[&Event]) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut ended: Option<Duration> = None;
    let mut is_restart = false;
    for event in events {
        match event.what {
            What::Ended => (ended, is_restart) = (Some(event.at), false),
            What::Restart => is_restart = true,
            What::Starting => {
                let pause = ended.map(|ended| event.at.saturating_sub(ended));
                if let Some(pause) = pause.filter(|pause| *pause + TOLERATED < delay) {
                    findings.push(Finding::TooClose(unit.to_owned(), event.at, pause));
                }
                if !is_restart {
                    findings.push(Finding::NotByItself(unit.to_owned(), event.at));
                }
                (ended, is_restart) = (None, false);
            }
            What::Fault(..) | What::Terminated | What::Killed | What::Started => {}
        }
    }
    findings
}

/// Whether a checker finds all instances healthy. That one of them was not for long may be said behind it: it came and
/// went all the time, which is what a soak is.
pub(super) fn is_healthy(fleet: Fleet, status: &str) -> bool {
    let all = format!("{0}/{0} healthy", fleet.instances);
    status.strip_prefix(&all).is_some_and(|rest| rest.is_empty() || rest.starts_with(", "))
}

/// What is not as it should be at the end.
fn leftovers(fleet: Fleet, ending: &Ending) -> Vec<Finding> {
    let Ending { states, statuses, containers, programs, monitors } = ending;
    let mut findings = Vec::new();
    let said = |of: &BTreeMap<String, String>, unit: &str| of.get(unit).cloned().unwrap_or_default();
    let mut expected: Vec<String> = Vec::new();
    for target in fleet.targets() {
        let units = [Some(target.unit()), (target.instance == 1).then(|| target.checker())];
        for unit in units.into_iter().flatten() {
            let state = said(states, &unit);
            if state != "active" {
                findings.push(Finding::NotUp(unit, state));
            }
        }
        if target.instance == 1 {
            let status = said(statuses, &target.checker());
            if !is_healthy(fleet, &status) {
                findings.push(Finding::NotHealthy(target.checker(), status));
            }
        }
        expected.push(target.container());
    }
    let is_up = |container: &Container| container.status.split(' ').next() == Some("Up");
    for container in containers {
        if !expected.contains(&container.name) || !is_up(container) || container.status.contains("Paused") {
            findings.push(Finding::Stale(container.clone()));
        }
    }
    for name in &expected {
        if !containers.iter().any(|container| container.name == *name) {
            findings.push(Finding::Missing(name.clone()));
        }
    }
    for (what, are) in [("of the program", *programs), ("of the monitor", *monitors)] {
        if are != expected.len() {
            findings.push(Finding::Processes(what, are, expected.len()));
        }
    }
    findings
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unexplained(unit, at) => {
                write!(f, "{unit}: the restart at {:.3} s comes from no fault", at.as_secs_f64())
            }
            Self::TooClose(unit, at, pause) => write!(
                f,
                "{unit}: the start at {:.3} s came {:.3} s after the end before it",
                at.as_secs_f64(),
                pause.as_secs_f64()
            ),
            Self::NotByItself(unit, at) => {
                write!(f, "{unit}: the start at {:.3} s is no restart by systemd itself", at.as_secs_f64())
            }
            Self::NotUp(unit, state) => write!(f, "{unit}: is {state:?} in the end"),
            Self::NotHealthy(checker, status) => write!(f, "{checker}: says {status:?} in the end"),
            Self::Stale(Container { name, status }) => write!(f, "the container {name} is left, {status:?}"),
            Self::Missing(name) => write!(f, "the container {name} is missing"),
            Self::Processes(what, are, should) => write!(f, "{are} processes {what}, not {should}"),
            Self::NothingHappened => f.write_str("no fault led to any restart"),
        }
    }
}

#[cfg(test)]
mod tests;
