//! Reads TOML into a written type and collects *all* errors.
//!
//! serde stops at its first error. So on each error the key it points at is taken out of the
//! parsed table and reading starts again, until what is left can be read.

use std::collections::BTreeSet;
use std::ops::Range;

use serde::de::DeserializeOwned;
use toml::Spanned;
use toml::de::{DeTable, DeValue, Deserializer, Error};

use super::synonyms;
use crate::suggest::{nearest, similar};
use crate::{Diagnostic, Kind};

/// The written form of a file.
pub(crate) trait Form: DeserializeOwned + Default {
    /// What it defines, if it is a definition.
    const KIND: Option<Kind>;
}

impl Form for super::Service {
    const KIND: Option<Kind> = Some(Kind::Service);
}

impl Form for super::Network {
    const KIND: Option<Kind> = Some(Kind::Network);
}

impl Form for super::Volume {
    const KIND: Option<Kind> = Some(Kind::Volume);
}

/// Keys that are named to somebody who wrote another one.
const MOST_NAMED: usize = 8;

/// Keys that had to be left out because they could not be read, as dotted paths such as `ports.0.host`.
/// A key in here was reported; that it is now missing must not be reported again.
#[derive(Debug, Default)]
pub(crate) struct Removed(BTreeSet<String>);

impl Removed {
    /// The key at `path` was left out.
    pub(crate) fn insert(&mut self, path: String) {
        self.0.insert(path);
    }

    /// Whether the key, or a table that holds it, was there but could not be read.
    pub(crate) fn contains(&self, path: &str) -> bool {
        self.0.iter().any(|removed| {
            path == removed || path.strip_prefix(removed.as_str()).is_some_and(|rest| rest.starts_with('.'))
        })
    }
}

/// What could be read, and what could not.
#[derive(Debug)]
pub(crate) struct Read<T> {
    /// The written form, less the keys that could not be read.
    pub(crate) written: T,
    /// Those keys.
    pub(crate) removed: Removed,
    /// One for each of them.
    pub(crate) diagnostics: Vec<Diagnostic>,
}

/// A table of which something may have been taken out before.
#[derive(Debug)]
pub(crate) struct Table<'i> {
    pub(crate) keys: Spanned<DeTable<'i>>,
    pub(crate) removed: Removed,
    pub(crate) diagnostics: Vec<Diagnostic>,
}

/// Reads all that can be read; after `most` errors it is given up. Reading uses the table up, and nearly always there
/// is no mistake in it: `make` makes it again if there is.
///
/// # Errors
/// Those of `make`, or the first errors of very many.
pub(crate) fn read<'i, T: Form>(
    make: impl Fn() -> Result<Table<'i>, Vec<Diagnostic>>,
    most: usize,
) -> Result<Read<T>, Vec<Diagnostic>> {
    let Table { keys, removed, diagnostics } = make()?;
    if let Ok(written) = T::deserialize(Deserializer::from(keys)) {
        return Ok(Read { written, removed, diagnostics });
    }
    let Table { keys: mut table, mut removed, mut diagnostics } = make()?;
    loop {
        let error = match T::deserialize(Deserializer::from(table.clone())) {
            Ok(written) => return Ok(Read { written, removed, diagnostics }),
            Err(error) => error,
        };
        let path = error.span().and_then(|span| take_out(table.get_mut(), &span));
        let (diagnostic, meant) = key_error(&error, T::KIND, path.as_deref().unwrap_or_default());
        diagnostics.push(diagnostic);
        match path {
            Some(path) if diagnostics.len() < most => {
                // A misspelt key is not missing too.
                if let Some(meant) = meant {
                    let parent =
                        path.rsplit_once('.').map_or(String::new(), |(parent, _)| format!("{parent}."));
                    removed.insert(format!("{parent}{meant}"));
                }
                removed.insert(path);
            }
            // Nothing to take out, or enough said: give the rest up.
            _ => return Err(diagnostics),
        }
    }
}

/// Removes the innermost key that holds `span`, and says its path.
fn take_out(table: &mut DeTable<'_>, span: &Range<usize>) -> Option<String> {
    let key = table
        .iter()
        .find(|(key, value)| {
            key.span() == *span || covers(&value.span(), span) || inside(value.get_ref(), span)
        })
        .map(|(key, _)| key.clone())?;
    let name = key.get_ref().to_string();
    let inner = if key.span() == *span {
        None
    } else {
        table.get_mut(&key).and_then(|value| take_out_of_value(value.get_mut(), span))
    };
    match inner {
        Some(path) => Some(format!("{name}.{path}")),
        None => table.remove(&key).map(|_| name),
    }
}

fn take_out_of_value(value: &mut DeValue<'_>, span: &Range<usize>) -> Option<String> {
    match value {
        DeValue::Table(table) => take_out(table, span),
        DeValue::Array(items) => {
            items.iter_mut().enumerate().find_map(|(index, item): (usize, &mut Spanned<DeValue<'_>>)| {
                take_out_of_value(item.get_mut(), span).map(|path| format!("{index}.{path}"))
            })
        }
        _ => None,
    }
}

/// The span of a `[table]` is its header only, so its keys have to be asked too.
fn inside(value: &DeValue<'_>, span: &Range<usize>) -> bool {
    match value {
        DeValue::Table(table) => table.iter().any(|(key, value)| {
            key.span() == *span || covers(&value.span(), span) || inside(value.get_ref(), span)
        }),
        DeValue::Array(items) => {
            items.iter().any(|item| covers(&item.span(), span) || inside(item.get_ref(), span))
        }
        _ => false,
    }
}

fn covers(outer: &Range<usize>, inner: &Range<usize>) -> bool {
    outer.start <= inner.start && inner.end <= outer.end
}

/// serde's error about the key or the value at `path`, in our words; and the key that was probably meant.
fn key_error(error: &Error, kind: Option<Kind>, path: &str) -> (Diagnostic, Option<String>) {
    let message = error.message();
    let span = error.span().unwrap_or_default();
    // The wording is serde's own (`de::Error::unknown_field`) and pinned by the golden messages.
    if let Some(rest) = message.strip_prefix("unknown field ") {
        let mut names = rest.split('`').skip(1).step_by(2);
        let unknown = names.next().unwrap_or_default();
        let known: Vec<&str> = names.collect();
        let (help, meant) = unknown_key(kind, &table_of(path), unknown, &known);
        let diagnostic = Diagnostic::error("unknown-key", format!("unknown key `{unknown}`"))
            .at(span, "not known here")
            .help(help);
        return (diagnostic, meant);
    }
    let Some(rest) = message.strip_prefix("invalid type: ") else {
        return (Diagnostic::error("invalid-value", message).at(span, "not possible here"), None);
    };
    let diagnostic = Diagnostic::error("wrong-type", in_toml_words(rest)).at(span, "of the wrong type");
    let hint = (kind == Some(Kind::Service)).then(|| synonyms::of_value(path)).flatten();
    (hint.into_iter().fold(diagnostic, |diagnostic, hint| diagnostic.help(hint.help())), None)
}

/// What to say of a key that `table` does not have, and the one of it that was meant.
fn unknown_key(kind: Option<Kind>, table: &str, unknown: &str, known: &[&str]) -> (String, Option<String>) {
    let synonym = (kind == Some(Kind::Service)).then(|| synonyms::of_key(table, unknown)).flatten();
    let hint = synonym.map(|hint| {
        let meant = if let synonyms::Hint::Key(key) = hint { Some(key.to_owned()) } else { None };
        (hint.help(), meant)
    });
    let near = || {
        let near = synonyms::in_another_style(unknown, known)
            .or_else(|| nearest(unknown, known.iter().copied()))?
            .to_owned();
        Some((format!("did you mean `{near}`?"), Some(near)))
    };
    hint.or_else(near).unwrap_or_else(|| {
        let help = match kind {
            Some(kind) if known.len() > MOST_NAMED => {
                let some = similar(unknown, known, MOST_NAMED).join(", ");
                format!("known here are {some} and others: `man conductor-{kind}` tells of all")
            }
            _ => format!("known here: {}", known.join(", ")),
        };
        (help, None)
    })
}

/// The table of a key, without the numbers of entries; each of `secrets` is like the others.
fn table_of(path: &str) -> String {
    let is_name = |part: &&str| !part.bytes().all(|byte| byte.is_ascii_digit());
    let parts: Vec<&str> = path.split('.').filter(is_name).collect();
    match parts.split_last() {
        Some((_, ["secrets", ..])) => "secrets.*".to_owned(),
        Some((_, table)) => table.join("."),
        None => String::new(),
    }
}

/// serde speaks of Rust's types; people who write TOML do not.
fn in_toml_words(message: &str) -> String {
    let Some((found, expected)) = message.rsplit_once(", expected ") else { return message.to_owned() };
    let found = match found {
        "map" => "a table",
        "sequence" => "a list",
        found => found,
    };
    let expected = match expected {
        "i64" => "a whole number",
        "a boolean" => "true or false",
        "a sequence" => "a list, such as [\"first\", \"second\"]",
        "a map" => "a table",
        expected if expected.starts_with("struct ") => "a table",
        expected => expected,
    };
    format!("{found} is not {expected}")
}
