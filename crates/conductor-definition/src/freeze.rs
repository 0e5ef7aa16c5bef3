//! Makes a release of a definition: one file that says everything, whatever becomes of the definition later.

use serde::Deserialize as _;
use toml::de::Deserializer;
use toml::{Table, Value};

use crate::interpolate::{LITERAL, interpolate};
use crate::merge::merged;
use crate::{Diagnostic, Image, PullPolicy, Source, Strategy};

/// What of a release is known only when it is made.
#[derive(Debug, Clone, Copy)]
pub struct Pins<'a> {
    /// The image, by its digest or its id.
    pub image: &'a Image,
    /// What people call the release.
    pub revision: &'a str,
    /// How it takes over: what is a default for a definition would be a guess about a release.
    pub strategy: Strategy,
}

/// The text of a release. Drop-ins are merged and references filled in; where the release is read a dollar is one.
///
/// # Errors
/// Those of a definition that cannot be read.
pub fn freeze(source: &Source, pins: Pins<'_>) -> Result<String, Vec<Diagnostic>> {
    let mut keys = merged(source)?;
    let (_, diagnostics) = interpolate(keys.get_mut(), source)?;
    if diagnostics.iter().any(Diagnostic::is_error) {
        return Err(diagnostics);
    }
    let failed = |error: &dyn std::fmt::Display| vec![Diagnostic::error("internal", error.to_string())];
    let mut table = Table::deserialize(Deserializer::from(keys)).map_err(|error| failed(&error))?;
    escape(&mut table, "");
    let Pins { image, revision, strategy } = pins;
    let dollars = |text: &str| Value::String(text.replace('$', "$$"));
    table.insert("image".to_owned(), dollars(image.as_str()));
    table.insert("revision".to_owned(), dollars(revision));
    set(&mut table, "deploy", "strategy", strategy.to_string());
    // What is pinned does not change at the registry: asking it before each start would only be a way to fail.
    if text_of(&table, "pull", "policy") == Some("always") {
        set(&mut table, "pull", "policy", PullPolicy::Missing.to_string());
    }
    toml::to_string_pretty(&table).map_err(|error| failed(&error))
}

fn text_of<'a>(table: &'a Table, key: &str, inner: &str) -> Option<&'a str> {
    table.get(key)?.get(inner)?.as_str()
}

fn set(table: &mut Table, key: &str, inner: &str, text: String) {
    let entry = table.entry(key).or_insert_with(|| Value::Table(Table::new()));
    if let Value::Table(table) = entry {
        table.insert(inner.to_owned(), Value::String(text));
    }
}

/// Doubles dollars exactly where [`interpolate`] looks for them.
fn escape(table: &mut Table, prefix: &str) {
    for (key, value) in table.iter_mut() {
        let path = format!("{prefix}{key}");
        if LITERAL.contains(&path.as_str()) {
            continue;
        }
        match value {
            Value::String(text) => *text = text.replace('$', "$$"),
            Value::Table(inner) => escape(inner, &format!("{path}.")),
            Value::Array(items) => {
                for (index, item) in items.iter_mut().enumerate() {
                    if let Value::Table(inner) = item {
                        escape(inner, &format!("{path}.{index}."));
                    }
                }
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Abilities, Service, parse, parse_release};

    /// The release of a definition, less what says where it is from.
    fn frozen(source: &Source) -> (Service, Service) {
        let service = parse(source).unwrap().service;
        let image = "registry.example.com/web@sha256:0123".parse().unwrap();
        let strategy = service.deploy.strategy;
        let text = freeze(source, Pins { image: &image, revision: "a$b", strategy }).unwrap();
        let release = Source::new("/etc/conductor/releases/web/blue.toml", text);
        let release = parse_release(&release, &service.name, Abilities::ROOT).unwrap().service;
        (service, release)
    }

    #[test]
    fn a_release_says_all_that_its_definition_does() {
        let mut source = Source::new(
            "web.toml",
            r#"image = "registry.example.com/web:${revision}"
revision = "7"
description = "costs 5$$, ${revision}"
command = ["$A", "$$", "${B}"]
instances = 2
[[ports]]
container = 8080
host = 0x4e20
[health]
path = "/${revision}?a=$$"
[environment]
PRICE = "$5 $$"
[pull]
policy = "always"
[resources]
cpus = 1.5
"#,
        );
        source.push("10.toml", "instances = 3\n[labels]\n\"a\" = \"$x\"\n");
        let (service, release) = frozen(&source);
        let mut expected = service.clone();
        expected.process.image = release.process.image.clone();
        expected.revision = Some("a$b".to_owned());
        expected.source_path.clone_from(&release.source_path);
        expected.is_release = true;
        expected.drop_ins = Vec::new();
        expected.pull.policy = PullPolicy::Missing;
        // What was a default is said now.
        expected.slots = true;
        assert_eq!(release, expected);
        assert_eq!(release.process.image.as_str(), "registry.example.com/web@sha256:0123");
        assert_eq!(release.description.as_deref(), Some("costs 5$, 7"));
    }

    #[test]
    fn without_checks_it_is_recreated() {
        let (service, release) = frozen(&Source::new("web.toml", "image = \"web:1\"\n"));
        assert!(!service.slots && !release.slots);
        assert_eq!(release.deploy.strategy, Strategy::Recreate);
    }
}
