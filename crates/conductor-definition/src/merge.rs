//! One table out of a main file and its drop-ins.
//!
//! Each file is parsed on its own, so that a mistake in one cannot change what another one means, and its
//! spans are moved to where the file stands in the [`Source`].

use std::ops::Range;

use toml::Spanned;
use toml::de::{DeTable, DeValue, Error};

use crate::diagnostic::MOST_ERRORS;
use crate::nesting::too_deep;
use crate::source::Part;
use crate::{Diagnostic, Source};

/// How the parser begins to say that a number must not begin with a zero.
const LEADING_ZERO: &str = "unexpected leading zero";

/// What all files say together. Drop-ins are applied in their order: tables merge key by key, and
/// everything else, lists included, replaces what stood there before. So an empty list resets one, as an
/// empty assignment does in a unit's drop-in (systemd.unit(5), example 2).
///
/// # Errors
/// The syntax errors of all files: where the text is not TOML, nothing else in it can be trusted.
pub(crate) fn merged(source: &Source) -> Result<Spanned<DeTable<'_>>, Vec<Diagnostic>> {
    let mut errors = Vec::new();
    let mut whole: Option<Spanned<DeTable<'_>>> = None;
    for part in source.parts() {
        if let Some(place) = too_deep(part.text) {
            errors.push(
                Diagnostic::error("too-deep", "tables and lists are nested too deep")
                    .at(moved(place, part.start), "no key of a definition is here")
                    .help("this is probably another file under this name"),
            );
            continue;
        }
        let (table, syntax) = DeTable::parse_recoverable(part.text);
        errors.extend(syntax.iter().map(|error| syntax_error(error, part)));
        match &mut whole {
            None => whole = Some(table),
            Some(whole) => merge(whole.get_mut(), moved_table(table.into_inner(), part.start)),
        }
    }
    if errors.is_empty() {
        return Ok(whole.unwrap_or_else(|| Spanned::new(0..0, DeTable::new())));
    }
    errors.sort_by_key(Diagnostic::offset);
    errors.dedup();
    errors.truncate(MOST_ERRORS);
    Err(errors)
}

fn merge<'i>(into: &mut DeTable<'i>, from: DeTable<'i>) {
    for (key, value) in from {
        let span = value.span();
        match (into.get_mut(&key).map(Spanned::get_mut), value.into_inner()) {
            (Some(DeValue::Table(into)), DeValue::Table(from)) => merge(into, from),
            (_, value) => {
                // Inserting alone would keep the old key, whose span is in the other file.
                into.remove(&key);
                into.insert(key, Spanned::new(span, value));
            }
        }
    }
}

fn moved_table(table: DeTable<'_>, by: usize) -> DeTable<'_> {
    table
        .into_iter()
        .map(|(key, value)| (Spanned::new(moved(key.span(), by), key.into_inner()), moved_value(value, by)))
        .collect()
}

fn moved_value(value: Spanned<DeValue<'_>>, by: usize) -> Spanned<DeValue<'_>> {
    let span = moved(value.span(), by);
    let value = match value.into_inner() {
        DeValue::Table(table) => DeValue::Table(moved_table(table, by)),
        DeValue::Array(items) => {
            DeValue::Array(items.into_iter().map(|item| moved_value(item, by)).collect())
        }
        plain => plain,
    };
    Spanned::new(span, value)
}

fn moved(span: Range<usize>, by: usize) -> Range<usize> {
    span.start + by..span.end + by
}

fn syntax_error(error: &Error, part: Part<'_>) -> Diagnostic {
    let diagnostic = Diagnostic::error("syntax", error.message());
    match error.span() {
        Some(span) if is_mode(part.text, span.start) && error.message().starts_with(LEADING_ZERO) => {
            let what =
                "file modes are octal, and numbers of TOML are not: write it in quotes, such as \"0400\"";
            diagnostic.at(moved(span, part.start), "not TOML").help(what)
        }
        Some(span) => diagnostic.at(moved(span, part.start), "not TOML"),
        None => diagnostic.at(part.start..part.start, "not TOML"),
    }
}

/// Whether what stands at `offset` is the value of a key `mode`.
fn is_mode(text: &str, offset: usize) -> bool {
    let key = text.get(..offset).and_then(|before| before.trim_end().strip_suffix('='));
    let key = key.and_then(|key| key.trim_end().strip_suffix("mode"));
    key.is_some_and(|before| !before.ends_with(|c: char| c.is_alphanumeric() || matches!(c, '_' | '-')))
}
