//! The unit that makes a network or a volume.

use std::collections::BTreeSet;

use conductor_definition::{DefinitionName, Kind, Object, Scope, Service, What};

use crate::manager::network;
use crate::names::{manual, unit_of};
use crate::quote;
use crate::runtime::engine;
use crate::unit_file::UnitFile;
use crate::{Entry, Tree};

/// A oneshot that leaves nothing behind but the object. It runs before each start of what uses the object: so
/// one that was removed by hand, or by `podman system prune`, is made again, and a definition that has changed is
/// noticed. Stopping the unit does nothing, and nothing of ours removes an object.
///
/// Services want it and do not require it. With `Requires=`, stopping or restarting this unit would stop or
/// restart the containers, and once it had failed, a container that had ended would not be started again: 252
/// gives up at once, 257 leaves it in `auto-restart-queued` for ever (both tried).
pub(crate) fn unit(object: &Object, scope: Scope) -> String {
    let engine = engine(object.runtime);
    let (kind, name) = (object.kind(), object.name.as_str());
    let description = object.description.clone().unwrap_or_else(|| format!("{} {name}", kind.title()));
    let bound = match &object.what {
        What::Volume(volume) => volume.bound(),
        What::Network(_) => None,
    };
    UnitFile::generated_from(&object.source_path, &object.drop_ins, scope)
        .section("Unit")
        .text("Description", &description)
        .set("Documentation", manual(kind))
        .source_path(&object.source_path)
        .list("Wants", engine.needs())
        // An engine that chooses a subnet looks at the addresses that the machine has.
        .list("After", network(scope).iter().chain(engine.needs()))
        // It runs before each start of a container, whose own limit is the one that counts.
        .set("StartLimitIntervalSec", 0)
        .list(
            "RequiresMountsFor",
            engine.storage(scope).map(str::to_owned).into_iter().chain(bound.map(quote::path)),
        )
        .section("Service")
        .set("Type", "oneshot")
        .set("TimeoutStartSec", "1min")
        .exec("ExecStart", &engine.make(object))
        .set("Slice", "conductor.slice")
        .set("SyslogIdentifier", format!("{name}-{kind}"))
        // By which `journalctl CONDUCTOR_NETWORK=backend` finds what it says.
        .set("LogExtraFields", quote::environment(&format!("CONDUCTOR_{}", kind.noun().to_uppercase()), name))
        .with(|unit| mark(unit, &object.definition_name()))
        .finish_plain()
}

/// The section by which units are known as ours, and whose they are.
pub(crate) fn mark(unit: UnitFile, name: &DefinitionName) -> UnitFile {
    unit.section("X-Conductor").set(name.kind().title(), name.as_str())
}

/// What a service uses that has a unit of ours.
#[derive(Debug, Default)]
pub(crate) struct Used(BTreeSet<DefinitionName>);

impl Used {
    pub(crate) fn by(service: &Service, objects: &BTreeSet<DefinitionName>) -> Self {
        if objects.is_empty() {
            return Self::default();
        }
        Self(service.objects().into_iter().filter(|name| objects.contains(name)).collect())
    }

    /// The units that make them.
    pub(crate) fn units(&self) -> impl Iterator<Item = String> {
        self.0.iter().map(unit_of)
    }

    /// The volumes among them.
    pub(crate) fn volumes(&self) -> Vec<&str> {
        self.0.iter().filter(|name| name.kind() == Kind::Volume).map(DefinitionName::as_str).collect()
    }
}

/// Networks and volumes that have units in the tree.
pub fn objects_in(tree: &Tree) -> BTreeSet<DefinitionName> {
    let names = |unit: &str| {
        let Entry::File(text) = tree.get(unit)? else { return None };
        let (_, section) = text.split_once("\n[X-Conductor]\n")?;
        let (key, name) = section.trim_end().split_once('=')?;
        match key {
            "Network" => name.parse().ok().map(DefinitionName::Network),
            "Volume" => name.parse().ok().map(DefinitionName::Volume),
            _ => None,
        }
    };
    tree.unit_names().filter_map(names).collect()
}
