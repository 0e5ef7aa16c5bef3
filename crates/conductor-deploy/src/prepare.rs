//! From a definition, or from a release that is kept, to a deploy that can begin.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::time::Duration;

use conductor_definition::{
    DefinitionName, Image, Kind, Live, Parsed, Pins, PullPolicy, Service, ServiceName, Site, Slot, Source,
    Strategy, find, freeze, parse_for, parse_release,
};
use conductor_generator::{Converted, Host as Machine, Reading, convert, established, read_all};
use conductor_units::{ReleaseUnits, addresses};

use crate::host::Fresh;
use crate::record::{Record, SideRecord};
use crate::settle::Settling;
use crate::stage::{StagesRecord, span};
use crate::store::Store;
use crate::vigil::Baking;
use crate::{Failure, Request, Rollback, before, image, proxied, verify};

/// A deploy that can begin.
pub(crate) struct Prepared {
    pub(crate) record: Record,
    pub(crate) fresh: Fresh,
    pub(crate) service: Service,
}

/// What there is to be released.
pub(crate) struct Candidate {
    source: Source,
    service: Service,
}

/// Reads the definition as the next release would have it.
pub(crate) fn candidate(site: &Site, request: &Request) -> Result<Candidate, Failure> {
    let candidate = find(site, Kind::Service).named(&request.service).ok_or_else(|| {
        Failure::configuration(format!(
            "`{0}` has no definition: write {0}.toml to deploy it",
            request.service
        ))
    })?;
    let (mut source, problems) = candidate.read().ok_or_else(|| {
        Failure::configuration(format!("`{}` is masked: its definition is empty", request.service))
    })?;
    let options = [("--revision", "revision", &request.revision), ("--image", "image", &request.image)];
    for (option, key, value) in options {
        if let Some(value) = value {
            // As the last drop-in, so that references to it count; a TOML string is one of JSON, but for a DEL.
            let text = serde_json::to_string(&value.replace('$', "$$"))
                .map_err(|error| Failure::system(option, error))?;
            source.push(option, &format!("{key} = {text}\n"));
        }
    }
    if !problems.is_empty() {
        return Err(errors(&source, &problems));
    }
    let abilities = Machine::look(site).0.abilities();
    let Parsed { service, warnings: _ } =
        parse_for(&source, abilities).map_err(|found| errors(&source, &found))?;
    Ok(Candidate { source, service })
}

pub(crate) fn errors(source: &Source, found: &[conductor_definition::Diagnostic]) -> Failure {
    let lines = found.iter().filter(|found| found.is_error()).map(|found| found.one_line(source));
    Failure::configuration(lines.collect::<Vec<_>>().join("\n"))
}

impl Candidate {
    /// Fetches the image, and writes the release that it is to be.
    pub(crate) async fn frozen(&self, id: &str) -> Result<String, Failure> {
        let image = image::pin(&self.service).await?;
        let revision = self.service.release().unwrap_or(id).to_owned();
        self.text(&image, &revision)
    }

    /// The same without fetching anything. The image is the pinned one only if it is on this machine already.
    pub(crate) async fn foreseen(&self, id: &str) -> Result<(String, bool), Failure> {
        let found = image::look(&self.service).await?;
        let image = found.as_ref().unwrap_or(&self.service.process.image);
        let revision = self.service.release().unwrap_or(id).to_owned();
        Ok((self.text(image, &revision)?, found.is_some()))
    }

    /// The same with the image as it is named.
    pub(crate) fn unpinned(&self, id: &str) -> Result<String, Failure> {
        self.text(&self.service.process.image, self.service.release().unwrap_or(id))
    }

    /// How the image is fetched.
    pub(crate) fn pull_policy(&self) -> PullPolicy {
        self.service.pull.policy
    }

    fn text(&self, image: &Image, revision: &str) -> Result<String, Failure> {
        let pins = Pins { image, revision, strategy: self.service.deploy.strategy };
        freeze(&self.source, pins).map_err(|found| errors(&self.source, &found))
    }
}

/// Plans a deploy of a release, whose text is `text`.
pub(crate) fn prepare(
    site: &Site,
    store: &Store,
    request: &Request,
    id: String,
    text: String,
    started: u64,
) -> Result<Prepared, Failure> {
    let name: ServiceName = request
        .service
        .parse()
        .map_err(|error: conductor_definition::InvalidValue| Failure::configuration(error.to_string()))?;
    let abilities = Machine::look(site).0.abilities();
    let read = |path: std::path::PathBuf, text: String| {
        let source = Source::new(path, text);
        parse_release(&source, &name, abilities)
            .map(|parsed| parsed.service)
            .map_err(|found| errors(&source, &found))
    };
    let (from, definition) = match store.live() {
        Live::In(slot) => (Some(slot), None),
        Live::Never => (None, defined(site, &request.service, abilities)),
        Live::Unknown => return Err(nobody_knows(site, name.as_str())),
    };
    let to = from.map_or(Slot::Green, Slot::other);
    let directory = site.releases().join(name.as_str());
    let new = read(directory.join(to.file_name()), text.clone())?;
    let old = match from {
        Some(slot) => match store.release(slot)? {
            Some(text) => Some(read(directory.join(slot.file_name()), text)?),
            None => None,
        },
        None => definition,
    };
    in_nobodys_way(site, &request.service, &text)?;
    let old_slot = from.unwrap_or(Slot::Blue);
    if let Some(old) = &old {
        beside(old, old_slot, &new, to)?;
    }
    let record = Record {
        id,
        revision: new.release().unwrap_or_default().to_owned(),
        image: new.process.image.to_string(),
        rollback: matches!(request.rollback, Some(Rollback::Previous | Rollback::To(_))),
        restart: request.rollback == Some(Rollback::Again),
        by: request.by.clone(),
        started,
        strategy: new.deploy.strategy,
        before: new.deploy.before.is_some() && request.rollback.is_none(),
        proxy: proxied::record(&new),
        to,
        new: side(&new, to),
        from,
        old: old.as_ref().map(|old| side(old, old_slot)).unwrap_or_default(),
        displaced: store.release(to)?,
        reached: None,
        drain: Some(span(new.deploy.drain)),
        stages: StagesRecord::of(&new, request)?,
        runs: Vec::new(),
        waits: None,
    };
    let before = match new.deploy.before.as_ref().filter(|_| record.before) {
        Some(before) => Some(before::transient(&new, before, &objects(site), site.scope())?),
        None => None,
    };
    let fresh =
        Fresh { text, before, settling: settling(&new, to), baking: baking(&new), ask: verify::ask(&new) };
    Ok(Prepared { record, fresh, service: new })
}

/// What a release has to show before it takes over.
fn settling(service: &Service, slot: Slot) -> Settling {
    let (settle, health) = (span(service.deploy.settle), service.health.as_ref());
    let second = Duration::from_secs(1);
    Settling {
        time: settle,
        interval: health.map_or(second, |health| span(health.interval)).min(second),
        limit: health.map_or(Duration::ZERO, |health| span(health.start_within)) + settle,
        checks: ReleaseUnits::of(service, slot).checks,
    }
}

/// What it must not show afterwards.
fn baking(service: &Service) -> Baking {
    match &service.health {
        Some(health) => Baking::before(span(health.interval), health.unhealthy_after),
        None => Baking { interval: Duration::from_secs(5), tolerance: 1 },
    }
}

/// The release that a deploy is about, for who goes on with it.
pub(crate) fn reopen(site: &Site, store: &Store, record: &Record) -> Result<(Fresh, Service), Failure> {
    let name: ServiceName = store
        .name()
        .parse()
        .map_err(|error: conductor_definition::InvalidValue| Failure::configuration(error.to_string()))?;
    let path = site.releases().join(name.as_str()).join(record.to.file_name());
    let text = store.release(record.to)?.ok_or_else(|| {
        Failure::system(format!("reading {}", path.display()), "it is gone: `conductor abort` clears up")
    })?;
    let source = Source::new(path, text.clone());
    let abilities = Machine::look(site).0.abilities();
    let service = parse_release(&source, &name, abilities).map_err(|found| errors(&source, &found))?.service;
    let (settling, baking) = (settling(&service, record.to), baking(&service));
    let ask = verify::ask(&service);
    Ok((Fresh { text, before: None, settling, baking, ask }, service))
}

/// Whoever links by hand may leave nobody the wiser.
pub(crate) fn nobody_knows(site: &Site, name: &str) -> Failure {
    Failure::configuration(format!(
        "nobody can tell which release of `{name}` is live: link {}/{name}/live to the one that runs",
        site.releases().display()
    ))
}

/// The definition, if it can be read: before the first deploy it is what runs.
pub(crate) fn defined(
    site: &Site,
    service: &str,
    abilities: conductor_definition::Abilities,
) -> Option<Service> {
    let found = find(site, Kind::Service).named(service)?;
    Some(parse_for(&found.read()?.0, abilities).ok()?.service)
}

fn side(service: &Service, slot: Slot) -> SideRecord {
    let ReleaseUnits { start, service: whole, instances, checks: _ } = ReleaseUnits::of(service, slot);
    let servers =
        service.proxy.as_ref().map(|proxy| addresses(service, slot, proxy.port)).unwrap_or_default();
    SideRecord {
        start,
        service: whole,
        instances,
        servers: servers.iter().map(SocketAddr::to_string).collect(),
        runs: false,
    }
}

/// Both have to run at a time, so neither may have a port of the other.
fn beside(old: &Service, old_slot: Slot, new: &Service, slot: Slot) -> Result<(), Failure> {
    if new.deploy.strategy == Strategy::Recreate {
        return Ok(());
    }
    let ports = |service: &Service, slot| -> BTreeSet<u16> {
        let all = service.network.ports.iter();
        all.flat_map(|port| {
            let first = addresses(service, slot, *port).into_iter().map(|address| address.port());
            first.flat_map(|first| first..first.saturating_add(port.count)).collect::<Vec<_>>()
        })
        .collect()
    };
    match ports(old, old_slot).intersection(&ports(new, slot)).next() {
        None => Ok(()),
        Some(port) => Err(Failure::configuration(format!(
            "host port {port} would be the new release's and is the old one's, so the two cannot run beside each other: \
             add [deploy] to the definition, reload, stop {} and start {}.target; then deploy",
            old.name, old.name
        ))),
    }
}

/// A release that takes a port or a name of another service is refused before anything is written.
fn in_nobodys_way(site: &Site, service: &str, text: &str) -> Result<(), Failure> {
    let (machine, _) = Machine::look(site);
    let established = established(site);
    let readings = read_all(site).definitions;
    let is_own = |reading: &Reading| {
        reading
            .name()
            .is_some_and(|name| matches!(&name, DefinitionName::Service(name) if name.as_str() == service))
    };
    let with = readings.iter().cloned().map(|reading| {
        if !is_own(&reading) {
            return reading;
        }
        let source = Source::new(reading.source.path(), text);
        Reading { source, problems: Vec::new(), releases: None, ..reading }
    });
    let said = |converted: &[Converted]| -> BTreeSet<String> {
        let all = converted.iter().flat_map(Converted::findings);
        all.filter(|(_, found)| found.is_error()).map(|(source, found)| found.one_line(source)).collect()
    };
    let after = said(&convert(with.collect(), &machine, &established));
    let before = said(&convert(readings, &machine, &established));
    let new: Vec<&String> = after.difference(&before).collect();
    if new.is_empty() {
        return Ok(());
    }
    let lines: Vec<&str> = new.into_iter().map(String::as_str).collect();
    Err(Failure::configuration(lines.join("\n")))
}

fn objects(site: &Site) -> BTreeSet<DefinitionName> {
    struct Silent;
    impl conductor_generator::Log for Silent {
        fn log(&mut self, _: conductor_generator::Priority, _: &str) {}
    }
    conductor_units::objects_in(&conductor_generator::preview(site, &mut Silent).0)
}
