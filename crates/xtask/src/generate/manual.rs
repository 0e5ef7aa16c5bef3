//! The reference part of manual pages, from the same schemas as editors get.
//!
//! A page `packaging/man/PAGE.in` is written by hand. In place of a line `.\"keys KIND` comes a section with the keys
//! of that kind of file, and one for each of its tables.

use std::fs;
use std::path::{Path, PathBuf};

use conductor_definition::schema::KINDS;
use conductor_tests::{Context, Result, repository};
use serde_json::Value;

use super::notation::{NAME, entries, json, keys, kind, notation};
use super::roff::{Font, in_font, literal, paragraph};

const PAGES: &str = "packaging/man";
const MARK: &str = ".\\\"keys ";
const NOTICE: &str =
    ".\\\" Made by `cargo xtask gen`: change the page's .in, or the doc comments that are in it.\n";

/// All pages that have a source.
pub(super) fn pages() -> Result<Vec<(PathBuf, Vec<u8>)>> {
    let mut pages = Vec::new();
    for entry in fs::read_dir(repository().join(PAGES)).context(PAGES)? {
        let source = entry?.path();
        if source.extension().is_none_or(|extension| extension != "in") {
            continue;
        }
        let name = source.file_stem().context("a page has a name")?;
        let text = fs::read_to_string(&source).context(source.display())?;
        pages.push((Path::new(PAGES).join(name), page(&text)?.into_bytes()));
    }
    pages.sort();
    Ok(pages)
}

fn page(source: &str) -> Result<String> {
    let mut page = NOTICE.to_owned();
    for line in source.lines() {
        match line.strip_prefix(MARK) {
            None => page.push_str(line),
            Some(wanted) => {
                let found = KINDS.iter().find(|kind| kind.name == wanted);
                let schema = found.context(format_args!("there is no kind of file {wanted:?}"))?.reference();
                // Editors show the same text, and no page around it.
                let itself = format!(" in \\fBconductor\\-{wanted}\\fR(5)");
                page.push_str(&reference(&schema).replace(&itself, ""));
            }
        }
        if !page.ends_with('\n') {
            page.push('\n');
        }
    }
    Ok(page)
}

/// The keys at the top level, then the tables.
fn reference(schema: &Value) -> String {
    let mut text = ".SH \"TOP-LEVEL KEYS\"\n".to_owned();
    for (key, value) in keys(schema).filter(|(_, value)| heading("", value).is_none()) {
        text.push_str(&entry(schema, key, value));
    }
    for (key, value) in keys(schema) {
        let Some(heading) = heading(key, value) else { continue };
        text = format!("{text}.SH \"{heading}\"\n{}", description(value, ".PP\n"));
        let table = match value.get("items") {
            Some(item) => {
                text.push_str("May stand several times.\n");
                item
            }
            None => value,
        };
        text.push_str(&contents(table));
    }
    text
}

/// How a table, or a list of tables, is headed in a file; other values have no heading.
fn heading(key: &str, schema: &Value) -> Option<String> {
    let items = schema.get("items").map(kind);
    match (kind(schema), items) {
        ("object", _) => Some(format!("[{}]", literal(key))),
        ("array", Some("object")) => Some(format!("[[{}]]", literal(key))),
        _ => None,
    }
}

/// The keys of a table.
fn contents(table: &Value) -> String {
    match entries(table) {
        Some(value) => format!(".PP\n{NAME} = {}\n{}", notation(value), inner(value)),
        None => keys(table).map(|(key, value)| entry(table, key, value)).collect(),
    }
}

/// One key: what may be written, the default, and what it means.
fn entry(table: &Value, key: &str, schema: &Value) -> String {
    let required =
        table.get("required").and_then(Value::as_array).is_some_and(|keys| keys.contains(&key.into()));
    let note = match schema.get("default") {
        Some(default) => format!(" (default {})", json(default)),
        None if required => " (required)".to_owned(),
        None => String::new(),
    };
    let key = in_font(Font::Bold, &literal(key));
    format!(".TP\n{key} = {}{note}\n{}{}", notation(schema), description(schema, ".IP\n"), inner(schema))
}

/// The keys of a table that is itself a value, or one way to write it.
fn inner(schema: &Value) -> String {
    let ways = schema.get("anyOf").and_then(Value::as_array).into_iter().flatten();
    let mut tables =
        ways.chain([schema]).filter(|way| way.get("properties").is_some() && entries(way).is_none());
    tables.next().map_or_else(String::new, |table| format!(".RS\n{}.RE\n", contents(table)))
}

fn description(schema: &Value, between: &str) -> String {
    let text = schema.get("description").and_then(Value::as_str).unwrap_or_default();
    let paragraphs: Vec<String> = text.split("\n\n").map(|text| paragraph(text) + "\n").collect();
    paragraphs.join(between)
}
