//! Checks units for as long as they run.
//!
//! The shell around [`crate::verdict`]: one loop that waits for the first of many things (a unit
//! changed, a check ended, a check is due, a grace is over, the watchdog wants to hear from us, we are
//! to end), hands it to the verdict of the target concerned, and does what that says.

mod clock;
mod own;
mod schedule;
mod signal;
mod status;

use crate::cli::WatchArgs;
use crate::log::{Level, Log};
use crate::notify::{Notifier, watchdog_interval};
use crate::opened::{self, Opened};
use crate::probe::{Check, Outcome, Prober, Target};
use crate::verdict::{Act, Answer, Event, Finding, Sighting, State, Ticket, Verdict};
use conductor_systemd::{InvocationId, Observed, Scope, Systemd, UnitName, Watch};
use schedule::Schedule;
use std::collections::BTreeSet;
use std::time::Duration;
use tokio::signal::unix::{SignalKind, signal};
use tokio::task::{AbortHandle, JoinSet};
use tokio::time::Instant;

/// Runs until SIGTERM or SIGINT, or until our own unit has another command line for us. The error is
/// why it cannot go on.
pub async fn watch(args: WatchArgs, log: Log) -> Result<(), String> {
    let listen = |kind| signal(kind).map_err(|error| format!("cannot listen for signals: {error}"));
    let mut terminate = listen(SignalKind::terminate())?;
    let mut interrupt = listen(SignalKind::interrupt())?;
    let scope = if args.user_manager { Scope::User } else { Scope::System };
    let targets = args.targets().map_err(|mismatch| mismatch.to_string())?;
    let names = targets.iter().map(|(unit, _)| unit.clone()).collect();
    let mut units = Watch::start(scope, names);
    let mut watcher = Watcher::new(&args, targets, log);
    let mut clock = clock::Clock::new();
    watcher.report();
    loop {
        let planned = watcher.wake_up();
        let due = async {
            match planned {
                Some(at) => tokio::time::sleep_until(at).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            // In this order: to end comes first, and what is known of a unit before what a check of it says.
            biased;
            _ = terminate.recv() => break,
            _ = interrupt.recv() => break,
            // Blind for good: better to end, and to be started again, than to feed the watchdog.
            news = units.changed() => match news {
                Ok(()) => watcher.units_changed(&units.seen()),
                Err(error) => return Err(error.to_string()),
            },
            Some(ended) = watcher.tasks.join_next() => match ended {
                Ok(Task::Checked { at, ticket, check, prober }) => watcher.checked(at, ticket, &check, prober),
                Ok(Task::Signalled { at, invocation, act, done }) => watcher.signalled(at, invocation, act, &done),
                Ok(Task::Compared(own::Standing::Outdated)) => {
                    log.line(Level::Info, "its definition changed: starting again");
                    break;
                }
                Ok(Task::Compared(own::Standing::Stuck)) => {
                    log.line(Level::Warning, "its definition changed: restart it to have that applied, as its Restart= does not");
                }
                // A check that was cancelled because its result is no longer wanted.
                Ok(Task::Compared(own::Standing::Current)) | Err(_) => {}
            },
            () = due => {}
        }
        let now = Instant::now();
        if clock.was_away(planned, now) {
            watcher.resumed();
        }
        watcher.run_due(now);
        watcher.report();
    }
    watcher.notifier.stopping();
    Ok(())
}

/// A piece of work that ended.
enum Task {
    Checked { at: usize, ticket: Ticket, check: Box<Check>, prober: Prober },
    Signalled { at: usize, invocation: InvocationId, act: Act, done: signal::Done },
    Compared(own::Standing),
}

/// Everything about one target.
struct Entry {
    unit: UnitName,
    target: Target,
    /// The run that was seen last, and what that run is asked: see [`opened`].
    invocation: Option<InvocationId>,
    run: Target,
    /// Whether that run was let through by a check like ours. If not, nobody knows whether a failure of ours
    /// is one of it.
    is_alike: bool,
    /// Asks that run; on its way while a check is.
    prober: Option<Prober>,
    verdict: Verdict,
    /// The check that is under way, and what it was begun under.
    check: Option<(Ticket, AbortHandle)>,
    /// What the last failed check saw.
    reason: Option<String>,
    /// What kept us from acting on it.
    refusal: Option<String>,
    /// Whether the last check could not tell.
    inconclusive: bool,
    /// Its entry in the timers.
    timer: Option<Instant>,
}

impl Entry {
    /// Whether what runs was started from another definition than we were.
    fn is_older(&self) -> bool {
        self.run != self.target || !self.is_alike
    }
}

struct Watcher {
    log: Log,
    notifier: Notifier,
    begun: Instant,
    timeout: Duration,
    entries: Vec<Entry>,
    schedule: Schedule,
    /// When a verdict wants to be told that time has passed.
    timers: BTreeSet<(Instant, usize)>,
    tasks: JoinSet<Task>,
    systemd: Option<Systemd>,
    trouble: Option<String>,
    /// [`conductor_systemd::Seen::loads`], when our own unit was last compared.
    loads: u64,
    /// How often the service manager wants to hear from us, and when next.
    watchdog: Option<(Duration, Instant)>,
    is_ready: bool,
    is_news: bool,
}

impl Watcher {
    fn new(args: &WatchArgs, targets: Vec<(UnitName, Target)>, log: Log) -> Self {
        let begun = Instant::now();
        let policy = args.policy();
        let entries: Vec<Entry> = targets
            .into_iter()
            .map(|(unit, target)| Entry {
                unit,
                invocation: None,
                run: target.clone(),
                target,
                is_alike: true,
                prober: None,
                verdict: Verdict::new(policy),
                check: None,
                reason: None,
                refusal: None,
                inconclusive: false,
                timer: None,
            })
            .collect();
        Self {
            log,
            notifier: Notifier::default(),
            begun,
            timeout: args.timeout,
            schedule: Schedule::new(begun, entries.len(), args.interval),
            entries,
            timers: BTreeSet::new(),
            tasks: JoinSet::new(),
            systemd: None,
            trouble: Some("not connected yet".to_owned()),
            loads: 0,
            watchdog: watchdog_interval().map(|interval| (interval, begun)),
            is_ready: false,
            is_news: true,
        }
    }

    /// When there is something to do even if nothing happens.
    fn wake_up(&self) -> Option<Instant> {
        let watchdog = self.watchdog.map(|(_, next)| next);
        let timer = self.timers.first().map(|(at, _)| *at);
        [watchdog, timer, self.schedule.next()].into_iter().flatten().min()
    }

    fn units_changed(&mut self, seen: &conductor_systemd::Seen) {
        let trouble = seen.trouble.as_ref().map(ToString::to_string);
        match (&seen.systemd, &self.systemd, &trouble) {
            (Some(_), None, _) => self.log.line(Level::Info, "connected to systemd, following the units"),
            (None, _, Some(said)) if self.trouble.as_ref() != Some(said) => self
                .log
                .line(Level::Warning, format!("{said}; nothing is checked until systemd can be asked again")),
            _ => {}
        }
        self.systemd.clone_from(&seen.systemd);
        self.trouble = trouble;
        self.is_news = true;
        for (at, unit) in seen.units.iter().enumerate() {
            let sighting = match unit {
                Observed::Unknown => Sighting::Blind,
                Observed::Known(view) => Sighting::from(view),
            };
            if let (Observed::Known(view), Sighting::Up(invocation)) = (unit, sighting) {
                self.address(at, invocation, view.status_text.as_deref());
            }
            self.tell(at, Event::Seen(sighting), None);
        }
        if self.systemd.is_some() && !self.is_ready {
            self.is_ready = true;
            self.notifier.ready();
        }
        if let Some(systemd) = self.systemd.clone().filter(|_| seen.loads != self.loads) {
            self.loads = seen.loads;
            self.tasks.spawn(async { Task::Compared(own::standing(systemd).await) });
        }
    }

    /// Decides where a run is asked that was not seen before: where its own start waited for it, or
    /// else where the command line says.
    fn address(&mut self, at: usize, invocation: InvocationId, status: Option<&str>) {
        let Some(entry) = self.entries.get_mut(at).filter(|entry| entry.invocation != Some(invocation))
        else {
            return;
        };
        let (target, opened) = (&entry.target, status.and_then(opened::read));
        entry.invocation = Some(invocation);
        // A connection of the run before would tell nothing about this one.
        entry.prober = None;
        (entry.run, entry.is_alike) = match opened {
            None => (target.clone(), true),
            Some(Opened { url, check }) => (target.moved(url), check == target.options().fingerprint()),
        };
        let (unit, url) = (&entry.unit, entry.target.url());
        if entry.run != entry.target {
            let own = entry.run.url();
            self.log.line(
                Level::Info,
                format!("{unit}: {}: asked at {own} until it restarts, then at {url}", status::OLDER),
            );
        }
        if !entry.is_alike {
            self.log.line(
                Level::Info,
                format!(
                    "{unit}: {}: it was started under another check, failures count from its next start on",
                    status::OLDER
                ),
            );
        }
    }

    fn checked(&mut self, at: usize, ticket: Ticket, check: &Check, prober: Prober) {
        let (mut finding, reason) = match &check.outcome {
            Outcome::Healthy => (Finding::Passed, None),
            Outcome::Unhealthy(reason) => (Finding::Failed, Some(reason.to_string())),
            Outcome::Unknown(reason) => (Finding::Unknown, Some(reason.to_string())),
        };
        if let Some(entry) = self.entries.get_mut(at) {
            if *prober.target() == entry.run && entry.verdict.ticket() == Some(ticket) {
                entry.prober = Some(prober);
            }
            if finding == Finding::Failed && !entry.is_alike {
                finding = Finding::Unknown;
            }
            let inconclusive = finding == Finding::Unknown;
            if inconclusive && !entry.inconclusive {
                let said = reason.as_deref().unwrap_or_default();
                self.log.line(Level::Warning, format!("{}: {said}; this counts neither way", entry.unit));
            }
            entry.inconclusive = inconclusive;
        }
        self.tell(at, Event::Checked(ticket, finding), reason);
    }

    fn signalled(&mut self, at: usize, invocation: InvocationId, act: Act, done: &signal::Done) {
        if let Some(entry) = self.entries.get_mut(at) {
            let unit = &entry.unit;
            let name = signal::signal_of(act).name();
            let said = done.said.as_deref().unwrap_or_default();
            let (level, text) = match done.answer {
                Answer::Sent => (Level::Warning, format!("{unit}: {name} sent to invocation {invocation}")),
                Answer::Moot => (Level::Info, format!("{unit}: {name} not sent: {said}")),
                Answer::Refused => (
                    Level::Error,
                    format!("{unit}: {name} could not be sent and will be tried again: {said}"),
                ),
            };
            self.log.line(level, text);
            entry.refusal =
                (done.answer == Answer::Refused).then(|| format!("{name} could not be sent: {said}"));
            self.is_news = true;
        }
        self.tell(at, Event::Signalled(invocation, act, done.answer), None);
    }

    fn resumed(&mut self) {
        self.log.line(Level::Info, "the machine slept or this process was halted: counting from zero");
        for at in 0..self.entries.len() {
            self.tell(at, Event::Resumed, None);
        }
    }

    /// Begins the checks whose time has come, and tells the verdicts about theirs.
    fn run_due(&mut self, now: Instant) {
        while let Some((when, at)) = self.timers.first().copied().filter(|(when, _)| *when <= now) {
            self.timers.remove(&(when, at));
            if let Some(entry) = self.entries.get_mut(at) {
                entry.timer = None;
            }
            self.tell(at, Event::Tick, None);
        }
        while let Some(at) = self.schedule.pop(now) {
            self.begin_check(at);
        }
        if let Some((interval, next)) = &mut self.watchdog
            && *next <= now
        {
            self.notifier.watchdog();
            *next = now + *interval;
        }
    }

    /// One check at a time: while one is under way, the next is left out.
    fn begin_check(&mut self, at: usize) {
        let Some(entry) = self.entries.get_mut(at) else {
            return;
        };
        let Some(ticket) = entry.verdict.ticket() else {
            return;
        };
        if entry.check.as_ref().is_some_and(|(_, task)| !task.is_finished()) {
            return;
        }
        let mut prober = entry.prober.take().unwrap_or_else(|| Prober::new(entry.run.clone()));
        let timeout = self.timeout;
        let task = self.tasks.spawn(async move {
            let check = Box::new(prober.probe(timeout).await);
            Task::Checked { at, ticket, check, prober }
        });
        entry.check = Some((ticket, task));
    }

    /// Hands an event to a target's verdict, and does what follows from it.
    fn tell(&mut self, at: usize, event: Event, reason: Option<String>) {
        let now = Instant::now();
        let Some(entry) = self.entries.get_mut(at) else {
            return;
        };
        let before = entry.verdict.state();
        let wanted = entry.verdict.on(event, now - self.begun);
        let after = entry.verdict.state();

        if let Some((ticket, task)) = &entry.check
            && entry.verdict.ticket() != Some(*ticket)
        {
            task.abort();
            entry.check = None;
        }

        let timer = entry.verdict.deadline().map(|due| self.begun + due);
        if timer != entry.timer {
            if let Some(old) = entry.timer {
                self.timers.remove(&(old, at));
            }
            if let Some(new) = timer {
                self.timers.insert((new, at));
            }
            entry.timer = timer;
        }

        if before != after || reason.is_some() {
            self.is_news = true;
            match after {
                State::Failing(..) | State::Unhealthy | State::Terminating | State::Killing => {
                    entry.reason = reason.or_else(|| entry.reason.take());
                }
                State::Unknown | State::Deferred(_) | State::Starting | State::Healthy => {
                    entry.reason = None;
                    entry.refusal = None;
                }
            }
        }
        if let Some((level, text)) = transition(before, after, entry.reason.as_deref()) {
            self.log.line(level, format!("{}: {text}", entry.unit));
        }

        if let Some((invocation, act)) = wanted {
            let systemd = self.systemd.clone();
            self.tasks.spawn(async move {
                Task::Signalled { at, invocation, act, done: signal::send(systemd, invocation, act).await }
            });
        }
    }

    /// Tells the service manager, if there is something to tell.
    fn report(&mut self) {
        if !std::mem::take(&mut self.is_news) {
            return;
        }
        let lines = self.entries.iter().map(|entry| status::Line {
            unit: entry.unit.as_str(),
            state: entry.verdict.state(),
            is_older: entry.is_older(),
            // That it could not be helped matters more than what is wrong with it.
            reason: entry.refusal.as_deref().or(entry.reason.as_deref()),
        });
        let text = status::summary(lines, self.trouble.as_deref());
        self.notifier.status(&text);
    }
}

/// What the log says about a change; nothing where it would only be noise.
fn transition(before: State, after: State, reason: Option<&str>) -> Option<(Level, String)> {
    if before.is_same_kind(after) {
        return None;
    }
    let before = match (before, after) {
        // A signal that was refused, and its next attempt: the refusal itself is logged, once for each.
        (State::Unhealthy, State::Terminating)
        | (State::Terminating | State::Killing, State::Unhealthy | State::Terminating) => {
            return None;
        }
        // The failure that makes the verdict is the last one of so many.
        (State::Failing(_, of), State::Unhealthy | State::Terminating) => State::Failing(of, of),
        (before, _) => before,
    };
    let level = match after {
        // The bus is away: said once, for all targets.
        State::Unknown => return None,
        State::Deferred(_) | State::Starting | State::Healthy => Level::Info,
        State::Failing(..) => Level::Warning,
        State::Unhealthy | State::Terminating | State::Killing => Level::Error,
    };
    let mut text = format!("{before} -> {after}");
    if let State::Deferred(_) = after {
        text.push_str(", checks deferred");
    }
    if let Some(reason) = reason {
        text.push_str(": ");
        text.push_str(reason);
    }
    Some((level, text))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::verdict::Away;

    #[test]
    fn only_changes_of_kind_are_logged() {
        let said = |before, after, reason| transition(before, after, reason).map(|(_, text)| text);
        assert_eq!(
            said(State::Healthy, State::Failing(1, 3), Some("answered 503 Service Unavailable")).unwrap(),
            "healthy -> failing (1 of 3): answered 503 Service Unavailable"
        );
        assert_eq!(said(State::Failing(1, 3), State::Failing(2, 3), Some("again")), None);
        assert_eq!(said(State::Deferred(Away::Stopping), State::Deferred(Away::Restarting), None), None);
        assert_eq!(said(State::Healthy, State::Unknown, None), None);
        assert_eq!(
            said(State::Failing(2, 3), State::Terminating, Some("connection refused")).unwrap(),
            "failing (3 of 3) -> terminating: connection refused"
        );
        assert_eq!(said(State::Unhealthy, State::Terminating, Some("again")), None);
        assert_eq!(
            said(State::Terminating, State::Deferred(Away::Stopping), None).unwrap(),
            "terminating -> stopping, checks deferred"
        );
    }
}
