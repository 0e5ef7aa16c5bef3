//! Units that cannot be: others have the name already, or systemd would not read them.

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::path::Path;

use conductor_definition::{DefinitionName, Diagnostic};
use conductor_units::{Tree, too_long};

use crate::Host;
use crate::draft::Draft;

/// systemd's own generators refuse a second unit of one name too (src/shared/generator.c).
pub(crate) fn claimed_twice(drafts: &[Box<Draft>], objects: &[Draft]) -> Vec<(usize, Diagnostic)> {
    let all = objects.iter().chain(drafts.iter().map(Box::as_ref));
    // Of thousands of paths only so much that equal ones are found, and now and then a pair that is not equal.
    let hasher = RandomState::new();
    let mut seen: Vec<u64> = all.flat_map(paths).map(|path| hasher.hash_one(path)).collect();
    seen.sort_unstable();
    // Nearly always: then nobody asks who has what.
    if seen.is_sorted_by(|one, next| one < next) {
        return Vec::new();
    }
    drop(seen);
    let mut owners: HashMap<String, &Path> = HashMap::new();
    for object in objects {
        owners.extend(paths(object).map(|unit| (unit, object.source.path())));
    }
    let mut losers = Vec::new();
    for (at, draft) in drafts.iter().enumerate() {
        match paths(draft).find_map(|unit| owners.get(&unit).map(|owner| (unit, *owner))) {
            None => owners.extend(paths(draft).map(|unit| (unit, draft.source.path()))),
            Some((unit, owner)) => {
                let said = format!("its unit {unit} is made from {} already", owner.display());
                losers.push((at, Diagnostic::error("name-clash", said).help("rename one of the two")));
            }
        }
    }
    losers
}

/// Of the units that a definition has; none if it has none.
fn paths(draft: &Draft) -> impl Iterator<Item = String> {
    let key = draft.units().and(draft.name.as_ref()).map(DefinitionName::key).unwrap_or_default();
    let paths: Vec<String> = draft.units().map(|units| units.paths(&key).collect()).unwrap_or_default();
    paths.into_iter()
}

/// Generated units hide those in /usr/lib (systemd.unit(5), unit load path): a definition must not take
/// a package's service away.
pub(crate) fn shadowed<'u>(units: impl IntoIterator<Item = &'u str>, host: &Host) -> Option<Diagnostic> {
    let (unit, native) = units.into_iter().find_map(|unit| Some((unit, host.native_unit(unit)?)))?;
    Some(
        Diagnostic::error("shadows-unit", format!("{unit} would hide {}", native.display()))
            .help("another package has a unit of this name: rename the definition"),
    )
}

/// What systemd does not read must not take the place of what it did.
pub(crate) fn unreadable(tree: &Tree) -> Option<Diagnostic> {
    let (unit, length) = too_long(tree)?;
    let said = format!("{unit} would have a line of {length} bytes, and systemd reads 1048575 of one");
    Some(
        Diagnostic::error("too-long", said)
            .help("put long values into files, and fewer of a kind into one service"),
    )
}

/// The administrator's own units take precedence, wanted (`systemctl edit --full`, a mask) or forgotten.
pub(crate) fn hidden(tree: &Tree, host: &Host) -> Option<Diagnostic> {
    let (unit, over) = tree.unit_names().find_map(|unit| Some((unit, host.unit_over(unit)?)))?;
    Some(
        Diagnostic::warning("hidden", format!("{unit} has no effect: {} takes its place", over.display()))
            .help("remove that file, or rename the definition"),
    )
}
