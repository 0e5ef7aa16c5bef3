//! Definitions: whatever stands in the files, findings are in them, and what is made of a good one is sound.

use std::collections::BTreeSet;
use std::path::Path;

use conductor_definition::{Diagnostic, Service, Settings, Source, parse};
use conductor_units::{Context, Entry, SystemdVersion, Tree, render};

use crate::text;
use crate::units::{OURS, Understood, understood};

/// Findings of one definition, at the most.
const MOST_FINDINGS: usize = 64;
/// Characters of a finding on one line, the ellipsis included.
const LONGEST_LINE: usize = 1001;

/// One definition; a NUL separates the main file from its drop-ins.
pub fn definition(input: &[u8]) {
    let Some(text) = text(input) else { return };
    let mut files = text.split('\0');
    let mut source = Source::new("/etc/conductor/services/web.toml", files.next().unwrap_or_default());
    for (number, file) in files.take(4).enumerate() {
        source.push(format!("/etc/conductor/services/web.toml.d/{number}.toml"), file);
    }
    let (_, found) = Settings::parse(&source);
    hold(&source, &found);
    match parse(&source) {
        Ok(parsed) => {
            assert!(!parsed.warnings.iter().any(Diagnostic::is_error));
            hold(&source, &parsed.warnings);
            let again = parse(&source).unwrap().service;
            assert_eq!(parsed.service, again);
            for version in [252, 257] {
                let context = Context { systemd: SystemdVersion(version), ..Context::default() };
                let tree = render(&parsed.service, &context);
                assert_eq!(tree, render(&again, &context));
                sound(&parsed.service, &tree);
            }
        }
        Err(found) => {
            assert!(found.iter().any(Diagnostic::is_error), "no service and no error");
            hold(&source, &found);
        }
    }
}

/// Findings are few and short and point into the text.
///
/// # Panics
/// If not.
fn hold(source: &Source, found: &[Diagnostic]) {
    assert!(found.len() <= MOST_FINDINGS, "{} findings", found.len());
    for diagnostic in found {
        for label in [&diagnostic.label, &diagnostic.related].into_iter().flatten() {
            let part = source.part_at(label.span.start);
            let local = label.span.start - part.start..label.span.end - part.start;
            assert!(part.text.get(local).is_some(), "{diagnostic:?} is not in {part:?}");
        }
        let line = diagnostic.one_line(source);
        assert!(!line.contains(char::is_control), "{diagnostic:?} is not one line");
        assert!(line.chars().count() <= LONGEST_LINE, "{diagnostic:?} is long");
    }
}

/// The units of a service hold what the service says and nothing else.
///
/// # Panics
/// If not.
fn sound(service: &Service, tree: &Tree) {
    if conductor_units::too_long(tree).is_some() {
        return;
    }
    assert_eq!(Tree::parse(&tree.to_string()).as_ref(), Ok(tree));
    for (path, entry) in tree.iter() {
        let plain = |path: &str| Path::new(path).is_relative() && !path.contains(char::is_control);
        assert!(plain(path), "{path:?}");
        match entry {
            Entry::Link(target) => assert!(plain(target) && target.starts_with("../"), "{target:?}"),
            Entry::File(text) => file(service, path, text),
        }
    }
}

fn file(service: &Service, path: &str, text: &str) {
    let runs_the_container =
        path == format!("{}.service", service.name) || path == format!("{}@.service", service.name);
    let text = if runs_the_container { without_raw(service, text) } else { text.to_owned() };
    let understood = understood(&text);
    // Each section has one heading; what would be injected has one of its own, or directives that are no words.
    let headings: Vec<&str> = understood.iter().map(|one| one.section.as_str()).collect();
    let headings: Vec<&str> = headings.chunk_by(PartialEq::eq).map(|same| same[0]).collect();
    assert_eq!(headings.iter().collect::<BTreeSet<_>>().len(), headings.len(), "{path}: {text}");
    for Understood { key, section, .. } in &understood {
        let word = |text: &str| text.chars().all(|c| c.is_ascii_alphanumeric());
        assert!(word(key) && (word(section) || section == OURS), "{path}: [{section}] {key}");
    }
    if runs_the_container {
        container(service, &understood);
    }
}

/// A unit without the user's own directives, which are at the ends of their sections, in order and as they are.
fn without_raw(service: &Service, text: &str) -> String {
    let mut text = text.to_owned();
    let directives = &service.directives;
    for (raw, next) in [(&directives.unit, "[Service]"), (&directives.service, "[X-Conductor]")] {
        let lines: String = raw
            .iter()
            .flat_map(|(key, lines)| lines.iter().map(move |line| format!("{key}={line}\n")))
            .collect();
        assert!(!lines.contains(|c: char| c != '\n' && c.is_control()), "{lines:?}");
        let written = format!("\n{lines}\n{next}\n");
        assert_eq!(text.matches(&written).count(), 1, "{written:?} in {text}");
        text = text.replacen(&written, &format!("\n\n{next}\n"), 1);
    }
    text
}

/// The words of the container's command line.
fn container(service: &Service, understood: &[Understood]) {
    let run = understood.iter().find(|one| one.key == "ExecStart").unwrap();
    let process = &service.process;
    let entrypoint = process.entrypoint.as_deref().unwrap_or_default();
    let arguments: Vec<&String> = entrypoint.iter().skip(1).chain(&process.command).collect();
    let (options, command) = run.value.split_at(run.value.len() - arguments.len());
    assert_eq!(command.iter().collect::<Vec<_>>(), arguments);
    let (image, options) = options.split_last().unwrap();
    assert_eq!(image, process.image.as_str());
    // An option and its value are two words; nothing but the user's own options can look like another.
    let value_of = |option: &str| -> Vec<&str> {
        options.windows(2).filter(|pair| pair[0] == option).map(|pair| pair[1].as_str()).collect()
    };
    let pairs = |name: &str, value: &str| format!("{name}={value}");
    if service.runtime_args.is_empty() {
        let environment: Vec<String> =
            process.environment.iter().map(|(name, value)| pairs(name.as_str(), value)).collect();
        assert!(value_of("--env").ends_with(&environment.iter().map(String::as_str).collect::<Vec<_>>()));
        let labels: Vec<String> =
            process.labels.iter().map(|(name, value)| pairs(name.as_str(), value)).collect();
        assert_eq!(value_of("--label")[1..], labels.iter().map(String::as_str).collect::<Vec<_>>());
        let mounts = value_of("--volume").len() + value_of("--mount").len();
        assert_eq!(mounts, service.secrets.len() + service.storage.mounts.len());
        assert_eq!(value_of("--device").len(), service.storage.devices.len());
        assert_eq!(value_of("--tmpfs").len(), service.storage.tmpfs.len());
    }
    let credentials: Vec<String> = service
        .secrets
        .iter()
        .map(|(name, secret)| format!("{}:{}", name.as_str(), secret.path.as_str()))
        .collect();
    let mut loaded: Vec<&str> = understood
        .iter()
        .filter(|one| one.key.starts_with("LoadCredential"))
        .map(|one| one.value[0].as_str())
        .collect();
    loaded.sort_unstable();
    assert_eq!(loaded, credentials.iter().map(String::as_str).collect::<Vec<_>>());
}
