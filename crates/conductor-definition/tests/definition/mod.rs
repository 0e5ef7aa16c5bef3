//! A definition as a JSON value, and every place in it where something can be written.

// Each test program uses its part of this.
#![allow(dead_code)]

use conductor_definition::Kind;
use serde_json::{Map, Value, json};

/// Keys from the top, indices of lists among them.
pub(crate) type Path = Vec<String>;

/// Somewhere in a definition; each way to write a value is a place of its own.
#[derive(Debug)]
pub(crate) struct Place {
    pub(crate) path: Path,
    /// What the schema says of the value.
    pub(crate) schema: Value,
    /// Whether the schema names it; otherwise it is an element or has a name of the user's own.
    pub(crate) named: bool,
    /// Whether the last step is a name of the user's own.
    pub(crate) free: bool,
}

/// A name for each table of names: the first that is right there.
const NAMES: &[&str] = &["key", "net.core.somaxconn", "Key"];

/// A definition with every table that has keys which must be there.
pub(crate) fn base_of(kind: Kind) -> Value {
    match kind {
        Kind::Service => base(),
        Kind::Network => json!({ "subnets": [{ "subnet": "10.0.0.0/8" }] }),
        Kind::Volume => json!({}),
    }
}

/// That of a service.
pub(crate) fn base() -> Value {
    json!({
        "image": "web:1",
        "ports": [{ "container": 80, "host": 2000 }],
        "health": { "path": "/" },
        "volumes": [{ "source": "/a", "target": "/b" }],
        "tmpfs": [{ "target": "/c" }],
        "secrets": { "key": { "path": "/d" } },
        "ulimits": { "nofile": { "soft": 1, "hard": 1 } },
        "deploy": { "before": { "command": ["x"] }, "canary": {} },
        "proxy": { "upstream": "web", "dark": { "header": { "name": "a", "value": "b" } } },
    })
}

/// All places, the whole definition included.
pub(crate) fn places(schema: &Value) -> Vec<Place> {
    let mut places = Vec::new();
    collect(schema, Vec::new(), false, false, &mut places);
    places
}

fn collect(schema: &Value, path: Path, named: bool, free: bool, places: &mut Vec<Place>) {
    let below = |step: &str| path.iter().cloned().chain([step.to_owned()]).collect::<Path>();
    for way in schema.get("anyOf").and_then(Value::as_array).into_iter().flatten() {
        collect(way, path.clone(), false, false, places);
    }
    for (key, value) in schema.get("properties").and_then(Value::as_object).into_iter().flatten() {
        // The names of a closed list stand beside a pattern for them.
        collect(value, below(key), schema.get("patternProperties").is_none(), false, places);
    }
    for (pattern, value) in schema.get("patternProperties").and_then(Value::as_object).into_iter().flatten() {
        let allowed = |name: &&&str| jsonschema::is_valid(&json!({ "pattern": pattern }), &(**name).into());
        if let Some(name) = NAMES.iter().find(allowed) {
            collect(value, below(name), false, true, places);
        }
    }
    if let Some(items) = schema.get("items") {
        collect(items, below("0"), false, false, places);
    }
    places.push(Place { path, schema: schema.clone(), named, free });
}

/// Writes a value at a path, with the tables and lists that lead there.
pub(crate) fn set(definition: &mut Value, path: &[String], value: Value) {
    let Some((step, rest)) = path.split_first() else { return *definition = value };
    if step == "0" {
        if !definition.is_array() {
            *definition = json!([]);
        }
        let items = definition.as_array_mut().unwrap();
        if items.is_empty() {
            items.push(Value::Null);
        }
        return set(items.first_mut().unwrap(), rest, value);
    }
    if !definition.is_object() {
        *definition = json!({});
    }
    let table: &mut Map<String, Value> = definition.as_object_mut().unwrap();
    set(table.entry(step).or_insert(Value::Null), rest, value);
}

/// The path as a JSON pointer; no step has a character that would be escaped.
pub(crate) fn pointer(path: &[String]) -> String {
    path.iter().flat_map(|step| ["/", step]).collect()
}

/// Takes a key out of the table at a path; false if it is not there.
pub(crate) fn unset(definition: &mut Value, path: &[String], key: &str) -> bool {
    let table = definition.pointer_mut(&pointer(path)).and_then(Value::as_object_mut);
    table.is_some_and(|table| table.remove(key).is_some())
}

/// The definition as TOML.
pub(crate) fn toml_of(definition: &Value) -> String {
    let keys = definition.as_object().unwrap().iter();
    let lines: Vec<String> =
        keys.map(|(key, value)| format!("{} = {}", string(key), inline(value))).collect();
    lines.join("\n")
}

fn inline(value: &Value) -> String {
    let list = |parts: Vec<String>| parts.join(", ");
    match value {
        Value::String(text) => string(text),
        Value::Array(items) => format!("[{}]", list(items.iter().map(inline).collect())),
        Value::Object(table) => {
            let entries = table.iter().map(|(key, value)| format!("{} = {}", string(key), inline(value)));
            format!("{{ {} }}", list(entries.collect()))
        }
        plain => plain.to_string(),
    }
}

/// A basic string; TOML takes no control character as it is (and JSON takes DEL).
fn string(text: &str) -> String {
    Value::from(text).to_string().replace('\u{7f}', "\\u007f")
}
