//! Checks units for as long as they run.
//!
//! The shell around [`crate::verdict`]: one loop that waits for the first of many things (a unit
//! changed, a check ended, a check is due, a grace is over, the watchdog wants to hear from us, we are
//! to end), hands it to the group's state machine, and does what that says.

mod act;
mod alarm;
mod answers;
mod clock;
mod counts;
mod entry;
mod flaps;
mod news;
mod own;
mod pressure;
mod queries;
mod schedule;
mod status;
mod watcher;

use crate::cli::WatchArgs;
use crate::log::{Level, Log};
use alarm::Alarm;
use conductor_systemd::Watch;
use std::ops::ControlFlow;
use std::time::Duration;
use tokio::signal::unix::{SignalKind, signal};
use tokio::time::Instant;
use watcher::{Task, Watcher};

/// What ends the loop's waiting.
enum Woken {
    Units(Result<(), conductor_systemd::Error>),
    Task(Task),
    Query(queries::Query),
    Alarm,
}

/// Runs until SIGTERM or SIGINT, or until our own unit has another command line for us. The error is
/// why it cannot go on.
pub async fn watch(args: WatchArgs, log: Log) -> Result<(), String> {
    let listen = |kind| signal(kind).map_err(|error| format!("cannot listen for signals: {error}"));
    let mut terminate = listen(SignalKind::terminate())?;
    let mut interrupt = listen(SignalKind::interrupt())?;
    let targets = args.targets().map_err(|mismatch| mismatch.to_string())?;
    let names = targets.iter().map(|(unit, _)| unit.clone()).collect();
    let mut units = Watch::start(args.scope(), names);
    let mut watcher = Watcher::new(&args, targets, log.clone());
    let mut clock = clock::Clock::new();
    let mut queries = queries::Queries::new();
    let mut closed = args.listen;
    watcher.report();
    let mut alarm = Alarm::new();
    // By then whatever runs was asked once.
    let mut starts_until = Some(Instant::now() + args.interval.max(Duration::from_secs(1)));
    'watching: loop {
        alarm.set(watcher.wake_up());
        let woken = tokio::select! {
            // In this order: to end comes first, and what is known of a unit before what a check of it says.
            biased;
            _ = terminate.recv() => break,
            _ = interrupt.recv() => break,
            news = units.changed() => Woken::Units(news),
            Some(ended) = watcher.next_task() => Woken::Task(ended),
            Some(query) = queries.next() => Woken::Query(query),
            () = alarm.ring() => Woken::Alarm,
        };
        let now = Instant::now();
        // Before what woke us: a check that was under way when the machine was suspended says nothing of now.
        if clock.was_away(alarm.at(), now) {
            watcher.resumed();
        }
        match woken {
            Woken::Units(Ok(())) => watcher.units_changed(&units.seen()),
            // Blind for good: better to end, and to be started again, than to feed the watchdog.
            Woken::Units(Err(error)) => return Err(error.to_string()),
            Woken::Task(ended) => {
                // Together with all that ended meanwhile: what is known of the units is no newer for those.
                let mut next = Some(ended);
                while let Some(ended) = next {
                    if ended_with(&mut watcher, ended, &log)?.is_break() {
                        break 'watching;
                    }
                    next = watcher.next_task_at_once();
                }
            }
            Woken::Query(query) => {
                let answer = watcher.answer(&query.question);
                query.reply(answer);
            }
            Woken::Alarm => {}
        }
        let checks = watcher.run_due(now);
        watcher.report();
        // Not before something is known: the first answer would be that everything is down.
        while let Some(address) = watcher.is_ready().then(|| closed.pop()).flatten() {
            // The checks matter more than who may look on.
            if let Err(error) = queries.listen(&address) {
                log.line(Level::Error, error);
            }
        }
        if watcher.is_ready() && starts_until.take_if(|until| *until <= now).is_some() {
            // Of every service's checker a third of what is resident.
            if let Err(error) = conductor_unmap::unmap_text() {
                log.line(Level::Info, format!("what only starting took stays in memory: {error}"));
            }
        }
        if !checks.is_empty() {
            // tokio wakes its own event loop by a write(2) for each timer that is earlier than all that it knew of when
            // it looked last (`Handle::reregister` of its time driver). So it looks before each check has one.
            alarm.set(watcher.wake_up());
            tokio::task::yield_now().await;
            watcher.begin_checks(checks, now);
        }
    }
    watcher.stopping();
    Ok(())
}

/// Takes in what a piece of work came to; whether to go on.
fn ended_with(watcher: &mut Watcher, ended: Task, log: &Log) -> Result<ControlFlow<()>, String> {
    match ended {
        Task::Checked(checked) => watcher.checked(checked),
        Task::Done { at, order, done } => watcher.done(at, order, &done),
        Task::Compared(own::Standing::Outdated) => {
            log.line(Level::Info, "its definition changed: starting again");
            return Ok(ControlFlow::Break(()));
        }
        Task::Compared(own::Standing::Stuck) => {
            log.line(
                Level::Warning,
                "its definition changed: restart it to have that applied, as its Restart= does not",
            );
        }
        Task::Compared(own::Standing::Current) => {}
        // Better to be started again than to wait for an answer that never comes.
        Task::Died(how) => return Err(format!("a task has died: {how}")),
    }
    Ok(ControlFlow::Continue(()))
}
