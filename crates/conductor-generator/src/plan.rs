//! What to write: new units, last good units, units that still run, or a stub.

use std::borrow::Cow;
use std::collections::{BTreeSet, HashSet};
use std::path::PathBuf;

use conductor_definition::DefinitionName;
use conductor_units::{Entry, Tree, stub, stub_unit_names};

use crate::draft::{Draft, Drafts};
use crate::last_good::LastGood;
use crate::workshop::Staged;
use crate::{Host, Priority, parallel};

/// Everything that will be written.
#[derive(Debug, Default)]
pub(crate) struct Plan {
    pub(crate) services: Vec<Planned>,
    /// Names whose last good units are of no more use.
    pub(crate) forgotten: Vec<String>,
    /// What to say about it.
    pub(crate) notes: Vec<(Priority, String)>,
}

/// The units of one service.
#[derive(Debug)]
pub(crate) struct Planned {
    pub(crate) name: String,
    pub(crate) units: Units,
    /// Whether they are to be kept as the last good ones. A stub is not.
    pub(crate) good: bool,
    /// Whether they are kept already, exactly so.
    pub(crate) kept: bool,
}

impl Planned {
    /// The paths of its units.
    pub(crate) fn paths(&self) -> impl Iterator<Item = String> {
        self.units.paths(&self.name)
    }
}

/// Units until they are written.
#[derive(Debug)]
pub(crate) enum Units {
    /// Here.
    Held(Tree),
    /// Aside, because nothing of what they were before has to stay with them.
    Staged {
        /// Where.
        files: Staged,
        /// Whether they are the last good ones already, exactly so. If not, those wait for their name.
        kept: bool,
    },
}

impl Units {
    /// The paths of the units of `service`.
    pub(crate) fn paths<'a>(&'a self, service: &'a str) -> Box<dyn Iterator<Item = String> + 'a> {
        match self {
            Self::Held(tree) => Box::new(tree.iter().map(|(path, _)| path.to_owned())),
            Self::Staged { files, .. } => Box::new(files.paths(service)),
        }
    }

    pub(crate) fn into_held(self) -> Option<Tree> {
        match self {
            Self::Held(tree) => Some(tree),
            Self::Staged { .. } => None,
        }
    }
}

/// Paths that somebody's units have.
#[derive(Debug, Default)]
struct Taken(BTreeSet<String>);

impl Taken {
    fn add_tree(&mut self, tree: &Tree) {
        self.0.extend(tree.iter().map(|(path, _)| path.to_owned()));
    }
}

impl Plan {
    /// All units that are held, in one tree.
    pub(crate) fn tree(&self) -> Tree {
        let mut all = Tree::default();
        for service in &self.services {
            if let Units::Held(tree) = &service.units {
                // The plan was made so that nothing clashes.
                drop(all.merge(tree));
            }
        }
        all
    }

    /// Whether exactly what is kept was made.
    pub(crate) fn changes_nothing(&self) -> bool {
        self.forgotten.is_empty() && self.services.iter().all(|service| service.kept)
    }
}

/// Decides for each service. The rule behind all cases: a unit that runs never loses its file, because
/// systemd would then stop it without its `ExecStop=` and nothing would supervise it meanwhile.
pub(crate) fn plan(drafts: Drafts, last_good: &LastGood, host: &Host) -> Plan {
    let mut plan = Plan::default();
    let mut taken = Taken::default();
    let mut broken = Vec::new();

    // Good definitions first: what is kept of others must not get in their way.
    for draft in drafts {
        let problems = errors(&draft);
        let (parts, units) = draft.into_parts();
        let path = if units.is_none() { parts.path().to_owned() } else { PathBuf::new() };
        match (parts.name, units) {
            // The converter made sure that these do not clash.
            (Some(name), Some(units)) => {
                let kept = matches!(units, Units::Staged { kept: true, .. });
                plan.services.push(Planned { name: name.key(), units, good: true, kept });
            }
            (Some(name), None) => broken.push(Broken { name, path, problems }),
            (None, _) => {}
        }
    }
    let held: Vec<&mut Planned> =
        plan.services.iter_mut().filter(|service| matches!(service.units, Units::Held(_))).collect();
    parallel::map(held, |service| {
        if let Units::Held(tree) = &service.units {
            service.kept = last_good.has(&service.name, tree);
        }
    });
    let gone = gone(&plan, &broken, last_good);
    // Nearly always nothing has changed, nothing is broken and nothing gone: then nobody asks what is taken.
    let asked = |service: &Planned| matches!(service.units, Units::Held(_)) && !service.kept;
    if !broken.is_empty() || !gone.is_empty() || plan.services.iter().any(asked) {
        taken.0.extend(plan.services.iter().flat_map(Planned::paths));
    }
    for service in &mut plan.services {
        // What has not changed has lost no unit.
        let Units::Held(tree) = &mut service.units else { continue };
        if service.kept {
            continue;
        }
        if let Some(old) = last_good.get(&service.name) {
            let kept = still_running(&old, host, |path| taken.0.contains(path));
            for unit in kept.unit_names().filter(|unit| host.runs(unit)) {
                let note = format!(
                    "{}: {unit} still runs, which its definition no longer has; its file stays until it is stopped",
                    service.name
                );
                plan.notes.push((Priority::Warning, note));
            }
            taken.add_tree(&kept);
            drop(tree.merge(&kept));
            service.kept = *tree == old;
        }
    }
    for definition in broken {
        let (tree, good) = in_place_of_broken(&definition, last_good, host, &mut plan.notes);
        // Others may have taken a name meanwhile; what is left is better than nothing for what runs.
        let free = tree.without(|path| taken.0.contains(path));
        taken.add_tree(&free);
        // Nothing new to keep, unless somebody else has taken a part of it.
        let kept = good && free == tree;
        let name = definition.name.key();
        plan.services.push(Planned { name, units: Units::Held(free), good, kept });
    }
    for name in gone {
        let Some(old) = last_good.get(&name) else { continue };
        let kept = still_running(&old, host, |path| taken.0.contains(path));
        if kept.is_empty() {
            plan.forgotten.push(name);
            continue;
        }
        plan.notes.push((
            Priority::Info,
            format!("{name}: its definition is gone but it still runs; its units stay until it has stopped"),
        ));
        taken.add_tree(&kept);
        plan.services.push(Planned { name, units: Units::Held(kept), good: true, kept: false });
    }
    plan
}

/// Whether something of a service's last good units has to stay that is not in its new ones.
pub(crate) fn leaves_something(name: &str, new: &Tree, last_good: &LastGood, host: &Host) -> bool {
    let old = last_good.get(name);
    old.is_some_and(|old| !still_running(&old, host, |path| new.get(path).is_some()).is_empty())
}

/// A definition that is not converted.
struct Broken {
    name: DefinitionName,
    path: PathBuf,
    problems: Vec<String>,
}

fn errors(draft: &Draft) -> Vec<String> {
    draft.lines().filter(|(diagnostic, _)| diagnostic.is_error()).map(|(_, line)| line).collect()
}

/// Names under which something is kept and that no definition has any more.
fn gone(plan: &Plan, broken: &[Broken], last_good: &LastGood) -> Vec<String> {
    let good = plan.services.iter().map(|service| service.name.as_str());
    let known: HashSet<Cow<'_, str>> =
        good.map(Cow::from).chain(broken.iter().map(|broken| broken.name.key().into())).collect();
    last_good.names().filter(|name| !known.contains(*name)).map(str::to_owned).collect()
}

fn in_place_of_broken(
    definition: &Broken,
    last_good: &LastGood,
    host: &Host,
    notes: &mut Vec<(Priority, String)>,
) -> (Tree, bool) {
    let Broken { name, path, problems } = definition;
    if let Some(old) = last_good.get(&name.key()) {
        notes.push((
            Priority::Warning,
            format!(
                "{name}: its units stay those of its last good definition until {} is mended",
                path.display()
            ),
        ));
        return (old, true);
    }
    // Never over a native unit: then the definition's name is the problem, or somebody else's unit works.
    if stub_unit_names(name).iter().any(|unit| host.native_unit(unit).is_some()) {
        return (Tree::default(), false);
    }
    (stub(name, path, problems, host.scope), false)
}

/// The part of `old` that runs and that nothing else defines now: units, and the drop-ins of instances.
/// Enabling links are not kept: at boot it would not be started any more.
fn still_running(old: &Tree, host: &Host, taken: impl Fn(&str) -> bool) -> Tree {
    let mut kept = Tree::default();
    for (path, entry) in old.iter() {
        let unit = match path.split_once('/') {
            None => path,
            Some((directory, _)) => match directory.strip_suffix(".d") {
                Some(unit) => unit,
                None => continue,
            },
        };
        if let Entry::File(text) = entry
            && !taken(path)
            && host.runs(unit)
        {
            kept.file(path, text.clone());
        }
    }
    // systemd links no targets under /run. They are kept for what is a part of them: a slot's for its instances, and the
    // service's for the slot, so that stopping the service stops what is left of it.
    while let Some((path, text)) = old.iter().find_map(|(path, entry)| match entry {
        Entry::File(text) if !taken(path) && kept.get(path).is_none() && has_parts(path, &kept) => {
            Some((path, text))
        }
        _ => None,
    }) {
        kept.file(path, text.clone());
    }
    kept
}

/// Whether a unit of `tree` names this target as what it is a part of.
fn has_parts(target: &str, tree: &Tree) -> bool {
    let names = |line: &str| {
        let parts = line.strip_prefix("PartOf=");
        parts.is_some_and(|parts| parts.split_ascii_whitespace().any(|part| part == target))
    };
    std::path::Path::new(target).extension().is_some_and(|extension| extension == "target")
        && tree.iter().any(|(_, entry)| matches!(entry, Entry::File(text) if text.lines().any(names)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_runs_keeps_what_it_is_a_part_of() {
        let mut old = Tree::default();
        old.file("web.target", "[Unit]\nPartOf=conductor.target\nWants=web-green.target\n");
        for slot in ["blue", "green"] {
            old.file(format!("web-{slot}.target"), "[Unit]\nPartOf=web.target conductor.target\n");
            old.file(format!("web-{slot}@.service"), format!("[Unit]\nPartOf=web-{slot}.target\n"));
        }
        old.link("conductor.target.wants/web.target", "../web.target");
        let host = Host::with_running(&["web-green@1.service"]);
        let kept = still_running(&old, &host, |_| false);
        let names: Vec<&str> = kept.iter().map(|(path, _)| path).collect();
        assert_eq!(names, ["web-green.target", "web-green@.service", "web.target"]);
        let taken = still_running(&old, &host, |path| path == "web.target");
        assert!(taken.get("web.target").is_none() && taken.get("web-green.target").is_some());
        assert!(still_running(&old, &Host::with_running(&[]), |_| false).is_empty());
    }
}
