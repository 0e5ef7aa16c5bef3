//! Dependencies between services: on names that nobody has, on itself, in circles.

use std::collections::{BTreeMap, BTreeSet};

use conductor_definition::{Dependency, Diagnostic, Service};

use crate::{Converted, LastGood};

/// Reports what is wrong with dependencies; a service whose error it is, is not converted.
pub(crate) fn check(
    services: &mut [Option<Box<Service>>],
    converted: &mut [Converted],
    established: &LastGood,
) {
    let names: BTreeSet<String> = converted
        .iter()
        .filter_map(|definition| definition.name.as_ref().map(ToString::to_string))
        .chain(established.names().map(str::to_owned))
        .collect();
    for (service, definition) in services.iter_mut().zip(converted.iter_mut()) {
        let Some(found) = service.as_ref() else { continue };
        let diagnostics = unknown(found, &names);
        let broken = diagnostics.iter().any(Diagnostic::is_error);
        definition.diagnostics.extend(diagnostics);
        if broken {
            *service = None;
        }
    }
    // Each round breaks one circle, at the service that comes last: one mistake stops one service.
    while let Some((at, path)) = circle(services) {
        if let (Some(service), Some(definition)) = (services.get_mut(at), converted.get_mut(at)) {
            *service = None;
            definition.diagnostics.push(
                Diagnostic::error("cycle", format!("services wait for each other: {}", path.join(" -> ")))
                    .help("take one of these out of after, wants or requires"),
            );
        }
    }
}

/// systemd ignores an ordering after a unit that does not exist, and so does a mere wish; a requirement
/// would fail each start.
fn unknown(service: &Service, names: &BTreeSet<String>) -> Vec<Diagnostic> {
    let missing = |dependency: &&Dependency| !dependency.is_unit() && !names.contains(dependency.as_str());
    let help = "write the name of a definition, or a unit with its suffix, such as postgresql.service";
    let said = |key: &str, dependency: &Dependency| {
        format!("{key} names `{dependency}`, and there is no such service")
    };
    let required = service.requires.iter().filter(missing);
    let wished = service.wants.iter().map(|dependency| ("wants", dependency));
    let ordered = service.after.iter().map(|dependency| ("after", dependency));
    let weak = wished.chain(ordered).filter(|(_, dependency)| missing(dependency));
    required
        .map(|dependency| Diagnostic::error("missing-dependency", said("requires", dependency)).help(help))
        .chain(weak.map(|(key, dependency)| {
            Diagnostic::warning("missing-dependency", said(key, dependency)).help(help)
        }))
        .collect()
}

/// The last service of a circle, and the circle as a path that ends where it begins.
fn circle(services: &[Option<Box<Service>>]) -> Option<(usize, Vec<String>)> {
    let by_name: BTreeMap<&str, usize> = services
        .iter()
        .enumerate()
        .filter_map(|(at, service)| Some((service.as_ref()?.name.as_str(), at)))
        .collect();
    let after = |at: usize| -> Vec<usize> {
        let Some(service) = services.get(at).and_then(Option::as_ref) else { return Vec::new() };
        let all = service.requires.iter().chain(&service.wants).chain(&service.after);
        all.filter(|dependency| !dependency.is_unit())
            .filter_map(|dependency| by_name.get(dependency.as_str()).copied())
            .collect()
    };
    let mut done = BTreeSet::new();
    for start in by_name.values() {
        // Depth first without recursion: the chain may be as long as there are definitions.
        let mut path = vec![(*start, after(*start))];
        while let Some((at, left)) = path.last_mut() {
            let Some(next) = left.pop() else {
                done.insert(*at);
                path.pop();
                continue;
            };
            if let Some(begins) = path.iter().position(|(on_path, _)| *on_path == next) {
                let members: Vec<usize> = path.iter().skip(begins).map(|(at, _)| *at).collect();
                let name = |at: &usize| Some(services.get(*at)?.as_ref()?.name.to_string());
                let shown = members.iter().chain(members.first()).filter_map(name).collect();
                return Some((members.iter().copied().max()?, shown));
            }
            if !done.contains(&next) {
                path.push((next, after(next)));
            }
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use conductor_definition::{DefinitionName, Kind, Source, parse};

    /// Definitions in one line each, `name: key = value; …`; returns what is said.
    fn said(definitions: &[&str]) -> Vec<String> {
        let mut services = Vec::new();
        let mut converted = Vec::new();
        for definition in definitions {
            let (name, keys) = definition.split_once(':').unwrap();
            let text = format!("image = \"x\"\n{}", keys.replace(';', "\n"));
            let source = Source::new(format!("{name}.toml"), text);
            let service = parse(&source).unwrap().service;
            converted.push(Converted {
                source,
                kind: Kind::Service,
                name: Some(DefinitionName::Service(service.name.clone())),
                diagnostics: Vec::new(),
                tree: None,
            });
            services.push(Some(Box::new(service)));
        }
        check(&mut services, &mut converted, &LastGood::default());
        converted.iter().flat_map(|one| one.diagnostics.iter().map(|said| one.line(said))).collect()
    }

    #[test]
    fn names_that_nobody_has() {
        assert_eq!(
            said(&["api: requires = [\"databse\"]; after = [\"cache\", \"x.service\"]", "database:"]),
            [
                "api.toml: requires names `databse`, and there is no such service (write the name of a definition, or a unit with its suffix, such as postgresql.service)",
                "api.toml: warning: after names `cache`, and there is no such service (write the name of a definition, or a unit with its suffix, such as postgresql.service)",
            ]
        );
    }

    #[test]
    fn circles_break_at_one_service() {
        let help = "(take one of these out of after, wants or requires)";
        assert_eq!(
            said(&[
                "a: after = [\"b\"]",
                "b: wants = [\"c\"]",
                "c: requires = [\"a\"]",
                "d: after = [\"a\"]"
            ]),
            [format!("c.toml: services wait for each other: a -> b -> c -> a {help}")]
        );
        assert_eq!(
            said(&["a: after = [\"a\"]"]),
            [format!("a.toml: services wait for each other: a -> a {help}")]
        );
        assert_eq!(said(&["a: after = [\"b\", \"c\"]", "b: after = [\"c\"]", "c:"]), [""; 0]);
    }
}
