//! Watching a release that waits in a stage, when no command does.
//!
//! The guard belongs to one deploy, and lives as long as its record: it watches while the release waits, stands back
//! while a command is at it, and clears up if that command is killed.

use std::time::{Duration, Instant};

use conductor_definition::Site;
use conductor_proxy::{Difference, Proxy as _};
use conductor_systemd::Systemd;
use tokio::sync::watch;

use crate::deploy::{INTERRUPTED, finish_other, holder};
use crate::prepare::reopen;
use crate::progress::{Event, Progress, State};
use crate::promote::host;
use crate::record::Record;
use crate::settle::look;
use crate::stages::names;
use crate::store::{Lock, Store};
use crate::{Failure, FailureKind, Outcome, Request, Stage};

/// From one look at the record to the next: it is a file, which says nothing by itself.
const PERIOD: Duration = Duration::from_secs(1);

/// Until it is looked again where nothing could be seen.
const PATIENCE: Duration = Duration::from_secs(5);

/// Watches the deploy that is not finished, and takes it back if it gets unhealthy while it waits. Ends with it, saying
/// how it was taken back if the guard did that.
///
/// # Errors
/// What went wrong; whoever starts the guard again finds everything as it was.
pub async fn guard(
    site: &Site,
    systemd: &Systemd,
    request: &Request,
    progress: &mut dyn Progress,
    interrupt: watch::Receiver<bool>,
) -> Result<Option<Outcome>, Failure> {
    let store = Store::new(site, &request.service);
    let Some(Record { id, .. }) = store.unfinished()? else { return Ok(None) };
    let (began, mut said) = (Instant::now(), None);
    let mut ask = interrupt.clone();
    while !*interrupt.borrow() {
        let Some(record) = store.unfinished()?.filter(|record| record.id == id) else { return Ok(None) };
        let why = match record.waits {
            None => INTERRUPTED.to_owned(),
            Some(stage) => {
                match keep_watch(site, &store, systemd, (record.clone(), stage), progress, &interrupt).await {
                    Ok(()) => continue,
                    // At the end of a shutdown all is gone anyway, and what waits is for whoever boots to see.
                    Err(failure) if failure.kind == FailureKind::Gate && !stops(systemd).await => {
                        format!("taken back by its guard while it waited {stage}: {failure}")
                    }
                    // A proxy or a bus that is restarted says nothing of the release.
                    Err(failure) => {
                        if said.as_ref() != Some(&failure.text) {
                            note(progress, began, &failure);
                            said = Some(failure.text);
                        }
                        pause(PATIENCE, &mut ask).await;
                        continue;
                    }
                }
            }
        };
        if let Some(_lock) = free(&store, request, &record)? {
            return finish_other(&store, systemd, progress, Instant::now(), &interrupt, &why).await;
        }
        // A command is at it.
        pause(PERIOD, &mut ask).await;
    }
    Ok(None)
}

/// Waits, but not beyond a request to end.
async fn pause(time: Duration, ask: &mut watch::Receiver<bool>) {
    tokio::select! {
        () = tokio::time::sleep(time) => {}
        _ = ask.wait_for(|asked| *asked) => {}
    }
}

/// If nobody can tell, it does not.
async fn stops(systemd: &Systemd) -> bool {
    systemd.is_stopping().await.unwrap_or(false)
}

fn note(progress: &mut dyn Progress, began: Instant, failure: &Failure) {
    let at = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
    let text = format!("looks again: {failure}");
    progress.tell(&Event { at, step: "guard", state: State::Note, text });
}

/// The lock, if nobody has it and the record is still this one.
fn free(store: &Store, request: &Request, record: &Record) -> Result<Option<Lock>, Failure> {
    match store.lock(&holder(request)) {
        Ok(lock) => Ok(store.unfinished()?.filter(|now| now.is_at(record)).map(|_| lock)),
        Err(failure) if failure.kind == FailureKind::Locked => Ok(None),
        Err(failure) => Err(failure),
    }
}

impl Record {
    /// Whether it is of the same deploy, in the same place.
    fn is_at(&self, other: &Self) -> bool {
        self.id == other.id && self.waits == other.waits && self.reached == other.reached
    }
}

/// Watches for as long as it waits.
async fn keep_watch(
    site: &Site,
    store: &Store,
    systemd: &Systemd,
    (record, stage): (Record, Stage),
    progress: &mut dyn Progress,
    interrupt: &watch::Receiver<bool>,
) -> Result<(), Failure> {
    let (fresh, service) = reopen(site, store, &record)?;
    let (checks, baking) = (fresh.settling.checks.clone(), fresh.baking);
    let host =
        host(store, systemd, record.clone(), (fresh, &service), Instant::now(), progress, interrupt.clone());
    let units = record.first().instances;
    let runs = look(systemd, &units).await?;
    if names(&runs) != record.runs {
        return Err(Failure::gate("an instance was restarted"));
    }
    let shown = record.shown(stage)?;
    let request = Request::about(store.name(), "its guard");
    let mut vigil = host.vigil((&units, runs), baking, &checks)?;
    let mut ask = interrupt.clone();
    loop {
        tokio::select! {
            seen = vigil.look(PERIOD) => seen?,
            _ = ask.wait_for(|asked| *asked) => return Ok(()),
        }
        if store.unfinished()?.is_none_or(|now| !now.is_at(&record)) {
            return Ok(());
        }
        // Somebody may have started the proxy anew.
        if host.proxy()?.difference(&shown).await? != Difference::None
            && let Some(_lock) = free(store, &request, &record)?
        {
            host.still_shown(&shown).await?;
        }
    }
}
