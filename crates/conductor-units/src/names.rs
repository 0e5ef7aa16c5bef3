//! Names of units and containers.

use conductor_definition::{DefinitionName, Kind, Service};

use crate::exec::Word;

/// The names that a service's definition gives to units and containers.
#[derive(Debug)]
pub(crate) struct Names<'a> {
    name: &'a str,
    instances: u16,
}

impl<'a> Names<'a> {
    pub(crate) fn of(service: &'a Service) -> Self {
        Self { name: service.name.as_str(), instances: service.instances }
    }

    /// Whether there is more than one instance, and so a template and a target.
    pub(crate) fn is_group(&self) -> bool {
        self.instances > 1
    }

    /// What is started to start the service, and what others are ordered after.
    pub(crate) fn start_unit(&self) -> String {
        start_unit(self.name, self.is_group())
    }

    /// The unit, or the template, that runs the container.
    pub(crate) fn container_unit(&self) -> String {
        if self.is_group() { [self.name, "@.service"].concat() } else { [self.name, ".service"].concat() }
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
        [self.name, "-health.service"].concat()
    }

    pub(crate) fn pull_unit(&self) -> String {
        [self.name, "-pull.service"].concat()
    }

    /// The link that starts the service at boot. Generated units cannot be enabled with systemctl.
    pub(crate) fn enabling_link(&self) -> String {
        ["conductor.target.wants/", &self.start_unit()].concat()
    }

    /// An instance, for the running unit's own things.
    pub(crate) fn instance(&self) -> String {
        if self.is_group() { [self.name, ".%i"].concat() } else { self.name.to_owned() }
    }

    /// The container. The prefix keeps `--replace` away from containers that somebody made by hand; the
    /// dot keeps `web` number 1 apart from a service called `web-1`.
    pub(crate) fn container(&self) -> Word {
        let name = Word::literal("conductor-").then(&self.name.into());
        if self.is_group() { name.then(&Word::expanding(".%i")) } else { name }
    }
}

const INSTANCE_DROP_IN: &str = "10-instance.conf";

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
