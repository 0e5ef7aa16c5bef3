//! A validated service, network or volume in, a sorted map of systemd units out.
//!
//! [`render`] and [`render_object`] are pure functions: no files, no clock, no questions to systemd. Equal input gives
//! byte-identical output, so that units can be compared, cached and tested as text.

mod container;
mod exec;
mod group;
mod health;
mod instance;
mod limits;
mod line_limit;
mod manager;
mod names;
mod object;
mod once;
mod pull;
mod question;
mod quote;
mod reach;
mod runtime;
mod secrets;
mod service_units;
mod stub;
mod tree;
mod unit_file;
mod version;

use std::collections::BTreeSet;
use std::sync::Arc;

use conductor_definition::{DefinitionName, Object, PullPolicy, Scope, Service};

pub use line_limit::too_long;
pub use manager::systemctl;
pub use object::objects_in;
pub use once::{Once, Setting, Transient, once};
pub use reach::Whereabouts;
pub use service_units::{InstanceUnit, ServiceUnits, services_in};
pub use stub::{stub, unit_names as stub_unit_names};
pub use tree::{Duplicate, Entry, ParseError, Tree};
pub use version::SystemdVersion;

/// Everything a service's units depend on besides its definition.
#[derive(Debug, Clone, Default)]
pub struct Context {
    /// The systemd that will read the units.
    pub systemd: SystemdVersion,
    /// Whether it is the machine's or a user's.
    pub scope: Scope,
    /// Names of services that run as several instances: others refer to them by `NAME.target`.
    pub groups: BTreeSet<String>,
    /// Networks and volumes that have units: services that use them start those first.
    pub objects: Arc<BTreeSet<DefinitionName>>,
}

/// Whether the units of a service are the same whatever the other definitions are.
pub fn stands_alone(service: &Service) -> bool {
    container::stands_alone(service)
}

/// The units of one service, enabling links included.
pub fn render(service: &Service, context: &Context) -> Tree {
    let names = names::Names::of(service);
    let scope = context.scope;
    let mut tree = Tree::default();
    tree.file(names.container_unit(), container::unit(service, &names, context));
    if service.pull.policy != PullPolicy::Never {
        tree.file(names.pull_unit(), pull::unit(service, &names, scope));
    }
    if let Some(health) = &service.health {
        tree.file(names.health_unit(), health::unit(service, health, &names, scope));
    }
    if names.is_group() {
        tree.file(names.start_unit(), group::unit(service, &names, scope));
        for number in service.instance_numbers() {
            tree.file(names.instance_drop_in(number), instance::drop_in(service, number, scope));
        }
    }
    if service.enabled {
        tree.link(names.enabling_link(), format!("../{}", names.start_unit()));
    }
    tree
}

/// The unit of a network or a volume.
pub fn render_object(object: &Object, scope: Scope) -> Tree {
    let mut tree = Tree::default();
    tree.file(names::unit_of(&object.definition_name()), object::unit(object, scope));
    tree
}
