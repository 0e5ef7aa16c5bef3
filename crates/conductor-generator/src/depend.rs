//! Dependencies between services: on names and units that nobody has, and which of them wait for which.

use std::collections::{BTreeMap, BTreeSet};

use conductor_definition::{Claims, Dependency, Diagnostic, Reference};
use conductor_units::{Role, origins};

use crate::circles::{Graph, circles, further};
use crate::draft::Draft;
use crate::together::{Claim, Complaint, Mark};
use crate::{Host, LastGood};

/// Names that nobody has are told of one service, at the most.
const MOST_MISSING: usize = 64;

/// What is wrong with dependencies. `lost` are services that are not converted anyway.
pub(crate) fn check(
    drafts: &[Box<Draft>],
    mut lost: BTreeSet<usize>,
    established: &LastGood,
    host: &Host,
) -> Vec<Complaint> {
    if drafts.iter().all(|draft| references(draft).is_empty()) {
        return Vec::new();
    }
    let known = Known::of(drafts, established, host);
    let mut complaints = Vec::new();
    let mut resolved: Vec<Vec<Option<usize>>> = Vec::with_capacity(drafts.len());
    for (about, draft) in drafts.iter().enumerate() {
        let mut missing = 0;
        let resolve = |(at, (how, dependency)): (usize, &(Reference, Dependency))| {
            let mistake = match known.resolve(about, dependency) {
                Ok(target) => return target,
                Err(mistake) => mistake,
            };
            missing += 1;
            if missing <= MOST_MISSING {
                complaints.push(mistake.complaint(about, at, *how, dependency));
            }
            None
        };
        resolved.push(references(draft).iter().enumerate().map(resolve).collect());
    }
    lost.extend(complaints.iter().filter(|one| one.diagnostic.is_error()).map(|one| one.about));
    let graph = Graph { starts: known.starts(), before: resolved };
    let mut found = circles(&graph, lost.clone());
    lost.extend(found.iter().map(|circle| circle.loser));
    found.extend(further(&graph, &found, &lost));
    complaints.extend(found.iter().map(|circle| circle.complaint(drafts, &graph)));
    complaints
}

fn references(draft: &Draft) -> &[(Reference, Dependency)] {
    draft.claims.as_ref().map_or(&[], |Claims { references, .. }| references)
}

/// Services, by the names under which others refer to them.
struct Known<'a> {
    /// With their places among all, and what they claim.
    ours: BTreeMap<&'a str, (usize, &'a Claims)>,
    /// Of those too that are broken, or were established.
    names: BTreeSet<&'a str>,
    host: &'a Host,
}

/// Why a reference leads nowhere, and what to write.
struct Mistake {
    what: String,
    help: String,
}

impl<'a> Known<'a> {
    fn of(drafts: &'a [Box<Draft>], established: &'a LastGood, host: &'a Host) -> Self {
        let name = |draft: &'a Draft| Some(draft.name.as_ref()?.as_str());
        let ours = drafts.iter().enumerate().filter_map(|(at, draft)| {
            let claims = draft.claims.as_ref()?;
            Some((name(draft)?, (at, claims)))
        });
        let names = drafts.iter().filter_map(|draft| name(draft)).chain(established.names());
        Self { ours: ours.collect(), names: names.collect(), host }
    }

    fn starts(&self) -> Vec<usize> {
        self.ours.values().map(|(at, _)| *at).collect()
    }

    /// The service that `from` refers to; nothing if that is systemd's business.
    fn resolve(&self, from: usize, dependency: &Dependency) -> Result<Option<usize>, Mistake> {
        let name = dependency.as_str();
        if !dependency.is_unit() {
            if self.names.contains(name) {
                return Ok(self.ours.get(name).map(|(at, _)| *at));
            }
            let what = "there is no such service".to_owned();
            let help =
                "write the name of a definition, or a unit with its suffix, such as postgresql.service"
                    .to_owned();
            return Err(Mistake { what, help });
        }
        let mut mistake = None;
        for (service, role) in origins(name) {
            let Some((at, claims)) = self.ours.get(service) else { continue };
            if makes(claims, role) {
                // systemd drops the dependency of an instance on itself, and then those of one service can come one
                // after another (src/core/unit.c, `unit_add_dependency()`).
                let among_its_own = *at == from && is_instance(role);
                return Ok(Some(*at).filter(|_| !among_its_own));
            }
            // A name that only might be one of a slot's or a checker's is more likely to be something else's.
            if !matches!(role, Role::InSlot { .. } | Role::Health { .. }) {
                mistake.get_or_insert_with(|| Mistake::unit(service, claims, role));
            }
        }
        mistake.filter(|_| !self.is_on_the_host(name)).map_or(Ok(None), Err)
    }

    /// Whether the machine has a unit of this name, or the template for it.
    fn is_on_the_host(&self, unit: &str) -> bool {
        let has = |unit: &str| self.host.native_unit(unit).is_some() || self.host.unit_over(unit).is_some();
        has(unit) || unit.split_once('@').is_some_and(|(name, _)| has(&format!("{name}@.service")))
    }
}

/// Whether a service has the unit. That of a slot may come with the next release.
fn makes(claims: &Claims, role: Role) -> bool {
    match role {
        Role::Alone => !claims.group,
        Role::Whole => claims.group,
        Role::Instance(number) => {
            claims.group && !claims.slots && number.is_some_and(|number| number <= claims.instances)
        }
        Role::InSlot { .. } => claims.slots,
        Role::Health { slot } => claims.health && claims.slots == slot,
    }
}

fn is_instance(role: Role) -> bool {
    matches!(role, Role::Instance(_) | Role::InSlot { instance: true })
}

impl Mistake {
    /// A unit that a definition would make if it were another one.
    fn unit(service: &str, claims: &Claims, role: Role) -> Self {
        let Claims { group, instances, slots, .. } = claims;
        let help = match (role, slots, group) {
            (_, true, _) => {
                format!("{service} has a unit for each release: write `{service}`, or {service}.target")
            }
            (Role::Instance(_), false, true) => format!(
                "{service} has instances 1 to {instances}: write one of them, or `{service}` for all of them"
            ),
            (_, false, true) => format!("{service} has instances: write `{service}`, or {service}.target"),
            (_, false, false) => {
                format!("{service} has no instances: write `{service}`, or {service}.service")
            }
        };
        Self { what: format!("the definition of {service} makes no such unit"), help }
    }

    /// systemd ignores an ordering after a unit that does not exist, and so does a mere wish; a requirement would fail
    /// each start.
    fn complaint(self, about: usize, at: usize, how: Reference, dependency: &Dependency) -> Complaint {
        let Self { what, help } = self;
        let make = match how {
            Reference::Requires => Diagnostic::error,
            Reference::Wants | Reference::After => Diagnostic::warning,
        };
        let diagnostic =
            make("missing-dependency", format!("{how} names `{dependency}`, and {what}")).help(help);
        let mark = Mark { claim: Claim::Reference(at), text: "leads nowhere".to_owned() };
        Complaint { about, diagnostic, at: Some(mark), related: None }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use conductor_definition::{Kind, Source};

    use crate::{Host, Reading, convert};

    /// Definitions in one line each, `name: key = value; …`; returns what is said.
    fn said(definitions: &[&str]) -> Vec<String> {
        let readings = definitions.iter().map(|definition| {
            let (name, keys) = definition.split_once(':').unwrap();
            let text = format!("image = \"x:1\"\nresources.memory = \"1G\"\n{}", keys.replace(';', "\n"));
            let source = Source::new(format!("{name}.toml"), text);
            Reading { kind: Kind::Service, source, problems: Vec::new(), releases: None }
        });
        let converted = convert(readings.collect(), &Host::default(), &LastGood::default());
        converted.iter().flat_map(|one| one.diagnostics.iter().map(|said| one.line(said))).collect()
    }

    #[test]
    fn names_that_nobody_has() {
        assert_eq!(
            said(&["api: requires = [\"databse\"]; after = [\"cache\", \"x.service\"]", "database:"]),
            [
                "api.toml:3:14: requires names `databse`, and there is no such service (write the name of a definition, or a unit with its suffix, such as postgresql.service)",
                "api.toml:4:11: warning: after names `cache`, and there is no such service (write the name of a definition, or a unit with its suffix, such as postgresql.service)",
            ]
        );
    }

    #[test]
    fn circles_break_at_one_service() {
        let help = "(take one of these out of after, wants or requires)";
        assert_eq!(
            said(&[
                "a: after = [\"b\"]",
                "b: wants = [\"c\"]",
                "c: requires = [\"a\"]",
                "d: after = [\"a\"]"
            ]),
            [format!("c.toml:3:14: services wait for each other: a -> b -> c -> a {help}")]
        );
        assert_eq!(
            said(&["a: after = [\"a\"]"]),
            [format!("a.toml:3:11: services wait for each other: a -> a {help}")]
        );
        assert_eq!(said(&["a: after = [\"b\", \"c\"]", "b: after = [\"c\"]", "c:"]), [""; 0]);
    }

    /// What is said of a service `x` with one key, beside services of each shape.
    fn said_of(key: &str) -> Vec<String> {
        let slots = "ports = [{ container = 80, host = 2000 }]; deploy.strategy = \"blue-green\"; health.path = \"/\"";
        let grp = "grp: instances = 2; after = [\"x\"]";
        let one = "one: after = [\"x\"]; ports = [{ container = 80, host = 3000 }]; health.path = \"/\"";
        said(&[grp, one, &format!("slots: after = [\"x\"]; {slots}"), &format!("x: {key}")])
            .into_iter()
            .filter_map(|line| line.strip_prefix("x.toml:3:").map(str::to_owned))
            .collect()
    }

    #[test]
    fn units_that_a_definition_makes_are_that_definition() {
        for (unit, service) in [
            ("one", "one"),
            ("one.service", "one"),
            ("one-health.service", "one"),
            ("grp.target", "grp"),
            ("grp@2.service", "grp"),
            ("slots.target", "slots"),
            ("slots-blue.target", "slots"),
            ("slots-green@7.service", "slots"),
            ("slots-blue-health.service", "slots"),
        ] {
            // From where it is met: the services come by their names.
            let members = if service == "grp" { "grp -> x -> grp" } else { &format!("x -> {service} -> x") };
            let help = "take one of these out of after, wants or requires";
            let expected = format!("11: services wait for each other: {members} ({help})");
            assert_eq!(said_of(&format!("after = [\"{unit}\"]")), [expected], "{unit}");
        }
        for unit in
            ["one-pull.service", "slots-blue-pull.service", "network.target", "one.socket", "y@1.service"]
        {
            assert_eq!(said_of(&format!("requires = [\"{unit}\"]")), [""; 0], "{unit}");
        }
    }

    #[test]
    fn units_that_a_definition_would_make_if_it_were_another() {
        for (unit, help) in [
            ("one.target", "one has no instances: write `one`, or one.service"),
            ("one@1.service", "one has no instances: write `one`, or one.service"),
            ("grp.service", "grp has instances: write `grp`, or grp.target"),
            ("grp@7.service", "grp has instances 1 to 2: write one of them, or `grp` for all of them"),
            ("slots.service", "slots has a unit for each release: write `slots`, or slots.target"),
            ("slots@1.service", "slots has a unit for each release: write `slots`, or slots.target"),
        ] {
            let name = unit.split(['.', '@']).next().unwrap();
            let said =
                format!("requires names `{unit}`, and the definition of {name} makes no such unit ({help})");
            assert_eq!(said_of(&format!("requires = [\"{unit}\"]")), [format!("14: {said}")]);
            let said = said.replace("requires", "warning: after");
            assert_eq!(said_of(&format!("after = [\"{unit}\"]")), [format!("11: {said}")]);
        }
    }

    #[test]
    fn a_unit_of_the_machine_is_systemds_business() {
        let root = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(root.path().join("etc/systemd/system")).unwrap();
        std::fs::write(root.path().join("etc/systemd/system/web@.service"), "").unwrap();
        let (host, _) = Host::look(&conductor_definition::Site::system(root.path()));
        let source = |name: &str, text: &str| Reading {
            kind: Kind::Service,
            source: Source::new(
                format!("{name}.toml"),
                format!("image = \"x:1\"\nresources.memory = \"1G\"\n{text}"),
            ),
            problems: Vec::new(),
            releases: None,
        };
        let readings = vec![source("web", ""), source("x", "requires = [\"web@1.service\"]")];
        let converted = convert(readings, &host, &LastGood::default());
        assert!(converted.iter().all(|one| one.diagnostics.is_empty()), "{converted:?}");
    }

    #[test]
    fn instances_of_one_service_may_come_one_after_another() {
        assert_eq!(said(&["a: instances = 2; after = [\"a@1.service\"]"]), [""; 0]);
        assert_eq!(said(&["a: instances = 2; after = [\"a.target\"]"]).len(), 1);
    }

    #[test]
    fn nothing_hides_anything_else() {
        let ports = "ports = [{ container = 1, host = 2000 }]";
        let b = format!("b: requires = [\"nobody\", \"a\", \"b\"]; {ports}");
        let told = said(&[&format!("a: after = [\"b\"]; {ports}"), &b]);
        let what = ["host port 2000", "names `nobody`", "a -> b -> a", "b -> b"];
        assert!(
            told.len() == 4 && what.iter().all(|what| told.iter().any(|line| line.contains(what))),
            "{told:?}"
        );
        assert!(told.iter().all(|line| line.starts_with("b.toml:")), "{told:?}");
    }
}
