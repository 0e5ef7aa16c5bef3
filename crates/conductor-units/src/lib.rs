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
mod origin;
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

use conductor_definition::{DefinitionName, Object, PullPolicy, Scope, Service, Slot};

pub use line_limit::too_long;
pub use manager::systemctl;
pub use object::objects_in;
pub use once::{Once, Setting, Transient, once};
pub use origin::{Role, origins};
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

/// The releases of a service of which there are units.
#[derive(Debug, Clone, Copy)]
pub struct Releases<'a> {
    /// The one that is started, at boot too if it is enabled.
    pub live: &'a Service,
    /// Where it is, if it has slots.
    pub slot: Slot,
    /// The one in the other slot, of which units are there to be started.
    pub other: Option<&'a Service>,
}

impl<'a> Releases<'a> {
    /// Those of a service that was never deployed: the definition itself is the first.
    pub fn only(service: &'a Service) -> Self {
        Self { live: service, slot: Slot::Blue, other: None }
    }

    /// Whether the units are the same whatever the other definitions are.
    pub fn stand_alone(&self) -> bool {
        container::stands_alone(self.live) && self.other.is_none_or(container::stands_alone)
    }
}

/// The units of one service that was never deployed, enabling links included.
pub fn render(service: &Service, context: &Context) -> Tree {
    render_releases(Releases::only(service), context)
}

/// The units of one service, enabling links included.
pub fn render_releases(releases: Releases<'_>, context: &Context) -> Tree {
    let Releases { live, slot, other } = releases;
    let names = names::Names::of(live, slot);
    let mut tree = Tree::default();
    release(live, &names, context, &mut tree);
    let start_unit = match names.whole() {
        None => names.start_unit(),
        Some(whole) => {
            tree.file(whole, group::whole(live, slot, &names, context.scope));
            whole.to_owned()
        }
    };
    if live.enabled {
        tree.link(names::enabling_link(&start_unit), format!("../{start_unit}"));
    }
    // Without slots there is one place for all releases, which the live one has.
    if let Some(other) = other.filter(|other| other.slots) {
        release(other, &names::Names::of(other, slot.other()), context, &mut tree);
    }
    tree
}

/// The units of one release.
fn release(service: &Service, names: &names::Names<'_>, context: &Context, tree: &mut Tree) {
    let scope = context.scope;
    tree.file(names.container_unit(), container::unit(service, names, context));
    if service.pull.policy != PullPolicy::Never {
        tree.file(names.pull_unit(), pull::unit(service, names, scope));
    }
    if let Some(health) = &service.health {
        tree.file(names.health_unit(), health::unit(service, health, names, scope));
    }
    if names.is_group() {
        tree.file(names.start_unit(), group::unit(service, names, scope));
        for number in service.instance_numbers() {
            tree.file(names.instance_drop_in(number), instance::drop_in(service, names, number, scope));
        }
    }
}

/// The unit of a network or a volume.
pub fn render_object(object: &Object, scope: Scope) -> Tree {
    let mut tree = Tree::default();
    tree.file(names::unit_of(&object.definition_name()), object::unit(object, scope));
    tree
}
