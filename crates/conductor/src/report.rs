//! Diagnostics as compilers show them: the line, the place in it, the reason, what to do.

use annotate_snippets::{AnnotationKind, Group, Level as Title, Renderer, Snippet};
use conductor_definition::{Diagnostic, Level};
use conductor_generator::Converted;

use crate::terminal::{colour, say};

/// How much was found.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Count {
    pub(crate) errors: usize,
    pub(crate) warnings: usize,
}

impl Count {
    pub(crate) fn add(&mut self, level: Level) {
        match level {
            Level::Error => self.errors += 1,
            Level::Warning => self.warnings += 1,
        }
    }
}

/// Shows all diagnostics of the definitions and counts them.
pub(crate) fn show<'a>(definitions: impl IntoIterator<Item = &'a Converted>) -> Count {
    let renderer = if colour() { Renderer::styled() } else { Renderer::plain() };
    let mut count = Count::default();
    for definition in definitions {
        for diagnostic in &definition.diagnostics {
            count.add(diagnostic.level);
            say(&format!("{}\n", renderer.render(&[group(definition, diagnostic)])));
        }
    }
    count
}

fn group<'a>(definition: &'a Converted, diagnostic: &'a Diagnostic) -> Group<'a> {
    let path = definition.source.path.to_string_lossy();
    let level = match diagnostic.level {
        Level::Error => Title::ERROR,
        Level::Warning => Title::WARNING,
    };
    let title = level.primary_title(&diagnostic.message).id(diagnostic.code);
    // A finding about the file as a whole points at its beginning.
    let mut snippet = Snippet::source(&definition.source.text).path(path);
    if let Some(label) = &diagnostic.label {
        snippet = snippet.annotation(AnnotationKind::Primary.span(label.span.clone()).label(&label.text));
    }
    if let Some(label) = &diagnostic.related {
        snippet = snippet.annotation(AnnotationKind::Context.span(label.span.clone()).label(&label.text));
    }
    let group = if diagnostic.label.is_some() {
        title.element(snippet)
    } else {
        title.element(annotate_snippets::Origin::path(definition.source.path.to_string_lossy()))
    };
    match &diagnostic.help {
        Some(help) => group.element(Title::HELP.message(help)),
        None => group,
    }
}
