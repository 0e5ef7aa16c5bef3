//! Ending what there is of a deploy or a restart: one that was interrupted, that waits in a stage, or that runs.

use std::time::{Duration, Instant};

use conductor_definition::Site;
use conductor_systemd::Systemd;
use tokio::sync::watch;

use crate::deploy::{INTERRUPTED, finish_other, holder};
use crate::progress::{Event, Progress, State};
use crate::store::{Lock, Store};
use crate::{Failure, FailureKind, Outcome, Request, restart};

/// For how long it is waited for whoever was asked to end: connections may be waited for (`drain`), and containers.
const PATIENCE: Duration = Duration::from_secs(300);

/// From one try to the next: of a guard that is at work the lock may become free without its end.
const PERIOD: Duration = Duration::from_secs(1);

/// What became of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Aborted {
    /// There was nothing.
    Nothing,
    /// A command that ran has ended, and nothing was to be undone, as before it has changed anything.
    Ended,
    /// It is finished, and how.
    Finished(Outcome),
    /// It was a restart: it has not come to all instances, but each that it has come to is up.
    Restart,
}

/// Ends a deploy that has not ended: forward if its release is live, and otherwise back. A command that runs is asked to
/// do that itself, as by Ctrl-C, and waited for.
///
/// # Errors
/// What went wrong.
pub async fn abort(
    site: &Site,
    systemd: &Systemd,
    request: &Request,
    progress: &mut dyn Progress,
    interrupt: &watch::Receiver<bool>,
) -> Result<Aborted, Failure> {
    let (store, began) = (Store::new(site, &request.service), Instant::now());
    // First what is begun: of an end that is written down the rest may still be done.
    let open = unended(&store)?;
    let last = store.history()?.pop().map(|entry| entry.id).filter(|id| open.as_ref() != Some(id));
    let (_lock, others) = locked(&store, request, progress, began, interrupt).await?;
    let waits = store.unfinished()?.and_then(|record| record.waits);
    let why = waits.map(|stage| format!("taken back on request while it waited {stage}"));
    let why = why.as_deref().unwrap_or(INTERRUPTED);
    let deploy = finish_other(&store, systemd, progress, began, interrupt, why).await?;
    let restart = restart::clean_up(&store, systemd, progress, began, interrupt).await?;
    Ok(match (deploy, restart, others) {
        (Some(outcome), _, _) => Aborted::Finished(outcome),
        (None, Some(_), _) => Aborted::Restart,
        (None, None, false) => Aborted::Nothing,
        // What the others have written down.
        (None, None, true) => match store.history()?.pop() {
            Some(entry) if last.is_some_and(|last| last == entry.id) => Aborted::Ended,
            Some(entry) if entry.restart => Aborted::Restart,
            Some(entry) => Aborted::Finished(entry.outcome),
            None => Aborted::Ended,
        },
    })
}

/// What has not ended.
fn unended(store: &Store) -> Result<Option<String>, Failure> {
    let restart = store.unfinished_restart()?.map(|record| record.id);
    Ok(store.unfinished()?.map(|record| record.id).or(restart))
}

/// The lock, and whether somebody had it. That one is asked to end, but for a guard, which ends by itself.
async fn locked(
    store: &Store,
    request: &Request,
    progress: &mut dyn Progress,
    began: Instant,
    interrupt: &watch::Receiver<bool>,
) -> Result<(Lock, bool), Failure> {
    let mut tell = |text: String| {
        let at = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
        progress.tell(&Event { at, step: "abort", state: State::Note, text });
    };
    let deadline = tokio::time::Instant::now() + PATIENCE;
    let (mut asked, mut waited, mut unseen, mut silent) = (None, false, false, None);
    let mut stop = interrupt.clone();
    loop {
        let refused = match store.lock(&holder(request)) {
            Err(failure) if failure.kind == FailureKind::Locked => failure,
            lock => return Ok((lock?, waited)),
        };
        let keeper = store.keeper()?;
        match &keeper {
            // It changes hands at this moment, or is out of sight.
            None if unseen => return Err(hidden(store)),
            None => {}
            // It has taken it this moment, perhaps as a guard does for one, and has not said yet who it is.
            Some(keeper) if !keeper.is_known && !keeper.is(silent) && !keeper.is(asked) => {
                silent = Some(keeper.pid());
                tokio::select! {
                    () = tokio::time::sleep(PERIOD) => {}
                    _ = stop.wait_for(|asked| *asked) => {}
                }
                continue;
            }
            Some(keeper) if keeper.is(asked) || (keeper.is_guard() && waited) => {}
            Some(keeper) if keeper.is_guard() => tell(format!("waits for {}, which clears up", keeper.who)),
            // Somebody else has begun since; nobody has asked to end that.
            Some(_) if asked.is_some() => return Err(refused),
            Some(keeper) => {
                asked = Some(keeper.ask_to_end()?);
                tell(format!("has asked {} to end, and waits for it", keeper.who));
            }
        }
        unseen = keeper.is_none();
        waited |= !unseen;
        if tokio::time::Instant::now() > deadline {
            return Err(still(store, keeper.map(|keeper| keeper.who)));
        }
        let ended = async {
            match &keeper {
                Some(keeper) => keeper.ended().await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            ended = ended => ended?,
            () = tokio::time::sleep(PERIOD) => {}
            _ = stop.wait_for(|asked| *asked) => {
                return Err(Failure::new(
                    FailureKind::Interrupted,
                    "not waited for any longer: whoever was asked to end does so all the same",
                ));
            }
        }
    }
}

fn hidden(store: &Store) -> Failure {
    let name = store.name();
    let text = format!(
        "{name}: who is at it cannot be seen from here, as if that ran in a container, or outside of ours: end it there"
    );
    Failure::new(FailureKind::Locked, text)
}

fn still(store: &Store, who: Option<String>) -> Failure {
    let (conductor, name, who) = (store.conductor(), store.name(), who.unwrap_or_default());
    let text = format!(
        "{name}: {who} is still at it after {} s: `{conductor} status {name}` shows where; run this again to wait on",
        PATIENCE.as_secs()
    );
    Failure::new(FailureKind::Locked, text)
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::process::Child;

    use super::*;
    use crate::held::tests::locked_elsewhere;

    #[derive(Default)]
    struct Told(Vec<String>);

    impl Progress for Told {
        fn tell(&mut self, event: &Event) {
            self.0.push(event.text.clone());
        }
    }

    /// Another process that has the lock for as long as its input is open, and calls itself this.
    fn other(store: &Store, who: &str) -> Child {
        drop(store.lock("nobody").unwrap());
        let other = locked_elsewhere(store);
        fs::write(store.holder_file(), format!("{who}, process {}", other.id())).unwrap();
        other
    }

    async fn waits(store: &Store, interrupt: &watch::Receiver<bool>) -> (Result<bool, Failure>, Vec<String>) {
        let (mut told, request) = (Told::default(), Request::about("web", "me"));
        let locked = locked(store, &request, &mut told, Instant::now(), interrupt).await;
        (locked.map(|(_, others)| others), told.0)
    }

    #[tokio::test(start_paused = true)]
    async fn a_guard_is_waited_for_and_not_for_ever() {
        let root = tempfile::tempdir().unwrap();
        let store = Store::new(&Site::system(root.path()), "web");
        let (ask, interrupt) = watch::channel(false);
        assert_eq!(waits(&store, &interrupt).await, (Ok(false), Vec::new()));

        let mut guard = other(&store, crate::GUARD);
        let (failure, told) = waits(&store, &interrupt).await;
        let failure = failure.unwrap_err();
        let who = format!("its guard, process {}", guard.id());
        assert_eq!(told, [format!("waits for {who}, which clears up")]);
        assert_eq!(
            (failure.kind, failure.text),
            (
                FailureKind::Locked,
                format!(
                    "web: {who} is still at it after 300 s: `conductor status web` shows where; run this again to wait on"
                )
            )
        );
        ask.send_replace(true);
        let failure = waits(&store, &interrupt).await.0.unwrap_err();
        assert_eq!(
            (failure.kind, failure.text.as_str()),
            (
                FailureKind::Interrupted,
                "not waited for any longer: whoever was asked to end does so all the same"
            )
        );
        ask.send_replace(false);
        // A process takes its time to end.
        tokio::time::resume();
        let (waited, ()) = tokio::join!(waits(&store, &interrupt), async { drop(guard.stdin.take()) });
        assert_eq!(waited.0, Ok(true));
        guard.wait().unwrap();
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_none_of_ours_is_neither_asked_nor_waited_for() {
        let root = tempfile::tempdir().unwrap();
        let store = Store::new(&Site::system(root.path()), "web");
        let mut other = other(&store, "alice");
        let (failure, told) = waits(&store, &watch::channel(false).1).await;
        assert!(told.is_empty() && failure.unwrap_err().text.contains("is no command of Conductor's"));
        drop(other.stdin.take());
        other.wait().unwrap();
    }
}
