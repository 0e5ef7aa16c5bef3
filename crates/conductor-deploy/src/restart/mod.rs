//! A restart of a service, one instance at a time, through the same lock, files and messages as a deploy.

mod plan;
mod record;
mod roll;
mod store;

pub use plan::{Rolling, Turn};
pub use record::RestartRecord;

use std::time::{Duration, Instant};

use conductor_definition::{Live, Service, Site, Slot, Source, parse_release};
use conductor_generator::Host as Machine;
use conductor_systemd::Systemd;
use tokio::sync::watch;

use crate::deploy::{self, Rollback};
use crate::host::name;
use crate::progress::Progress;
use crate::promote::refuse_waiting;
use crate::store::Store;
use crate::{Entry, Failure, Outcome, Request, journal, prepare, proxied};
use roll::Roll;

/// The time for which connections go on where nobody knows what the definition said.
const DRAIN: Duration = Duration::from_secs(10);

/// Restarts all instances of what is live, one after the other, each as soon as the one before is healthy.
///
/// Behind a proxy each first leaves the upstream; a single instance that has a second slot is deployed into that, as the
/// release that it is. Of `request` only the service and the person count.
///
/// # Errors
/// What went wrong; the entry that says how it ended is in the history.
pub async fn restart(
    site: &Site,
    systemd: &Systemd,
    request: &Request,
    progress: &mut dyn Progress,
    interrupt: watch::Receiver<bool>,
) -> Result<Entry, Failure> {
    let began = Instant::now();
    let store = Store::new(site, &request.service);
    let _lock = store.lock(&deploy::holder(request))?;
    refuse_waiting(&store, systemd).await?;
    deploy::finish_other(&store, systemd, progress, began, &interrupt, deploy::INTERRUPTED).await?;
    clean_up(&store, systemd, progress, began, &interrupt).await?;
    let (service, slot) = live(site, &store, &request.service)?;
    let units = conductor_units::ReleaseUnits::of(&service, slot);
    let mut up = Vec::new();
    for unit in &units.instances {
        up.push(systemd.status(&name(unit)?).await?.is_active());
    }
    let runs = up.contains(&true);
    if runs && service.proxy.is_some() && service.slots && up.len() == 1 {
        let again = Request { rollback: Some(Rollback::Again), ..request.clone() };
        return deploy::walk(site, &store, systemd, &again, progress, interrupt, began).await;
    }
    let servers = service.proxy.as_ref().map(|proxy| conductor_units::addresses(&service, slot, proxy.port));
    let servers = servers.unwrap_or_default();
    // Those that are down come first: when they are back, there is somebody to serve while the others are away.
    let mut order: Vec<usize> = (0..up.len()).collect();
    order.sort_by_key(|number| up.get(*number).copied().unwrap_or_default());
    let of = |all: &[String]| order.iter().filter_map(|number| all.get(*number).cloned()).collect::<Vec<_>>();
    let started = deploy::now();
    let record = RestartRecord {
        id: deploy::new_id(started),
        revision: service.release().unwrap_or_default().to_owned(),
        image: service.process.image.to_string(),
        by: request.by.clone(),
        started,
        proxy: proxied::record(&service).filter(|_| runs && up.len() > 1),
        instances: of(&units.instances),
        servers: of(&servers.iter().map(ToString::to_string).collect::<Vec<_>>()),
        reached: None,
    };
    journal::begins(&request.service, journal::What::Restart, &record.id, &record.revision, &record.by);
    progress.units(&record.instances);
    let machine = Rolling::new(record.instances.len(), record.proxy.is_some());
    let drain = Duration::from_micros(service.deploy.drain.as_micros());
    let mut roll =
        Roll { store: store.clone(), systemd: systemd.clone(), record, drain, began, progress, interrupt };
    let (outcome, failure) = roll.drive(machine).await;
    end(&request.service, &store, &roll.record, outcome, failure)
}

/// Cleans up after a restart that was interrupted. Nothing if there is none.
pub(crate) async fn clean_up(
    store: &Store,
    systemd: &Systemd,
    progress: &mut dyn Progress,
    began: Instant,
    interrupt: &watch::Receiver<bool>,
) -> Result<Option<Outcome>, Failure> {
    let Some(record) = store.unfinished_restart()? else { return Ok(None) };
    let machine = Rolling::resume(record.proxy.is_some(), record.reached);
    let (store, interrupt) = (store.clone(), interrupt.clone());
    let mut roll = Roll { systemd: systemd.clone(), record, drain: DRAIN, began, progress, interrupt, store };
    let (outcome, failure) = roll.drive(machine).await;
    if outcome == Outcome::Stuck {
        let said = failure.unwrap_or_else(|| Failure::system("the restart", "it is stuck"));
        return Err(Failure { text: format!("a restart was interrupted, and {said}"), ..said });
    }
    let entry = roll.record.entry(deploy::now(), outcome, Some("was interrupted".to_owned()));
    roll.store.finish_restart(&entry)?;
    Ok(Some(outcome))
}

fn end(
    service: &str,
    store: &Store,
    record: &RestartRecord,
    outcome: Outcome,
    failure: Option<Failure>,
) -> Result<Entry, Failure> {
    let entry = record.entry(deploy::now(), outcome, failure.as_ref().map(|failure| failure.text.clone()));
    journal::ended(service, &entry);
    // What is stuck is for the next one to clean up.
    if outcome.is_clean() {
        store.finish_restart(&entry)?;
    }
    failure.map_or(Ok(entry), Err)
}

/// What runs: the live release, or before the first one the definition.
fn live(site: &Site, store: &Store, service: &str) -> Result<(Service, Slot), Failure> {
    let name = service
        .parse()
        .map_err(|error: conductor_definition::InvalidValue| Failure::configuration(error.to_string()))?;
    let abilities = Machine::look(site).0.abilities();
    let slot = match store.live() {
        Live::In(slot) => slot,
        Live::Never => {
            let found = prepare::defined(site, service, abilities).ok_or_else(|| {
                Failure::configuration(format!(
                    "the definition of `{service}` has errors, so nobody can tell what runs: `conductor check` shows them"
                ))
            })?;
            return Ok((found, Slot::Blue));
        }
        Live::Unknown => return Err(prepare::nobody_knows(site, service)),
    };
    let text = store.release(slot)?.unwrap_or_default();
    let source = Source::new(site.releases().join(service).join(slot.file_name()), text);
    let parsed = parse_release(&source, &name, abilities);
    Ok((parsed.map_err(|found| prepare::errors(&source, &found))?.service, slot))
}
