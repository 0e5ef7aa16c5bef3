//! The units and addresses of one release, for who brings it in.

use conductor_definition::{Port, Service, Slot};

use crate::container::compact;
use crate::exec::{Exec, Word};
use crate::names::Names;
use crate::question;

/// The units of a release.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReleaseUnits {
    /// What stands for the release as a whole.
    pub start: String,
    /// What stands for the service as a whole, and at boot starts the live release: the same without slots.
    pub service: String,
    /// The containers' units.
    pub instances: Vec<String>,
    /// For each instance, the program and arguments that check it once; none without a check.
    pub checks: Vec<Vec<String>>,
}

impl ReleaseUnits {
    /// Those of a release, which is in `slot` if it has slots.
    pub fn of(service: &Service, slot: Slot) -> Self {
        let names = Names::of(service, slot);
        let start = names.start_unit();
        Self {
            service: names.whole().map_or_else(|| start.clone(), str::to_owned),
            start,
            instances: names.instance_units().collect(),
            checks: service.instance_numbers().filter_map(|number| check(service, &names, number)).collect(),
        }
    }
}

/// The host's addresses of all instances, for one of the service's ports.
pub fn addresses(service: &Service, slot: Slot, port: Port) -> Vec<std::net::SocketAddr> {
    let names = Names::of(service, slot);
    let address = |number| std::net::SocketAddr::new(port.local_address(), names.host_port(port, number));
    service.instance_numbers().map(address).collect()
}

fn check(service: &Service, names: &Names<'_>, number: u16) -> Option<Vec<String>> {
    let health = service.health.as_ref()?;
    let authority =
        std::net::SocketAddr::new(health.port.local_address(), names.host_port(health.port, number));
    let exec = Exec::in_words("/usr/bin/conductor-health")
        .arg("probe")
        .arg("--timeout")
        .arg(compact(health.timeout));
    let exec = question::options(exec, &health.question)
        .arg(question::url(&health.question, &Word::from(authority.to_string())));
    // There is no systemd in between that would take one of the two dollars.
    Some(exec.into_words().into_iter().map(|word| word.replace("$$", "$")).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use conductor_definition::{Source, parse};

    #[test]
    fn a_release_in_a_slot_and_one_without() {
        let text = "image = \"web:1\"\ninstances = 2\n[[ports]]\ncontainer = 80\nhost = 2000\n[health]\npath = \"/a$$b\"\n";
        let of = |more: &str, slot| {
            let service = parse(&Source::new("web.toml", format!("{text}{more}"))).unwrap().service;
            (ReleaseUnits::of(&service, slot), addresses(&service, slot, service.network.ports[0]))
        };
        let (units, addresses) = of("[deploy]\n", Slot::Green);
        assert_eq!((units.start.as_str(), units.service.as_str()), ("web-green.target", "web.target"));
        assert_eq!(units.instances, ["web-green@1.service", "web-green@2.service"]);
        assert_eq!(
            units.checks[1].join(" "),
            "/usr/bin/conductor-health probe --timeout 2s http://127.0.0.1:2003/a$b"
        );
        assert_eq!(addresses, ["127.0.0.1:2001", "127.0.0.1:2003"].map(|text| text.parse().unwrap()));
        let (units, addresses) = of("", Slot::Green);
        assert_eq!((units.start.as_str(), units.service.as_str()), ("web.target", "web.target"));
        assert_eq!(addresses[1], "127.0.0.1:2001".parse().unwrap());
    }
}
