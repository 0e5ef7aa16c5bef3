//! A deploy from its request to its end.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use conductor_definition::{Live, Runtime, Site};
use conductor_systemd::Systemd;
use tokio::sync::watch;

use crate::host::{Host, name};
use crate::machine::Machine;
use crate::prepare::{Prepared, candidate, prepare};
use crate::progress::{Event, Progress, State};
use crate::promote::{host, refuse_waiting};
use crate::record::{Entry, Record, SideRecord};
use crate::stage::{Asked, StagesRecord};
use crate::store::Store;
use crate::{Failure, FailureKind, Outcome, drive, journal, proxied, restart};

/// The time for which connections go on where nobody has written down what the definition said.
const DRAIN: Duration = Duration::from_secs(10);

/// Images may take long to fetch: what the proxy has said of the release before that holds for so long.
const FRESH: Duration = Duration::from_secs(10);

/// What is asked for.
#[derive(Debug, Clone)]
pub struct Request {
    /// The service.
    pub service: String,
    /// In place of the definition's revision.
    pub revision: Option<String>,
    /// In place of the definition's image.
    pub image: Option<String>,
    /// An earlier release instead of the definition's.
    pub rollback: Option<Rollback>,
    /// Who asks.
    pub by: String,
    /// What of stages is asked for.
    pub stages: Asked,
}

impl Request {
    /// One that asks for nothing but what there is of a service.
    pub fn about(service: impl Into<String>, by: impl Into<String>) -> Self {
        let (service, by) = (service.into(), by.into());
        Self { service, revision: None, image: None, rollback: None, by, stages: Asked::default() }
    }
}

/// Which earlier release.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Rollback {
    /// The one before the live one.
    Previous,
    /// The last one of this revision.
    To(String),
    /// The live one, into the other slot: a restart.
    Again,
}

/// Deploys, having cleaned up after one that was interrupted.
///
/// # Errors
/// What went wrong; the entry that says how it ended is in the history.
pub async fn deploy(
    site: &Site,
    systemd: &Systemd,
    request: &Request,
    progress: &mut dyn Progress,
    interrupt: watch::Receiver<bool>,
) -> Result<Entry, Failure> {
    let began = Instant::now();
    let store = Store::new(site, &request.service);
    let _lock = store.lock(&holder(request))?;
    refuse_waiting(&store, systemd).await?;
    finish_other(&store, systemd, progress, began, &interrupt, INTERRUPTED).await?;
    // One that does not come back is no reason not to bring in a release that does.
    if let Err(failure) = restart::clean_up(&store, systemd, progress, began, &interrupt).await {
        let at = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
        progress.tell(&Event { at, step: "prepare", state: State::Note, text: failure.text });
    }
    walk(site, &store, systemd, request, progress, interrupt, began).await
}

/// From the request to the end, under the lock.
pub(crate) async fn walk(
    site: &Site,
    store: &Store,
    systemd: &Systemd,
    request: &Request,
    progress: &mut dyn Progress,
    interrupt: watch::Receiver<bool>,
    began: Instant,
) -> Result<Entry, Failure> {
    let started = now();
    let mut host = match ready(site, store, systemd, request, progress, interrupt, began, started).await {
        Ok(host) => host,
        Err(failure) => {
            journal::refused(request, &failure);
            return Err(failure);
        }
    };
    let record = &host.record;
    let what = journal::What::of(record.rollback, record.restart);
    journal::begins(&request.service, what, &record.id, &record.revision, &record.by);
    host.progress.units(&record.new.instances);
    let machine = Machine::new(host.record.plan());
    let (outcome, failure) = drive(machine, None, &mut host).await;
    end(store, &request.service, &host.record, outcome, failure)
}

/// Everything that can be known before anything is changed.
#[expect(clippy::too_many_arguments, reason = "all of them come from the caller's caller")]
async fn ready<'a>(
    site: &Site,
    store: &Store,
    systemd: &Systemd,
    request: &Request,
    progress: &'a mut dyn Progress,
    interrupt: watch::Receiver<bool>,
    began: Instant,
    started: u64,
) -> Result<Host<'a>, Failure> {
    let id = new_id(started);
    let say = |progress: &mut dyn Progress, state, text: String| {
        let at = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
        progress.tell(&Event { at, step: "prepare", state, text });
    };
    say(progress, State::Begins, String::new());
    let mut checked_stages = None;
    let text = match (&request.rollback, store.live()) {
        (Some(Rollback::Again), Live::In(slot)) => store.release(slot)?.unwrap_or_default(),
        (Some(wanted @ (Rollback::Previous | Rollback::To(_))), _) => earlier(store, wanted)?,
        // Before the first deploy what is live is the definition.
        (None | Some(Rollback::Again), _) => {
            let mut stop = interrupt.clone();
            let candidate = candidate(site, request)?;
            // All but the image's digest is known before the image is, and what is wrong with it is told before that
            // is fetched; engine and proxy are asked at a time.
            let foreseen =
                prepare(site, store, request, id.clone(), candidate.unpinned(&id)?, started)?.record;
            let asked = Instant::now();
            let both = async { tokio::try_join!(candidate.frozen(&id), checked(foreseen, systemd)) };
            let (text, stages) = tokio::select! {
                both = both => both?,
                Ok(_) = stop.wait_for(|asked| *asked) => return Err(interrupted()),
            };
            checked_stages = Some(stages).filter(|_| asked.elapsed() < FRESH);
            text
        }
    };
    let Prepared { mut record, fresh, service } = prepare(site, store, request, id, text, started)?;
    if let Some(note) = beside(systemd, &mut record).await? {
        say(progress, State::Note, note.to_owned());
    }
    let host = host(store, systemd, record, (fresh, &service), began, progress, interrupt);
    if checked_stages.as_ref() != Some(&host.record.stages) {
        host.check_proxy().await?;
    }
    say(host.progress, State::Done, format!("{} is {}", host.record.revision, host.record.image));
    Ok(host)
}

/// Whether the proxy would take this release, whatever its image; in which stages.
async fn checked(mut record: Record, systemd: &Systemd) -> Result<StagesRecord, Failure> {
    beside(systemd, &mut record).await?;
    proxied::check(&record, systemd).await?;
    Ok(record.stages)
}

/// Why a deploy ended that its own command did not see the end of.
pub(crate) const INTERRUPTED: &str = "was interrupted";

pub(crate) async fn finish_other(
    store: &Store,
    systemd: &Systemd,
    progress: &mut dyn Progress,
    began: Instant,
    interrupt: &watch::Receiver<bool>,
    why: &str,
) -> Result<Option<Outcome>, Failure> {
    let Some(record) = store.unfinished()? else { return Ok(None) };
    let committed = store.live() == Live::In(record.to);
    let machine = Machine::resume(record.plan(), record.reached, committed);
    let reached = record.reached;
    let mut host = Host {
        store: store.clone(),
        systemd: systemd.clone(),
        drain: record.drain.unwrap_or(DRAIN),
        adopted: false,
        record,
        fresh: None,
        // Pruning is the next deploy's.
        keep: usize::MAX,
        runtime: Runtime::default(),
        began,
        progress,
        interrupt: interrupt.clone(),
    };
    let (outcome, failure) = drive(machine, reached, &mut host).await;
    if !outcome.is_clean() {
        let said = failure.map(|failure| failure.text).unwrap_or_default();
        return Err(Failure::system(
            format!("the deploy of {} could not be cleaned up ({why})", host.record.revision),
            said,
        ));
    }
    let entry = host.record.entry(now(), outcome, Some(why.to_owned()));
    journal::ended(store.name(), &entry);
    store.finish(&entry)?;
    if outcome == Outcome::Undone {
        store.forget(&entry.id)?;
    }
    Ok(Some(outcome))
}

pub(crate) fn end(
    store: &Store,
    service: &str,
    record: &Record,
    outcome: Outcome,
    failure: Option<Failure>,
) -> Result<Entry, Failure> {
    let entry = record.entry(now(), outcome, failure.as_ref().map(|failure| failure.text.clone()));
    journal::ended(service, &entry);
    if outcome.is_live() {
        // Whatever one that was interrupted left out of the upstream is out of use now.
        store.forget_restart()?;
    }
    if outcome.is_clean() {
        store.finish(&entry)?;
    }
    if outcome == Outcome::Undone {
        store.forget(&entry.id)?;
    }
    match failure {
        Some(failure) if outcome == Outcome::Stuck => {
            let text = format!(
                "{failure}\nNot everything could be undone: mend what is said above, then run `conductor abort`"
            );
            Err(Failure { text, ..failure })
        }
        Some(failure) if !outcome.is_live() => Err(failure),
        _ => Ok(entry),
    }
}

/// The text of an earlier release.
pub(crate) fn earlier(store: &Store, wanted: &Rollback) -> Result<String, Failure> {
    let history = store.history()?;
    // A restart brings in nothing.
    let released: Vec<&Entry> =
        history.iter().filter(|entry| entry.outcome.is_live() && !entry.restart).collect();
    // What is live was released last.
    let (live, before) = released.split_last().map_or((None, &[][..]), |(live, before)| (Some(live), before));
    let found = before.iter().rev().find(|entry| match wanted {
        Rollback::Previous => {
            live.is_none_or(|live| live.revision != entry.revision || live.image != entry.image)
        }
        Rollback::To(revision) => entry.revision == *revision,
        Rollback::Again => false,
    });
    let Some(entry) = found else {
        return Err(Failure::configuration(match wanted {
            Rollback::Previous | Rollback::Again => "there is no earlier release: deploy one".to_owned(),
            Rollback::To(revision) => {
                format!(
                    "there is no earlier release `{revision}`: `conductor history` lists those that are kept"
                )
            }
        }));
    };
    store.kept(&entry.id)?.ok_or_else(|| {
        Failure::configuration(format!(
            "the release `{}` is not kept any more: deploy it anew with --revision",
            entry.revision
        ))
    })
}

/// Looks whether the old release runs, and leaves out the stages that take both if it does not; then says so.
pub(crate) async fn beside(systemd: &Systemd, record: &mut Record) -> Result<Option<&'static str>, Failure> {
    record.old.runs = runs(systemd, &record.old).await?;
    let alone = record.stages.clone().alone();
    if record.old.runs || record.stages == alone {
        return Ok(None);
    }
    record.stages = alone;
    Ok(Some("no release runs beside which it could be a canary, or bake"))
}

async fn runs(systemd: &Systemd, side: &SideRecord) -> Result<bool, Failure> {
    for unit in &side.instances {
        if systemd.status(&name(unit)?).await?.is_active() {
            return Ok(true);
        }
    }
    Ok(false)
}

pub(crate) fn holder(request: &Request) -> String {
    format!("{}, process {}", request.by, std::process::id())
}

/// Tells deploys of a service from each other.
pub(crate) fn new_id(started: u64) -> String {
    format!("{started:x}-{:04x}", std::process::id() & 0xffff)
}

fn interrupted() -> Failure {
    Failure::new(FailureKind::Interrupted, "ended on request: nothing was changed")
}

pub(crate) fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}
