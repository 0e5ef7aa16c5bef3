//! systemd reads units as `conductor-unit-file` says it does, and gets out of ours what was put in.
//!
//! Random unit text from a fixed seed goes through one oneshot unit, whose commands write down what they were
//! given; what they should have been given is what our reader says.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use conductor_definition::{Source, parse};
use conductor_properties::toml;
use conductor_tests::{Host, Image, Suite};
use conductor_unit_file::{UnitFile, commands, names, paths, specifiers, variables, words};
use conductor_units::{Context, Entry, render};
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;

const DUMP: &str = "/usr/local/bin/dump";
const UNIT: &str = "reading.service";

/// Keeps what it is given: each word ends in a NUL, and so does [`END`].
const SCRIPT: &str = "#!/bin/sh
for word; do printf '%s\\0' \"$word\"; done >> /root/calls
printf '\\036\\0' >> /root/calls
";

/// Ends the record of one call.
const END: &str = "\u{1e}";

/// What command lines are made of, so that most of them are nearly right. Behind a `%` no letter can come to stand
/// that is a specifier, but `n`: the others depend on the machine.
const PIECES: &[&str] = &[
    "z",
    "k-c",
    "é\u{1F980}",
    " ",
    " ",
    "  \t",
    "\"",
    "\"",
    "'",
    "\\",
    "\\\\",
    "\\n",
    "\\s",
    "\\x7a",
    "\\x4",
    "\\172",
    "\\u00e9",
    "\\q",
    "\\\"",
    "$",
    "$$",
    "$A",
    " $LIST ",
    "${A}",
    "${LIST}",
    "${NO}",
    "${A",
    "${A:-b}",
    "}",
    "%%",
    "%",
    "%n",
    "%z",
    "#",
    ";",
    " ; ",
    " ; -/usr/local/bin/dump ",
    "\\;",
    "=",
    "[x]",
    "\\\n",
    "\\\n# comment\n",
    "\\\n  ; comment \\\n",
    "\r",
    "\0",
    "\u{1b}",
    "\u{feff}",
];

/// What lists of assignments are made of.
const ASSIGNMENTS: &[&str] = &[
    "V1=", "V2=", "V3=", "V-4=", "\"V5=", "'V6=", "V7", "=", "z", "é", " ", " ", "\"", "'", "\\", "\\n",
    "\\x7a", "\\x07", "\\q", "$A", "${A}", "%%", "%n", "%z", "\\\n", ";", "#",
];

/// What values in definitions are made of.
const VALUES: &[&str] = &[
    "a",
    " ",
    "\t",
    "\n",
    "\r",
    "\n[Service]\nExecStart=/bin/false\n",
    "\"",
    "'",
    "\\",
    "\\n",
    "\\x41",
    "$",
    "${A}",
    "$A",
    "%",
    "%n",
    "%z",
    "#",
    ";",
    "=",
    "{}",
    "\u{1}",
    "\u{1b}",
    "\u{7f}",
    "\u{85}",
    "\u{2028}",
    "\u{feff}",
    "é",
    "\u{1F980}",
    "-",
    "@",
    "!",
    "|",
    "&&",
    "*",
    "~",
    "`",
    "<",
    ">",
];

struct Random(TestRunner);

impl Random {
    fn texts(&mut self, pieces: &'static [&'static str], longest: usize, count: usize) -> Vec<String> {
        let text = prop::collection::vec(prop::sample::select(pieces), 0..longest);
        let text = text.prop_map(|pieces| pieces.concat());
        (0..count).map(|_| text.new_tree(&mut self.0).unwrap().current()).collect()
    }
}

/// What the commands of the unit were given, and the environment of the last.
struct Given {
    calls: Vec<Vec<String>>,
    environment: BTreeMap<String, String>,
}

fn run(host: &Host, service: &str) -> Given {
    host.write(&format!("/etc/systemd/system/{UNIT}"), service).unwrap();
    host.sh(&format!("rm -f /root/calls /root/environment; systemctl daemon-reload; systemctl start {UNIT}"))
        .unwrap();
    let records = host.read("/root/calls").unwrap();
    let calls = records
        .split_terminator(&format!("{END}\0"))
        .map(|call| call.split_terminator('\0').map(str::to_owned).collect())
        .collect();
    let environment = host.read("/root/environment").unwrap();
    let environment = environment.split_terminator('\0').filter_map(|line| line.split_once('='));
    let environment = environment.map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
    Given { calls, environment }
}

fn host(suite: Suite) -> Host {
    let host = Host::boot(&Image::base(suite).unwrap()).unwrap();
    host.write(DUMP, SCRIPT).unwrap();
    host.sh(&format!("chmod +x {DUMP}")).unwrap();
    host
}

fn service(lines: &str) -> String {
    format!(
        "[Service]\nType=oneshot\nEnvironment=V9=gone\nEnvironment=\nEnvironment=A=one \"LIST=a 'b c' d\\\\ e \\\"\\\"\"\n{lines}\n\n\
         ExecStart=/bin/sh -c 'env -0 > /root/environment'\n"
    )
}

fn specifier(c: char) -> Option<String> {
    (c == 'n').then(|| UNIT.to_owned())
}

/// What the commands of one value are given; nothing if they are not all ours to run.
fn expected(value: &str, environment: &BTreeMap<String, String>) -> Option<Vec<Vec<String>>> {
    let (commands, error) = commands(value);
    if error.is_some() || commands.iter().any(|command| command.path != DUMP || !command.may_fail) {
        return None;
    }
    let mut calls = Vec::new();
    for command in commands {
        let words: Result<Vec<String>, _> =
            command.arguments.iter().map(|word| specifiers(word, specifier)).collect();
        // It may fail, so it and what follows are left out.
        let Ok(words) = words else { break };
        let words = variables(&words, |name| environment.get(name).cloned());
        calls.push(words.into_iter().skip(1).collect());
    }
    Some(calls)
}

/// `Environment=` as `config_parse_environ()` in src/core/load-fragment.c reads it.
fn environment_of(file: &UnitFile) -> BTreeMap<String, String> {
    let mut environment = BTreeMap::new();
    for value in file.values("Service", "Environment") {
        // An empty assignment resets the list.
        if value.is_empty() {
            environment.clear();
        }
        for word in words(value).map_while(Result::ok) {
            let Ok(word) = specifiers(&word, specifier) else { continue };
            let Some((name, value)) = word.split_once('=') else { continue };
            let valid = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
                && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
            if valid {
                environment.insert(name.to_owned(), value.to_owned());
            }
        }
    }
    environment
}

#[test]
fn our_reader_reads_as_systemd_does() {
    let mut random = Random(TestRunner::deterministic());
    let lines = random.texts(PIECES, 14, 300);
    // A line that would run something else, fail, or begin a section is left out: that much is asked of our reader alone.
    let lone = |line: &String| {
        let Ok(file) = UnitFile::parse(&service(&exec(0, line))) else { return false };
        file.sections.len() == 1
            && file
                .values("Service", "ExecStart")
                .all(|value| value.starts_with("/bin/sh ") || expected(value, &BTreeMap::new()).is_some())
    };
    let lines: Vec<String> = lines.into_iter().filter(lone).collect();
    assert!(lines.len() > 200, "{} lines are left", lines.len());
    let mut text: String = lines.iter().enumerate().map(|(number, line)| exec(number, line)).collect();
    for list in random.texts(ASSIGNMENTS, 10, 100).iter().filter(|list| !list.trim().is_empty()) {
        writeln!(text, "Environment={list}\n").unwrap();
    }
    let text = service(&text);
    let file = UnitFile::parse(&text).unwrap();
    let environment = environment_of(&file);
    let values = file.values("Service", "ExecStart").filter(|value| !value.starts_with("/bin/sh "));
    let calls: Vec<Vec<String>> =
        values.flat_map(|value| expected(value, &environment).unwrap_or_default()).collect();
    assert!(calls.len() > 200, "{} calls", calls.len());

    for suite in [Suite::Bookworm, Suite::Trixie] {
        let given = run(&host(suite), &text);
        for (call, expected) in given.calls.iter().zip(&calls) {
            let shown = [call, expected].map(|call| line(&lines, call));
            assert_eq!(call, expected, "{suite:?}: {shown:?}");
        }
        assert_eq!(given.calls.len(), calls.len());
        let ours = |(name, _): &(&String, &String)| name.starts_with('V');
        assert_eq!(
            given.environment.iter().filter(ours).collect::<Vec<_>>(),
            environment.iter().filter(ours).collect::<Vec<_>>(),
            "{suite:?}"
        );
    }
}

fn exec(number: usize, line: &str) -> String {
    format!("ExecStart=-{DUMP} {number} {line}\n\n")
}

fn line<'a>(lines: &'a [String], call: &[String]) -> Option<&'a String> {
    lines.get(call.first()?.parse::<usize>().ok()?)
}

#[test]
fn values_of_definitions_arrive_as_they_are() {
    let mut random = Random(TestRunner::deterministic());
    let all: Vec<Vec<String>> = (0..60).map(|_| random.texts(VALUES, 8, 10)).collect();
    let mut lines = String::new();
    for command in &all {
        let list: Vec<String> = command.iter().map(|word| toml::string(word)).collect();
        let text = format!("image = \"web\"\ncommand = [{}]", list.join(", "));
        let service = parse(&Source::new("web.toml", text)).unwrap().service;
        let tree = render(&service, &Context::default());
        let Some(Entry::File(unit)) = tree.get("web.service") else { panic!("no unit: {tree}") };
        let (_, line) = unit.split_once("\nExecStart=/usr/bin/podman ").unwrap();
        let (line, _) = line.split_once("\nExecStop=").unwrap();
        writeln!(lines, "ExecStart={DUMP} {line}").unwrap();
    }
    for suite in [Suite::Bookworm, Suite::Trixie] {
        let given = run(&host(suite), &service(&lines));
        assert_eq!(given.calls.len(), all.len());
        for (call, command) in given.calls.iter().zip(&all) {
            let (options, command_given) = call.split_at(call.len() - command.len());
            assert_eq!(command_given, command, "{suite:?}");
            assert_eq!(options.last().map(String::as_str), Some("web"));
        }
    }
}

/// Lists of paths and of names are read in ways of their own.
const LISTS: &str = r#"[Unit]
RequiresMountsFor=/a\b "/c d" /e\\f "/g\u202e" '/h\x41' "/i\"j" k /l%%
After="m\x2dn.mount" o\x2dp.mount %p-q.mount

[Service]
ExecStart=/bin/true
"#;

#[test]
fn lists_of_paths_and_of_names() {
    let file = UnitFile::parse(LISTS).unwrap();
    let known = |c| (c == 'p').then(|| "reading".to_owned());
    let value = |key| file.values("Unit", key).next().unwrap();
    let expected: BTreeSet<String> = paths(value("RequiresMountsFor"))
        .map(|path| specifiers(&path.unwrap(), known).unwrap())
        // systemd ignores what is not absolute.
        .filter(|path| path.starts_with('/'))
        .collect();
    let after = names(value("After")).map(|name| specifiers(name, known).unwrap());
    let after: BTreeSet<String> = after.filter(|name| !name.contains('"')).collect();
    assert_eq!((expected.len(), after.len()), (7, 2));
    for suite in [Suite::Bookworm, Suite::Trixie] {
        let host = host(suite);
        host.write(&format!("/etc/systemd/system/{UNIT}"), LISTS).unwrap();
        host.ok(["systemctl", "daemon-reload"]).unwrap();
        assert_eq!(list(&host, "RequiresMountsFor"), expected, "{suite:?}");
        assert!(list(&host, "After").is_superset(&after), "{suite:?}: {:?}", list(&host, "After"));
    }
}

/// A property of the unit that is a list of texts.
fn list(host: &Host, property: &str) -> BTreeSet<String> {
    let path = "/org/freedesktop/systemd1/unit/reading_2eservice";
    let interface = "org.freedesktop.systemd1.Unit";
    let get =
        ["busctl", "get-property", "--json=short", "org.freedesktop.systemd1", path, interface, property];
    let json: serde_json::Value = serde_json::from_str(&host.ok(get).unwrap()).unwrap();
    json["data"].as_array().unwrap().iter().map(|text| text.as_str().unwrap().to_owned()).collect()
}
