//! Diagnostics for programs: `conductor check --format json`.

use conductor_definition::{Diagnostic, Label, Level, Position, Source};
use serde::Serialize;

use crate::report::Count;
use crate::terminal::print;

/// One finding. Lines and columns count from 1, columns in characters; all places are null where the
/// finding is about the file as a whole.
#[derive(Debug, Serialize)]
struct Finding<'a> {
    file: String,
    line: Option<usize>,
    column: Option<usize>,
    end: Option<Place>,
    level: &'static str,
    code: &'a str,
    message: &'a str,
    label: Option<&'a str>,
    help: Option<&'a str>,
    related: Option<Related<'a>>,
}

/// The first character that does not belong to it any more.
#[derive(Debug, Serialize)]
struct Place {
    line: usize,
    column: usize,
}

/// A second place that it has to do with, in the same file or another one.
#[derive(Debug, Serialize)]
struct Related<'a> {
    file: String,
    line: usize,
    column: usize,
    end: Place,
    label: &'a str,
}

/// Prints one object a line and counts.
pub(crate) fn show<'a>(findings: impl IntoIterator<Item = (&'a Source, &'a Diagnostic)>) -> Count {
    let mut count = Count::default();
    for (source, diagnostic) in findings {
        count.add(diagnostic.level);
        print(&line(&finding(source, diagnostic)));
    }
    count
}

/// Something as one line of JSON.
pub(crate) fn line(value: &impl Serialize) -> String {
    // Our own types have string keys only, and so always serialize.
    serde_json::to_string(value).map(|line| line + "\n").unwrap_or_default()
}

fn finding<'a>(source: &Source, diagnostic: &'a Diagnostic) -> Finding<'a> {
    let place = |offset| place(source.place(offset).position);
    // A drop-in, if that is where it stands.
    let file = match &diagnostic.label {
        Some(label) => source.place(label.span.start).path,
        None => source.path(),
    };
    let start = diagnostic.label.as_ref().map(|label| place(label.span.start));
    let related = |label: &'a Label| {
        let Place { line, column } = place(label.span.start);
        let file = source.place(label.span.start).path.to_string_lossy().into_owned();
        Related { file, line, column, end: place(label.span.end), label: &label.text }
    };
    Finding {
        file: file.to_string_lossy().into_owned(),
        line: start.as_ref().map(|start| start.line),
        column: start.as_ref().map(|start| start.column),
        end: diagnostic.label.as_ref().map(|label| place(label.span.end)),
        level: match diagnostic.level {
            Level::Error => "error",
            Level::Warning => "warning",
        },
        code: diagnostic.code,
        message: &diagnostic.message,
        label: diagnostic.label.as_ref().map(|label| label.text.as_str()).filter(|text| !text.is_empty()),
        help: diagnostic.help.as_deref(),
        related: diagnostic.related.as_ref().map(related),
    }
}

/// A file without text, which could not be read, is wrong from its beginning.
fn place(position: Option<Position>) -> Place {
    position.map_or(Place { line: 1, column: 1 }, |at| Place { line: at.line, column: at.column })
}
