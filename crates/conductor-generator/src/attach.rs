//! Services and the networks and volumes that they name.

use std::collections::BTreeMap;

use conductor_definition::{DefinitionName, Diagnostic, Kind, Runtime, Service, nearest};

use crate::Converted;
use crate::objects::{Known, Objects};

/// The network that podman has by itself, besides those that `network` takes for something else.
const PODMANS_OWN: &str = "podman";

/// Reports what is wrong with names of networks and volumes; a service whose error it is, is not converted.
pub(crate) fn check(
    services: &mut [Option<Box<Service>>],
    converted: &mut [Converted],
    objects: &mut Objects,
) {
    for (slot, definition) in services.iter_mut().zip(converted) {
        let Some(service) = slot.as_ref() else { continue };
        let mut broken = false;
        for name in service.objects() {
            let Some(known) = objects.known.get(&name) else {
                definition.diagnostics.extend(missing(&name, service.runtime, &objects.known));
                continue;
            };
            let Some(other) = known.runtime.filter(|runtime| *runtime != service.runtime) else { continue };
            broken = true;
            definition.diagnostics.push(other_engine(&name, service.runtime, known, other));
            // Whoever has only changed the network, and checks that, is to see it too.
            let message =
                format!("the service {} runs with {} and cannot use it", service.name, service.runtime);
            let warning = Diagnostic::warning("other-engine", message).help(SET_RUNTIME);
            let object = objects.converted.iter_mut().find(|object| object.name.as_ref() == Some(&name));
            if let Some(object) = object {
                object.diagnostics.push(warning);
            }
        }
        if broken {
            *slot = None;
        }
    }
}

const SET_RUNTIME: &str = "set `runtime` in one of the two";

fn other_engine(name: &DefinitionName, runtime: Runtime, known: &Known, other: Runtime) -> Diagnostic {
    let message = format!(
        "the {} `{}` is one of {other}'s, by {}, and the service runs with {runtime}",
        name.kind(),
        name.as_str(),
        known.path.display()
    );
    Diagnostic::error("other-engine", message).help(SET_RUNTIME)
}

/// A network has to be there when the container starts. A volume has not: the engine makes one.
fn missing(
    name: &DefinitionName,
    runtime: Runtime,
    known: &BTreeMap<DefinitionName, Known>,
) -> Option<Diagnostic> {
    let kind = name.kind();
    let own = runtime == Runtime::Podman && name.as_str() == PODMANS_OWN;
    if kind != Kind::Network || own {
        return None;
    }
    let networks = known.keys().filter(|other| other.kind() == kind).map(DefinitionName::as_str);
    let [directory, ..] = kind.search_path();
    let help = nearest(name.as_str(), networks).map_or_else(
        || format!("write {directory}/{}.toml to have it made", name.as_str()),
        |near| format!("did you mean `{near}`?"),
    );
    let message = format!("the network `{}` has no definition and may not be there", name.as_str());
    Some(Diagnostic::warning("missing-network", message).help(help))
}
