//! Networks and volumes: their definitions converted, before those of the services that use them.

use std::collections::BTreeMap;
use std::ops::Range;
use std::path::PathBuf;

use conductor_definition::{
    DefinitionName, Diagnostic, Kind, Object, ParsedObject, Runtime, ServiceName, Subnet, parse_network,
    parse_volume,
};
use conductor_units::stub_unit_names;

use crate::convert::{Converter, all_errors, contained};
use crate::draft::Draft;
use crate::in_the_way::shadowed;
use crate::together::MOST_SHOWN;
use crate::{Reading, parallel};

/// What became of them.
#[derive(Debug, Default)]
pub(crate) struct Objects {
    pub(crate) drafts: Vec<Draft>,
    pub(crate) known: Known,
}

/// Those that have a unit by which services can have them made, be it an earlier one or a stub.
pub(crate) type Known = BTreeMap<DefinitionName, Properties>;

/// What matters of an object to the services that use it.
#[derive(Debug)]
pub(crate) struct Properties {
    pub(crate) path: PathBuf,
    /// Nobody can tell while the definition is broken.
    pub(crate) runtime: Option<Runtime>,
}

/// Converts definitions of networks and volumes, each on its own.
pub(crate) fn convert(mut readings: Vec<Reading>, converter: &Converter<'_>) -> Objects {
    converter.sort(&mut readings, Reading::name);
    let (mut read, mut drafts): (Vec<Option<Read>>, Vec<Draft>) =
        parallel::map(readings, |reading| draft(reading, converter)).into_iter().unzip();
    drop_overlapping(&mut read, &mut drafts);
    let mut known = Known::new();
    for (object, draft) in read.into_iter().zip(&mut drafts) {
        let object = object.map(|(object, _)| object);
        let Some(name) = draft.name.clone() else { continue };
        // Where somebody else has the unit's name, not even a stub is written.
        let [unit] = stub_unit_names(&name);
        let taken = taken(&name, &unit, converter).or_else(|| shadowed([unit.as_str()], converter.host()));
        if let Some(problem) = taken {
            draft.report(problem);
            continue;
        }
        let runtime = object.as_ref().map(|object| object.runtime);
        known.insert(name, Properties { path: draft.source.path().to_owned(), runtime });
        if let Some(object) = object {
            converter.make_unit(&object, draft);
        }
    }
    Objects { drafts, known }
}

/// A network or a volume, and where its subnets stand.
type Read = (Object, Vec<Range<usize>>);

fn draft(reading: Reading, converter: &Converter<'_>) -> (Option<Read>, Draft) {
    let Reading { kind, source, problems, releases: _ } = reading;
    let parse = if kind == Kind::Network { parse_network } else { parse_volume };
    let abilities = converter.host().abilities();
    let parsed = contained(|| parse(&source, abilities)).unwrap_or_else(|bug| Err(vec![bug]));
    let result = all_errors(problems, parsed);
    match result {
        Ok(ParsedObject { object, subnets, warnings }) => {
            (Some((object, subnets)), Draft::new(kind, source, warnings))
        }
        Err(diagnostics) => (None, Draft::new(kind, source, diagnostics)),
    }
}

/// A service may be called `backend-network`. Whoever had the name first keeps it; of two new ones it is the
/// network's, since services claim after this.
fn taken(name: &DefinitionName, unit: &str, converter: &Converter<'_>) -> Option<Diagnostic> {
    let service: ServiceName = unit.strip_suffix(".service")?.parse().ok()?;
    let said = format!("its unit {unit} is that of the service {service} already");
    let service = DefinitionName::Service(service);
    (converter.knew(&service) && !converter.knew(name))
        .then(|| Diagnostic::error("name-clash", said).help("rename one of the two"))
}

/// An engine makes no two networks that share addresses. As with host ports, the one that comes first has them.
fn drop_overlapping(objects: &mut [Option<Read>], drafts: &mut [Draft]) {
    /// Addresses that are taken: whose, by the place among all, and where that says so.
    struct Taken {
        runtime: Runtime,
        subnet: Subnet,
        by: usize,
        at: Range<usize>,
    }
    let mut used: Vec<Taken> = Vec::new();
    let mut left = MOST_SHOWN;
    for (by, slot) in objects.iter_mut().enumerate() {
        let Some((object, places)) = slot.as_ref() else { continue };
        let mine = || object.subnets().zip(places.iter().cloned());
        let clash = mine().find_map(|(subnet, place)| {
            let shares = |taken: &&Taken| taken.runtime == object.runtime && subnet.overlaps(taken.subnet);
            used.iter().find(shares).map(|taken| (subnet, place, taken))
        });
        let Some((subnet, place, taken)) = clash else {
            let taken = |(subnet, at)| Taken { runtime: object.runtime, subnet, by, at };
            used.extend(mine().map(taken).collect::<Vec<_>>());
            continue;
        };
        let Some(first) = drafts.get(taken.by) else { continue };
        let path = first.source.path().display();
        let said = format!("the subnet {subnet} overlaps {} of {path}", taken.subnet);
        let part = first.source.part_at(taken.at.start);
        let budget = left.checked_sub(part.text.len());
        let shown = budget.map(|_| (part.path.to_owned(), part.text.to_owned(), part.start));
        left = budget.unwrap_or(left);
        let mut found = Diagnostic::error("subnet-clash", said).at(place, "shares addresses");
        let Some(draft) = drafts.get_mut(by) else { continue };
        if let Some((path, text, start)) = shown {
            let moved = draft.source.quote(path, &text);
            let offset = |there: usize| moved + there.saturating_sub(start);
            found = found.and(offset(taken.at.start)..offset(taken.at.end), "with this subnet");
        }
        draft.report(found.help("give one of the two other addresses"));
        *slot = None;
    }
}
