//! What may be written as a value, in one line: close to TOML, with `|` between the ways.

use serde_json::Value;

use super::roff::{Font, in_font, literal, plain};

/// The notation of a schema.
pub(super) fn notation(schema: &Value) -> String {
    let title = schema.get("title").and_then(Value::as_str);
    let ways = schema.get("anyOf").and_then(Value::as_array);
    if let Some(words) = schema.get("enum").and_then(Value::as_array) {
        return either(words.iter().map(json));
    }
    match (kind(schema), title, ways) {
        // Words that may be written in several ways have one name.
        ("string", Some(title), _) | ("", Some(title), Some(_)) => {
            format!("\\(dq{}\\(dq", in_font(Font::Italic, &plain(title)))
        }
        (_, _, Some(ways)) => either(ways.iter().map(notation)),
        ("boolean", ..) => either([literal("true"), literal("false")].into_iter()),
        ("integer", ..) => number("whole number", schema),
        ("number", ..) => number("number", schema),
        ("array", ..) => {
            let item = schema.get("items").map(notation).unwrap_or_default();
            if item.contains('|') { format!("[({item}), ...]") } else { format!("[{item}, ...]") }
        }
        ("object", ..) if entries(schema).is_some() => {
            let value = entries(schema).map(notation).unwrap_or_default();
            format!("{{ {NAME} = {value}, ... }}")
        }
        ("object", ..) => {
            let keys = keys(schema).map(|(key, _)| in_font(Font::Bold, &literal(key)));
            format!("{{ {} }}", keys.collect::<Vec<_>>().join(", "))
        }
        _ => in_font(Font::Italic, "anything"),
    }
}

/// What stands for a name of the user's own.
pub(super) const NAME: &str = "\\fINAME\\fR";

fn either(ways: impl Iterator<Item = String>) -> String {
    ways.collect::<Vec<_>>().join(" | ")
}

fn number(what: &str, schema: &Value) -> String {
    let what = in_font(Font::Italic, what);
    match (schema.get("minimum"), schema.get("maximum")) {
        (Some(least), Some(most)) => format!("{what} from {} to {}", json(least), json(most)),
        (Some(least), None) => format!("{what} from {} on", json(least)),
        _ => what,
    }
}

/// A value as TOML and JSON both write it.
pub(super) fn json(value: &Value) -> String {
    let text = value.to_string();
    literal(text.strip_suffix(".0").unwrap_or(&text))
}

/// The type; empty if there are several.
pub(super) fn kind(schema: &Value) -> &str {
    schema.get("type").and_then(Value::as_str).unwrap_or_default()
}

/// The schema of the values of a table whose keys are names of the user's own.
pub(super) fn entries(schema: &Value) -> Option<&Value> {
    schema.get("patternProperties").and_then(Value::as_object)?.values().next()
}

/// The keys of a table and their schemas, in the order of the type.
pub(super) fn keys(schema: &Value) -> impl Iterator<Item = (&str, &Value)> {
    let order = schema.get(conductor_definition::schema::ORDER).and_then(Value::as_array);
    let names = order.into_iter().flatten().filter_map(Value::as_str);
    names.filter_map(|name| Some((name, schema.get("properties")?.get(name)?)))
}
