//! All targets, and what happens to them.

use super::act::{self, Done};
use super::answers::Told;
use super::entry::{Entry, Last};
use super::flaps::Change;
use super::own;
use super::schedule::Schedule;
use super::{news, pressure, status};
use crate::Reason;
use crate::cli::WatchArgs;
use crate::log::{Level, Log};
use crate::notify::{Notifier, watchdog_interval};
use crate::probe::{Check, Outcome, Prober, Target};
use crate::serve::{Answer as Answered, Question};
use crate::verdict::{Answer, Event, Finding, Group, Order, Sighting, State, Ticket, Verdict};
use conductor_systemd::{InvocationId, Observed, Scope, Seen, Signal, Systemd, UnitName};
use std::collections::BTreeSet;
use std::time::Duration;
use tokio::task::{JoinError, JoinSet};
use tokio::time::Instant;

/// A piece of work that ended.
pub(super) enum Task {
    Checked(Checked),
    Done {
        at: usize,
        order: Order,
        done: Done,
    },
    Compared(own::Standing),
    /// It panicked: what it was about to do is not known.
    Died(String),
}

/// A check that ended.
pub(super) struct Checked {
    at: usize,
    ticket: Ticket,
    check: Box<Check>,
    prober: Prober,
}

pub(super) struct Watcher {
    log: Log,
    service: Option<String>,
    slot: Option<String>,
    scope: Scope,
    notifier: Notifier,
    begun: Instant,
    timeout: Duration,
    entries: Vec<Entry>,
    group: Group,
    schedule: Schedule,
    /// When a verdict wants to be told that time has passed.
    timers: BTreeSet<(Instant, usize)>,
    tasks: JoinSet<Task>,
    systemd: Option<Systemd>,
    trouble: Option<String>,
    /// [`Seen::loads`], when our own unit was last compared.
    loads: u64,
    /// How often the service manager wants to hear from us, and when next.
    watchdog: Option<(Duration, Instant)>,
    is_ready: bool,
    is_news: bool,
}

/// What came of a piece of work; none of a check that was cancelled because its result is no longer wanted.
fn result(ended: Result<Task, JoinError>) -> Option<Task> {
    match ended {
        Ok(task) => Some(task),
        Err(error) if error.is_panic() => Some(Task::Died(error.to_string())),
        Err(_) => None,
    }
}

impl Watcher {
    pub(super) fn new(args: &WatchArgs, targets: Vec<(UnitName, Target)>, log: Log) -> Self {
        let begun = Instant::now();
        let entries: Vec<Entry> =
            targets.into_iter().map(|(unit, target)| Entry::new(unit, target)).collect();
        Self {
            log,
            service: args.name.clone(),
            slot: args.slot.clone(),
            scope: args.scope(),
            notifier: Notifier::default(),
            begun,
            timeout: args.timeout,
            group: Group::new(entries.len(), args.policy(), args.limits()),
            schedule: Schedule::new(begun, entries.len(), args.interval, args.start_interval),
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

    /// Whether the units were read for the first time.
    pub(super) fn is_ready(&self) -> bool {
        self.is_ready
    }

    /// When there is something to do even if nothing happens.
    pub(super) fn wake_up(&self) -> Option<Instant> {
        let watchdog = self.watchdog.map(|(_, next)| next);
        let timer = self.timers.first().map(|(at, _)| *at);
        [watchdog, timer, self.schedule.next()].into_iter().flatten().min()
    }

    /// The next piece of work that ends; none while there is none.
    pub(super) async fn next_task(&mut self) -> Option<Task> {
        loop {
            let ended = self.tasks.join_next().await?;
            if let Some(task) = result(ended) {
                return Some(task);
            }
        }
    }

    /// Another that has ended already.
    pub(super) fn next_task_at_once(&mut self) -> Option<Task> {
        loop {
            let ended = self.tasks.try_join_next()?;
            if let Some(task) = result(ended) {
                return Some(task);
            }
        }
    }

    pub(super) fn units_changed(&mut self, seen: &Seen) {
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
            if let (Observed::Known(view), Sighting::Up { invocation, .. }) = (unit, sighting) {
                self.meet(at, invocation, view.status_text.as_deref());
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

    /// A run is there, perhaps one that was not seen before.
    fn meet(&mut self, at: usize, invocation: InvocationId, status: Option<&str>) {
        let Some(entry) = self.entries.get_mut(at) else {
            return;
        };
        if !entry.meet(invocation, status) {
            return;
        }
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

    pub(super) fn checked(&mut self, checked: Checked) {
        let Checked { at, ticket, check, prober } = checked;
        let (mut finding, reason) = match &check.outcome {
            Outcome::Healthy => (Finding::Passed, None),
            Outcome::Unhealthy(reason @ Reason::TimedOut { .. }) => (Finding::Slow, Some(reason)),
            Outcome::Unhealthy(reason) => (Finding::Failed, Some(reason)),
            Outcome::Unknown(reason @ Reason::Late(_)) => (Finding::Late, Some(reason)),
            Outcome::Unknown(reason) => (Finding::Unknown, Some(reason)),
        };
        let reason = reason.map(ToString::to_string);
        if let Some(entry) = self.entries.get_mut(at) {
            entry.forget_ended_check();
            let is_wanted = self.group.verdict(at).and_then(Verdict::ticket) == Some(ticket);
            if is_wanted && *prober.target() == entry.run {
                entry.prober = Some(prober);
            }
            if finding != Finding::Passed && !entry.is_alike {
                finding = Finding::Unknown;
            }
            let inconclusive = matches!(finding, Finding::Late | Finding::Unknown);
            if inconclusive && !entry.inconclusive {
                let said = reason.as_deref().unwrap_or_default();
                self.log.line(Level::Warning, format!("{}: {said}; this counts neither way", entry.unit));
            }
            entry.inconclusive = inconclusive;
            entry.last = Some(Last { status: check.status, took: check.timings.total });
            entry.counts.checked(finding, check.timings.total);
            if entry.flaps.passes(self.begun.elapsed()) == Some(Change::CalmsDown) {
                self.log.line(Level::Info, format!("{}: no longer flapping", entry.unit));
            }
        }
        self.tell(at, Event::Checked(ticket, finding), reason);
    }

    pub(super) fn done(&mut self, at: usize, order: Order, done: &Done) {
        if let Some(entry) = self.entries.get_mut(at) {
            let said = done.said.as_deref().unwrap_or_default();
            if let Some((level, text)) = news::done(order, done.answer, said) {
                let signal = act::signal_of(order.act).map(Signal::name);
                let about = news::About::signal(entry, order.invocation, signal);
                about.log(&self.log, self.scope, level, &text);
            }
            if done.answer == Answer::Sent {
                entry.counts.done(order.act);
            }
            if let Some(signal) = act::signal_of(order.act) {
                entry.refusal = (done.answer == Answer::Refused)
                    .then(|| format!("{} could not be sent: {said}", signal.name()));
            }
            self.is_news = true;
        }
        self.tell(at, Event::Done(order.invocation, order.act, done.answer), None);
    }

    pub(super) fn resumed(&mut self) {
        self.log.line(Level::Info, "the machine slept or this process was halted: counting from zero");
        for at in 0..self.entries.len() {
            self.tell(at, Event::Resumed, None);
        }
    }

    /// Tells the verdicts whose time has come, and says which targets are to be checked.
    pub(super) fn run_due(&mut self, now: Instant) -> Vec<usize> {
        while let Some((when, at)) = self.timers.first().copied().filter(|(when, _)| *when <= now) {
            self.timers.remove(&(when, at));
            if let Some(entry) = self.entries.get_mut(at) {
                entry.timer = None;
            }
            self.tell(at, Event::Tick, None);
        }
        if let Some((interval, next)) = &mut self.watchdog
            && *next <= now
        {
            self.notifier.watchdog();
            *next = now + *interval;
        }
        let mut checks = Vec::new();
        if let Some(until) = self.schedule.batch(now) {
            checks.extend(std::iter::from_fn(|| self.schedule.pop(until)));
        }
        checks
    }

    /// Begins these checks.
    pub(super) fn begin_checks(&mut self, targets: Vec<usize>, now: Instant) {
        for at in targets {
            self.begin_check(at, now);
        }
    }

    /// One check at a time: while one is under way, the next is left out.
    fn begin_check(&mut self, at: usize, now: Instant) {
        let Some(entry) = self.entries.get_mut(at) else {
            return;
        };
        let Some(verdict) = self.group.verdict(at) else {
            return;
        };
        let Some(ticket) = verdict.ticket() else {
            return;
        };
        if !entry.is_asking() {
            let mut prober = entry.prober.take().unwrap_or_else(|| Prober::new(entry.run.clone()));
            let timeout = self.timeout;
            let task = self.tasks.spawn(async move {
                let check = Box::new(prober.probe(timeout).await);
                Task::Checked(Checked { at, ticket, check, prober })
            });
            entry.check = Some((ticket, task));
            entry.asked = Some(now);
        }
        if verdict.state() == State::Starting {
            self.schedule.hurry(at, now, Some(now));
        }
    }

    /// Hands an event to a target's state machine, and does what follows from it.
    fn tell(&mut self, at: usize, event: Event, reason: Option<String>) {
        let now = Instant::now();
        let (Some(entry), Some(verdict)) = (self.entries.get_mut(at), self.group.verdict(at)) else {
            return;
        };
        let before = verdict.state();
        let order = self.group.on(at, event, now - self.begun, pressure::read);
        let Some(verdict) = self.group.verdict(at) else {
            return;
        };
        let after = verdict.state();
        entry.give_up_check_unless(verdict.ticket());

        let timer = verdict.deadline().map(|due| self.begun + due);
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
            entry.explain(after, reason);
        }
        if after != State::Unknown {
            entry.serves = verdict.serves();
        }
        if !after.is_same_kind(before) {
            entry.counts.changed(after);
        }
        if let Some((level, text)) =
            news::transition(before, after, entry.reason.as_deref(), entry.flaps.is_flapping())
        {
            let about = news::About::transition(entry, before, after);
            about.log(&self.log, self.scope, level, &text);
        }
        if (before, after.is_same_kind(State::Failing(0, 0))) == (State::Healthy, true)
            && entry.flaps.falls(now - self.begun) == Some(Change::Flaps)
        {
            self.log.line(Level::Warning, format!("{}: {}", entry.unit, news::FLAPS));
        }
        if after == State::Starting && before != State::Starting {
            self.schedule.hurry(at, now, entry.asked);
        }

        if let Some(order) = order {
            let systemd = self.systemd.clone();
            self.tasks.spawn(async move { Task::Done { at, order, done: act::act(systemd, order).await } });
        }
    }

    /// Answers whoever asks.
    pub(super) fn answer(&self, question: &Question) -> Answered {
        let told = Told {
            service: self.service.as_deref(),
            slot: self.slot.as_deref(),
            entries: &self.entries,
            group: &self.group,
            trouble: self.trouble.as_deref(),
        };
        told.answer(question)
    }

    /// Tells the service manager, if there is something to tell.
    pub(super) fn report(&mut self) {
        if !std::mem::take(&mut self.is_news) {
            return;
        }
        let lines = self.entries.iter().enumerate().filter_map(|(at, entry)| {
            Some(status::Line {
                unit: entry.unit.as_str(),
                state: self.group.verdict(at)?.state(),
                is_older: entry.is_older(),
                is_flapping: entry.flaps.is_flapping(),
                // That it could not be helped matters more than what is wrong with it.
                reason: entry.refusal.as_deref().or(entry.reason.as_deref()),
            })
        });
        let text = status::summary(lines, self.trouble.as_deref());
        self.notifier.status(&text);
    }

    /// Tells the service manager that this is the end.
    pub(super) fn stopping(&mut self) {
        self.notifier.stopping();
    }
}
