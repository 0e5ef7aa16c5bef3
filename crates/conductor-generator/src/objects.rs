//! Networks and volumes: their definitions converted, before those of the services that use them.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use conductor_definition::{
    DefinitionName, Diagnostic, Kind, Object, ParsedObject, Runtime, parse_network, parse_volume,
};
use conductor_units::{render_object, stub_unit_names};

use crate::convert::{Owners, contained, established_first, hidden, shadowed};
use crate::{Converted, Host, LastGood, Reading, parallel};

/// What became of them.
#[derive(Debug, Default)]
pub(crate) struct Objects {
    pub(crate) converted: Vec<Converted>,
    /// Those that have a unit by which services can have them made, be it an earlier one or a stub.
    pub(crate) known: BTreeMap<DefinitionName, Known>,
    /// Whose their units are.
    pub(crate) owners: Owners,
}

/// What matters of an object to the services that use it.
#[derive(Debug)]
pub(crate) struct Known {
    pub(crate) path: PathBuf,
    /// Nobody can tell while the definition is broken.
    pub(crate) runtime: Option<Runtime>,
}

/// Converts definitions of networks and volumes, each on its own.
pub(crate) fn convert(mut readings: Vec<Reading>, host: &Host, established: &LastGood) -> Objects {
    established_first(&mut readings, established);
    let (mut objects, converted): (Vec<Option<Object>>, Vec<Converted>) =
        parallel::map(readings, read).into_iter().unzip();
    let mut all = Objects { converted, ..Objects::default() };
    drop_overlapping(&mut objects, &mut all.converted);
    for (object, definition) in objects.into_iter().zip(&mut all.converted) {
        let Some(name) = definition.name.clone() else { continue };
        // Where somebody else has the unit's name, not even a stub is written.
        let [unit] = stub_unit_names(&name);
        if let Some(problem) = taken(&name, &unit, established).or_else(|| shadowed([unit.as_str()], host)) {
            definition.diagnostics.push(problem);
            continue;
        }
        let runtime = object.as_ref().map(|object| object.runtime);
        all.known.insert(name, Known { path: definition.source.path().to_owned(), runtime });
        match object.map(|object| contained(|| render_object(&object))) {
            None => {}
            Some(Ok(tree)) => {
                definition.diagnostics.extend(hidden(&tree, host));
                let path: Rc<Path> = definition.source.path().into();
                all.owners.extend(tree.iter().map(|(unit, _)| (unit.to_owned(), Rc::clone(&path))));
                definition.tree = Some(tree);
            }
            Some(Err(bug)) => definition.diagnostics.push(bug),
        }
    }
    all
}

fn read(reading: Reading) -> (Option<Object>, Converted) {
    let Reading { kind, source, problems } = reading;
    let parse = if kind == Kind::Network { parse_network } else { parse_volume };
    let result = if problems.is_empty() {
        contained(|| parse(&source)).unwrap_or_else(|bug| Err(vec![bug]))
    } else {
        Err(problems)
    };
    let (object, diagnostics) = match result {
        Ok(ParsedObject { object, warnings }) => (Some(object), warnings),
        Err(diagnostics) => (None, diagnostics),
    };
    let name = DefinitionName::from_path(kind, source.path()).ok();
    (object, Converted { kind, source, name, diagnostics, tree: None })
}

/// A service may be called `backend-network`. Whoever had the name first keeps it; of two new ones it is the
/// network's, since services claim after this.
fn taken(name: &DefinitionName, unit: &str, established: &LastGood) -> Option<Diagnostic> {
    let service = unit.strip_suffix(".service")?;
    if !established.contains(service) || established.contains(&name.key()) {
        return None;
    }
    Some(
        Diagnostic::error("name-clash", format!("its unit {unit} is that of the service {service} already"))
            .help("rename one of the two"),
    )
}

/// An engine makes no two networks that share addresses. As with host ports, the one that comes first has them.
fn drop_overlapping(objects: &mut [Option<Object>], converted: &mut [Converted]) {
    let mut used: Vec<(Runtime, conductor_definition::Subnet, PathBuf)> = Vec::new();
    for (slot, definition) in objects.iter_mut().zip(converted) {
        let Some(object) = slot.as_ref() else { continue };
        let clash = object.subnets().find_map(|subnet| {
            let shares = |(runtime, other, _): &&(Runtime, conductor_definition::Subnet, PathBuf)| {
                *runtime == object.runtime && subnet.overlaps(*other)
            };
            used.iter()
                .find(shares)
                .map(|(_, other, path)| format!("the subnet {subnet} overlaps {other} of {}", path.display()))
        });
        match clash {
            None => used
                .extend(object.subnets().map(|subnet| (object.runtime, subnet, object.source_path.clone()))),
            Some(message) => {
                definition.diagnostics.push(
                    Diagnostic::error("subnet-clash", message).help("give one of the two other addresses"),
                );
                *slot = None;
            }
        }
    }
}
