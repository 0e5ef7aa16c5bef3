//! What one key says about another, as far as a schema can say it. Only what draft 7 has too: editors may know no
//! later one.

use schemars::Schema;
use serde_json::{Value, json};

/// A published port belongs to a container that has a network of its own, and a check and a proxy need a port.
pub(super) fn of_service(schema: &mut Schema) {
    let host = json!({ "enum": ["host", ["host"]] });
    schema.insert("if".to_owned(), json!({ "properties": { "network": host }, "required": ["network"] }));
    schema.insert("then".to_owned(), of_ports(&json!({ "properties": { "container": false } })));
    schema.insert("else".to_owned(), of_ports(&json!({ "required": ["container"] })));
}

fn of_ports(rule: &Value) -> Value {
    json!({
        "properties": { "ports": { "items": rule } },
        "if": { "anyOf": [{ "required": ["health"] }, { "required": ["proxy"] }] },
        "then": { "required": ["ports"], "properties": { "ports": { "minItems": 1 } } },
    })
}

/// HTTP needs a path, and what has none cannot be asked for one. Of a protocol that is none, nothing is said.
pub(super) fn of_health(schema: &mut Schema) {
    let speaks = |protocols: &[&str]| json!({ "properties": { "protocol": { "enum": protocols } } });
    schema.insert("if".to_owned(), speaks(&["http", "https", "h2c"]));
    schema.insert("then".to_owned(), json!({ "required": ["path"] }));
    schema.insert(
        "else".to_owned(),
        json!({ "if": speaks(&["grpc", "grpcs", "tcp"]), "then": { "properties": { "path": false } } }),
    );
}

/// There is one door.
pub(super) fn of_dark(schema: &mut Schema) {
    crate::schema::in_order::<super::Dark>(schema);
    let only = |key: &str| json!({ "required": [key] });
    schema.insert("oneOf".to_owned(), json!([only("header"), only("cookie"), only("listen")]));
}
