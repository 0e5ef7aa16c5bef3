//! Whatever stands in the files: no panic, and every finding points into one of them.

#![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]

use conductor_definition::{Abilities, Diagnostic, Source, parse, parse_network, parse_volume};
use proptest::prelude::*;

/// Pieces of definitions, some of them broken, so that many texts are nearly right.
const PIECES: &[&str] = &[
    "image",
    "= ",
    "\"",
    "'",
    "\"\"\"",
    "\n",
    "[",
    "]",
    "[[",
    "]]",
    "{",
    "}",
    ", ",
    ".",
    "#",
    "\\u0024",
    "\\",
    "$",
    "${",
    "${image}",
    "${description}",
    "}",
    "$$",
    "web",
    "é",
    "\u{1F980}",
    "\r\n",
    "\t",
    "\0",
    " ",
    "\u{feff}",
    "image = \"web\"\n",
    "description = \"${image}\"\n",
    "[health]\n",
    "path = \"/\"\n",
    "[[ports]]\n",
    "container = 80\n",
    "host = 65535\n",
    "instances = 1000\n",
    "command = [\"a\", 5]\n",
    "[environment]\n",
    "\"A B\" = \"x\"\n",
    "restart.limit = { starts = 3, within = \"auto\" }\n",
    "delay = \"infinity\"\n",
    "[resources]\nmemory = \"1E\"\ncpus = 1e308\n",
    "after = [\"a.service\", \"b c\"]\n",
    "[[subnets]]\nsubnet = \"10.0.0.0/8\"\n",
    "gateway = \"10.0.0.0\"\nip-range = \"::/64\"\n",
    "ipv6 = false\n[dns]\nenabled = false\nservers = [\"::1\"]\n",
    "runtime = \"docker\"\n",
    "interface = \"eth0\"\n",
    "driver = \"macvlan\"\n",
    "options = { parent = 5, o = true }\n",
    "type = \"bind\"\ndevice = \"/x\"\n",
    "mount-options = [\"bind\", \"uid=5\"]\nuid = -1\n",
    "a.b.c.d = 1979-05-27\n",
    "0x",
    "1_000",
    "nan",
    "-9223372036854775809",
];

fn text() -> impl Strategy<Value = String> {
    let pieces =
        prop::collection::vec(prop::sample::select(PIECES), 0..40).prop_map(|pieces| pieces.concat());
    prop_oneof![9 => pieces, 1 => any::<String>()]
}

fn holds(source: &Source, diagnostic: &Diagnostic) {
    for label in [&diagnostic.label, &diagnostic.related].into_iter().flatten() {
        let part = source.part_at(label.span.start);
        let local = label.span.start - part.start..label.span.end - part.start;
        assert!(part.text.get(local).is_some(), "{diagnostic:?} is not in {part:?}");
    }
    assert!(!diagnostic.one_line(source).contains(char::is_control), "{diagnostic:?} is not one line");
}

/// 1 MiB of mistakes ends in a few lines, and soon: it is read at boot.
#[test]
fn a_file_full_of_mistakes() {
    for piece in ["= ", "[", "\"", "a.", "${", "'\n", "{", "[[a]]\n", "a = 1\n"] {
        check(&piece.repeat((1 << 20) / piece.len()));
    }
    let unknown = |number: usize| format!("k{number} = '${{x{number}}}'\nt{number} = 'x'\n");
    check(&(0..3_000).map(unknown).collect::<String>());
    check(&format!("{} = 1", "k".repeat(1 << 19)));
    check(&format!("image = '${{{}}}'", "k".repeat(1 << 19)));
}

fn check(text: &str) {
    let source = Source::new("web.toml", text);
    for found in results(&source).map(Result::unwrap_err) {
        assert!(!found.is_empty() && found.len() <= 65, "{} findings", found.len());
        for diagnostic in &found {
            holds(&source, diagnostic);
            assert!(diagnostic.one_line(&source).chars().count() <= 1001);
        }
    }
}

/// The warnings, or the errors, of a definition of each kind with this text.
fn results(source: &Source) -> [Result<Vec<Diagnostic>, Vec<Diagnostic>>; 3] {
    [
        parse(source).map(|parsed| parsed.warnings),
        parse_network(source, Abilities::ROOT).map(|parsed| parsed.warnings),
        parse_volume(source, Abilities::ROOT).map(|parsed| parsed.warnings),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, ..ProptestConfig::default() })]

    #[test]
    fn findings_are_in_the_text(main in text(), drop_ins in prop::collection::vec(text(), 0..3)) {
        let mut source = Source::new("web.toml", main);
        for text in &drop_ins {
            source.push("web.toml.d/10.toml", text);
        }
        for result in results(&source) {
            if let Err(found) = &result {
                assert!(found.iter().any(Diagnostic::is_error), "no definition and no error");
            }
            let (Ok(found) | Err(found)) = result;
            for diagnostic in &found {
                holds(&source, diagnostic);
            }
        }
    }
}
