//! From definitions to unit trees: pure, each definition on its own.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::rc::Rc;

use conductor_definition::{
    DefinitionName, Diagnostic, Finding, Found, Kind, Parsed, Service, Source, clashes, find, parse,
};
use conductor_units::{Context, Tree, render};

use crate::last_good::LastGood;
use crate::objects::Objects;
use crate::{Host, attach, depend, objects, parallel};

/// A definition's files: their text, and why some of it is missing.
#[derive(Debug, Clone)]
pub struct Reading {
    /// What it defines.
    pub kind: Kind,
    /// Paths and text.
    pub source: Source,
    /// Why there is no text, or not all of it; such a definition is not converted.
    pub problems: Vec<Diagnostic>,
}

/// What is on the search path.
#[derive(Debug, Default)]
pub struct Readings {
    /// All definitions that are not masked.
    pub definitions: Vec<Reading>,
    /// Directories that cannot be listed, drop-ins without a definition and the like.
    pub findings: Vec<Finding>,
    /// Definitions that are masked because they are empty: worth a word, since that can be an accident.
    pub empty: Vec<(Kind, PathBuf)>,
}

/// A definition and what became of it.
#[derive(Debug, Clone)]
pub struct Converted {
    /// What it defines.
    pub kind: Kind,
    /// Paths and text.
    pub source: Source,
    /// The name, if the file name gives one.
    pub name: Option<DefinitionName>,
    /// Everything found, errors and warnings.
    pub diagnostics: Vec<Diagnostic>,
    /// The units, if there are no errors.
    pub tree: Option<Tree>,
}

/// Reads every definition on the search paths below `root`.
pub fn read_all(root: &Path) -> Readings {
    let mut readings = Readings::default();
    for kind in Kind::ALL {
        let Found { candidates, findings } = find(root, kind);
        readings.findings.extend(findings);
        let read = parallel::map(candidates, |candidate| candidate.read().ok_or(candidate.main.path));
        for reading in read {
            match reading {
                Ok((source, problems)) => readings.definitions.push(Reading { kind, source, problems }),
                Err(empty) => readings.empty.push((kind, empty)),
            }
        }
    }
    readings
}

/// Converts all definitions. Whatever is wrong with one, even a panic of ours, stays with that one.
///
/// What is `established`, by its last good units, keeps what a newcomer claims too; it is also known by name
/// to others while its definition is broken. Networks and volumes come last in the result, and claim before services.
pub fn convert(readings: Vec<Reading>, host: &Host, established: &LastGood) -> Vec<Converted> {
    convert_with(readings, host, established, parse, render)
}

fn convert_with(
    readings: Vec<Reading>,
    host: &Host,
    established: &LastGood,
    parse: impl Fn(&Source) -> Result<Parsed, Vec<Diagnostic>> + Sync,
    render: impl Fn(&Service, &Context) -> Tree + Sync,
) -> Vec<Converted> {
    let (mut readings, of_objects): (Vec<Reading>, Vec<Reading>) =
        readings.into_iter().partition(|reading| reading.kind == Kind::Service);
    let mut objects = objects::convert(of_objects, host, established);
    established_first(&mut readings, established);
    // In boxes, because a service is large and the lists are copied.
    let (mut services, mut converted): (Vec<Option<Box<Service>>>, Vec<Converted>) =
        parallel::map(readings, |Reading { kind, source, problems }| {
            let result = if problems.is_empty() {
                contained(|| parse(&source)).unwrap_or_else(|bug| Err(vec![bug]))
            } else {
                Err(problems)
            };
            let (service, diagnostics) = match result {
                Ok(Parsed { service, warnings }) => (Some(Box::new(service)), warnings),
                Err(diagnostics) => (None, diagnostics),
            };
            let name = DefinitionName::from_path(kind, source.path()).ok();
            (service, Converted { kind, source, name, diagnostics, tree: None })
        })
        .into_iter()
        .unzip();

    drop_clashing(&mut services, &mut converted);
    depend::check(&mut services, &mut converted, established);
    attach::check(&mut services, &mut converted, &mut objects);
    let Objects { converted: converted_objects, known, mut owners } = objects;
    let mut context = Context::new(host.systemd, services.iter().flatten().map(Box::as_ref));
    context.objects = known.into_keys().collect();
    for (name, definition) in
        converted.iter().filter_map(|definition| Some((definition.name.as_ref()?, definition)))
    {
        let broken = definition.diagnostics.iter().any(Diagnostic::is_error);
        let kept = if broken { established.get(&name.key()) } else { None };
        if kept.is_some_and(|tree| tree.get(&format!("{name}.target")).is_some()) {
            context.groups.insert(name.to_string());
        }
    }
    // Each service goes as its units come: with very many, both together are the most memory of the run.
    let trees = parallel::map(services, |service| {
        let service = service?;
        let tree = contained(|| render(&service, &context));
        let tree = tree.and_then(|tree| shadowed(tree.unit_names(), host).map_or(Ok(tree), Err));
        Some(tree.map(|tree| (hidden(&tree, host), tree)))
    });
    for (tree, definition) in trees.into_iter().zip(&mut converted) {
        let Some(tree) = tree else { continue };
        match tree.and_then(|(hidden, tree)| claimed(&tree, &owners).map_or(Ok((hidden, tree)), Err)) {
            Ok((hidden, tree)) => {
                definition.diagnostics.extend(hidden);
                let path: Rc<Path> = definition.source.path().into();
                owners.extend(tree.iter().map(|(unit, _)| (unit.to_owned(), Rc::clone(&path))));
                definition.tree = Some(tree);
            }
            Err(diagnostic) => definition.diagnostics.push(diagnostic),
        }
    }
    converted.extend(converted_objects);
    converted
}

/// A stable sort: otherwise the order is that of the names, the same at every boot.
pub(crate) fn established_first(readings: &mut [Reading], established: &LastGood) {
    readings.sort_by_cached_key(|reading| {
        let name = DefinitionName::from_path(reading.kind, reading.source.path());
        !name.is_ok_and(|name| established.contains(&name.key()))
    });
}

/// Which definition has which path in the generator's directory.
pub(crate) type Owners = BTreeMap<String, Rc<Path>>;

/// systemd's own generators refuse a second unit of one name too (src/shared/generator.c).
fn claimed(tree: &Tree, owners: &Owners) -> Option<Diagnostic> {
    let (unit, owner) = tree.iter().find_map(|(unit, _)| Some((unit, owners.get(unit)?)))?;
    Some(
        Diagnostic::error("name-clash", format!("its unit {unit} is made from {} already", owner.display()))
            .help("rename one of the two"),
    )
}

/// Services that claim what an earlier one has are not converted.
fn drop_clashing(services: &mut [Option<Box<Service>>], converted: &mut [Converted]) {
    let (indices, present): (Vec<usize>, Vec<&Service>) =
        services.iter().enumerate().filter_map(|(index, service)| Some((index, service.as_deref()?))).unzip();
    let found = clashes(&present);
    let losers: Vec<(usize, String)> =
        found.into_iter().filter_map(|clash| Some((*indices.get(clash.second)?, clash.message))).collect();
    for (loser, message) in losers {
        if let (Some(service), Some(definition)) = (services.get_mut(loser), converted.get_mut(loser)) {
            *service = None;
            definition.diagnostics.push(
                Diagnostic::error("port-clash", message).help("give one of the two other ports: host = …"),
            );
        }
    }
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

/// The administrator's own units take precedence, wanted (`systemctl edit --full`, a mask) or forgotten.
pub(crate) fn hidden(tree: &Tree, host: &Host) -> Option<Diagnostic> {
    let (unit, over) = tree.unit_names().find_map(|unit| Some((unit, host.unit_over(unit)?)))?;
    Some(
        Diagnostic::warning("hidden", format!("{unit} has no effect: {} takes its place", over.display()))
            .help("remove that file, or rename the definition"),
    )
}

/// Runs `work`; a panic becomes a diagnostic.
pub(crate) fn contained<T>(work: impl FnOnce() -> T) -> Result<T, Diagnostic> {
    catch_unwind(AssertUnwindSafe(work)).map_err(|payload| {
        let text = payload
            .downcast_ref::<&str>()
            .map(ToString::to_string)
            .or_else(|| payload.downcast_ref::<String>().cloned())
            .unwrap_or_default();
        Diagnostic::error("internal", format!("a mistake in Conductor itself: {text}"))
            .help("please report it together with the definition")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reading(name: &str, text: &str) -> Reading {
        let source = Source::new(format!("{name}.toml"), text);
        Reading { kind: Kind::Service, source, problems: Vec::new() }
    }

    fn summary(converted: &[Converted]) -> Vec<String> {
        let errors = |one: &Converted| {
            let errors = one.diagnostics.iter().filter(|diagnostic| diagnostic.is_error());
            errors.map(|diagnostic| one.line(diagnostic)).collect::<Vec<_>>()
        };
        converted.iter().flat_map(errors).collect()
    }

    #[test]
    fn a_panic_hurts_one_definition_only() {
        let readings = vec![reading("a", "image = \"a\""), reading("b", "image = \"b\"")];
        let render = |service: &Service, context: &Context| {
            assert!(service.name.as_str() != "a", "no luck with {}", service.name);
            render(service, context)
        };
        let converted = convert_with(readings, &Host::default(), &LastGood::default(), parse, render);
        assert_eq!(
            summary(&converted),
            [
                "a.toml: a mistake in Conductor itself: no luck with a (please report it together with the definition)"
            ]
        );
        assert!(converted[0].tree.is_none() && converted[1].tree.is_some());
    }

    #[test]
    fn derived_names_clash_too() {
        let health = "image = \"a\"\n[[ports]]\ncontainer = 80\nhost = 2000\n[health]\npath = \"/\"";
        let converted = convert(
            vec![reading("web", health), reading("web-health", "image = \"b\"")],
            &Host::default(),
            &LastGood::default(),
        );
        assert_eq!(
            summary(&converted),
            [
                "web-health.toml: its unit web-health.service is made from web.toml already (rename one of the two)"
            ]
        );
    }

    #[test]
    fn an_established_service_keeps_its_port_and_its_group() {
        let text = "image = \"a\"\n[[ports]]\ncontainer = 80\nhost = 2000";
        let root = tempfile::tempdir().unwrap();
        let store = root.path().join("run/conductor/last-good");
        std::fs::create_dir_all(&store).unwrap();
        std::fs::write(store.join("web.units"), "").unwrap();
        std::fs::write(store.join("db.units"), "==> db.target <==\n").unwrap();
        let established = LastGood::open(root.path());
        let readings = vec![
            reading("api", text),
            reading("db", "imgae = 1"),
            reading("web", &format!("requires = [\"db\"]\n{text}")),
        ];
        let converted = convert(readings, &Host::default(), &established);
        let by_name = |name: &str| converted.iter().find(|one| one.source.path().starts_with(name)).unwrap();
        assert_eq!(
            summary(&[by_name("api.toml").clone()]),
            ["api.toml: host port 2000 is taken by web.toml (give one of the two other ports: host = …)"]
        );
        // db is broken now, but it runs on as the group that it was.
        let web = by_name("web.toml").tree.as_ref().unwrap().to_string();
        assert!(web.contains("\nRequires=db.target\n"), "{web}");
    }

    #[test]
    fn ports_clash_across_definitions() {
        let text = "image = \"a\"\n[[ports]]\ncontainer = 80\nhost = 2000";
        let converted = convert(
            vec![reading("a", text), reading("broken", "image ="), reading("b", text)],
            &Host::default(),
            &LastGood::default(),
        );
        assert_eq!(
            summary(&converted)[1],
            "b.toml: host port 2000 is taken by a.toml (give one of the two other ports: host = …)"
        );
        assert!(converted[0].tree.is_some() && converted[2].tree.is_none());
    }
}
