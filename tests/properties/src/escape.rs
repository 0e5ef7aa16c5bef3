//! Quoting: whatever the values are, systemd gets out of the units what was put in.

use conductor_definition::{Service, Source, parse};
use conductor_units::{Context, Entry, Tree, render};

use crate::text;
use crate::units::understood;

/// Values of every kind, past validation, and back through a reader that reads as systemd does.
pub fn escape(input: &[u8]) {
    let Some(text) = text(input) else { return };
    let definition = "image = \"web:1\"\ndescription = \"d\"\ncommand = [\"c\"]\n[environment]\nA = \"a\"\nB = \"b\"\n\
                      [secrets]\nkey = \"/s\"";
    let source = Source::new("/etc/conductor/services/web.toml", definition);
    let mut service = parse(&source).unwrap().service;
    // Words may be anything but a NUL, which no program can be given.
    let word = text.replace('\0', "");
    service.process.command = vec![word.clone(), "last".to_owned(), word.clone()];
    for value in service.process.environment.values_mut() {
        value.clone_from(&word);
    }
    service.revision = Some(word.clone());
    // A line has no control characters; they become blanks.
    service.description = Some(text.to_owned());
    service.source_path = format!("/{text}/web.toml").into();
    service.drop_ins = vec![text.into()];
    check(&service, &word, text);
}

fn check(service: &Service, word: &str, text: &str) {
    let tree = render(service, &Context::default());
    let has = |unit: &str, section: &str, key: &str, wanted: &[&str]| {
        let found = value(&tree, unit, section, key);
        assert!(found.windows(wanted.len()).any(|part| part == wanted), "{key} of {unit}: {found:?}");
    };
    let variable = |name: &str| format!("{name}={word}");
    has("web.service", "Service", "ExecStart", &[word, "last", word]);
    has(
        "web.service",
        "Service",
        "ExecStart",
        &["--env", &variable("A"), "--env", &variable("B"), "--volume"],
    );
    has(
        "web.service",
        "Service",
        "LogExtraFields",
        &["CONDUCTOR_SERVICE=web", &variable("CONDUCTOR_RELEASE")],
    );
    has(
        "web-pull.service",
        "Service",
        "LogExtraFields",
        &["CONDUCTOR_SERVICE=web", &variable("CONDUCTOR_RELEASE")],
    );
    let line = text.replace(char::is_control, " ");
    has("web.service", "Unit", "Description", &[line.trim_matches(' ')]);
    has("web.service", "Unit", "SourcePath", &[&format!("/{line}/web.toml")]);
}

/// What systemd understands by the one assignment of a directive.
fn value(tree: &Tree, unit: &str, section: &str, key: &str) -> Vec<String> {
    let Some(Entry::File(text)) = tree.get(unit) else { panic!("no {unit}") };
    let found = understood(text).into_iter().filter(|one| one.section == section && one.key == key);
    let [one] = found.collect::<Vec<_>>().try_into().unwrap();
    one.value
}
