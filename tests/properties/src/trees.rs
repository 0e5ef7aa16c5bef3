//! Texts that we write ourselves and read again, and unit files of anybody.

use conductor_unit_file::{UnitFile, commands, paths, specifiers, variables, words};
use conductor_units::{Entry, Tree};

use crate::text;

/// The text form of a tree: what is read is written so that it reads back, and no path in it leads out of the
/// directory that it is written to.
pub fn tree(input: &[u8]) {
    let Some(text) = text(input) else { return };
    let Ok(tree) = Tree::parse(text) else { return };
    assert_eq!(Tree::parse(&tree.to_string()).as_ref(), Ok(&tree));
    for (path, entry) in tree.iter() {
        assert!(path.split('/').all(|part| !matches!(part, "" | "." | "..")), "{path:?}");
        if let Entry::File(text) = entry {
            assert!(text.is_empty() || text.ends_with('\n'), "{path:?}: {text:?}");
        }
    }
}

/// Whatever a unit file holds is read or refused.
pub fn unit_file(input: &[u8]) {
    let Some(text) = text(input) else { return };
    let Ok(file) = UnitFile::parse(text) else { return };
    let mut last = 0;
    for (section, assignment) in file.assignments() {
        assert!(!section.contains(char::is_control));
        assert!(assignment.line > last, "{assignment:?}");
        last = assignment.line;
        let value = assignment.value.as_str();
        assert_eq!(value, value.trim_matches([' ', '\t', '\n', '\r']));
        assert!(!assignment.key.contains('='));
        // Quotes and escapes only ever take away.
        for word in words(value).chain(paths(value)).map_while(Result::ok) {
            assert!(word.len() <= value.len());
        }
        let (found, _) = commands(value);
        for command in found {
            assert!(!command.path.is_empty() && !command.arguments.is_empty());
            let expanded = variables(&command.arguments, |_| Some("a b".to_owned()));
            assert!(expanded.len() >= command.arguments.len());
        }
        if let Ok(expanded) = specifiers(value, |_| Some("x".to_owned())) {
            assert!(expanded.len() <= value.len());
        }
    }
}
