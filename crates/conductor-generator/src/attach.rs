//! Services and the networks and volumes that they name.

use conductor_definition::{DefinitionName, Diagnostic, Kind, Runtime, Scope, Service, nearest};

use crate::draft::Draft;
use crate::objects::{Known, Properties};

/// The network that podman has by itself, besides those that `network` takes for something else.
const PODMANS_OWN: &str = "podman";

const SET_RUNTIME: &str = "set `runtime` in one of the two";

/// Reports what is wrong or questionable about names of networks and volumes.
pub(crate) fn check(service: &Service, known: &Known, scope: Scope, draft: &mut Draft) {
    for name in service.objects() {
        let Some(properties) = known.get(&name) else {
            if let Some(found) = missing(&name, service.runtime, known, scope) {
                draft.report(found);
            }
            continue;
        };
        let Properties { path, runtime } = properties;
        let Some(other) = runtime.filter(|runtime| *runtime != service.runtime) else { continue };
        let said = format!(
            "the {} `{}` is one of {other}'s, by {}, and the service runs with {}",
            name.kind(),
            name.as_str(),
            path.display(),
            service.runtime
        );
        draft.report(Diagnostic::error("other-engine", said).help(SET_RUNTIME));
        draft.findings_mut().misused.push((name, service.runtime));
    }
}

/// A network has to be there when the container starts. A volume has not: the engine makes one.
fn missing(name: &DefinitionName, runtime: Runtime, known: &Known, scope: Scope) -> Option<Diagnostic> {
    let kind = name.kind();
    let own = runtime == Runtime::Podman && name.as_str() == PODMANS_OWN;
    if kind != Kind::Network || own {
        return None;
    }
    let networks = known.keys().filter(|other| other.kind() == kind).map(DefinitionName::as_str);
    let help = nearest(name.as_str(), networks).map_or_else(
        || {
            let base = match scope {
                Scope::System => "/etc/conductor",
                Scope::User => "~/.config/conductor",
            };
            format!("write {base}/{}/{}.toml to have it made", kind.directory(), name.as_str())
        },
        |near| format!("did you mean `{near}`?"),
    );
    let said = format!("the network `{}` has no definition and may not be there", name.as_str());
    Some(Diagnostic::warning("missing-network", said).help(help))
}

/// Whoever has only changed a network, and checks that, is to see which service cannot use it any more.
pub(crate) fn tell(services: &[Box<Draft>], objects: &mut [Draft]) {
    for service in services {
        let name = service.name.as_ref().map(DefinitionName::as_str).unwrap_or_default();
        for (misused, runtime) in &service.findings().misused {
            let said = format!("the service {name} runs with {runtime} and cannot use it");
            let object = objects.iter_mut().find(|object| object.name.as_ref() == Some(misused));
            if let Some(object) = object {
                object.report(Diagnostic::warning("other-engine", said).help(SET_RUNTIME));
            }
        }
    }
}
