//! What one key says about another, as far as a schema can say it.

use schemars::Schema;
use serde_json::json;

/// A check needs a port to ask, and a published port belongs to a container that has a network of its own.
pub(super) fn of_service(schema: &mut Schema) {
    let ports = |rule| json!({ "properties": { "ports": { "items": rule } } });
    schema.insert("dependentRequired".to_owned(), json!({ "health": ["ports"] }));
    let host = json!({ "enum": ["host", ["host"]] });
    schema.insert("if".to_owned(), json!({ "properties": { "network": host }, "required": ["network"] }));
    schema.insert("then".to_owned(), ports(json!({ "properties": { "container": false } })));
    schema.insert("else".to_owned(), ports(json!({ "required": ["container"] })));
}
