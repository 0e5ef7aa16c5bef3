//! What a deploy would do, found out without doing any of it.

use std::path::PathBuf;

use conductor_definition::{DefinitionName, PullPolicy, ReleaseFile, Site, Slot, Source};
use conductor_generator::{Host as Machine, Reading, convert, established, read_all};
use conductor_proxy::{Difference, Proxy as _};
use conductor_systemd::Systemd;
use conductor_units::Tree;

use crate::deploy::{Rollback, beside, earlier, new_id, now};
use crate::prepare::{Prepared, candidate, prepare};
use crate::promote::refuse_waiting;
use crate::store::Store;
use crate::{Failure, Record, Request, Step, proxied};

/// A deploy as it would be.
#[derive(Debug)]
pub struct Ahead {
    /// What would be written down of it.
    pub record: Record,
    /// Whether the image would have to be fetched, so that its digest is not known yet.
    pub fetched: Fetched,
    /// Which steps it would leave out, and why.
    pub note: Option<&'static str>,
    /// The steps in their order, in words.
    pub steps: Vec<(Step, String)>,
    /// The service's units as they are.
    pub units: Tree,
    /// As they would be when it is over.
    pub units_after: Tree,
    /// How the proxy's file would change: a unified diff, or nothing.
    pub proxy: Option<String>,
    /// Who deploys the service at this moment.
    pub running: Option<String>,
    /// What was interrupted, and would be cleaned up first.
    pub unfinished: Option<String>,
}

/// Whether an image would be fetched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fetched {
    /// It is on this machine.
    No,
    /// It is not.
    Yes,
    /// It is, and the registry would be asked for a newer one.
    Anew,
}

/// Looks ahead. What would be refused before anything is changed is refused here as well.
///
/// # Errors
/// Those of a deploy before its first step.
pub async fn look_ahead(site: &Site, systemd: &Systemd, request: &Request) -> Result<Ahead, Failure> {
    let store = Store::new(site, &request.service);
    refuse_waiting(&store, systemd).await?;
    let started = now();
    let id = new_id(started);
    let (text, fetched) = match &request.rollback {
        Some(wanted @ (Rollback::Previous | Rollback::To(_))) => (earlier(&store, wanted)?, Fetched::No),
        None | Some(Rollback::Again) => {
            let candidate = candidate(site, request)?;
            let (text, here) = candidate.foreseen(&id).await?;
            let fetched = match (here, candidate.pull_policy()) {
                (false, _) => Fetched::Yes,
                (true, PullPolicy::Always) => Fetched::Anew,
                (true, _) => Fetched::No,
            };
            (text, fetched)
        }
    };
    let Prepared { mut record, fresh, service: _ } = prepare(site, &store, request, id, text, started)?;
    let note = beside(systemd, &mut record).await?;
    proxied::check(&record, systemd).await?;
    let proxy = match &record.proxy {
        None => None,
        Some(named) => {
            let driver = proxied::driver(Some(named), systemd)?;
            let wanted = proxied::upstream(Some(named), record.new.servers.iter().map(String::as_str))?;
            match driver.difference(&wanted).await? {
                Difference::None | Difference::Unproved => None,
                Difference::Text(text) => Some(text),
            }
        }
    };
    let file = site.releases().join(&request.service).join(record.to.file_name());
    let (units, units_after) = trees(site, &request.service, record.to, &file, &fresh.text);
    let steps = record.plan().steps().into_iter().map(|step| (step, words(step, &record, &file))).collect();
    let deploy = store.unfinished()?.map(|record| format!("the deploy of {}", record.revision));
    let restart = store.unfinished_restart()?.map(|_| "a restart".to_owned());
    Ok(Ahead {
        fetched,
        note,
        steps,
        units,
        units_after,
        proxy,
        running: store.holder(),
        unfinished: deploy.or(restart),
        record,
    })
}

/// The units of a service as its files have them now, and with a release that is live in a slot.
fn trees(site: &Site, service: &str, to: Slot, file: &PathBuf, text: &str) -> (Tree, Tree) {
    let (machine, _) = Machine::look(site);
    let established = established(site);
    let readings = read_all(site).definitions;
    let is_it = |name: Option<&DefinitionName>| matches!(name, Some(DefinitionName::Service(name)) if name.as_str() == service);
    let released = |mut reading: Reading| {
        if is_it(reading.name().as_ref()) {
            let mut releases = reading.releases.take().unwrap_or_default();
            releases.live = conductor_definition::Live::In(to);
            releases.trial = None;
            releases.files.retain(|file| file.slot != to);
            releases.files.push(ReleaseFile { slot: to, source: Source::new(file, text), problem: None });
            reading.releases = Some(releases);
        }
        reading
    };
    let tree = |readings: Vec<Reading>| {
        let converted = convert(readings, &machine, &established);
        let own = converted.into_iter().find(|converted| is_it(converted.name.as_ref()));
        own.and_then(|own| own.tree).unwrap_or_default()
    };
    let after = readings.iter().cloned().map(released).collect();
    (tree(readings), tree(after))
}

/// What a step would do.
fn words(step: Step, record: &Record, file: &std::path::Path) -> String {
    let count = |units: &[String]| match units {
        [one] => one.clone(),
        several => several.join(" "),
    };
    let new = || count(&record.new.instances);
    let upstream = || record.proxy.as_ref().map_or("", |proxy| proxy.upstream.as_str());
    let canary = record.stages.canary.as_ref();
    let share = || match canary.and_then(|canary| canary.share) {
        Some(share) => format!("{share} %"),
        None => "its part".to_owned(),
    };
    let bake_of_canary = || canary.map_or(0, |canary| canary.bake.as_secs());
    let door = || record.stages.dark.as_ref().map(ToString::to_string).unwrap_or_default();
    match step {
        Step::Freeze => format!("write the release to {}", file.display()),
        Step::Load => "have systemd read its units".to_owned(),
        Step::Guard => "have its guard stand by, which clears up should this be killed".to_owned(),
        Step::Before => format!("run the command that comes before, once, in {}", record.image),
        Step::StopOld if record.old.instances.is_empty() => "stop what ran before: nothing".to_owned(),
        Step::StopOld => format!("stop {}", count(&record.old.instances)),
        Step::Trial => "let the release stand in for the live one until the next boot".to_owned(),
        Step::StartCanary => {
            format!("start {}, and wait until it is healthy", count(&record.first().instances))
        }
        Step::Dark => format!("have the proxy pass on to it what comes by {}", door()),
        Step::HoldDark | Step::HoldCanary => "wait for `conductor promote` or `conductor abort`".to_owned(),
        Step::Share => format!("have the proxy pass {} of the requests on to it", share()),
        Step::BakeCanary => format!("watch it for {} s", bake_of_canary()),
        Step::Bake => {
            format!("watch it for {} s, with the old release still up", record.stages.bake.as_secs())
        }
        Step::Start => format!("start {}, and wait until it is healthy", new()),
        Step::SettleCanary | Step::Settle => "watch it until it has settled".to_owned(),
        Step::Switch => format!("have the proxy pass requests for {} on to it", upstream()),
        Step::Verify => "ask it through the proxy".to_owned(),
        Step::Commit => format!("link {} to it", file.with_file_name("live").display()),
        Step::Adopt => format!("have systemd take it for {}", record.new.service),
        Step::Drain => "wait until nobody uses the old release any more".to_owned(),
        Step::Prune => "remove releases that are too old to be kept, and their images".to_owned(),
    }
}
