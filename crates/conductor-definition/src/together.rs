//! What only shows when all definitions are looked at together.

use std::collections::BTreeMap;
use std::fmt;
use std::ops::Range;

use crate::{Dependency, Door, Port, Service, Slot};

/// What others have to know of a service: small, so that it can be held of thousands of services that are
/// themselves long written.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Claims {
    /// Whether it is more than one unit, so that others find it under the name of a target.
    pub group: bool,
    /// How many containers.
    pub instances: u16,
    /// Whether each release has units of its own, in a slot.
    pub slots: bool,
    /// Whether there is a unit that checks it.
    pub health: bool,
    /// The services that it refers to, and the units that may be a service's: strongly, then weakly, then for the
    /// order only.
    pub references: Box<[(Reference, Dependency)]>,
    ports: Ports,
}

/// Host ports, each range with both its ends. Nearly every service has one range, and of thousands of services they
/// are held: hence no list for one.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Ports {
    One([(u16, u16); 1]),
    List(Box<[(u16, u16)]>),
}

impl Default for Ports {
    fn default() -> Self {
        Self::List(Box::default())
    }
}

impl FromIterator<(u16, u16)> for Ports {
    fn from_iter<T: IntoIterator<Item = (u16, u16)>>(ranges: T) -> Self {
        let ranges: Vec<(u16, u16)> = ranges.into_iter().collect();
        <[(u16, u16); 1]>::try_from(ranges).map_or_else(|ranges| Self::List(ranges.into()), Self::One)
    }
}

impl Ports {
    fn iter(&self) -> std::slice::Iter<'_, (u16, u16)> {
        match self {
            Self::One(range) => range.iter(),
            Self::List(ranges) => ranges.iter(),
        }
    }
}

/// Where a definition says what it claims: as many places as [`Claims`] has references and ports, in the same order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Places {
    /// Of the references.
    pub references: Vec<Range<usize>>,
    /// Of the host ports.
    pub ports: Vec<Range<usize>>,
}

/// How one service refers to another; shown as the key under which that is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reference {
    /// It does not start without the other.
    Requires,
    /// It starts the other.
    Wants,
    /// It starts after the other.
    After,
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Requires => "requires",
            Self::Wants => "wants",
            Self::After => "after",
        })
    }
}

impl Claims {
    /// What `service` claims. Units that no definition can make are systemd's business and not here.
    pub fn of(service: &Service) -> Self {
        let lists = [
            (Reference::Requires, &service.requires),
            (Reference::Wants, &service.wants),
            (Reference::After, &service.after),
        ];
        let references = lists.into_iter().flat_map(|(how, list)| {
            list.iter().filter(|name| name.may_be_ours()).map(move |name| (how, name.clone()))
        });
        let dark = match service.proxy.as_ref().and_then(|proxy| proxy.dark.as_ref()) {
            Some(Door::Listen(address)) => Some((address.port(), address.port())),
            Some(Door::Header(..) | Door::Cookie(..)) | None => None,
        };
        let ports = host_ports(&service.network.ports, service.instances, service.slots);
        Self {
            group: service.is_group(),
            instances: service.instances,
            slots: service.slots,
            health: service.health.is_some(),
            references: references.collect(),
            ports: ports.chain(dark).collect(),
        }
    }

    /// Which of its `[[ports]]`, from 0, takes a host port; the door of a release in the dark comes after them.
    pub fn position_of(&self, port: u16) -> Option<usize> {
        self.ports.iter().position(|(first, last)| (*first..=*last).contains(&port))
    }

    /// Every host port that any instance takes.
    pub fn host_ports(&self) -> impl Iterator<Item = u16> {
        self.ports.iter().flat_map(|(first, last)| *first..=*last)
    }
}

/// What each of the ports takes of the host's, with both ends. Instances follow each other without a gap, and so do the
/// slots: both are the service's, because the next release comes up in the one that is free.
pub(crate) fn host_ports(ports: &[Port], instances: u16, slots: bool) -> impl Iterator<Item = (u16, u16)> {
    let last_slot = slots.then_some(Slot::Green);
    ports.iter().map(move |port| {
        (port.host, port.host_port(instances, last_slot).saturating_add(port.count.saturating_sub(1)))
    })
}

/// Two services that cannot both run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Clash {
    /// Index of the service that keeps what both claim.
    pub first: usize,
    /// Index of the service that cannot have it.
    pub second: usize,
    /// The host port that both claim.
    pub port: u16,
}

/// Host ports that two services claim. The earlier service in the list wins, so that one mistake
/// stops one service, and always the same.
pub fn clashes<'a>(services: impl IntoIterator<Item = (usize, &'a Claims)>) -> Vec<Clash> {
    let mut taken: BTreeMap<u16, usize> = BTreeMap::new();
    let mut clashes = Vec::new();
    for (second, claims) in services {
        match claims.host_ports().find_map(|port| taken.get(&port).map(|first| (port, *first))) {
            Some((port, first)) => clashes.push(Clash { first, second, port }),
            None => taken.extend(claims.host_ports().map(|port| (port, second))),
        }
    }
    clashes
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Abilities, Source, claims_in, parse};

    fn claims(text: &str) -> Claims {
        let source = Source::new("web.toml", format!("image = \"x\"\n{text}"));
        Claims::of(&parse(&source).unwrap().service)
    }

    fn found(claims: &[Claims]) -> Vec<Clash> {
        clashes(claims.iter().enumerate())
    }

    #[test]
    fn ports_of_all_instances_count() {
        let a = claims("instances = 3\n[[ports]]\ncontainer = 80\nhost = 100");
        let b = claims("[[ports]]\ncontainer = 80\nhost = 102");
        let c = claims("[[ports]]\ncontainer = 80\nhost = 103");
        assert_eq!(found(&[a, b, c]), [Clash { first: 0, second: 1, port: 102 }]);
    }

    #[test]
    fn ports_of_ranges_count() {
        let a = claims("instances = 2\n[[ports]]\ncontainer = \"80-82\"\nhost = 100");
        assert_eq!(a.host_ports().collect::<Vec<_>>(), [100, 101, 102, 103, 104, 105]);
    }

    #[test]
    fn ports_of_both_slots_count() {
        let slots =
            "deploy.strategy = \"blue-green\"\ninstances = 2\n[[ports]]\ncontainer = \"80-81\"\nhost = 100";
        assert_eq!(claims(slots).host_ports().collect::<Vec<_>>(), (100..108).collect::<Vec<_>>());
    }

    #[test]
    fn the_port_of_a_release_in_the_dark_counts() {
        let text = "image = \"x\"\nports = [{ container = 1, host = 100 }]\n\
                    [proxy]\nupstream = \"web\"\ndark.listen = \"127.0.0.1:300\"\n";
        let (claims, places) = claims_in(&Source::new("web.toml", text), Abilities::ROOT).unwrap();
        assert_eq!(claims.host_ports().collect::<Vec<_>>(), [100, 101, 300]);
        let place = places.ports[claims.position_of(300).unwrap()].clone();
        assert_eq!(text.get(place).unwrap(), "\"127.0.0.1:300\"");
    }

    #[test]
    fn a_loser_takes_nothing() {
        let a = claims("[[ports]]\ncontainer = 80\nhost = 100");
        let b = claims("instances = 2\n[[ports]]\ncontainer = 80\nhost = 100");
        let c = claims("[[ports]]\ncontainer = 80\nhost = 101");
        assert_eq!(found(&[a, b, c]).len(), 1);
    }

    #[test]
    fn units_are_references_if_a_definition_may_make_them() {
        let text = "after = [\"a.service\", \"x.mount\", \"b\"]\nwants = [\"c.target\"]\nrequires = [\"d\"]";
        let names = ["d", "c.target", "a.service", "b"];
        let claimed = claims(text);
        assert_eq!(claimed.references.iter().map(|(_, name)| name.as_str()).collect::<Vec<_>>(), names);
        let text = format!("image = \"x\"\n{text}");
        let (_, places) = claims_in(&Source::new("web.toml", text.as_str()), Abilities::ROOT).unwrap();
        let quoted = names.map(|name| format!("\"{name}\""));
        assert_eq!(
            places.references.into_iter().map(|place| text.get(place).unwrap()).collect::<Vec<_>>(),
            quoted
        );
    }

    #[test]
    fn each_port_has_its_place() {
        let text = "image = \"x\"\ninstances = 2\nports = [{ container = 1, host = 100 }, { container = 2, host = 200 }]";
        let (claims, places) = claims_in(&Source::new("web.toml", text), Abilities::ROOT).unwrap();
        let found = [101, 201, 202].map(|port| claims.position_of(port));
        assert_eq!(found, [Some(0), Some(1), None]);
        assert_eq!(
            places.ports.into_iter().map(|place| text.get(place).unwrap()).collect::<Vec<_>>(),
            ["100", "200"]
        );
    }
}
