//! Reads off a tree what a service consists of.
//!
//! Not from the definition: what runs may have been made from an earlier one, and the units that are
//! kept for it are in the tree as well.

use std::collections::BTreeSet;

use conductor_definition::{Runtime, Slot};

use crate::names::start_unit;
use crate::runtime::of_program;
use crate::{Entry, Tree};

/// The units and containers of one service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServiceUnits {
    /// What `systemctl start` is told to start the service as a whole.
    pub start: String,
    /// Which release is live, if the service has slots.
    pub slot: Option<Slot>,
    /// The containers' units, of the live release if there are several; empty if there is only a stub.
    pub instances: Vec<InstanceUnit>,
    /// Those of the release in the other slot.
    pub others: Vec<InstanceUnit>,
    /// The sidecar, if there is one.
    pub health: Option<String>,
    /// The unit that fetches the image.
    pub pull: Option<String>,
}

/// One container of a service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InstanceUnit {
    /// Its number, if the service has several.
    pub number: Option<u16>,
    /// Its unit.
    pub unit: String,
    /// The name that the container engine knows it by.
    pub container: String,
    /// The engine that runs it.
    pub engine: Runtime,
    /// The release that its unit starts, which need not be the one that runs.
    pub release: Option<String>,
}

/// Names of all services that have units in the tree, sorted.
pub fn services_in(tree: &Tree) -> BTreeSet<&str> {
    tree.unit_names().filter_map(|unit| owner(tree, unit)).collect()
}

impl ServiceUnits {
    /// The units of service `name` in a tree of one or of all services.
    pub fn find(tree: &Tree, name: &str) -> Self {
        let own = |unit: String| (owner(tree, &unit) == Some(name)).then_some(unit);
        let group = own(start_unit(name, true));
        let slot = group.as_ref().and_then(|unit| slot(tree, unit));
        let base = slot.map_or_else(|| name.to_owned(), |slot| format!("{name}-{slot}"));
        let mut instances: Vec<InstanceUnit> = Vec::new();
        if let Some(unit) = own(format!("{base}.service")) {
            instances.push(InstanceUnit {
                number: None,
                container: format!("conductor-{base}"),
                engine: engine(tree, &unit),
                release: release(tree, &unit),
                unit,
            });
        }
        instances.extend(numbered(tree, name, &base));
        let others = Slot::ALL.into_iter().filter(|other| Some(*other) != slot);
        let others = others.flat_map(|other| numbered(tree, name, &format!("{name}-{other}"))).collect();
        Self {
            start: group.unwrap_or_else(|| start_unit(name, false)),
            slot,
            instances,
            others,
            health: own(format!("{base}-health.service")),
            pull: own(format!("{base}-pull.service")),
        }
    }
}

/// The instances of a template, whose units and containers are called after `base`.
fn numbered(tree: &Tree, name: &str, base: &str) -> Vec<InstanceUnit> {
    let template = format!("{base}@.service");
    if owner(tree, &template) != Some(name) {
        return Vec::new();
    }
    let (engine, release) = (engine(tree, &template), release(tree, &template));
    let instance = |number: u16| InstanceUnit {
        number: Some(number),
        unit: format!("{base}@{number}.service"),
        container: format!("conductor-{base}.{number}"),
        engine,
        release: release.clone(),
    };
    numbers(tree, base).into_iter().map(instance).collect()
}

fn slot(tree: &Tree, unit: &str) -> Option<Slot> {
    let said = said(tree, unit, "Slot=")?;
    Slot::ALL.into_iter().find(|slot| slot.as_str() == said)
}

/// The service that a unit says it belongs to.
fn owner<'a>(tree: &'a Tree, unit: &str) -> Option<&'a str> {
    said(tree, unit, "Service=")
}

fn release(tree: &Tree, unit: &str) -> Option<String> {
    said(tree, unit, "Release=").map(|release| release.replace("%%", "%"))
}

/// What a unit says in the section that is for us.
fn said<'a>(tree: &'a Tree, unit: &str, key: &str) -> Option<&'a str> {
    let Some(Entry::File(text)) = tree.get(unit) else { return None };
    let (_, section) = text.split_once("\n[X-Conductor]\n")?;
    section.lines().find_map(|line| line.strip_prefix(key))
}

/// Each instance has a drop-in directory of its own.
fn numbers(tree: &Tree, name: &str) -> BTreeSet<u16> {
    let number = |path: &str| {
        path.strip_prefix(name)?.strip_prefix('@')?.split_once(".service.d/")?.0.parse::<u16>().ok()
    };
    tree.iter().filter_map(|(path, _)| number(path)).collect()
}

/// The engine whose program starts the container.
fn engine(tree: &Tree, unit: &str) -> Runtime {
    let engine = || {
        let Entry::File(text) = tree.get(unit)? else { return None };
        let line = text.lines().find_map(|line| line.strip_prefix("ExecStart="))?;
        of_program(line.split_whitespace().next()?)
    };
    engine().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tree() -> Tree {
        let ours =
            |name: &str, rest: &str| format!("{rest}\n\n[X-Conductor]\nService={name}\nRelease=50%%\n");
        let mut tree = Tree::default();
        tree.file("web@.service", ours("web", "ExecStart=/usr/bin/podman run web"));
        tree.file("web.target", ours("web", ""));
        tree.file("web@10.service.d/10-instance.conf", "");
        tree.file("web@2.service.d/10-instance.conf", "");
        tree.file("web-pull.service", ours("web", ""));
        tree.file("web-health.service", ours("web-health", "ExecStart=/usr/bin/docker run"));
        tree.file("stub.service", "[Unit]\n");
        tree.link("conductor.target.wants/web.target", "../web.target");
        tree
    }

    #[test]
    fn a_group_has_numbered_instances() {
        let tree = tree();
        let web = ServiceUnits::find(&tree, "web");
        assert_eq!(web.start, "web.target");
        let instances: Vec<_> = web.instances.iter().map(|i| (i.number, i.container.as_str())).collect();
        assert_eq!(instances, [(Some(2), "conductor-web.2"), (Some(10), "conductor-web.10")]);
        assert_eq!(web.instances[0].release.as_deref(), Some("50%"));
        assert_eq!(web.pull.as_deref(), Some("web-pull.service"));
    }

    #[test]
    fn of_two_releases_one_is_live() {
        let mut tree = tree();
        let ours =
            |slot: &str, release: &str| format!("\n[X-Conductor]\nService=api\nSlot={slot}\n{release}");
        tree.file("api.target", ours("green", ""));
        for (slot, release) in [("blue", "Release=1\n"), ("green", "Release=2\n")] {
            tree.file(format!("api-{slot}.target"), ours(slot, ""));
            tree.file(format!("api-{slot}@.service"), ours(slot, release));
            tree.file(format!("api-{slot}@1.service.d/10-instance.conf"), "");
            tree.file(format!("api-{slot}-health.service"), ours(slot, ""));
        }
        let api = ServiceUnits::find(&tree, "api");
        assert_eq!((api.start.as_str(), api.slot), ("api.target", Some(Slot::Green)));
        assert_eq!(api.health.as_deref(), Some("api-green-health.service"));
        let shown = |units: &[InstanceUnit]| {
            let [one] = units.to_vec().try_into().unwrap();
            [one.unit, one.container, one.release.unwrap()].join(" ")
        };
        assert_eq!(shown(&api.instances), "api-green@1.service conductor-api-green.1 2");
        assert_eq!(shown(&api.others), "api-blue@1.service conductor-api-blue.1 1");
    }

    #[test]
    fn a_unit_belongs_to_whom_it_says() {
        let tree = tree();
        assert_eq!(ServiceUnits::find(&tree, "web").health, None, "it is another service's");
        let [own] = ServiceUnits::find(&tree, "web-health").instances.try_into().unwrap();
        assert_eq!((own.number, own.engine), (None, Runtime::Docker));
        assert_eq!(services_in(&tree).into_iter().collect::<Vec<_>>(), ["web", "web-health"]);
    }

    #[test]
    fn a_stub_has_no_instances() {
        let stub = ServiceUnits::find(&tree(), "stub");
        assert_eq!(stub.start, "stub.service");
        assert!(stub.instances.is_empty());
    }
}
