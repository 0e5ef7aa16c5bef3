//! Going on with a release that waits in a stage.

use std::time::Instant;

use conductor_definition::{Service, Site};
use conductor_systemd::{ActiveState, Systemd};
use tokio::sync::watch;

use crate::deploy::{end, holder};
use crate::host::{Fresh, Host, name};
use crate::machine::Machine;
use crate::prepare::reopen;
use crate::progress::Progress;
use crate::record::{Entry, Record};
use crate::stage::span;
use crate::store::Store;
use crate::{Failure, FailureKind, Request, Waits, drive};

/// Lets a release go on that waits in a stage: from the dark it becomes a canary, if it is to be one, and otherwise the
/// live release.
///
/// # Errors
/// What went wrong. If it was found out before anything was done, the release still waits; otherwise the entry in the
/// history says how it ended.
pub async fn promote(
    site: &Site,
    systemd: &Systemd,
    request: &Request,
    progress: &mut dyn Progress,
    interrupt: watch::Receiver<bool>,
) -> Result<Entry, Failure> {
    let store = Store::new(site, &request.service);
    let _lock = store.lock(&holder(request))?;
    let Some(record) = store.unfinished()? else {
        return Err(Failure::configuration(format!("no release of {} waits for it", request.service)));
    };
    let Some(stage) = record.waits else {
        return Err(Failure::configuration(format!(
            "the deploy of {} does not wait, it was interrupted: `conductor abort {}` clears up",
            record.revision, request.service
        )));
    };
    if let Some(why) = gone(systemd, &record).await? {
        let said = Waits::Gone(why).tell(stage, "conductor", &request.service);
        return Err(Failure::gate(format!("{} {said}", record.revision)));
    }
    let (fresh, service) = reopen(site, &store, &record)?;
    let machine = Machine::promote(record.plan(), stage)
        .ok_or_else(|| Failure::system("promoting", format!("the deploy was never {stage}")))?;
    let reached = record.reached;
    let mut host = host(&store, systemd, record, (fresh, &service), Instant::now(), progress, interrupt);
    host.check_proxy().await?;
    // Somebody may have stopped it.
    host.guarded().await?;
    host.progress.units(&host.record.new.instances);
    let (outcome, failure) = drive(machine, reached, &mut host).await;
    end(&store, &request.service, &host.record, outcome, failure)
}

/// The world of a deploy of which everything is known.
pub(crate) fn host<'a>(
    store: &Store,
    systemd: &Systemd,
    record: Record,
    (fresh, service): (Fresh, &Service),
    began: Instant,
    progress: &'a mut dyn Progress,
    interrupt: watch::Receiver<bool>,
) -> Host<'a> {
    Host {
        store: store.clone(),
        systemd: systemd.clone(),
        record,
        fresh: Some(fresh),
        drain: span(service.deploy.drain),
        adopted: false,
        keep: usize::try_from(service.deploy.keep).unwrap_or(usize::MAX),
        runtime: service.runtime,
        began,
        progress,
        interrupt,
    }
}

/// A release that waits is not overtaken: somebody has to say what becomes of it. One that is gone from its stage, as
/// after a boot, is not in the way.
pub(crate) async fn refuse_waiting(store: &Store, systemd: &Systemd) -> Result<(), Failure> {
    let Some(record) = store.unfinished()? else { return Ok(()) };
    let Some(stage) = record.waits else { return Ok(()) };
    let waits = Waits::ask(systemd, store.name(), &record).await;
    if matches!(waits, Waits::Gone(_)) {
        return Ok(());
    }
    let said = waits.tell(stage, "conductor", store.name());
    let text = format!("{}: {} (by {}) {said}", store.name(), record.revision, record.by);
    Err(Failure::new(FailureKind::Locked, text))
}

/// Why what settled does not run any more; nothing if it does.
pub(crate) async fn gone(systemd: &Systemd, record: &Record) -> Result<Option<String>, Failure> {
    let units = record.first().instances;
    for (number, unit) in units.iter().enumerate() {
        let view = systemd.unit(&name(unit)?).await?;
        let state = view.active_state.as_str();
        match view.invocation.filter(|_| view.active_state == ActiveState::Active) {
            None => return Ok(Some(format!("{unit} is {state}, as after a boot or a stop"))),
            Some(run) if record.runs.get(number) != Some(&run.to_string()) => {
                return Ok(Some(format!("{unit} was started anew")));
            }
            Some(_) => {}
        }
    }
    Ok(None)
}
