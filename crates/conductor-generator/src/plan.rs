//! What to write: new units, last good units, units that still run, or a stub.

use std::collections::BTreeSet;

use conductor_definition::DefinitionName;
use conductor_units::{Entry, Tree, stub, stub_unit_names};

use crate::last_good::LastGood;
use crate::{Converted, Host, Priority, parallel};

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
    pub(crate) tree: Tree,
    /// Whether they are to be kept as the last good ones. A stub is not.
    pub(crate) good: bool,
    /// Whether they are kept already, exactly so.
    pub(crate) kept: bool,
}

/// Paths that somebody's units have.
#[derive(Debug, Default)]
struct Taken(BTreeSet<String>);

impl Taken {
    fn add(&mut self, tree: &Tree) {
        self.0.extend(tree.iter().map(|(path, _)| path.to_owned()));
    }
}

impl Plan {
    /// All units in one tree.
    pub(crate) fn tree(&self) -> Tree {
        let mut all = Tree::default();
        for service in &self.services {
            // The plan was made so that nothing clashes.
            drop(all.merge(&service.tree));
        }
        all
    }
}

/// Decides for each service. The rule behind all cases: a unit that runs never loses its file, because
/// systemd would then stop it without its `ExecStop=` and nothing would supervise it meanwhile.
pub(crate) fn plan(converted: Vec<Converted>, last_good: &LastGood, host: &Host) -> Plan {
    let mut plan = Plan::default();
    let mut taken = Taken::default();
    let mut broken = Vec::new();
    let mut known = BTreeSet::new();

    // Good definitions first: what is kept of others must not get in their way.
    for mut definition in converted {
        let Some(name) = definition.name.clone() else { continue };
        known.insert(name.key());
        match definition.tree.take() {
            // The converter made sure that these do not clash.
            Some(tree) => {
                plan.services.push(Planned { name: name.key(), tree, good: true, kept: false });
            }
            None => broken.push((name, definition)),
        }
    }
    parallel::map(plan.services.iter_mut().collect(), |service: &mut Planned| {
        service.kept = last_good.has(&service.name, &service.tree);
    });
    // Nearly always nothing has changed, nothing is broken and nothing gone: then nobody asks what is taken.
    let unchanged = plan.services.iter().all(|service| service.kept);
    if !unchanged || !broken.is_empty() || last_good.names().any(|name| !known.contains(name)) {
        plan.services.iter().for_each(|service| taken.add(&service.tree));
    }
    for service in &mut plan.services {
        // What has not changed has lost no unit.
        if service.kept {
            continue;
        }
        if let Some(old) = last_good.get(&service.name) {
            let kept = still_running(&old, host, &taken);
            for unit in kept.unit_names().filter(|unit| host.runs(unit)) {
                let note = format!(
                    "{}: {unit} still runs, which its definition no longer has; its file stays until it is stopped",
                    service.name
                );
                plan.notes.push((Priority::Warning, note));
            }
            taken.add(&kept);
            drop(service.tree.merge(&kept));
            service.kept = service.tree == old;
        }
    }
    for (name, definition) in broken {
        let (tree, good) = in_place_of_broken(&name, &definition, last_good, host, &mut plan.notes);
        // Others may have taken a name meanwhile; what is left is better than nothing for what runs.
        let free = tree.without(|path| taken.0.contains(path));
        taken.add(&free);
        // Nothing new to keep, unless somebody else has taken a part of it.
        let kept = good && free == tree;
        plan.services.push(Planned { name: name.key(), tree: free, good, kept });
    }
    for name in last_good.names() {
        if known.contains(name) {
            continue;
        }
        let Some(old) = last_good.get(name) else { continue };
        let kept = still_running(&old, host, &taken);
        if kept.is_empty() {
            plan.forgotten.push(name.to_owned());
            continue;
        }
        plan.notes.push((
            Priority::Info,
            format!("{name}: its definition is gone but it still runs; its units stay until it has stopped"),
        ));
        taken.add(&kept);
        plan.services.push(Planned { name: name.to_owned(), tree: kept, good: true, kept: false });
    }
    plan
}

fn in_place_of_broken(
    name: &DefinitionName,
    definition: &Converted,
    last_good: &LastGood,
    host: &Host,
    notes: &mut Vec<(Priority, String)>,
) -> (Tree, bool) {
    if let Some(old) = last_good.get(&name.key()) {
        notes.push((
            Priority::Warning,
            format!(
                "{name}: its units stay those of its last good definition until {} is mended",
                definition.source.path().display()
            ),
        ));
        return (old, true);
    }
    // Never over a native unit: then the definition's name is the problem, or somebody else's unit works.
    if stub_unit_names(name).iter().any(|unit| host.native_unit(unit).is_some()) {
        return (Tree::default(), false);
    }
    let problems: Vec<String> = definition
        .diagnostics
        .iter()
        .filter(|diagnostic| diagnostic.is_error())
        .map(|diagnostic| definition.line(diagnostic))
        .collect();
    (stub(name, definition.source.path(), &problems), false)
}

/// The part of `old` that runs and that nothing else defines now: units, and the drop-ins of instances.
/// Enabling links are not kept: at boot it would not be started any more.
fn still_running(old: &Tree, host: &Host, taken: &Taken) -> Tree {
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
            && !taken.0.contains(path)
            && host.runs(unit)
        {
            kept.file(path, text.clone());
        }
    }
    kept
}
