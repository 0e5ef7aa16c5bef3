//! From definitions to unit trees: each definition on its own.

use std::cmp::Reverse;
use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use conductor_definition::{
    Abilities, Candidate, Claims, DefinitionName, Diagnostic, Finding, Found, Kind, Object, Parsed, Releases,
    Site, Source, find, parse_for,
};
use conductor_units::{Context, Tree, render_object, render_releases};

use crate::draft::{Draft, Drafts, Parts, Rendered, State};
use crate::in_the_way::{claimed_twice, hidden, shadowed, unreadable};
use crate::last_good::LastGood;
use crate::objects::Known;
use crate::plan::Units;
use crate::releases::{LineUp, Released};
use crate::{Host, attach, depend, objects, parallel, together};

/// A definition's files: their text, and why some of it is missing.
#[derive(Debug, Clone)]
pub struct Reading {
    /// What it defines.
    pub kind: Kind,
    /// Paths and text.
    pub source: Source,
    /// Why there is no text, or not all of it; such a definition is not converted.
    pub problems: Vec<Diagnostic>,
    /// What was deployed of it.
    pub releases: Option<Releases>,
}

/// What is on the search paths.
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
    /// Errors in its releases, and where.
    pub releases: Vec<(Source, Vec<Diagnostic>)>,
    /// The units, if there are no errors. A service that was deployed has those of its releases, whatever is wrong with
    /// the definition of the next one.
    pub tree: Option<Tree>,
}

/// Reads every definition of a site.
pub fn read_all(site: &Site) -> Readings {
    let mut readings = Readings::default();
    let released = Released::look(site);
    for kind in Kind::ALL {
        let Found { candidates, findings } = find(site, kind);
        readings.findings.extend(findings);
        for reading in parallel::map(candidates, |candidate| read(kind, candidate, &released)) {
            match reading {
                Ok(reading) => readings.definitions.push(reading),
                Err(empty) => readings.empty.push((kind, empty.into())),
            }
        }
    }
    readings
}

/// Reads a definition; only its path if it is masked because it is empty.
pub(crate) fn read(kind: Kind, candidate: Candidate, deployed: &Released<'_>) -> Result<Reading, Box<Path>> {
    let Some((source, problems)) = candidate.read() else { return Err(candidate.main.path.into()) };
    let releases = if kind == Kind::Service { deployed.of(source.path()) } else { None };
    Ok(Reading { kind, source, problems, releases })
}

/// Converts all definitions. Whatever is wrong with one, even a panic of ours, stays with that one.
///
/// What is `established`, by its last good units, keeps what a newcomer claims too; it is also known by name to
/// others while its definition is broken. Networks and volumes come last in the result, and claim before services.
pub fn convert(readings: Vec<Reading>, host: &Host, established: &LastGood) -> Vec<Converted> {
    let converter = Converter::new(host, established);
    let (mut readings, of_objects): (Vec<Reading>, Vec<Reading>) =
        readings.into_iter().partition(|reading| reading.kind == Kind::Service);
    let objects = objects::convert(of_objects, &converter);
    let converter = converter.knowing(&objects.known);
    converter.sort(&mut readings, Reading::name);
    let drafts = parallel::map(readings, |reading| Box::new(converter.draft(reading)));
    let held = |draft: Box<Draft>| {
        let kind = draft.kind;
        let (parts, units) = draft.into_parts();
        let Parts { source, name, diagnostics, releases } = parts;
        let tree = units.and_then(Units::into_held);
        Converted { kind, source, name, diagnostics, releases, tree }
    };
    converter.finish(drafts, objects.drafts).into_iter().map(held).collect()
}

impl Reading {
    /// The name, if the file name gives one.
    pub fn name(&self) -> Option<DefinitionName> {
        DefinitionName::from_path(self.kind, self.source.path()).ok()
    }
}

/// What [`parse_for`] does, or in tests something like it.
type Parse = dyn Fn(&Source, Abilities) -> Result<Parsed, Vec<Diagnostic>> + Sync;

/// Turns definitions into units.
#[derive(Clone)]
pub(crate) struct Converter<'a> {
    host: &'a Host,
    established: &'a LastGood,
    /// Where files are that have to be read again because their text is not kept.
    site: Option<&'a Site>,
    parse: &'a Parse,
    render: &'a (dyn Fn(conductor_units::Releases<'_>, &Context) -> Tree + Sync),
    /// What becomes of the units of a definition until all are read.
    keep: &'a (dyn Fn(&DefinitionName, Tree) -> Units + Sync),
    /// Networks and volumes that services can use.
    known: &'a Known,
    /// Their names once more, in the form in which they are asked for.
    objects: Arc<BTreeSet<DefinitionName>>,
    /// Whether advice is wanted, and so the text that it points at. Without it a definition that has no errors
    /// takes next to no memory.
    advice: bool,
}

impl<'a> Converter<'a> {
    /// One that keeps everything in memory, and knows neither networks nor volumes.
    pub(crate) fn new(host: &'a Host, established: &'a LastGood) -> Self {
        static NOTHING: Known = Known::new();
        let keep = &|_: &DefinitionName, tree| Units::Held(tree);
        Self {
            host,
            established,
            site: None,
            parse: &parse_for,
            render: &render_releases,
            keep,
            known: &NOTHING,
            objects: Arc::default(),
            advice: true,
        }
    }

    /// One that gives the units away at once, and advice to nobody.
    pub(crate) fn keeping(
        self,
        site: &'a Site,
        keep: &'a (dyn Fn(&DefinitionName, Tree) -> Units + Sync),
    ) -> Self {
        Self { keep, site: Some(site), advice: false, ..self }
    }

    /// One for services that use these networks and volumes.
    pub(crate) fn knowing<'b>(self, known: &'b Known) -> Converter<'b>
    where
        'a: 'b,
    {
        let objects = Arc::new(known.keys().cloned().collect());
        Converter { known, objects, ..self }
    }

    /// Puts definitions in the order in which they get what they claim: who has it already comes first.
    pub(crate) fn sort<T>(&self, definitions: &mut [T], name: impl Fn(&T) -> Option<DefinitionName>) {
        // A stable sort: otherwise the order is that of the names, the same at every boot.
        definitions
            .sort_by_cached_key(|definition| Reverse(name(definition).is_some_and(|name| self.knew(&name))));
    }

    /// Whether a definition is established.
    pub(crate) fn knew(&self, name: &DefinitionName) -> bool {
        self.established.contains(&name.key())
    }

    /// Reads what a service's definition says and, if that depends on no other, makes its units.
    pub(crate) fn draft(&self, reading: Reading) -> Draft {
        let Reading { kind, mut source, problems, releases } = reading;
        let result = all_errors(problems, self.parsed(&source));
        let (service, mut draft) = match result {
            Ok(Parsed { service, warnings }) => {
                if self.advice {
                    (Some(service), Draft::new(kind, source, warnings))
                } else {
                    // What is found from here on has no place in the text, or the text is read again.
                    source.forget_text();
                    (Some(service), Draft::new(kind, source, Vec::new()))
                }
            }
            Err(diagnostics) => (None, Draft::new(kind, source, diagnostics)),
        };
        if let Some(service) = service.as_ref().filter(|_| self.advice || !self.known.is_empty()) {
            attach::check(service, self.known, self.host.scope, &mut draft);
        }
        match releases {
            Some(releases) => self.line_up(service, releases, &mut draft),
            None => {
                if let Some(service) = service.filter(|_| !draft.is_broken()) {
                    self.take(LineUp::only(service), &mut draft);
                }
            }
        }
        draft
    }

    /// What a service's definition says.
    fn parsed(&self, source: &Source) -> Result<Parsed, Vec<Diagnostic>> {
        contained(|| (self.parse)(source, self.host.abilities())).unwrap_or_else(|bug| Err(vec![bug]))
    }

    /// Whether warnings are of use.
    pub(crate) fn gives_advice(&self) -> bool {
        self.advice
    }

    pub(crate) fn site(&self) -> Option<&'a Site> {
        self.site
    }

    /// Makes the units of releases, unless those depend on other definitions.
    pub(crate) fn take(&self, line_up: LineUp, draft: &mut Draft) {
        draft.claims = Some(Claims::of(&line_up.live));
        draft.state = if line_up.releases().stand_alone() {
            State::Rendered(self.rendered(&line_up, &self.context(BTreeSet::new())))
        } else {
            State::Waiting(Box::new(line_up))
        };
    }

    /// Gives a network or a volume its unit.
    pub(crate) fn make_unit(&self, object: &Object, draft: &mut Draft) {
        let result = self.units_of(&object.definition_name(), || render_object(object, self.host.scope));
        match result {
            Ok(Rendered { units, advice }) => {
                if let Some(advice) = advice {
                    draft.report(*advice);
                }
                draft.state = State::Rendered(Ok(Rendered { units, advice: None }));
            }
            Err(diagnostic) => draft.report(*diagnostic),
        }
    }

    /// Networks and volumes that services can use.
    pub(crate) fn known(&self) -> &'a Known {
        self.known
    }

    pub(crate) fn host(&self) -> &'a Host {
        self.host
    }

    /// Decides between definitions that are in each other's way, and makes the units that wait for others.
    /// Networks and volumes come last in the result, but what they have is theirs before it is a service's.
    pub(crate) fn finish(&self, mut drafts: Drafts, mut objects: Vec<Draft>) -> Drafts {
        let mut complaints = together::clashing(&drafts);
        let lost = complaints.iter().map(|complaint| complaint.about).collect();
        complaints.extend(depend::check(&drafts, lost, self.established, self.host));
        together::report(self, &mut drafts, complaints);
        attach::tell(&drafts, &mut objects);
        let groups =
            drafts.iter().filter(|draft| self.is_group(draft)).filter_map(|draft| draft.name.as_ref());
        let groups = groups.map(|name| name.as_str().to_owned()).collect();
        let context = self.context(groups);
        let waiting = drafts.iter_mut().map(Box::as_mut);
        let waiting = waiting.filter(|draft| matches!(draft.state, State::Waiting(_))).collect();
        parallel::map(waiting, |draft: &mut Draft| {
            if let State::Waiting(line_up) = std::mem::replace(&mut draft.state, State::Broken) {
                draft.state = State::Rendered(self.rendered(&line_up, &context));
            }
        });
        for draft in &mut drafts {
            match &mut draft.state {
                State::Rendered(Ok(rendered)) => {
                    if let Some(advice) = rendered.advice.take() {
                        draft.report(*advice);
                    }
                }
                State::Rendered(Err(diagnostic)) => {
                    let diagnostic = (**diagnostic).clone();
                    draft.report(diagnostic);
                }
                State::Broken | State::Waiting(_) => {}
            }
        }
        for (loser, diagnostic) in claimed_twice(&drafts, &objects) {
            if let Some(draft) = drafts.get_mut(loser) {
                draft.report(diagnostic);
            }
        }
        drafts.extend(objects.into_iter().map(Box::new));
        drafts
    }

    fn context(&self, groups: BTreeSet<String>) -> Context {
        Context {
            systemd: self.host.systemd,
            scope: self.host.scope,
            groups,
            objects: Arc::clone(&self.objects),
        }
    }

    /// Whether others find it under `NAME.target`; while it is broken, whether they did.
    fn is_group(&self, draft: &Draft) -> bool {
        match (&draft.claims, &draft.name) {
            (Some(claims), _) => claims.group,
            (None, Some(name)) => {
                let kept = self.established.get(&name.key());
                kept.is_some_and(|tree| tree.get(&format!("{name}.target")).is_some())
            }
            (None, None) => false,
        }
    }

    fn rendered(&self, line_up: &LineUp, context: &Context) -> Result<Rendered, Box<Diagnostic>> {
        let name = DefinitionName::Service(line_up.live.name.clone());
        self.units_of(&name, || (self.render)(line_up.releases(), context))
    }

    fn units_of(
        &self,
        name: &DefinitionName,
        render: impl FnOnce() -> Tree,
    ) -> Result<Rendered, Box<Diagnostic>> {
        contained(|| {
            let tree = render();
            if let Some(diagnostic) = shadowed(tree.unit_names(), self.host).or_else(|| unreadable(&tree)) {
                return Err(diagnostic);
            }
            let advice = if self.advice { hidden(&tree, self.host).map(Box::new) } else { None };
            Ok(Rendered { units: (self.keep)(name, tree), advice })
        })
        .and_then(|result| result)
        .map_err(Box::new)
    }
}

/// What is said, unless a part could not be read: then why, and what is wrong with the other parts.
pub(crate) fn all_errors<T>(
    problems: Vec<Diagnostic>,
    parsed: Result<T, Vec<Diagnostic>>,
) -> Result<T, Vec<Diagnostic>> {
    if problems.is_empty() {
        return parsed;
    }
    // What is missing may be in the part that could not be read, and without it nothing is to be advised.
    let is_there = |found: &Diagnostic| found.label.is_some() && !MAY_BE_ELSEWHERE.contains(&found.code);
    let others = parsed.err().into_iter().flatten().filter(is_there);
    Err(problems.into_iter().chain(others).collect())
}

/// Errors about something that is not there.
const MAY_BE_ELSEWHERE: &[&str] = &["missing-key", "interpolation", "half-a-mount", "no-such-port"];

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
        Reading { kind: Kind::Service, source, problems: Vec::new(), releases: None }
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
        let render = |releases: conductor_units::Releases<'_>, context: &Context| {
            let name = &releases.live.name;
            assert!(name.as_str() != "a", "no luck with {name}");
            render_releases(releases, context)
        };
        let (host, established) = (Host::default(), LastGood::default());
        let converter = Converter { render: &render, ..Converter::new(&host, &established) };
        let drafts = readings.into_iter().map(|reading| Box::new(converter.draft(reading))).collect();
        let [a, b] = converter.finish(drafts, Vec::new()).try_into().unwrap();
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
            ["api.toml:4:8: host port 2000 is taken by web.toml (give one of the two other ports: host = …)"]
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
            "b.toml:4:8: host port 2000 is taken by a.toml (give one of the two other ports: host = …)"
        );
        assert!(converted[0].tree.is_some() && converted[2].tree.is_none());
    }
}
