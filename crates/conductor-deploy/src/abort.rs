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
    /// A command that ran has ended, before it had changed anything.
    Ended,
    /// It is finished, and how.
    Finished(Outcome),
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
    let last = last(&store)?;
    let (_lock, others) = locked(&store, request, progress, began, interrupt).await?;
    let waits = store.unfinished()?.and_then(|record| record.waits);
    let why = waits.map(|stage| format!("taken back on request while it waited {stage}"));
    let why = why.as_deref().unwrap_or(INTERRUPTED);
    let deploy = finish_other(&store, systemd, progress, began, interrupt, why).await?;
    let restart = restart::clean_up(&store, systemd, progress, began, interrupt).await?;
    Ok(match (deploy.or(restart), others) {
        (Some(outcome), _) => Aborted::Finished(outcome),
        (None, false) => Aborted::Nothing,
        (None, true) => {
            let new = self::last(&store)?.filter(|(id, _)| last.as_ref().is_none_or(|(last, _)| last != id));
            new.map_or(Aborted::Ended, |(_, outcome)| Aborted::Finished(outcome))
        }
    })
}

/// Which deploy ended last, and how.
fn last(store: &Store) -> Result<Option<(String, Outcome)>, Failure> {
    Ok(store.history()?.pop().map(|entry| (entry.id, entry.outcome)))
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
    let (mut asked, mut waited, mut unseen) = (None, false, false);
    let mut stop = interrupt.clone();
    loop {
        let refused = match store.lock(&holder(request)) {
            Err(failure) if failure.kind == FailureKind::Locked => failure,
            lock => return Ok((lock?, waited)),
        };
        let keeper = store.keeper()?;
        match &keeper {
            // It changes hands at this moment, or is out of sight.
            None if unseen => return Err(refused),
            None => {}
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
        if began.elapsed() > PATIENCE {
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

fn still(store: &Store, who: Option<String>) -> Failure {
    let (conductor, name, who) = (store.conductor(), store.name(), who.unwrap_or_default());
    let text = format!(
        "{name}: {who} is still at it after {} s: `{conductor} status {name}` shows where; run this again to wait on",
        PATIENCE.as_secs()
    );
    Failure::new(FailureKind::Locked, text)
}
