//! Hostile values stay values: a definition full of them becomes the units of the same definition with harmless
//! values in their places, once systemd has unquoted and expanded both; nothing more, nothing less.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a panic is how a test fails")]

mod draft;

use std::path::PathBuf;

use conductor_definition::{Service, Source, parse};
use conductor_properties::units::{OURS, Understood, understood};
use conductor_units::{Context, Entry, SystemdVersion, Tree, render};
use proptest::prelude::*;

use draft::{Draft, directory, draft};

/// A definition as it lies on the disk: main file, drop-ins, and a directory.
#[derive(Debug)]
struct Files {
    main: Draft,
    drop_ins: Vec<Draft>,
    /// The names of directories may be anything too.
    directory: String,
    version: u32,
}

fn files() -> impl Strategy<Value = Files> {
    let drop_ins = prop::collection::vec(draft(false), 0..2);
    (draft(true), drop_ins, directory(), prop::sample::select(vec![252, 257]))
        .prop_map(|(main, drop_ins, directory, version)| Files { main, drop_ins, directory, version })
}

impl Files {
    fn service(&self, write: impl Fn(&Draft, usize) -> String, directory: &str) -> Service {
        let directory = PathBuf::from(format!("/d{directory}"));
        let mut source = Source::new(directory.join("web.toml"), write(&self.main, 0));
        for (index, drop_in) in self.drop_ins.iter().enumerate() {
            source
                .push(directory.join("web.toml.d").join(format!("{index}.toml")), &write(drop_in, index + 1));
        }
        parse(&source)
            .unwrap_or_else(|found| {
                let lines: Vec<String> =
                    found.iter().map(|diagnostic| diagnostic.one_line(&source)).collect();
                panic!("{lines:#?}\n{source:#?}")
            })
            .service
    }

    fn render(&self, service: &Service) -> Tree {
        render(service, &Context { systemd: SystemdVersion(self.version), ..Context::default() })
    }

    /// Puts the values back in the places of their stand-ins.
    fn fill_in(&self, text: &str) -> String {
        let drafts = std::iter::once(&self.main).chain(&self.drop_ins).enumerate();
        let text = drafts.fold(text.to_owned(), |text, (number, draft)| draft.fill_in(&text, number));
        text.replace(DIRECTORY, &self.directory)
    }
}

/// Stands in for the directory.
const DIRECTORY: &str = "q-directory-q";

/// A value that is a line and not a list of words: what cannot be written on a line became a blank, and white space
/// at its ends is gone.
fn on_a_line(one: Understood) -> Understood {
    let lines = ["Description", "LoadCredential", "Release", "SourcePath", "RawUnit", "RawService"];
    if !lines.contains(&one.key.as_str()) {
        return one;
    }
    let line = |part: &String| part.replace(char::is_control, " ").trim_matches(' ').to_owned();
    Understood { value: one.value.iter().map(line).collect(), ..one }
}

fn texts(tree: &Tree) -> Vec<(&str, &str)> {
    tree.iter()
        .map(|(path, entry)| match entry {
            Entry::File(text) => (path, text.as_str()),
            Entry::Link(target) => (path, target.as_str()),
        })
        .collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn hostile_values_stay_values(files in files()) {
        let hostile = files.service(|draft, _| draft.hostile(), &files.directory);
        let harmless = files.service(Draft::harmless, DIRECTORY);
        let (bad, good) = (files.render(&hostile), files.render(&harmless));
        prop_assert_eq!(&bad, &files.render(&files.service(|draft, _| draft.hostile(), &files.directory)));
        prop_assert_eq!(texts(&bad).len(), texts(&good).len());
        for ((path, text), (same_path, expected)) in texts(&bad).into_iter().zip(texts(&good)) {
            prop_assert_eq!(path, same_path);
            if path.contains(".wants/") {
                prop_assert_eq!(text, expected);
                continue;
            }
            for line in text.lines() {
                prop_assert!(line.len() < 100_000);
            }
            let filled_in = understood(expected).into_iter().map(|one| Understood {
                value: one.value.iter().map(|part| files.fill_in(part)).collect(),
                ..one
            });
            let expected: Vec<Understood> = filled_in.map(on_a_line).collect();
            let found: Vec<Understood> = understood(text).into_iter().map(on_a_line).collect();
            for (found, expected) in found.iter().zip(&expected) {
                prop_assert_eq!(found, expected, "{}", path);
            }
            prop_assert_eq!(found.len(), expected.len(), "{}", text);
            prop_assert_eq!(text.matches(&format!("\n[{OURS}]\n")).count(), expected_marks(path));
        }
    }
}

/// The polkit rule and the command line go by this section: nobody else may be able to write it.
fn expected_marks(path: &str) -> usize {
    usize::from(!path.contains(".d/"))
}
