//! Looking after a release that comes in by stages, when no command does.
//!
//! The guard belongs to one deploy, and lives as long as its record: it watches while the release waits, stands back
//! while a command is at it, and clears up if that command is killed. It learns of that from the kernel, by the end of the
//! process that has the lock, and takes the lock only for what it has to do: whoever comes next is not in its way.

use std::time::{Duration, Instant};

use conductor_definition::Site;
use conductor_proxy::{Difference, Proxy as _};
use conductor_systemd::Systemd;
use tokio::sync::watch;

use crate::deploy::{INTERRUPTED, finish_other, holder};
use crate::held::GUARD;
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

/// Until what could not be cleared up is tried again: at first, and at the most, as somebody may have to mend something.
const RETRIES: [Duration; 2] = [Duration::from_secs(10), Duration::from_secs(300)];

/// Looks after the deploy that is not finished: takes it back if it gets unhealthy while it waits, and finishes it if its
/// command is killed. Ends with it, saying how if the guard did that.
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
    let mut notes = Notes { progress, began: Instant::now(), last: None };
    let mut ask = interrupt.clone();
    let [mut retry, longest] = RETRIES;
    while !*interrupt.borrow() {
        let Some(record) = store.unfinished()?.filter(|record| record.id == id) else { return Ok(None) };
        let (seen, why) = match record.waits {
            None => {
                let seen = interrupted(&record);
                (seen.clone(), format!("{seen}, and cleared up by its guard"))
            }
            Some(stage) => {
                let what = (record.clone(), stage);
                match keep_watch(site, &store, systemd, what, notes.progress, &interrupt).await {
                    Ok(()) => continue,
                    Err(Failure { kind: FailureKind::Gate, text, .. }) => {
                        let why = format!("taken back by its guard while it waited {stage}: {text}");
                        (text, why)
                    }
                    // A proxy or a bus that is restarted says nothing of the release.
                    Err(failure) => {
                        notes.tell(format!("looks again: {failure}"));
                        pause(PATIENCE, &mut ask).await;
                        continue;
                    }
                }
            }
        };
        if let Some(keeper) = store.keeper()? {
            // A command is at it, and nothing is to be done before that has ended.
            tokio::select! {
                ended = keeper.ended() => ended?,
                _ = ask.wait_for(|asked| *asked) => {}
            }
            continue;
        }
        // Asked after all that was seen: what ends because of a shutdown ends after that has begun.
        if stops(systemd).await {
            notes.tell(format!(
                "the machine shuts down, so all is left as it is: it comes up with the release that is live ({seen})"
            ));
            pause(PATIENCE, &mut ask).await;
            continue;
        }
        let Some(lock) = free(&store, request, &record)? else {
            // Somebody was faster.
            pause(PERIOD, &mut ask).await;
            continue;
        };
        let finished = finish_other(&store, systemd, notes.progress, Instant::now(), &interrupt, &why).await;
        drop(lock);
        match finished {
            Ok(outcome) => return Ok(outcome),
            Err(failure) => {
                notes.tell(format!("tries again in {} s: {failure}", retry.as_secs()));
                pause(retry, &mut ask).await;
                retry = (retry * 2).min(longest);
            }
        }
    }
    Ok(None)
}

/// What has become of it whose command was killed.
fn interrupted(record: &Record) -> String {
    let step = record.reached.map(|step| format!(" at step {}", step.word())).unwrap_or_default();
    format!("{INTERRUPTED}{step}")
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

/// What is said of troubles, each once.
struct Notes<'a> {
    progress: &'a mut dyn Progress,
    began: Instant,
    last: Option<String>,
}

impl Notes<'_> {
    fn tell(&mut self, text: String) {
        if self.last.as_ref() != Some(&text) {
            let at = u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX);
            self.progress.tell(&Event { at, step: "guard", state: State::Note, text: text.clone() });
            self.last = Some(text);
        }
    }
}

/// The lock, if nobody has it and the record is still this one. That is read first: whoever has ended well is no reason
/// to be in the way of the next one.
fn free(store: &Store, request: &Request, record: &Record) -> Result<Option<Lock>, Failure> {
    if store.unfinished()?.is_none_or(|now| !now.is_at(record)) {
        return Ok(None);
    }
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
    let request = Request::about(store.name(), GUARD);
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
