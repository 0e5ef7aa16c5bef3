//! From what schemars makes to what people read.

use serde_json::{Map, Value, json};

use super::ORDER;

/// Calls `change` on the schema of each key, of each element and of each way in which a value may be written.
fn inside(schema: &mut Map<String, Value>, mut change: impl FnMut(&mut Value)) {
    for table in ["properties", "patternProperties"] {
        if let Some(Value::Object(keys)) = schema.get_mut(table) {
            keys.values_mut().for_each(&mut change);
        }
    }
    if let Some(ways) = schema.get_mut("anyOf").and_then(Value::as_array_mut) {
        ways.iter_mut().for_each(&mut change);
    }
    if let Some(items) = schema.get_mut("items") {
        change(items);
    }
}

/// Keys may be left out, but TOML has no null; and a paragraph is one line.
pub(super) fn simple(schema: &mut Value) {
    let Value::Object(object) = schema else { return };
    without_null(object);
    if let Some(Value::String(text)) = object.get_mut("description") {
        let paragraphs: Vec<String> = text.split("\n\n").map(|lines| lines.replace('\n', " ")).collect();
        *text = paragraphs.join("\n\n");
    }
    // Sizes of Rust's types mean nothing here.
    object.remove("format");
    inside(object, simple);
}

fn without_null(schema: &mut Map<String, Value>) {
    if let Some(Value::Array(types)) = schema.get_mut("type") {
        types.retain(|one| one != "null");
        if let [one] = types.as_slice() {
            let one = one.clone();
            schema.insert("type".to_owned(), one);
        }
    }
    if let Some(Value::Array(words)) = schema.get_mut("enum") {
        words.retain(|word| !word.is_null());
    }
    let null = json!({ "type": "null" });
    let Some(Value::Array(ways)) = schema.get_mut("anyOf") else { return };
    ways.retain(|way| *way != null);
    // What is said about the key has precedence over what is said about the type.
    if let [Value::Object(only)] = ways.as_slice() {
        let only = only.clone();
        schema.remove("anyOf");
        for (keyword, value) in only {
            schema.entry(keyword).or_insert(value);
        }
    }
}

/// Nothing has to be there, except in the elements of lists: those are replaced as a whole.
pub(super) fn part(schema: &mut Value) {
    let Value::Object(object) = schema else { return };
    for condition in ["required", "if", "then", "else"] {
        object.remove(condition);
    }
    if !object.contains_key("items") {
        inside(object, part);
    }
}

/// Where `${...}` is filled in (see `interpolate`), a text with a reference is right, whatever comes of it. Words
/// of a list are left alone: nobody composes those, and editors offer them.
pub(super) fn references(schema: &mut Value, path: &str, literal: &[&str]) {
    let Value::Object(object) = schema else { return };
    if literal.contains(&path) {
        return;
    }
    if let Some(Value::String(pattern)) = object.get_mut("pattern") {
        *pattern = format!(r"{pattern}|\$[{{$]");
    }
    if let Some(Value::Array(ways)) = object.get_mut("anyOf") {
        for way in ways {
            references(way, path, literal);
        }
    }
    if let Some(Value::Object(keys)) = object.get_mut("properties") {
        for (key, value) in keys {
            let path = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
            references(value, &path, literal);
        }
    }
    // Of the elements of a list, only tables are looked into.
    if let Some(items) = object.get_mut("items").filter(|items| items.get("properties").is_some()) {
        references(items, path, literal);
    }
}

/// Says the default where people look, and takes out what only the manual page needs.
pub(super) fn defaults(schema: &mut Value) {
    let Value::Object(object) = schema else { return };
    object.remove(ORDER);
    if let (Some(default), Some(Value::String(text))) =
        (object.get("default").map(Value::to_string), object.get_mut("description"))
    {
        *text = format!("{text}\n\nDefault: `{default}`");
    }
    inside(object, defaults);
}
