//! The schemas are good ones, and they say what the reader does: of every definition that people are shown, and of
//! single values at every key.

#![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]

mod definition;
mod editor;

use std::path::Path;

use conductor_definition::{Abilities, Kind, Site, Source, find, parse, parse_network, parse_volume};
use definition::{Place, base, base_of, places, set, toml_of, unset};
use editor::{DROP_IN, SERVICE, agrees, read, repository, schemas};
use serde_json::{Value, json};

fn text(path: &str) -> String {
    std::fs::read_to_string(repository().join(path)).unwrap()
}

#[test]
fn they_follow_the_draft() {
    for schema in Kind::ALL.map(schemas).concat() {
        assert_eq!(schema.json["$schema"], "https://json-schema.org/draft/2020-12/schema");
        jsonschema::draft202012::meta::validate(&schema.json).unwrap();
        // Many editors read every schema by this one.
        jsonschema::draft7::meta::validate(&schema.json).unwrap();
    }
}

#[test]
fn examples_are_accepted() {
    let mut count = 0;
    for directory in ["", "networks", "volumes"] {
        for entry in std::fs::read_dir(repository().join("packaging/examples").join(directory)).unwrap() {
            let path = entry.unwrap().path();
            if path.is_file() {
                accepted(Kind::of(&path), &std::fs::read_to_string(path).unwrap());
                count += 1;
            }
        }
    }
    assert!(count >= 8, "{count} examples");
}

/// A whole definition that is right, to the reader and to the editor.
fn accepted(kind: Kind, text: &str) {
    let [main, _] = schemas(kind);
    assert_eq!(read(kind, &Source::new("web.toml", text)).err(), None, "in\n{text}");
    assert_eq!(main.complaints(text), Vec::<String>::new(), "in\n{text}");
}

#[test]
fn definitions_in_the_documentation_are_accepted() {
    let readme = text("README.md");
    let fenced = readme.split("```toml\n").skip(1).map(|rest| rest.split_once("\n```").unwrap().0.to_owned());
    // The first line says where it would be.
    let kind = |block: &str| Kind::of(Path::new(block.lines().next().unwrap().split(';').next().unwrap()));
    let mut blocks: Vec<(Kind, String)> = fenced.map(|block| (kind(&block), block)).collect();
    for entry in std::fs::read_dir(repository().join("packaging/man")).unwrap() {
        let path = entry.unwrap().path();
        // What is to be typed into a shell, and what belongs into another file, is shown like this too.
        let (kind, sign) = match path.file_name().unwrap().to_str().unwrap() {
            "conductor-network.5" => (Kind::Network, "[[subnets]]"),
            "conductor-volume.5" => (Kind::Volume, "device = "),
            _ => (Kind::Service, "image = "),
        };
        let page = std::fs::read_to_string(path).unwrap();
        let shown = page.split("\n.nf\n").skip(1).map(|rest| rest.split_once("\n.fi").unwrap().0);
        let shown = shown.map(|block| block.replace("\\(dq", "\"").replace("\\-", "-"));
        let definitions = shown.filter(|block| block.lines().any(|line| line.starts_with(sign)));
        blocks.extend(definitions.map(|block| (kind, block)));
    }
    for kind in Kind::ALL {
        assert!(blocks.iter().filter(|(found, _)| *found == kind).count() >= 2, "{blocks:?}");
    }
    for (kind, block) in &blocks {
        accepted(*kind, block);
    }
}

/// A comment at the top of a definition tells editors where its schema is.
#[test]
fn the_documentation_names_schemas_that_are_there() {
    let mut count = 0;
    for page in [
        "README.md",
        "packaging/man/conductor-network.5",
        "packaging/man/conductor-volume.5",
        "packaging/man/conductor-service.5",
        "packaging/man/conductor.1",
    ] {
        for rest in text(page).replace("\\-", "-").split("/usr/share/conductor/schema/").skip(1) {
            let name = rest.split(|c: char| !c.is_ascii_alphanumeric() && !"-.".contains(c)).next().unwrap();
            assert!(repository().join("packaging/schema").join(name).is_file(), "{name} in {page}");
            count += 1;
        }
    }
    assert!(count >= 6, "{count}");
}

#[test]
fn definitions_in_the_fixtures_are_judged_alike() {
    let (mut mains, mut drop_ins) = (0, 0);
    for case in std::fs::read_dir(repository().join("tests/fixtures")).unwrap() {
        let site = Site::system(case.unwrap().path().join("root"));
        let of_kind = |kind| find(&site, kind).candidates.into_iter().map(move |found| (kind, found));
        for (kind, candidate) in Kind::ALL.into_iter().flat_map(of_kind) {
            let Some((source, problems)) = candidate.read() else { continue };
            let result = read(kind, &source);
            let good = result.is_ok() && problems.is_empty();
            agrees(kind, &source, &result.unwrap_or_else(|errors| errors));
            for part in source.parts().filter(|_| good) {
                // With drop-ins, the main file need not be whole.
                let [main, drop_in] = schemas(kind);
                let schema = if candidate.drop_ins().is_empty() { main } else { drop_in };
                let complaints = schema.complaints(part.text);
                assert_eq!(complaints, Vec::<String>::new(), "{}", part.path.display());
                *(if part.path == Path::new(source.path()) { &mut mains } else { &mut drop_ins }) += 1;
            }
        }
    }
    assert!(mains >= 70 && drop_ins >= 12, "{mains} definitions, {drop_ins} drop-ins");
}

/// All places of all kinds.
fn everywhere() -> impl Iterator<Item = (Kind, Place)> {
    Kind::ALL
        .into_iter()
        .flat_map(|kind| places(&schemas(kind)[0].json).into_iter().map(move |place| (kind, place)))
}

/// What the reader makes of a definition, as text: what is compared has several types.
fn meaning(kind: Kind, value: &Value) -> String {
    let source = Source::new("web.toml", toml_of(value));
    match kind {
        Kind::Service => format!("{:?}", parse(&source).unwrap().service),
        Kind::Network => format!("{:?}", parse_network(&source, Abilities::ROOT).unwrap().object),
        Kind::Volume => format!("{:?}", parse_volume(&source, Abilities::ROOT).unwrap().object),
    }
}

#[test]
fn each_default_is_the_readers() {
    let mut count = 0;
    for (kind, Place { schema, path, .. }) in everywhere() {
        let Some(default) = schema.get("default") else { continue };
        let mut with = base_of(kind);
        set(&mut with, &path, default.clone());
        // That the driver is written out makes no other volume, but another command.
        let written = |text: String| text.replace("Some(DriverName(\"local\"))", "None");
        assert_eq!(written(meaning(kind, &with)), meaning(kind, &base_of(kind)), "{path:?} = {default}");
        count += 1;
    }
    assert!(count >= 30, "{count} defaults");
}

#[test]
fn each_required_key_is_missing_to_the_reader() {
    let mut count = 0;
    for (kind, Place { schema, path, .. }) in everywhere() {
        let [main, drop_in] = schemas(kind);
        let keys = schema.get("required").and_then(Value::as_array).into_iter().flatten();
        for key in keys.filter_map(Value::as_str) {
            let mut without = base_of(kind);
            // One limit of many stands for all of them.
            if !unset(&mut without, &path, key) {
                continue;
            }
            assert!(!main.accepts(&without), "{path:?} without {key}");
            let errors = read(kind, &Source::new("web.toml", toml_of(&without))).unwrap_err();
            assert!(
                errors
                    .iter()
                    .any(|error| error.message.contains("is missing")
                        || error.message.contains("missing field")),
                "{errors:?}"
            );
            assert!(
                drop_in.accepts(&without) || path.iter().any(|step| step == "0"),
                "a part need not have {key}"
            );
            count += 1;
        }
    }
    assert!(count >= 9, "{count} required keys");
}

/// Whatever is said about it, a table has no other keys than those that are known.
#[test]
fn no_table_takes_unknown_keys() {
    let mut count = 0;
    for (_, Place { schema, path, .. }) in everywhere().filter(|(_, place)| place.schema["type"] == "object")
    {
        assert_eq!(schema["additionalProperties"], json!(false), "{path:?}");
        count += 1;
    }
    assert!(count >= 20, "{count} tables");
}

#[test]
fn every_key_is_explained() {
    for (_, Place { schema, path, named, .. }) in everywhere().filter(|(_, place)| place.named) {
        let text = schema["description"].as_str().unwrap_or_default();
        assert!(named && text.contains(['.', ':']), "{path:?} has no description");
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
