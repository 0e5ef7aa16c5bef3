//! Names of units and containers, and ports: what is different for the releases of one service.

use std::borrow::Cow;

use conductor_definition::{DefinitionName, Kind, Port, Service, Slot};

use crate::exec::Word;

/// The names that a service's definition gives to units and containers.
#[derive(Debug)]
pub(crate) struct Names<'a> {
    /// What all of them begin with: the service's name, and for a release in a slot the slot's.
    name: Cow<'a, str>,
    instances: u16,
    slot: Option<Slot>,
    /// The target that stands for the service while this stands for a slot only.
    whole: Option<String>,
}

impl<'a> Names<'a> {
    /// Those of a release, which is in `slot` if it has slots at all.
    pub(crate) fn of(service: &'a Service, slot: Slot) -> Self {
        let (name, instances) = (service.name.as_str(), service.instances);
        if service.slots {
            let whole = Some(start_unit(name, true));
            return Self { name: format!("{name}-{slot}").into(), instances, slot: Some(slot), whole };
        }
        Self { name: name.into(), instances, slot: None, whole: None }
    }

    /// Whether there may be more than one instance, and so a template and a target. A release in a slot has those
    /// always, so that the names stay the same when the next one has more instances.
    pub(crate) fn is_group(&self) -> bool {
        self.slot.is_some() || self.instances > 1
    }

    /// The slot.
    pub(crate) fn slot(&self) -> Option<Slot> {
        self.slot
    }

    /// The host's first port of instance `number`.
    pub(crate) fn host_port(&self, port: Port, number: u16) -> u16 {
        port.host_port(number, self.slot)
    }

    /// The target of which what is started here is a part.
    pub(crate) fn whole(&self) -> Option<&str> {
        self.whole.as_deref()
    }

    /// What is started to start the service, and what others are ordered after.
    pub(crate) fn start_unit(&self) -> String {
        start_unit(&self.name, self.is_group())
    }

    /// The unit, or the template, that runs the container.
    pub(crate) fn container_unit(&self) -> String {
        if self.is_group() { [&self.name, "@.service"].concat() } else { [&self.name, ".service"].concat() }
    }

    /// The unit of instance `number`.
    pub(crate) fn instance_unit(&self, number: u16) -> String {
        if self.is_group() { format!("{}@{number}.service", self.name) } else { self.container_unit() }
    }

    /// The units of all instances.
    pub(crate) fn instance_units(&self) -> impl Iterator<Item = String> {
        (1..=self.instances).map(|number| self.instance_unit(number))
    }

    /// What an instance has of its own. Begins with a number so that an administrator's drop-ins come
    /// later and win.
    pub(crate) fn instance_drop_in(&self, number: u16) -> String {
        format!("{}.d/{INSTANCE_DROP_IN}", self.instance_unit(number))
    }

    /// The same drop-in as the running unit sees it; `%t` is /run, or the user's runtime directory.
    pub(crate) fn own_drop_in(&self) -> String {
        format!("%t/systemd/generator/{}@%i.service.d/{INSTANCE_DROP_IN}", self.name)
    }

    pub(crate) fn health_unit(&self) -> String {
        [&self.name, "-health.service"].concat()
    }

    pub(crate) fn pull_unit(&self) -> String {
        [&self.name, "-pull.service"].concat()
    }

    /// An instance, for the running unit's own things.
    pub(crate) fn instance(&self) -> String {
        if self.is_group() { [&self.name, ".%i"].concat() } else { self.name.clone().into_owned() }
    }

    /// The container. The prefix keeps `--replace` away from containers that somebody made by hand; the
    /// dot keeps `web` number 1 apart from a service called `web-1`.
    pub(crate) fn container(&self) -> Word {
        let name = Word::literal("conductor-").then(&(*self.name).into());
        if self.is_group() { name.then(&Word::expanding(".%i")) } else { name }
    }
}

const INSTANCE_DROP_IN: &str = "10-instance.conf";

/// The link that starts a service at boot. Generated units cannot be enabled with systemctl.
pub(crate) fn enabling_link(start_unit: &str) -> String {
    ["conductor.target.wants/", start_unit].concat()
}

/// What stands for a service as a whole.
pub(crate) fn start_unit(name: &str, group: bool) -> String {
    if group { [name, ".target"].concat() } else { [name, ".service"].concat() }
}

/// What is started to have a definition's things there: a service that is not a group, a network or a volume.
pub(crate) fn unit_of(name: &DefinitionName) -> String {
    match name.kind() {
        Kind::Service => start_unit(name.as_str(), false),
        kind @ (Kind::Network | Kind::Volume) => format!("{}-{kind}.service", name.as_str()),
    }
}

/// The manual page about a definition.
pub(crate) fn manual(kind: Kind) -> String {
    format!("man:conductor-{kind}(5)")
}
