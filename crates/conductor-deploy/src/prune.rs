//! Which releases are kept, and which images are of no use any more.

use std::collections::BTreeSet;

use crate::{Entry, Record};

/// The one that is live and the one before: `conductor rollback` has to find it.
const FEWEST: usize = 2;

/// What is to go.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Prune {
    /// Kept releases, by their ids.
    pub(crate) releases: Vec<String>,
    /// Images, by their pinned names, unless somebody else has use for them.
    pub(crate) images: BTreeSet<String>,
}

/// What goes when `record` has become live. `history` has the deploys before it, `kept` the ids of releases that are
/// kept. Of releases that are the same, because somebody went back to one or restarted it, the last counts.
pub(crate) fn plan(history: &[Entry], record: &Record, kept: Vec<String>, keep: usize) -> Prune {
    let mut newest: Vec<Release<'_>> = Vec::new();
    let own = Release { id: &record.id, revision: &record.revision, image: &record.image };
    let before = history.iter().rev().filter(|entry| entry.outcome.is_live() && !entry.restart);
    let before =
        before.map(|entry| Release { id: &entry.id, revision: &entry.revision, image: &entry.image });
    for release in (!record.restart).then_some(own).into_iter().chain(before) {
        if newest.iter().all(|other| !other.is_same(&release)) {
            newest.push(release);
        }
    }
    newest.truncate(keep.max(FEWEST));
    let gone: Vec<String> =
        kept.into_iter().filter(|id| newest.iter().all(|release| release.id != id)).collect();
    // Of what was released once, and of what never was since the last one that was.
    let of_gone = history.iter().filter(|entry| gone.contains(&entry.id));
    let failed = history.iter().rev().take_while(|entry| !entry.outcome.is_live());
    let images = of_gone.chain(failed).map(|entry| entry.image.clone());
    let used = |image: &String| *image == record.image || newest.iter().any(|release| release.image == image);
    let images = images.filter(|image| !image.is_empty() && !used(image)).collect();
    Prune { releases: gone, images }
}

struct Release<'a> {
    id: &'a str,
    revision: &'a str,
    image: &'a str,
}

impl Release<'_> {
    fn is_same(&self, other: &Self) -> bool {
        self.revision == other.revision && self.image == other.image
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Outcome, SideRecord, StagesRecord};
    use conductor_definition::{Slot, Strategy};

    fn entry(id: &str, image: &str, outcome: Outcome) -> Entry {
        let text = |text: &str| text.to_owned();
        Entry {
            id: text(id),
            revision: text(image),
            image: text(image),
            rollback: false,
            restart: id.starts_with("again"),
            by: text("me"),
            started: 0,
            ended: 0,
            outcome,
            failure: None,
        }
    }

    fn record(id: &str, image: &str) -> Record {
        let Entry { id, revision, image, rollback, restart, by, started, .. } =
            entry(id, image, Outcome::Released);
        Record {
            id,
            revision,
            image,
            rollback,
            restart,
            by,
            started,
            strategy: Strategy::BlueGreen,
            before: false,
            proxy: None,
            to: Slot::Green,
            new: SideRecord::default(),
            from: None,
            old: SideRecord::default(),
            displaced: None,
            reached: None,
            drain: None,
            stages: StagesRecord::default(),
            runs: Vec::new(),
            waits: None,
        }
    }

    fn pruned(history: &[(&str, &str)], own: (&str, &str), keep: usize) -> (String, String) {
        let history: Vec<Entry> = history
            .iter()
            .map(|(id, image)| {
                let outcome = if id.starts_with('x') { Outcome::Undone } else { Outcome::Released };
                entry(id, image, outcome)
            })
            .collect();
        let live = history.iter().filter(|entry| entry.outcome.is_live()).map(|entry| entry.id.clone());
        let kept = live.chain([own.0.to_owned()]).collect();
        let Prune { releases, images } = plan(&history, &record(own.0, own.1), kept, keep);
        (releases.join(" "), images.into_iter().collect::<Vec<_>>().join(" "))
    }

    fn both(releases: &str, images: &str) -> (String, String) {
        (releases.to_owned(), images.to_owned())
    }

    #[test]
    fn the_last_ones_are_kept() {
        let history = [("1", "a"), ("2", "b"), ("3", "c")];
        assert_eq!(pruned(&history, ("4", "d"), 3), both("1", "a"));
        assert_eq!(pruned(&history, ("4", "d"), 9), both("", ""));
        assert_eq!(pruned(&history, ("4", "d"), 0), both("1 2", "a b"), "never the one before");
    }

    #[test]
    fn going_back_and_restarting_push_nobody_out() {
        let history = [("1", "a"), ("2", "b"), ("3", "c"), ("4", "b"), ("5", "c")];
        assert_eq!(pruned(&history, ("6", "b"), 3), both("2 3 4", ""), "the last of the same count");
        let history = [("1", "a"), ("2", "b"), ("again1", "b"), ("again2", "b")];
        assert_eq!(pruned(&history, ("again3", "b"), 2), both("again1 again2 again3", ""));
    }

    #[test]
    fn an_image_stays_as_long_as_a_kept_release_has_it() {
        assert_eq!(pruned(&[("1", "a"), ("2", "b"), ("3", "a")], ("4", "c"), 2), both("1 2", "b"));
    }

    #[test]
    fn images_of_releases_that_failed_go() {
        let history = [("1", "a"), ("x2", "b"), ("2", "c"), ("x3", "d"), ("x4", "a")];
        assert_eq!(pruned(&history, ("5", "e"), 2), both("1", "a d"));
        assert_eq!(pruned(&history, ("5", "d"), 2), both("1", "a"), "it works now");
    }
}
