//! Services that wait for each other.

use std::collections::{BTreeMap, BTreeSet};

use conductor_definition::Diagnostic;

use crate::draft::Draft;
use crate::together::{Claim, Complaint, Mark};

/// Members of a circle that are named.
const MOST_SHOWN: usize = 20;

/// Circles that are told besides those that cost a service its units.
const MOST_FURTHER: usize = 64;

/// Which services come before which, by their places among all.
pub(crate) struct Graph {
    /// By name.
    pub(crate) starts: Vec<usize>,
    /// For each, those that it refers to, by its references.
    pub(crate) before: Vec<Vec<Option<usize>>>,
}

impl Graph {
    fn before(&self, at: usize) -> impl Iterator<Item = usize> {
        self.before.get(at).into_iter().flatten().rev().flatten().copied()
    }

    /// The reference by which one service refers to another.
    fn reference(&self, from: usize, to: usize) -> Option<usize> {
        self.before.get(from)?.iter().position(|target| *target == Some(to))
    }
}

/// Services that wait for each other.
#[derive(Debug)]
pub(crate) struct Circle {
    /// The one that comes last, which is left out: one mistake stops one service.
    pub(crate) loser: usize,
    /// All of them, each before the one that it refers to.
    members: Vec<usize>,
}

impl Circle {
    /// Those before and behind the loser; itself if it waits for itself.
    fn neighbours(&self) -> (usize, usize) {
        let Self { loser, members } = self;
        let (count, at) =
            (members.len(), members.iter().position(|member| member == loser).unwrap_or_default());
        let member = |at: usize| members.get(at % count.max(1)).copied().unwrap_or(*loser);
        (member(at + count.saturating_sub(1)), member(at + 1))
    }

    pub(crate) fn complaint(&self, drafts: &[Box<Draft>], graph: &Graph) -> Complaint {
        let name = |at: usize| drafts.get(at)?.name.as_ref().map(|name| name.as_str().to_owned());
        let around = self.members.iter().chain(self.members.first());
        let mut shown: Vec<String> = around.filter_map(|at| name(*at)).collect();
        if shown.len() > MOST_SHOWN {
            shown.splice(MOST_SHOWN / 2..shown.len() - MOST_SHOWN / 2, ["…".to_owned()]);
        }
        let said = format!("services wait for each other: {}", shown.join(" -> "));
        let (previous, next) = self.neighbours();
        let mark = |from: usize, to: usize| {
            let text = format!("{} waits for {}", name(from)?, name(to)?);
            Some(Mark { claim: Claim::Reference(graph.reference(from, to)?), text })
        };
        let related = mark(previous, self.loser).filter(|_| previous != self.loser);
        Complaint {
            about: self.loser,
            diagnostic: Diagnostic::error("cycle", said)
                .help("take one of these out of after, wants or requires"),
            at: mark(self.loser, next),
            related: related.map(|mark| (previous, mark)),
        }
    }
}

/// All circles that are left once the losers of those before, and those that are `lost` anyway, are left out.
pub(crate) fn circles(graph: &Graph, mut lost: BTreeSet<usize>) -> Vec<Circle> {
    let mut found = Vec::new();
    // Neither leads to a circle any more.
    let mut done = BTreeSet::new();
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

/// Circles that are left if of those that were `told` only the losers' references are taken out. All of them go through
/// somebody who is lost already, so that nobody else has to be; whoever mends the first of them would meet them next.
pub(crate) fn further(graph: &Graph, told: &[Circle], lost: &BTreeSet<usize>) -> Vec<Circle> {
    let mut found = Vec::new();
    if lost.is_empty() {
        return found;
    }
    let mut cut: BTreeSet<(usize, usize)> =
        told.iter().map(|circle| (circle.loser, circle.neighbours().1)).collect();
    let mut done = BTreeSet::new();
    for start in &graph.starts {
        if done.contains(start) {
            continue;
        }
        let mut path = vec![(*start, graph.before(*start))];
        let mut on_path = BTreeMap::from([(*start, 0)]);
        while let Some((at, left)) = path.last_mut() {
            let at = *at;
            let Some(next) = left.next() else {
                done.insert(at);
                on_path.remove(&at);
                path.pop();
                continue;
            };
            if cut.contains(&(at, next)) {
                continue;
            }
            if let Some(begins) = on_path.get(&next) {
                cut.insert((at, next));
                let members: Vec<usize> = path.iter().skip(*begins).map(|(at, _)| *at).collect();
                let Some(loser) = members.iter().copied().filter(|at| lost.contains(at)).max() else {
                    continue;
                };
                found.push(Circle { loser, members });
                if found.len() == MOST_FURTHER {
                    return found;
                }
            } else if !done.contains(&next) {
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

    fn graph(before: &[&[usize]]) -> Graph {
        let before = before.iter().map(|list| list.iter().copied().map(Some).collect());
        Graph { starts: (0..before.len()).collect(), before: before.collect() }
    }

    /// The circles that cost somebody the units, and then the further ones.
    fn all(before: &[&[usize]], lost: &[usize]) -> [Vec<(usize, Vec<usize>)>; 2] {
        let graph = graph(before);
        let mut lost: BTreeSet<usize> = lost.iter().copied().collect();
        let first = circles(&graph, lost.clone());
        lost.extend(first.iter().map(|circle| circle.loser));
        let more = further(&graph, &first, &lost);
        [first, more].map(|list| list.into_iter().map(|circle| (circle.loser, circle.members)).collect())
    }

    #[test]
    fn one_that_waits_for_itself_hides_no_other_circle() {
        let [ring, own] = [(2, vec![0, 1, 2]), (2, vec![2])];
        assert_eq!(all(&[&[1], &[2], &[0, 2]], &[]), [vec![own.clone()], vec![ring.clone()]]);
        assert_eq!(all(&[&[1], &[2], &[2, 0]], &[]), [vec![ring], vec![own]]);
    }

    #[test]
    fn circles_through_one_loser_are_all_told() {
        // 0 and 2 wait for each other, and so do 1 and 2.
        assert_eq!(all(&[&[2], &[2], &[0, 1]], &[]), [vec![(2, vec![2, 1])], vec![(2, vec![0, 2])]]);
        // Of circles through somebody who is lost anyway nobody else is.
        assert_eq!(all(&[&[1], &[0]], &[0]), [vec![], vec![(0, vec![0, 1])]]);
        assert_eq!(all(&[&[1], &[]], &[0]), [vec![], vec![]]);
    }

    #[test]
    fn neighbours_are_those_on_the_way() {
        let circle = |loser, members: &[usize]| Circle { loser, members: members.to_vec() }.neighbours();
        assert_eq!(circle(7, &[3, 5, 7]), (5, 3));
        assert_eq!(circle(7, &[7, 5]), (5, 5));
        assert_eq!(circle(7, &[7]), (7, 7));
    }

    /// Ten thousand services in one circle, and as many that wait for themselves: each takes its turn once.
    #[test]
    fn very_many_circles() {
        let count = 10_000;
        let ring = Graph {
            starts: (0..count).collect(),
            before: (0..count).map(|at| vec![Some((at + 1) % count)]).collect(),
        };
        let found = circles(&ring, BTreeSet::new());
        assert_eq!((found.len(), found[0].loser, found[0].members.len()), (1, count - 1, count));
        let own =
            Graph { starts: (0..count).collect(), before: (0..count).map(|at| vec![Some(at)]).collect() };
        assert!(circles(&own, BTreeSet::new()).iter().enumerate().all(|(at, circle)| circle.members == [at]));
        let web = |at: usize| (0..50).map(|more| Some((at * 7 + more * 31) % count)).collect();
        let web = Graph { starts: (0..count).collect(), before: (0..count).map(web).collect() };
        let found = circles(&web, BTreeSet::new());
        let losers: BTreeSet<usize> = found.iter().map(|circle| circle.loser).collect();
        assert_eq!(losers.len(), found.len(), "nobody loses twice");
        assert!(found.iter().all(|circle| circle.members.iter().max() == Some(&circle.loser)));
        let more = further(&web, &found, &losers);
        assert!(more.len() == MOST_FURTHER && more.iter().all(|circle| losers.contains(&circle.loser)));
        let all = Graph { starts: (0..100).collect(), before: vec![(0..100).map(Some).collect(); 100] };
        assert_eq!(circles(&all, BTreeSet::new()).len(), 100, "each waits for itself too");
    }
}
