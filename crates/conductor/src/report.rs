//! Diagnostics as compilers show them: the line, the place in it, the reason, what to do.

use annotate_snippets::{Annotation, AnnotationKind, Group, Level as Title, Origin, Renderer, Snippet};
use conductor_definition::{Diagnostic, Level, Part, Source};

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

fn renderer() -> Renderer {
    if colour() { Renderer::styled() } else { Renderer::plain() }
}

/// Shows all findings and counts them.
pub(crate) fn show<'a>(findings: impl IntoIterator<Item = (&'a Source, &'a Diagnostic)>) -> Count {
    let renderer = renderer();
    let mut count = Count::default();
    for (source, diagnostic) in findings {
        count.add(diagnostic.level);
        say(&format!("{}\n", renderer.render(&[group(source, diagnostic)])));
    }
    count
}

fn group<'a>(source: &'a Source, diagnostic: &'a Diagnostic) -> Group<'a> {
    let level = match diagnostic.level {
        Level::Error => Title::ERROR,
        Level::Warning => Title::WARNING,
    };
    let title = level.primary_title(&diagnostic.message).id(diagnostic.code);
    let marks =
        [(AnnotationKind::Primary, &diagnostic.label), (AnnotationKind::Context, &diagnostic.related)];
    let marks: Vec<(Part<'a>, Annotation<'a>)> = marks
        .into_iter()
        .filter_map(|(kind, label)| {
            let label = label.as_ref()?;
            let part = source.part_at(label.span.start);
            let local = |offset: usize| offset.saturating_sub(part.start).min(part.text.len());
            let span = local(label.span.start)..local(label.span.end);
            Some((part, kind.span(span).label(&label.text)))
        })
        .collect();
    let mut group = match marks.first() {
        // A finding about a file as a whole, or about one that could not be read.
        None => title.element(Origin::path(source.path().to_string_lossy())),
        Some((part, _)) if part.text.is_empty() => title.element(Origin::path(part.path.to_string_lossy())),
        Some((first, _)) => {
            let (here, elsewhere): (Vec<_>, Vec<_>) =
                marks.iter().cloned().partition(|(part, _)| part.start == first.start);
            let annotations =
                |marks: Vec<(Part<'a>, Annotation<'a>)>| marks.into_iter().map(|(_, mark)| mark);
            let group = title.element(snippet(*first).annotations(annotations(here)));
            match elsewhere.first() {
                Some((part, _)) => group.element(snippet(*part).annotations(annotations(elsewhere.clone()))),
                None => group,
            }
        }
    };
    if let Some(help) = &diagnostic.help {
        group = group.element(Title::HELP.message(help));
    }
    group
}

fn snippet(part: Part<'_>) -> Snippet<'_, Annotation<'_>> {
    Snippet::source(part.text).path(part.path.to_string_lossy())
}
