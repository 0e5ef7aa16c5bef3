//! Dependencies between services: on names that nobody has, on itself, in circles.

use std::collections::{BTreeMap, BTreeSet};

use conductor_definition::{Claims, Dependency, Diagnostic, Reference};

use crate::LastGood;
use crate::convert::Draft;

/// Names that nobody has are told of one service, at the most.
const MOST_MISSING: usize = 64;

/// Members of a circle that are named.
const MOST_SHOWN: usize = 20;

/// Reports what is wrong with dependencies; a service whose error it is, is not converted.
pub(crate) fn check(drafts: &mut [Box<Draft>], established: &LastGood) {
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
    for Circle { loser, members } in circles(&Graph::of(drafts)) {
        let name = |at: &usize| Some(drafts.get(*at)?.name.as_ref()?.as_str().to_owned());
        let mut shown: Vec<String> = members.iter().chain(members.first()).filter_map(name).collect();
        if shown.len() > MOST_SHOWN {
            shown.splice(MOST_SHOWN / 2..shown.len() - MOST_SHOWN / 2, ["…".to_owned()]);
        }
        if let Some(draft) = drafts.get_mut(loser) {
            draft.report(
                Diagnostic::error("cycle", format!("services wait for each other: {}", shown.join(" -> ")))
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
        .take(MOST_MISSING)
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

/// Which services come before which, by their places among all.
struct Graph {
    /// By name.
    starts: Vec<usize>,
    /// For each, those that it refers to.
    before: Vec<Vec<usize>>,
}

impl Graph {
    fn of(drafts: &[Box<Draft>]) -> Self {
        let name = |at: usize, draft: &'_ Draft| {
            let name = draft.claims.as_ref().and(draft.name.as_ref())?;
            Some((name.as_str().to_owned(), at))
        };
        let by_name: BTreeMap<String, usize> =
            drafts.iter().enumerate().filter_map(|(at, draft)| name(at, draft)).collect();
        let before = |draft: &Draft| -> Vec<usize> {
            let named = references(draft).iter();
            named.filter_map(|(_, dependency)| by_name.get(dependency.as_str()).copied()).collect()
        };
        Self {
            before: drafts.iter().map(|draft| before(draft)).collect(),
            starts: by_name.into_values().collect(),
        }
    }

    fn before(&self, at: usize) -> impl Iterator<Item = usize> {
        self.before.get(at).into_iter().flatten().rev().copied()
    }
}

/// Services that wait for each other.
#[derive(Debug)]
struct Circle {
    /// The one that comes last, which is left out: one mistake stops one service.
    loser: usize,
    /// All of them, each before the one that it refers to.
    members: Vec<usize>,
}

/// All circles that are left once the losers of those before are left out.
fn circles(graph: &Graph) -> Vec<Circle> {
    let mut found = Vec::new();
    // Neither leads to a circle any more.
    let (mut done, mut lost) = (BTreeSet::new(), BTreeSet::new());
    for start in &graph.starts {
        if done.contains(start) || lost.contains(start) {
            continue;
        }
        // Depth first without recursion: the chain may be as long as there are definitions.
        let mut path = vec![(*start, graph.before(*start))];
        let mut on_path = BTreeMap::from([(*start, 0)]);
        while let Some((at, left)) = path.last_mut() {
            let Some(next) = left.next() else {
                done.insert(*at);
                on_path.remove(at);
                path.pop();
                continue;
            };
            if let Some(begins) = on_path.get(&next) {
                let members: Vec<usize> = path.iter().skip(*begins).map(|(at, _)| *at).collect();
                let Some(loser) = members.iter().copied().max() else { continue };
                found.push(Circle { loser, members });
                lost.insert(loser);
                // Goes on where the loser was come from; what came behind it may be on the way to other circles.
                let keep = on_path.get(&loser).copied().unwrap_or(0);
                for (at, _) in path.drain(keep..) {
                    on_path.remove(&at);
                }
            } else if !done.contains(&next) && !lost.contains(&next) {
                on_path.insert(next, path.len());
                path.push((next, graph.before(next)));
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use conductor_definition::{Kind, Source};

    use crate::{Host, Reading, convert};

    /// Definitions in one line each, `name: key = value; …`; returns what is said.
    fn said(definitions: &[&str]) -> Vec<String> {
        let readings = definitions.iter().map(|definition| {
            let (name, keys) = definition.split_once(':').unwrap();
            let text = format!("image = \"x:1\"\nresources.memory = \"1G\"\n{}", keys.replace(';', "\n"));
            let source = Source::new(format!("{name}.toml"), text);
            Reading { kind: Kind::Service, source, problems: Vec::new(), releases: None }
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

    /// Ten thousand services in one circle, and as many that wait for themselves: each takes its turn once.
    #[test]
    fn very_many_circles() {
        let count = 10_000;
        let ring = Graph {
            starts: (0..count).collect(),
            before: (0..count).map(|at| vec![(at + 1) % count]).collect(),
        };
        let found = circles(&ring);
        assert_eq!((found.len(), found[0].loser, found[0].members.len()), (1, count - 1, count));
        let own = Graph { starts: (0..count).collect(), before: (0..count).map(|at| vec![at]).collect() };
        assert!(circles(&own).iter().enumerate().all(|(at, circle)| circle.members == [at]));
        let web = |at: usize| (0..50).map(|more| (at * 7 + more * 31) % count).collect();
        let web = Graph { starts: (0..count).collect(), before: (0..count).map(web).collect() };
        let found = circles(&web);
        let losers: BTreeSet<usize> = found.iter().map(|circle| circle.loser).collect();
        assert_eq!(losers.len(), found.len(), "nobody loses twice");
        assert!(found.iter().all(|circle| circle.members.iter().max() == Some(&circle.loser)));
        let all = Graph { starts: (0..100).collect(), before: vec![(0..100).collect(); 100] };
        assert_eq!(circles(&all).len(), 100, "each waits for itself too");
    }
}
