//! Dependencies between services: on names that nobody has, on itself, in circles.

use std::collections::{BTreeMap, BTreeSet};

use conductor_definition::{Claims, Dependency, Diagnostic, Reference, ServiceName};

use crate::LastGood;
use crate::convert::Draft;

/// Reports what is wrong with dependencies; a service whose error it is, is not converted.
pub(crate) fn check(drafts: &mut [Draft], established: &LastGood) {
    if drafts.iter().all(|draft| references(draft).is_empty()) {
        return;
    }
    let own = drafts.iter().filter_map(|draft| Some(draft.name.as_ref()?.as_str()));
    let names: BTreeSet<&str> = own.chain(established.names()).collect();
    let found: Vec<_> = drafts.iter().map(|draft| unknown(references(draft), &names)).collect();
    for (draft, found) in drafts.iter_mut().zip(found) {
        for diagnostic in found {
            draft.report(diagnostic);
        }
    }
    // Each round breaks one circle, at the service that comes last: one mistake stops one service.
    while let Some((at, path)) = circle(drafts) {
        if let Some(draft) = drafts.get_mut(at) {
            draft.report(
                Diagnostic::error("cycle", format!("services wait for each other: {}", path.join(" -> ")))
                    .help("take one of these out of after, wants or requires"),
            );
        }
    }
}

fn references(draft: &Draft) -> &[(Reference, Dependency)] {
    draft.claims.as_ref().map_or(&[], |Claims { references, .. }| references)
}

/// systemd ignores an ordering after a unit that does not exist, and so does a mere wish; a requirement
/// would fail each start.
fn unknown(references: &[(Reference, Dependency)], names: &BTreeSet<&str>) -> Vec<Diagnostic> {
    let missing = references.iter().filter(|(_, dependency)| !names.contains(dependency.as_str()));
    missing
        .map(|(how, dependency)| {
            let make = match how {
                Reference::Requires => Diagnostic::error,
                Reference::Wants | Reference::After => Diagnostic::warning,
            };
            let said = format!("{how} names `{dependency}`, and there is no such service");
            make("missing-dependency", said)
                .help("write the name of a definition, or a unit with its suffix, such as postgresql.service")
        })
        .collect()
}

/// The last service of a circle, and the circle as a path that ends where it begins.
fn circle(drafts: &[Draft]) -> Option<(usize, Vec<String>)> {
    let name = |at: usize| {
        let draft = drafts.get(at)?;
        draft.claims.as_ref().and(draft.name.as_ref()).map(ServiceName::as_str)
    };
    let by_name: BTreeMap<&str, usize> = (0..drafts.len()).filter_map(|at| Some((name(at)?, at))).collect();
    let after = |at: usize| -> Vec<usize> {
        let all = drafts.get(at).map(references).unwrap_or_default();
        all.iter().filter_map(|(_, dependency)| by_name.get(dependency.as_str()).copied()).collect()
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
                let shown = members.iter().chain(members.first());
                let shown = shown.filter_map(|at| name(*at).map(str::to_owned)).collect();
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
    use conductor_definition::Source;

    use crate::{Host, Reading, convert};

    /// Definitions in one line each, `name: key = value; …`; returns what is said.
    fn said(definitions: &[&str]) -> Vec<String> {
        let readings = definitions.iter().map(|definition| {
            let (name, keys) = definition.split_once(':').unwrap();
            let text = format!("image = \"x:1\"\nresources.memory = \"1G\"\n{}", keys.replace(';', "\n"));
            Reading { source: Source::new(format!("{name}.toml"), text), problems: Vec::new() }
        });
        let converted = convert(readings.collect(), &Host::default(), &LastGood::default());
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
