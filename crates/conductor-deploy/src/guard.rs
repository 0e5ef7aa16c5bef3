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
use crate::progress::Progress;
use crate::promote::host;
use crate::record::Record;
use crate::settle::look;
use crate::stages::names;
use crate::store::{Lock, Store};
use crate::{Failure, FailureKind, Outcome, Request, Stage};

/// From one look at the record to the next: it is a file, which says nothing by itself.
const PERIOD: Duration = Duration::from_secs(1);

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
    let mut ask = interrupt.clone();
    while !*interrupt.borrow() {
        let Some(record) = store.unfinished()?.filter(|record| record.id == id) else { return Ok(None) };
        let why = match record.waits {
            None => INTERRUPTED.to_owned(),
            Some(stage) => {
                match keep_watch(site, &store, systemd, (record.clone(), stage), progress, &interrupt).await {
                    Ok(()) => continue,
                    Err(failure) if failure.kind == FailureKind::Gate => {
                        format!("taken back by its guard while it waited {stage}: {failure}")
                    }
                    Err(failure) => return Err(failure),
                }
            }
        };
        if let Some(_lock) = free(&store, request, &record)? {
            return finish_other(&store, systemd, progress, Instant::now(), &interrupt, &why).await;
        }
        // A command is at it.
        tokio::select! {
            () = tokio::time::sleep(PERIOD) => {}
            _ = ask.wait_for(|asked| *asked) => {}
        }
    }
    Ok(None)
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
    let host = host(store, systemd, record.clone(), (fresh, &service), progress, interrupt.clone());
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
