//! The schemas are good ones, and they say what the reader does: of every definition that people are shown, and of
//! single values at every key.

#![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]

mod definition;
mod editor;

use std::path::Path;

use conductor_definition::{Site, Source, find, parse};
use definition::{Place, base, places, set, toml_of, unset};
use editor::{DROP_IN, SERVICE, agrees, repository};
use serde_json::{Value, json};

fn text(path: &str) -> String {
    std::fs::read_to_string(repository().join(path)).unwrap()
}

#[test]
fn they_follow_the_draft() {
    for schema in [&*SERVICE, &*DROP_IN] {
        assert_eq!(schema.json["$schema"], "https://json-schema.org/draft/2020-12/schema");
        jsonschema::draft202012::meta::validate(&schema.json).unwrap();
        // Many editors read every schema by this one.
        jsonschema::draft7::meta::validate(&schema.json).unwrap();
    }
}

#[test]
fn examples_are_accepted() {
    let mut count = 0;
    for entry in std::fs::read_dir(repository().join("packaging/examples")).unwrap() {
        accepted(&std::fs::read_to_string(entry.unwrap().path()).unwrap());
        count += 1;
    }
    assert!(count >= 6, "{count} examples");
}

/// A whole definition that is right, to the reader and to the editor.
fn accepted(text: &str) {
    let source = Source::new("web.toml", text);
    assert_eq!(parse(&source).err(), None, "in\n{text}");
    assert_eq!(SERVICE.complaints(text), Vec::<String>::new(), "in\n{text}");
}

#[test]
fn definitions_in_the_documentation_are_accepted() {
    let readme = text("README.md");
    let fenced = readme.split("```toml\n").skip(1).map(|rest| rest.split_once("\n```").unwrap().0.to_owned());
    let mut blocks: Vec<String> = fenced.collect();
    for entry in std::fs::read_dir(repository().join("packaging/man")).unwrap() {
        let page = std::fs::read_to_string(entry.unwrap().path()).unwrap();
        let shown = page.split("\n.nf\n").skip(1).map(|rest| rest.split_once("\n.fi").unwrap().0);
        let shown = shown.map(|block| block.replace("\\(dq", "\"").replace("\\-", "-"));
        // What is to be typed into a shell is shown like this too.
        blocks.extend(shown.filter(|block| block.lines().any(|line| line.starts_with("image = "))));
    }
    assert!(blocks.len() >= 4, "{blocks:?}");
    for block in &blocks {
        accepted(block);
    }
}

/// A comment at the top of a definition tells editors where its schema is.
#[test]
fn the_documentation_names_schemas_that_are_there() {
    let mut count = 0;
    for page in ["README.md", "packaging/man/conductor-service.5", "packaging/man/conductor.1"] {
        for rest in text(page).replace("\\-", "-").split("/usr/share/conductor/schema/").skip(1) {
            let name = rest.split(|c: char| !c.is_ascii_alphanumeric() && !"-.".contains(c)).next().unwrap();
            assert!(repository().join("packaging/schema").join(name).is_file(), "{name} in {page}");
            count += 1;
        }
    }
    assert!(count >= 4, "{count}");
}

#[test]
fn definitions_in_the_fixtures_are_judged_alike() {
    let (mut mains, mut drop_ins) = (0, 0);
    for case in std::fs::read_dir(repository().join("tests/fixtures")).unwrap() {
        for candidate in find(&Site::system(case.unwrap().path().join("root"))).candidates {
            let Some((source, problems)) = candidate.read() else { continue };
            let read = parse(&source);
            let good = read.is_ok() && problems.is_empty();
            agrees(&source, &read.map_or_else(|errors| errors, |parsed| parsed.warnings));
            for part in source.parts().filter(|_| good) {
                // With drop-ins, the main file need not be whole.
                let schema = if candidate.drop_ins.is_empty() { &*SERVICE } else { &*DROP_IN };
                let complaints = schema.complaints(part.text);
                assert_eq!(complaints, Vec::<String>::new(), "{}", part.path.display());
                *(if part.path == Path::new(source.path()) { &mut mains } else { &mut drop_ins }) += 1;
            }
        }
    }
    assert!(mains >= 50 && drop_ins >= 10, "{mains} definitions, {drop_ins} drop-ins");
}

#[test]
fn each_default_is_the_readers() {
    let mut count = 0;
    for Place { schema, path, .. } in places(&SERVICE.json) {
        let Some(default) = schema.get("default") else { continue };
        let mut with = base();
        set(&mut with, &path, default.clone());
        let service = |value: &Value| parse(&Source::new("web.toml", toml_of(value))).unwrap().service;
        assert_eq!(service(&with), service(&base()), "{path:?} = {default}");
        count += 1;
    }
    assert!(count >= 25, "{count} defaults");
}

#[test]
fn each_required_key_is_missing_to_the_reader() {
    let mut count = 0;
    for Place { schema, path, .. } in places(&SERVICE.json) {
        let keys = schema.get("required").and_then(Value::as_array).into_iter().flatten();
        for key in keys.filter_map(Value::as_str) {
            let mut without = base();
            // One limit of many stands for all of them.
            if !unset(&mut without, &path, key) {
                continue;
            }
            assert!(!SERVICE.accepts(&without), "{path:?} without {key}");
            let errors = parse(&Source::new("web.toml", toml_of(&without))).unwrap_err();
            assert!(
                errors
                    .iter()
                    .any(|error| error.message.contains("is missing")
                        || error.message.contains("missing field")),
                "{errors:?}"
            );
            assert!(
                DROP_IN.accepts(&without) || path.iter().any(|step| step == "0"),
                "a part need not have {key}"
            );
            count += 1;
        }
    }
    assert!(count >= 8, "{count} required keys");
}

/// Whatever is said about it, a table has no other keys than those that are known.
#[test]
fn no_table_takes_unknown_keys() {
    let mut count = 0;
    for Place { schema, path, .. } in
        places(&SERVICE.json).into_iter().filter(|place| place.schema["type"] == "object")
    {
        assert_eq!(schema["additionalProperties"], json!(false), "{path:?}");
        count += 1;
    }
    assert!(count >= 20, "{count} tables");
}

#[test]
fn every_key_is_explained() {
    for Place { schema, path, named, .. } in places(&SERVICE.json).iter().filter(|place| place.named) {
        let text = schema["description"].as_str().unwrap_or_default();
        assert!(*named && text.contains(['.', ':']), "{path:?} has no description");
        assert!(
            !text.contains("[`") && !text.contains('\n') || text.contains("\n\nDefault: `"),
            "{path:?}: {text}"
        );
    }
}

#[test]
fn a_port_belongs_to_a_network() {
    let with = |network: Value, ports: Value| json!({ "image": "a", "network": network, "ports": ports });
    let (open, host) = (json!([{ "container": 80, "host": 80 }]), json!([{ "host": 80 }]));
    assert!(SERVICE.accepts(&with("bridge".into(), open.clone())));
    assert!(SERVICE.accepts(&with("host".into(), host.clone())));
    assert!(!SERVICE.accepts(&with("host".into(), open.clone())));
    assert!(!SERVICE.accepts(&with(json!(["host"]), open.clone())));
    assert!(!SERVICE.accepts(&with("bridge".into(), host.clone())));
    // The network may be in another file.
    assert!(DROP_IN.accepts(&json!({ "ports": host })) && DROP_IN.accepts(&json!({ "ports": open })));
    assert!(!SERVICE.accepts(&json!({ "image": "a", "health": { "path": "/" } })), "no port to ask");
    assert!(DROP_IN.accepts(&json!({ "health": { "interval": "1s" } })));
}

#[test]
fn references_are_right_where_they_are_filled_in_only() {
    let with = |path: &[&str], value: &str| {
        let mut definition = base();
        set(&mut definition, &path.iter().map(|step| (*step).to_owned()).collect::<Vec<_>>(), value.into());
        SERVICE.accepts(&definition)
    };
    assert!(with(&["image"], "web:${revision}") && with(&["ports", "0", "address"], "${hostname}"));
    assert!(with(&["health", "interval"], "${revision}") && with(&["hostname"], "a$$b"));
    assert!(!with(&["hosts", "0"], "${revision}") && !with(&["secrets", "key"], "${revision}"));
    assert!(!with(&["hostname"], "a$b") && !with(&["runtime"], "${revision}"));
}
