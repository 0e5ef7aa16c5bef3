//! From definitions to unit trees: each definition on its own.

use std::cmp::Reverse;
use std::collections::{BTreeSet, HashMap};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

use conductor_definition::{
    Abilities, Candidate, Claims, Diagnostic, Finding, Found, Parsed, Service, ServiceName, Site, Source,
    clashes, find, parse_for,
};
use conductor_units::{Context, Tree, render, stands_alone};

use crate::last_good::LastGood;
use crate::plan::Units;
use crate::{Host, depend, parallel};

/// A definition's files: their text, and why some of it is missing.
#[derive(Debug, Clone)]
pub struct Reading {
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
    pub empty: Vec<PathBuf>,
}

/// A definition and what became of it.
#[derive(Debug, Clone)]
pub struct Converted {
    /// Paths and text.
    pub source: Source,
    /// The name, if the file name gives one.
    pub name: Option<ServiceName>,
    /// Everything found, errors and warnings.
    pub diagnostics: Vec<Diagnostic>,
    /// The units, if there are no errors.
    pub tree: Option<Tree>,
}

/// Reads every definition of a site.
pub fn read_all(site: &Site) -> Readings {
    let Found { candidates, findings } = find(site);
    let mut readings = Readings { findings, ..Readings::default() };
    for reading in parallel::map(candidates, read) {
        match reading {
            Ok(reading) => readings.definitions.push(reading),
            Err(empty) => readings.empty.push(empty),
        }
    }
    readings
}

/// Reads a definition; only its path if it is masked because it is empty.
pub(crate) fn read(candidate: Candidate) -> Result<Reading, PathBuf> {
    let read = candidate.read().map(|(source, problems)| Reading { source, problems });
    read.ok_or(candidate.main.path)
}

/// Converts all definitions. Whatever is wrong with one, even a panic of ours, stays with that one.
///
/// Services that are `established`, by their last good units, keep what a newcomer claims too; they are
/// also known by name to others while their definition is broken.
pub fn convert(mut readings: Vec<Reading>, host: &Host, established: &LastGood) -> Vec<Converted> {
    let converter = Converter::new(host, established);
    converter.sort(&mut readings, |reading| reading.source.path());
    let drafts = parallel::map(readings, |reading| converter.draft(reading));
    let held = |draft: Draft| {
        let (source, name, diagnostics, units) = draft.into_parts();
        let tree = units.and_then(Units::into_held);
        Converted { source, name, diagnostics, tree }
    };
    converter.finish(drafts).into_iter().map(held).collect()
}

/// What [`parse_for`] does, or in tests something like it.
type Parse = dyn Fn(&Source, Abilities) -> Result<Parsed, Vec<Diagnostic>> + Sync;

/// Turns definitions into units.
pub(crate) struct Converter<'a> {
    host: &'a Host,
    established: &'a LastGood,
    parse: &'a Parse,
    render: &'a (dyn Fn(&Service, &Context) -> Tree + Sync),
    /// What becomes of the units of a service until all definitions are read.
    keep: &'a (dyn Fn(&ServiceName, Tree) -> Units + Sync),
    /// Whether advice is wanted, and so the text that it points at. Without it a definition that has no errors
    /// takes next to no memory.
    advice: bool,
}

/// A definition while others are read.
#[derive(Debug)]
pub(crate) struct Draft {
    source: Source,
    pub(crate) name: Option<ServiceName>,
    diagnostics: Vec<Diagnostic>,
    /// What it claims; nothing if it is not converted.
    pub(crate) claims: Option<Claims>,
    state: State,
}

#[derive(Debug)]
enum State {
    /// Not converted.
    Broken,
    /// Its units depend on other definitions.
    Waiting(Box<Service>),
    /// Its units are made, or could not be. That it counts only later: who loses something to another is told that alone.
    Rendered(Result<Rendered, Box<Diagnostic>>),
}

#[derive(Debug)]
struct Rendered {
    units: Units,
    advice: Option<Box<Diagnostic>>,
}

impl Draft {
    /// Notes what was found; after an error the definition is not converted, and claims nothing.
    pub(crate) fn report(&mut self, diagnostic: Diagnostic) {
        if diagnostic.is_error() {
            self.claims = None;
            self.state = State::Broken;
        }
        self.diagnostics.push(diagnostic);
    }

    /// The units, if they could be made.
    fn units(&self) -> Option<&Units> {
        match &self.state {
            State::Rendered(Ok(rendered)) => Some(&rendered.units),
            _ => None,
        }
    }

    /// Whether anything is wrong with it.
    pub(crate) fn is_broken(&self) -> bool {
        self.diagnostics.iter().any(Diagnostic::is_error)
    }

    /// The errors and warnings, each on one line.
    pub(crate) fn lines(&self) -> impl Iterator<Item = (&Diagnostic, String)> {
        self.diagnostics.iter().map(|diagnostic| (diagnostic, diagnostic.one_line(&self.source)))
    }

    pub(crate) fn into_parts(self) -> (Source, Option<ServiceName>, Vec<Diagnostic>, Option<Units>) {
        let Self { source, name, diagnostics, claims: _, state } = self;
        let units = match state {
            State::Rendered(Ok(rendered)) => Some(rendered.units),
            _ => None,
        };
        (source, name, diagnostics, units)
    }
}

impl<'a> Converter<'a> {
    /// One that keeps everything in memory.
    pub(crate) fn new(host: &'a Host, established: &'a LastGood) -> Self {
        let keep = &|_: &ServiceName, tree| Units::Held(tree);
        Self { host, established, parse: &parse_for, render: &render, keep, advice: true }
    }

    /// One that gives the units away at once, and advice to nobody.
    pub(crate) fn keeping(self, keep: &'a (dyn Fn(&ServiceName, Tree) -> Units + Sync)) -> Self {
        Self { keep, advice: false, ..self }
    }

    /// Puts definitions in the order in which they get what they claim: who has it already comes first.
    pub(crate) fn sort<T>(&self, definitions: &mut [T], path: impl Fn(&T) -> &Path) {
        let is_established = |path: &Path| {
            ServiceName::from_path(path).is_ok_and(|name| self.established.contains(name.as_str()))
        };
        // A stable sort: otherwise the order is that of the names, the same at every boot.
        definitions.sort_by_cached_key(|definition| Reverse(is_established(path(definition))));
    }

    /// Reads what a definition says and, if that depends on no other, makes its units.
    pub(crate) fn draft(&self, reading: Reading) -> Draft {
        let Reading { mut source, problems } = reading;
        let name = ServiceName::from_path(source.path()).ok();
        let result = if problems.is_empty() {
            contained(|| (self.parse)(&source, self.host.abilities())).unwrap_or_else(|bug| Err(vec![bug]))
        } else {
            Err(problems)
        };
        let Parsed { service, mut warnings } = match result {
            Ok(parsed) => parsed,
            Err(diagnostics) => {
                return Draft { source, name, diagnostics, claims: None, state: State::Broken };
            }
        };
        if !self.advice {
            // What is found from here on has no place in the text.
            source.forget_text();
            warnings = Vec::new();
        }
        let claims = Some(Claims::of(&service));
        let state = if stands_alone(&service) {
            let context = self.context(BTreeSet::new());
            State::Rendered(self.rendered(&service, &context))
        } else {
            State::Waiting(Box::new(service))
        };
        Draft { source, name, diagnostics: warnings, claims, state }
    }

    /// Decides between definitions that are in each other's way, and makes the units that wait for others.
    pub(crate) fn finish(&self, mut drafts: Vec<Draft>) -> Vec<Draft> {
        drop_clashing(&mut drafts);
        depend::check(&mut drafts, self.established);
        let groups =
            drafts.iter().filter(|draft| self.is_group(draft)).filter_map(|draft| draft.name.as_ref());
        let groups = groups.map(ToString::to_string).collect();
        let context = self.context(groups);
        let waiting = drafts.iter_mut().filter(|draft| matches!(draft.state, State::Waiting(_))).collect();
        parallel::map(waiting, |draft: &mut Draft| {
            if let State::Waiting(service) = std::mem::replace(&mut draft.state, State::Broken) {
                draft.state = State::Rendered(self.rendered(&service, &context));
            }
        });
        for draft in &mut drafts {
            match &mut draft.state {
                State::Rendered(Ok(rendered)) => {
                    draft.diagnostics.extend(rendered.advice.take().map(|advice| *advice));
                }
                State::Rendered(Err(diagnostic)) => {
                    let diagnostic = (**diagnostic).clone();
                    draft.report(diagnostic);
                }
                State::Broken | State::Waiting(_) => {}
            }
        }
        for (loser, diagnostic) in claimed_twice(&drafts) {
            if let Some(draft) = drafts.get_mut(loser) {
                draft.report(diagnostic);
            }
        }
        drafts
    }

    fn context(&self, groups: BTreeSet<String>) -> Context {
        Context { systemd: self.host.systemd, scope: self.host.scope, groups }
    }

    /// Whether others find it under `NAME.target`; while it is broken, whether they did.
    fn is_group(&self, draft: &Draft) -> bool {
        match (&draft.claims, &draft.name) {
            (Some(claims), _) => claims.group,
            (None, Some(name)) => {
                let kept = self.established.get(name.as_str());
                kept.is_some_and(|tree| tree.get(&format!("{name}.target")).is_some())
            }
            (None, None) => false,
        }
    }

    fn rendered(&self, service: &Service, context: &Context) -> Result<Rendered, Box<Diagnostic>> {
        contained(|| {
            let tree = (self.render)(service, context);
            if let Some(diagnostic) = shadowed(&tree, self.host) {
                return Err(diagnostic);
            }
            let advice = if self.advice { hidden(&tree, self.host).map(Box::new) } else { None };
            Ok(Rendered { units: (self.keep)(&service.name, tree), advice })
        })
        .and_then(|result| result)
        .map_err(Box::new)
    }
}

/// systemd's own generators refuse a second unit of one name too (src/shared/generator.c).
fn claimed_twice(drafts: &[Draft]) -> Vec<(usize, Diagnostic)> {
    let mut owners: HashMap<&str, &Path> = HashMap::new();
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

/// Services that claim what an earlier one has are not converted.
fn drop_clashing(drafts: &mut [Draft]) {
    let claims = drafts.iter().enumerate().filter_map(|(at, draft)| Some((at, draft.claims.as_ref()?)));
    for clash in clashes(claims) {
        let first = drafts.get(clash.first).map(|draft| draft.source.path().display().to_string());
        let said = format!("host port {} is taken by {}", clash.port, first.unwrap_or_default());
        if let Some(draft) = drafts.get_mut(clash.second) {
            draft.report(
                Diagnostic::error("port-clash", said).help("give one of the two other ports: host = …"),
            );
        }
    }
}

/// Generated units hide those in /usr/lib (systemd.unit(5), unit load path): a definition must not take
/// a package's service away.
fn shadowed(tree: &Tree, host: &Host) -> Option<Diagnostic> {
    let (unit, native) = tree.unit_names().find_map(|unit| Some((unit, host.native_unit(unit)?)))?;
    Some(
        Diagnostic::error("shadows-unit", format!("{unit} would hide {}", native.display()))
            .help("another package has a unit of this name: rename the definition"),
    )
}

/// The administrator's own units take precedence, wanted (`systemctl edit --full`, a mask) or forgotten.
fn hidden(tree: &Tree, host: &Host) -> Option<Diagnostic> {
    let (unit, over) = tree.unit_names().find_map(|unit| Some((unit, host.unit_over(unit)?)))?;
    Some(
        Diagnostic::warning("hidden", format!("{unit} has no effect: {} takes its place", over.display()))
            .help("remove that file, or rename the definition"),
    )
}

/// Runs `work`; a panic becomes a diagnostic.
fn contained<T>(work: impl FnOnce() -> T) -> Result<T, Diagnostic> {
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
        Reading { source: Source::new(format!("{name}.toml"), text), problems: Vec::new() }
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
        let (host, established) = (Host::default(), LastGood::default());
        let converter = Converter { render: &render, ..Converter::new(&host, &established) };
        let drafts = readings.into_iter().map(|reading| converter.draft(reading)).collect();
        let [a, b] = converter.finish(drafts).try_into().unwrap();
        let said: Vec<String> =
            a.lines().filter(|(found, _)| found.is_error()).map(|(_, line)| line).collect();
        assert_eq!(
            said,
            [
                "a.toml: a mistake in Conductor itself: no luck with a (please report it together with the definition)"
            ]
        );
        assert!(a.units().is_none() && b.units().is_some());
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
        let established = LastGood::open(&Site::system(root.path()));
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
