//! Whatever stands in other definitions, a good one becomes the same units: unless it asks for something that another
//! has, and then that is what is said.

#![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]

use conductor_definition::{Kind, Source};
use conductor_generator::{Converted, Host, LastGood, Reading, convert};
use proptest::prelude::*;

/// What belongs to nobody else.
const GOOD: &str = "image = \"localhost/web:1\"\ninstances = 2\n[environment]\nA = \"%n\"\n";

const PIECES: &[&str] = &[
    "image = \"a:1\"\n",
    "image = \"a:1\"\n",
    "image = '${revision}'\n",
    "revision = '1'\n",
    "description = \"x\\\\\"\n",
    "instances = 3\n",
    "instances = -1\n",
    "after = ['web', 'a', 'b', 'nobody']\n",
    "requires = ['web.target', 'b']\n",
    "wants = ['a', 'web-pull.service']\n",
    "command = [\"\\n[Service]\\nExecStart=/bin/false\"]\n",
    "[[ports]]\ncontainer = 80\nhost = 2000\n",
    "[health]\npath = '/'\n",
    "[environment]\n\"X Y\" = ''\n",
    "[systemd.unit]\nBefore = 'web.service'\n",
    "[systemd.service]\nX = \"a\\nb\"\n",
    "a = {b = {c = [1, {d = '${'}]}}\n",
    "pull.policy = 'never'\n",
    "]",
    "\"",
    "=",
    "\n",
    "\0",
    "é",
];

fn text() -> impl Strategy<Value = String> {
    prop::collection::vec(prop::sample::select(PIECES), 0..8).prop_map(|pieces| pieces.concat())
}

fn converted(definitions: &[(&str, &str)]) -> Vec<Converted> {
    let reading = |(name, text): &(&str, &str)| Reading {
        kind: Kind::Service,
        source: Source::new(format!("/etc/conductor/services/{name}.toml"), *text),
        problems: Vec::new(),
        releases: None,
    };
    convert(definitions.iter().map(reading).collect(), &Host::default(), &LastGood::default())
}

fn web(converted: &[Converted]) -> &Converted {
    converted.iter().find(|one| one.source.path().ends_with("web.toml")).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 500, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_good_definition_is_left_alone(a in text(), b in text(), first in any::<bool>(), name in "[a-c]|web-pull|web-health|[ -~]{1,6}") {
        let others = [("a", a.as_str()), (name.as_str(), b.as_str())];
        let mut definitions = others.to_vec();
        definitions.insert(if first { 0 } else { 2 }, ("web", GOOD));
        let alone = converted(&[("web", GOOD)]);
        let beside = converted(&definitions);
        prop_assert_eq!(beside.len(), 3);
        let (alone, beside) = (web(&alone), web(&beside));
        match beside.diagnostics.iter().find(|diagnostic| diagnostic.is_error()) {
            None => prop_assert_eq!(&beside.tree, &alone.tree),
            // One was there first that makes a unit of ours.
            Some(diagnostic) => prop_assert!(!first && diagnostic.code == "name-clash", "{diagnostic:?}"),
        }
    }
}
