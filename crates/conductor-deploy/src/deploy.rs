//! A deploy from its request to its end.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use conductor_definition::{Live, Runtime, Site};
use conductor_systemd::Systemd;
use tokio::sync::watch;

use crate::host::{Host, name};
use crate::machine::Machine;
use crate::prepare::{Prepared, candidate, prepare};
use crate::progress::{Event, Progress, State};
use crate::promote::refuse_waiting;
use crate::record::{Entry, Record, SideRecord};
use crate::stage::{Asked, span};
use crate::store::Store;
use crate::{Failure, FailureKind, Outcome, drive};

/// The time for which connections go on where nobody knows what the definition said.
const DRAIN: Duration = Duration::from_secs(10);

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
    let started = now();
    let id = format!("{started:x}-{:04x}", std::process::id() & 0xffff);
    let say = |progress: &mut dyn Progress, state, text: String| {
        let at = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
        progress.tell(&Event { at, step: "prepare", state, text });
    };
    say(progress, State::Begins, String::new());
    let text = match &request.rollback {
        None => {
            let mut stop = interrupt.clone();
            let candidate = candidate(site, request)?;
            tokio::select! {
                text = candidate.frozen(&id) => text?,
                Ok(_) = stop.wait_for(|asked| *asked) => return Err(interrupted()),
            }
        }
        Some(wanted) => earlier(&store, wanted)?,
    };
    let Prepared { mut record, fresh, service } = prepare(site, &store, request, id, text, started)?;
    record.old.runs = runs(systemd, &record.old).await?;
    if !record.old.runs && record.stages != record.stages.clone().alone() {
        say(progress, State::Note, "no release runs beside which it could be a canary, or bake".to_owned());
        record.stages = record.stages.alone();
    }
    let mut host = Host {
        store: store.clone(),
        systemd: systemd.clone(),
        record,
        fresh: Some(fresh),
        drain: span(service.deploy.drain),
        keep: usize::try_from(service.deploy.keep).unwrap_or(usize::MAX),
        runtime: service.runtime,
        began,
        progress,
        interrupt,
    };
    host.check_proxy().await?;
    say(host.progress, State::Done, format!("{} is {}", host.record.revision, host.record.image));
    let machine = Machine::new(host.record.plan());
    let (outcome, failure) = drive(machine, None, &mut host).await;
    end(&store, &host.record, outcome, failure)
}

/// Finishes a deploy that was interrupted: forward if its release is live, and otherwise back. Nothing if there is none.
///
/// # Errors
/// What went wrong.
pub async fn abort(
    site: &Site,
    systemd: &Systemd,
    request: &Request,
    progress: &mut dyn Progress,
    interrupt: &watch::Receiver<bool>,
) -> Result<Option<Outcome>, Failure> {
    let store = Store::new(site, &request.service);
    let _lock = store.lock(&holder(request))?;
    let waits = store.unfinished()?.and_then(|record| record.waits);
    let why = waits.map(|stage| format!("taken back on request while it waited {stage}"));
    let why = why.as_deref().unwrap_or(INTERRUPTED);
    finish_other(&store, systemd, progress, Instant::now(), interrupt, why).await
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
        record,
        fresh: None,
        drain: DRAIN,
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
            format!("the deploy of {}, which {why}, could not be cleaned up", host.record.revision),
            said,
        ));
    }
    let entry = host.record.entry(now(), outcome, Some(why.to_owned()));
    store.finish(&entry)?;
    if outcome == Outcome::Undone {
        store.forget(&entry.id)?;
    }
    Ok(Some(outcome))
}

pub(crate) fn end(
    store: &Store,
    record: &Record,
    outcome: Outcome,
    failure: Option<Failure>,
) -> Result<Entry, Failure> {
    let entry = record.entry(now(), outcome, failure.as_ref().map(|failure| failure.text.clone()));
    if outcome.is_clean() {
        store.finish(&entry)?;
    }
    if outcome == Outcome::Undone {
        store.forget(&entry.id)?;
    }
    match failure {
        Some(failure) if outcome == Outcome::Stuck => Err(Failure::new(
            failure.kind,
            format!(
                "{failure}\nNot everything could be undone: mend what is said above, then run `conductor abort`"
            ),
        )),
        Some(failure) if !outcome.is_live() => Err(failure),
        _ => Ok(entry),
    }
}

/// The text of an earlier release.
fn earlier(store: &Store, wanted: &Rollback) -> Result<String, Failure> {
    let history = store.history()?;
    let released: Vec<&Entry> = history.iter().filter(|entry| entry.outcome.is_live()).collect();
    // What is live was released last.
    let (live, before) = released.split_last().map_or((None, &[][..]), |(live, before)| (Some(live), before));
    let found = before.iter().rev().find(|entry| match wanted {
        Rollback::Previous => {
            live.is_none_or(|live| live.revision != entry.revision || live.image != entry.image)
        }
        Rollback::To(revision) => entry.revision == *revision,
    });
    let Some(entry) = found else {
        return Err(Failure::configuration(match wanted {
            Rollback::Previous => "there is no earlier release: deploy one".to_owned(),
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

fn interrupted() -> Failure {
    Failure::new(FailureKind::Interrupted, "ended on request: nothing was changed")
}

pub(crate) fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}
