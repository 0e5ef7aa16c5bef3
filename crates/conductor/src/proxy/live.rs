//! Where the instances of live releases listen. Which release is live is what the generator says: these are the units
//! that are started at boot.

use std::net::SocketAddr;

use conductor_definition::{
    Abilities, Candidate, Diagnostic, Kind, Parsed, ProxyDriver, Releases, Service, ServiceName, Site, Slot,
    find, parse_for, parse_release,
};
use conductor_generator::Host;
use conductor_proxy::{Address, Upstream, UpstreamName};

/// A service that gets requests from a proxy.
#[derive(Debug)]
pub(super) struct Live {
    pub(super) driver: ProxyDriver,
    pub(super) upstream: Upstream,
}

/// All of them, and what could not be read.
pub(super) fn look(site: &Site) -> (Vec<Live>, Vec<String>) {
    let abilities = Host::look(site).0.abilities();
    let (mut services, mut problems) = (Vec::new(), Vec::new());
    for candidate in find(site, Kind::Service).candidates {
        match live(site, &candidate, abilities) {
            Ok(live) => services.extend(live),
            Err(problem) => problems.push(problem),
        }
    }
    (services, problems)
}

/// The upstream of a service; `None` if it has none.
fn live(site: &Site, candidate: &Candidate, abilities: Abilities) -> Result<Option<Live>, String> {
    let path = candidate.main.path.display();
    let broken = || format!("{path} has errors: `conductor check` shows them");
    let Ok(name) = ServiceName::from_path(&candidate.main.path) else { return Err(broken()) };
    let releases = Releases::read(site, name.as_str()).unwrap_or_default();
    let release = |slot: Slot| {
        let file = releases.file(slot).filter(|file| file.problem.is_none())?;
        parse_release(&file.source, &name, abilities).ok().map(|Parsed { service, warnings: _ }| service)
    };
    match releases.counting(|slot| release(slot).is_some()) {
        conductor_definition::Live::In(slot) => {
            let unreadable =
                || format!("the live release of {name} cannot be read: `conductor check` says why");
            of(&release(slot).ok_or_else(unreadable)?, slot)
        }
        conductor_definition::Live::Unknown => {
            Err(format!("which release of {name} is live cannot be told: `conductor check` says why"))
        }
        conductor_definition::Live::Never => {
            // One that is empty masks others.
            let Some((source, problems)) = candidate.read() else { return Ok(None) };
            if problems.iter().any(Diagnostic::is_error) {
                return Err(broken());
            }
            let Parsed { service, warnings: _ } = parse_for(&source, abilities).map_err(|_| broken())?;
            // It is in the first slot, or in none.
            of(&service, Slot::Blue)
        }
    }
}

/// The upstream of a release in a slot.
fn of(service: &Service, slot: Slot) -> Result<Option<Live>, String> {
    let Some(proxy) = &service.proxy else { return Ok(None) };
    let name = proxy.upstream.as_str().parse::<UpstreamName>().map_err(|error| error.to_string())?;
    let slot = service.slots.then_some(slot);
    let addresses = (1..=service.instances).map(|number| {
        Address::tcp(SocketAddr::new(proxy.port.local_address(), proxy.port.host_port(number, slot)))
    });
    let addresses = addresses.collect::<Result<Vec<_>, _>>().map_err(|error| error.to_string())?;
    Ok(Some(Live { driver: proxy.driver.clone(), upstream: Upstream::even(name, addresses) }))
}
