//! What an editor that has the schemas would say about a definition, beside what the reader says.

// Each test program uses its part of this.
#![allow(dead_code)]

use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use conductor_definition::{Abilities, Diagnostic, Kind, Label, Source, parse, parse_network, parse_volume};
use jsonschema::Validator;
use jsonschema::error::ValidationErrorKind;
use serde_json::Value;
use toml::de::{DeTable, DeValue};

/// Errors that no schema can express: they are about several keys, about the file's name or about what a reference
/// refers to; and a file that is not TOML, or that nests too deep, has nothing to be judged.
pub(crate) const BEYOND_A_SCHEMA: &[&str] = &[
    "contradiction",
    "half-a-mount",
    "interpolation",
    "name",
    "no-such-port",
    "not-for-users",
    "outside-subnet",
    "port-clash",
    "subnet-clash",
    "syntax",
    "too-long",
    "too-many",
];

/// Whether an error is one that no schema can express.
pub(crate) fn is_beyond_a_schema(error: &Diagnostic) -> bool {
    // An address in numbers is one to the schema, and it does not count bits.
    BEYOND_A_SCHEMA.contains(&error.code) || error.message.contains(" is not where its subnet begins: ")
}

/// A schema as it is committed.
pub(crate) struct Schema {
    pub(crate) json: Value,
    validator: Validator,
    /// Many editors know draft 7 only, and read every schema by it.
    old: Validator,
}

pub(crate) static SERVICE: LazyLock<Schema> = LazyLock::new(|| Schema::read("service"));
pub(crate) static DROP_IN: LazyLock<Schema> = LazyLock::new(|| Schema::read("service-drop-in"));
static NETWORK: LazyLock<Schema> = LazyLock::new(|| Schema::read("network"));
static NETWORK_DROP_IN: LazyLock<Schema> = LazyLock::new(|| Schema::read("network-drop-in"));
static VOLUME: LazyLock<Schema> = LazyLock::new(|| Schema::read("volume"));
static VOLUME_DROP_IN: LazyLock<Schema> = LazyLock::new(|| Schema::read("volume-drop-in"));

/// The schemas of a main file and of a drop-in.
pub(crate) fn schemas(kind: Kind) -> [&'static Schema; 2] {
    match kind {
        Kind::Service => [&SERVICE, &DROP_IN],
        Kind::Network => [&NETWORK, &NETWORK_DROP_IN],
        Kind::Volume => [&VOLUME, &VOLUME_DROP_IN],
    }
}

/// The warnings, or the errors, that the reader finds in a definition.
pub(crate) fn read(kind: Kind, source: &Source) -> Result<Vec<Diagnostic>, Vec<Diagnostic>> {
    match kind {
        Kind::Service => parse(source).map(|parsed| parsed.warnings),
        Kind::Network => parse_network(source, Abilities::ROOT).map(|parsed| parsed.warnings),
        Kind::Volume => parse_volume(source, Abilities::ROOT).map(|parsed| parsed.warnings),
    }
}

pub(crate) fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

impl Schema {
    fn read(name: &str) -> Self {
        let path = repository().join(format!("packaging/schema/{name}.json"));
        let json: Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
        let validator = jsonschema::draft202012::new(&json).unwrap();
        let old = jsonschema::draft7::new(&json).unwrap();
        Self { json, validator, old }
    }

    pub(crate) fn accepts(&self, value: &Value) -> bool {
        let accepts = self.validator.is_valid(value);
        assert_eq!(accepts, self.old.is_valid(value), "the drafts differ about {value}");
        accepts
    }

    /// The places, as JSON pointers, that an editor would underline. What is missing or must not be there has a place
    /// of its own, below the table.
    pub(crate) fn complaints(&self, text: &str) -> Vec<String> {
        let value: Value = toml::from_str(text).unwrap();
        self.accepts(&value);
        let errors = self.validator.iter_errors(&value);
        let places = errors.flat_map(|error| {
            let table = error.instance_path().to_string();
            match error.kind() {
                ValidationErrorKind::AdditionalProperties { unexpected } => {
                    unexpected.iter().map(|key| below(&table, key)).collect()
                }
                // What is required of the whole because of another key: a check and a proxy need a port.
                ValidationErrorKind::Required { property } if table.is_empty() && property == "ports" => {
                    let needs = ["health", "proxy"].into_iter().find(|key| value.get(key).is_some());
                    vec![below("", needs.unwrap())]
                }
                ValidationErrorKind::Required { property } => {
                    vec![below(&table, property.as_str().unwrap())]
                }
                _ => vec![table],
            }
        });
        places.collect()
    }
}

fn below(table: &str, key: &str) -> String {
    format!("{table}/{}", key.replace('~', "~0").replace('/', "~1"))
}

/// Every error that a schema can express is one to the editor too, at its own place; and the editor finds nothing
/// that the reader does not.
pub(crate) fn agrees(kind: Kind, source: &Source, diagnostics: &[Diagnostic]) {
    if diagnostics.iter().any(|diagnostic| diagnostic.code == "syntax") {
        return;
    }
    let parts: Vec<_> = source.parts().collect();
    let alone = parts.len() == 1;
    for part in parts {
        let [main, drop_in] = schemas(kind);
        let schema = if part.start == 0 { main } else { drop_in };
        let complaints = schema.complaints(part.text);
        let here = |diagnostic: &&Diagnostic| {
            let at = diagnostic.label.as_ref().map_or(0, |label| label.span.start);
            diagnostic.is_error() && source.part_at(at).start == part.start
        };
        let errors = diagnostics.iter().filter(here).filter(|error| error.code != "name");
        let table = DeTable::parse(part.text).unwrap();
        let places: Vec<(&Diagnostic, String)> = errors
            .map(|error| {
                let span = error.label.as_ref().map(|label| &label.span);
                let span = span.map(|span| span.start - part.start..span.end - part.start);
                (error, span.map_or(String::new(), |span| place(table.get_ref(), &span)))
            })
            .collect();
        for (error, place) in &places {
            // What comes of a reference shows only when it is filled in.
            if error.label.as_ref().is_some_and(|label| written(source, label).contains('$')) {
                continue;
            }
            assert!(
                is_beyond_a_schema(error) || complaints.iter().any(|other| related(place, other)),
                "the schema accepts what is {error:?}, at {place:?}\nit complains about {complaints:?}"
            );
        }
        // What a drop-in replaces is judged by the editor only.
        for complaint in complaints.iter().filter(|_| alone) {
            assert!(
                places.iter().any(|(error, place)| related(place, complaint) || meant(error, complaint)),
                "the schema refuses {complaint}, and the reader does not: {places:?}"
            );
        }
    }
}

fn written<'s>(source: &'s Source, label: &Label) -> &'s str {
    let part = source.part_at(label.span.start);
    part.text.get(label.span.start - part.start..label.span.end - part.start).unwrap()
}

/// A key that the reader takes for misspelt is not missing to it.
fn meant(error: &Diagnostic, missing: &str) -> bool {
    let key = missing.rsplit('/').next().unwrap();
    error.help.as_ref().is_some_and(|help| *help == format!("did you mean `{key}`?"))
}

/// Whether one place lies in the other. Everything lies in the whole file, so that counts only for what has no place.
fn related(error: &str, complaint: &str) -> bool {
    let within = |inner: &str, outer: &str| inner == outer || inner.starts_with(&format!("{outer}/"));
    within(complaint, error) || (!complaint.is_empty() && within(error, complaint))
}

/// Where a span is, as a JSON pointer.
fn place(table: &DeTable<'_>, span: &Range<usize>) -> String {
    in_table(table, span).unwrap_or_default()
}

fn in_table(table: &DeTable<'_>, span: &Range<usize>) -> Option<String> {
    table.iter().find_map(|(key, value)| {
        let inner = if key.span() == *span { Some(String::new()) } else { in_value(value, span) };
        inner.map(|inner| format!("{}{inner}", below("", key.get_ref())))
    })
}

/// A table's own span is that of its header, so what is inside is asked first.
fn in_value(value: &toml::Spanned<DeValue<'_>>, span: &Range<usize>) -> Option<String> {
    let inner = match value.get_ref() {
        DeValue::Table(table) => in_table(table, span),
        DeValue::Array(items) => items
            .iter()
            .enumerate()
            .find_map(|(index, item)| in_value(item, span).map(|inner| format!("/{index}{inner}"))),
        _ => None,
    };
    let own = value.span();
    inner.or_else(|| (own.start <= span.start && span.end <= own.end).then(String::new))
}
