//! Every error message, word for word: the wording is a feature. And an editor that has the schema underlines the
//! same places, as far as a schema can say what is wrong.

#![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]

mod deploy;
#[path = "../editor/mod.rs"]
mod editor;
mod engine;
mod file;
mod foreign;
mod health;
mod limits;
mod network;
mod stages;

use conductor_definition::{Abilities, Source, parse_for};

/// The diagnostics of a definition called `web.toml`, one line each.
fn messages(text: &str) -> String {
    messages_of("web.toml", text)
}

fn messages_of(path: &str, text: &str) -> String {
    messages_for(Abilities::ROOT, path, text)
}

fn messages_for(abilities: Abilities, path: &str, text: &str) -> String {
    let source = Source::new(path, text);
    let diagnostics = match parse_for(&source, abilities) {
        Ok(parsed) => parsed.warnings,
        Err(diagnostics) => diagnostics,
    };
    editor::agrees(conductor_definition::Kind::Service, &source, &diagnostics);
    diagnostics.iter().map(|diagnostic| diagnostic.one_line(&source) + "\n").collect()
}
