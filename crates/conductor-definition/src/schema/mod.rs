//! JSON Schemas of the files that people write, for editors and for the manual page.
//!
//! They are made from the types of `written`: doc comments are the descriptions, and bounds, words and forms
//! are the constants that the reader itself goes by. Whatever an editor has to look at is simple: no `$ref`, no
//! conditions around keys, and expressions that need no lookahead.
//!
//! What no schema says: whether a time is within the bounds of a timer, whether keys contradict each other, and
//! what names and `${...}` refer to.

mod finish;
mod keys;
mod patterns;

use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde_json::Value;

use crate::{interpolate, written};

pub(crate) use keys::in_order;
pub(crate) use patterns::{CONTROL, at_least, in_any_case, text, time_span};

pub use keys::ORDER;

/// A kind of file that people write.
#[derive(Debug, Clone, Copy)]
pub struct Kind {
    /// What `conductor schema` calls it.
    pub name: &'static str,
    title: &'static str,
    /// Tables in which `${...}` has no meaning.
    literal: &'static [&'static str],
    root: fn(&mut SchemaGenerator) -> Schema,
}

/// All kinds.
pub const KINDS: &[Kind] = &[
    Kind {
        name: "service",
        title: "Definition of a Conductor service",
        literal: interpolate::LITERAL,
        root: written::Service::json_schema,
    },
    Kind {
        name: "network",
        title: "Definition of a network for Conductor services",
        literal: interpolate::LITERAL,
        root: written::Network::json_schema,
    },
    Kind {
        name: "volume",
        title: "Definition of a volume for Conductor services",
        literal: interpolate::LITERAL,
        root: written::Volume::json_schema,
    },
];

impl Kind {
    /// The schema as the manual page needs it: with the order of keys, which is in [`ORDER`] of each table.
    pub fn reference(&self) -> Value {
        let settings = SchemaSettings::draft2020_12().with(|settings| settings.inline_subschemas = true);
        let mut generator = settings.into_generator();
        let mut schema = (self.root)(&mut generator).to_value();
        finish::simple(&mut schema);
        schema
    }

    /// The schema of a main file.
    pub fn schema(&self) -> Value {
        let mut schema = self.reference();
        self.published(&mut schema, self.title);
        schema
    }

    /// The schema of a drop-in, in which everything may be missing that another file can have.
    pub fn drop_in(&self) -> Value {
        let mut schema = self.reference();
        finish::part(&mut schema);
        self.published(&mut schema, &format!("{}, drop-in", self.title));
        schema
    }

    fn published(&self, schema: &mut Value, title: &str) {
        finish::references(schema, "", self.literal);
        finish::defaults(schema);
        if let Some(root) = schema.as_object_mut() {
            root.insert("$schema".to_owned(), schemars::consts::meta_schemas::DRAFT2020_12.into());
            root.insert("title".to_owned(), title.into());
        }
    }
}
