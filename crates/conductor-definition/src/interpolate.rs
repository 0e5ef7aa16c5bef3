//! `${NAME}` in a definition: the text of another key at its top level.
//!
//! Where it counts: in every string that is the one value of a key. Where it does not: in the elements
//! of lists (`command`, `entrypoint`) and in the tables whose keys are names of the user's own
//! ([`LITERAL`]). Those belong to the program, to shells and to systemd, which have `$` for themselves.
//!
//! It is strict: an unknown name, or a `$` that is neither `${NAME}` nor `$$`, is an error. Only texts
//! that do not refer to others themselves can be referred to, so there are no cycles, and the order of keys
//! means nothing. Only the definition is asked: the same files always make the same units.

use std::collections::BTreeMap;
use std::ops::Range;

use toml::de::{DeTable, DeValue};

use crate::diagnostic::most_errors;
use crate::suggest::nearest;
use crate::written::Removed;
use crate::{Diagnostic, Source};

/// Tables whose values are taken as they are.
pub(crate) const LITERAL: &[&str] = &[
    "environment",
    "extra-hosts",
    "health.headers",
    "labels",
    "log.options",
    "options",
    "secrets",
    "sysctls",
    "systemd",
    "ulimits",
];

/// Bytes that all references of a definition together may be filled in with: a long text that is referred
/// to very often must not use up the machine's memory at boot.
const MOST_FILLED_IN: usize = 1 << 20;

/// Keys among which one of a similar name is looked for: a definition has fewer at its top level.
const MOST_COMPARED: usize = 1000;

const DOLLAR: &str = "write `$$` for a dollar, or `${NAME}` for the text of another key";

/// Fills in all references. Keys whose value has a mistake are taken out and reported.
///
/// # Errors
/// The first mistakes of very many.
pub(crate) fn interpolate(
    table: &mut DeTable<'_>,
    source: &Source,
) -> Result<(Removed, Vec<Diagnostic>), Vec<Diagnostic>> {
    let mut work = Work {
        source,
        names: BTreeMap::new(),
        left: MOST_FILLED_IN,
        most: most_errors(source),
        removed: Removed::default(),
        found: Vec::new(),
    };
    // A dollar can also be written as an escape. Most definitions have neither.
    if source.contains(&['$', '\\']) {
        work.names = table.iter().map(|(key, value)| (key.to_string(), Named::of(value.get_ref()))).collect();
        work.table(table, "");
    }
    if work.found.len() < work.most { Ok((work.removed, work.found)) } else { Err(work.found) }
}

/// What a key at the top level can be for a reference to it.
enum Named {
    Text(String),
    /// A text that holds references, or a mistake.
    Composed,
    /// Not a text, but of this type.
    Other(&'static str),
}

impl Named {
    fn of(value: &DeValue<'_>) -> Self {
        let DeValue::String(text) = value else { return Self::Other(value.type_str()) };
        let plain: Option<Vec<&str>> = pieces(text)
            .map(|(piece, _)| match piece {
                Piece::Text(text) => Some(text),
                _ => None,
            })
            .collect();
        plain.map_or(Self::Composed, |pieces| Self::Text(pieces.concat()))
    }
}

struct Work<'s> {
    source: &'s Source,
    names: BTreeMap<String, Named>,
    left: usize,
    /// Mistakes after which it is given up.
    most: usize,
    removed: Removed,
    found: Vec<Diagnostic>,
}

impl Work<'_> {
    fn table(&mut self, table: &mut DeTable<'_>, prefix: &str) {
        let mut mistaken = Vec::new();
        for (key, value) in table.iter_mut() {
            if self.found.len() >= self.most {
                return;
            }
            let path = format!("{prefix}{}", key.get_ref());
            if LITERAL.contains(&path.as_str()) {
                continue;
            }
            let span = value.span();
            match value.get_mut() {
                DeValue::String(text) if text.contains('$') => match self.text(text, span) {
                    Some(filled_in) => *text = filled_in.into(),
                    None => mistaken.push((key.clone(), path)),
                },
                DeValue::Table(inner) => self.table(inner, &format!("{path}.")),
                DeValue::Array(items) => {
                    for (index, item) in items.iter_mut().enumerate() {
                        if let DeValue::Table(inner) = item.get_mut() {
                            self.table(inner, &format!("{path}.{index}."));
                        }
                    }
                }
                _ => {}
            }
        }
        for (key, path) in mistaken {
            table.remove(&key);
            self.removed.insert(path);
        }
    }

    /// The text with all references filled in; nothing if there was a mistake.
    fn text(&mut self, text: &str, span: Range<usize>) -> Option<String> {
        let mut filled_in = String::new();
        let mut mistakes = Vec::new();
        for (piece, at) in pieces(text) {
            let found = match piece {
                Piece::Text(text) => {
                    filled_in.push_str(text);
                    continue;
                }
                Piece::Name(name) => self.named(name).map(|text| filled_in.push_str(&text)),
                Piece::Unclosed => Err(mistake("`${` without `}`").help(DOLLAR)),
                Piece::Lone => Err(mistake("a lone `$`").help(DOLLAR)),
            };
            if let Err(diagnostic) = found {
                mistakes.push((diagnostic, at));
            }
            if mistakes.len() + self.found.len() >= self.most {
                break;
            }
        }
        let good = mistakes.is_empty();
        for (diagnostic, at) in mistakes {
            let place = self.place(text, &span, &at).unwrap_or_else(|| span.clone());
            self.found.push(diagnostic.at(place, "cannot be filled in"));
        }
        good.then_some(filled_in)
    }

    fn named(&mut self, name: &str) -> Result<String, Diagnostic> {
        let shown = name.escape_debug();
        match self.names.get(name) {
            Some(Named::Text(text)) => {
                self.left = self.left.checked_sub(text.len()).ok_or_else(|| {
                    mistake("filled in, the texts of this definition are longer than 1 MiB")
                        .help("refer to shorter texts, or less often")
                })?;
                Ok(text.clone())
            }
            Some(Named::Composed) => Err(mistake(format!("`{shown}` is itself made with `$`"))
                .help("only texts without references can be referred to: write it out")),
            Some(Named::Other(kind)) => Err(mistake(format!("`{shown}` is no text but of type {kind}"))
                .help("only texts can be referred to: write it out")),
            None => {
                Err(mistake(format!("`{shown}` is not a key of this definition")).help(self.instead(name)))
            }
        }
    }

    /// What to write in place of an unknown name.
    fn instead(&self, name: &str) -> String {
        let texts = self.names.iter().filter(|(_, named)| matches!(named, Named::Text(_)));
        let texts: Vec<&str> = texts.map(|(key, _)| key.as_str()).take(MOST_COMPARED).collect();
        match nearest(name, texts.iter().copied()) {
            Some(near) => format!("did you mean `${{{near}}}`?"),
            None if texts.is_empty() => {
                "texts at the top level can be referred to, such as revision = \"1.4.2\"; a dollar is `$$`"
                    .into()
            }
            None => {
                format!("texts at the top level can be referred to: {}; a dollar is `$$`", texts.join(", "))
            }
        }
    }

    /// Where the stretch `at` of a string's value stands in the file. The value and what is written differ by
    /// quotes and escapes, so its dollars are counted; nothing if some of them are escapes themselves.
    fn place(&self, text: &str, span: &Range<usize>, at: &Range<usize>) -> Option<Range<usize>> {
        let written = self.source.slice(span.clone());
        if written.matches('$').count() != text.matches('$').count() {
            return None;
        }
        let number = text.get(..at.start)?.matches('$').count();
        let (start, _) = written.match_indices('$').nth(number)?;
        let range = start..start + at.len();
        let same = written.get(range.clone())? == text.get(at.clone())?;
        same.then_some(span.start + range.start..span.start + range.end)
    }
}

fn mistake(message: impl Into<String>) -> Diagnostic {
    Diagnostic::error("interpolation", message)
}

#[derive(Debug, PartialEq, Eq)]
enum Piece<'t> {
    Text(&'t str),
    Name(&'t str),
    Unclosed,
    Lone,
}

/// Takes a text apart at its dollars; each piece with the stretch that it takes up.
fn pieces(text: &str) -> impl Iterator<Item = (Piece<'_>, Range<usize>)> {
    let mut rest = text;
    std::iter::from_fn(move || {
        let start = text.len() - rest.len();
        let (piece, after) = match rest.strip_prefix('$') {
            None if rest.is_empty() => return None,
            None => {
                let end = rest.find('$').unwrap_or(rest.len());
                let (plain, after) = rest.split_at(end);
                (Piece::Text(plain), after)
            }
            Some(after) => match (after.strip_prefix('$'), after.strip_prefix('{')) {
                (Some(after), _) => (Piece::Text("$"), after),
                (None, Some(named)) => match named.split_once('}') {
                    Some((name, after)) => (Piece::Name(name), after),
                    None => (Piece::Unclosed, ""),
                },
                (None, None) => (Piece::Lone, after),
            },
        };
        rest = after;
        Some((piece, start..text.len() - rest.len()))
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::merge::merged;

    /// The value of `key` after filling in, and what was found.
    fn filled_in(text: &str, key: &str) -> (Option<String>, Vec<String>) {
        let source = Source::new("web.toml", text);
        let mut table = merged(&source).unwrap();
        let found = interpolate(table.get_mut(), &source).map_or_else(|found| found, |(_, found)| found);
        let value = table.get_ref().get(key).and_then(|value| value.get_ref().as_str().map(str::to_owned));
        (value, found.iter().map(|diagnostic| diagnostic.one_line(&source)).collect())
    }

    #[test]
    fn fills_in_and_unescapes() {
        let text = "image = \"web:${revision}-$$x\"\nrevision = \"1.4\"";
        assert_eq!(filled_in(text, "image"), (Some("web:1.4-$x".into()), vec![]));
        assert_eq!(filled_in("a = \"\\u0024{b}\"\nb = 'c$$'", "a"), (Some("c$".into()), vec![]));
    }

    #[test]
    fn lists_and_tables_of_free_names_are_literal() {
        let text = "command = ['$HOME', '${x}']\n[environment]\nA = '$'\n[systemd.service]\nX = '${Y}'\n[log.options]\nt = '$'\n[health.headers]\nH = '$'";
        let (_, found) = filled_in(text, "command");
        assert!(found.is_empty(), "{found:?}");
    }

    #[test]
    fn points_at_the_reference() {
        let at = |text: &str| filled_in(text, "a").1.concat();
        assert!(at("a = \"é${b}\"").starts_with("web.toml:1:7: "), "{}", at("a = \"é${b}\""));
        assert!(at("a = \"\"\"\n\\t$$${b}\"\"\"").starts_with("web.toml:2:5: "));
        assert!(at("a = '\\${b}'").starts_with("web.toml:1:7: "));
        assert!(at("a = \"\\u0024{b}\"").starts_with("web.toml:1:5: "), "the string as a whole");
    }

    #[test]
    fn what_is_filled_in_is_bounded() {
        let long = "x".repeat(500_000);
        let text = format!("long = '{long}'\na = '${{long}}${{long}}'\nb = '${{long}}'");
        let (value, found) = filled_in(&text, "b");
        assert_eq!((value, found.len()), (None, 1));
        assert_eq!(filled_in(&format!("a = '{}'", "$ ".repeat(10_000)), "a").1.len(), 64);
    }

    proptest! {
        #[test]
        fn escaping_any_text_gives_it_back(text in any::<String>()) {
            let escaped = text.replace('$', "$$");
            let back: String = pieces(&escaped).map(|(piece, _)| match piece {
                Piece::Text(text) => text,
                other => panic!("{other:?}"),
            }).collect();
            prop_assert_eq!(back, text);
        }

        #[test]
        fn pieces_cover_the_text(text in "[${}a é]*") {
            let mut end = 0;
            for (_, range) in pieces(&text) {
                prop_assert_eq!(range.start, end);
                end = range.end;
                prop_assert!(text.get(range).is_some());
            }
            prop_assert_eq!(end, text.len());
        }
    }
}
