//! Units that cannot be: others have the name already, or systemd would not read them.

use std::collections::HashMap;
use std::path::Path;

use conductor_definition::Diagnostic;
use conductor_units::{Tree, too_long};

use crate::Host;
use crate::draft::Draft;
use crate::plan::Units;

/// systemd's own generators refuse a second unit of one name too (src/shared/generator.c).
pub(crate) fn claimed_twice(drafts: &[Box<Draft>], objects: &[Draft]) -> Vec<(usize, Diagnostic)> {
    let all = objects.iter().chain(drafts.iter().map(Box::as_ref)).filter_map(Draft::units);
    let mut paths: Vec<&str> = all.flat_map(Units::paths).collect();
    paths.sort_unstable();
    // Nearly always: then nobody asks who has what.
    if paths.is_sorted_by(|one, next| one < next) {
        return Vec::new();
    }
    drop(paths);
    let mut owners: HashMap<&str, &Path> = HashMap::new();
    for object in objects {
        let paths = object.units().into_iter().flat_map(Units::paths);
        owners.extend(paths.map(|unit| (unit, object.source.path())));
    }
    let mut losers = Vec::new();
    for (at, draft) in drafts.iter().enumerate() {
        let Some(units) = draft.units() else { continue };
        let path = draft.source.path();
        match units.paths().find_map(|unit| Some((unit, owners.get(unit)?))) {
            None => owners.extend(units.paths().map(|unit| (unit, path))),
            Some((unit, owner)) => {
                let said = format!("its unit {unit} is made from {} already", owner.display());
                losers.push((at, Diagnostic::error("name-clash", said).help("rename one of the two")));
            }
        }
    }
    losers
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
