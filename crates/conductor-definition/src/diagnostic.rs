//! What is wrong with a definition, where, and what to do about it.

use std::ops::Range;

use crate::Source;

/// Findings of a definition that are told, and errors after which it is not looked at any more: more would not help anybody, and each
/// becomes a line in the log and in the stub unit.
pub(crate) const MOST_ERRORS: usize = 64;

/// Bytes that are read again and again while errors are collected, at the most: once for each error.
const MOST_READ: usize = 8 << 20;

/// Characters after which a line is cut: a message may quote what was found, whatever its length.
const LONGEST_LINE: usize = 1000;

/// Errors after which this definition is not looked at any more: fewer than [`MOST_ERRORS`] if it is very long.
pub(crate) fn most_errors(source: &Source) -> usize {
    (MOST_READ / source.len().max(1)).clamp(8, MOST_ERRORS)
}

/// Sorts findings by their places; of very many the first stay, errors before warnings.
pub(crate) fn first(diagnostics: &mut Vec<Diagnostic>) {
    diagnostics.sort_by_key(Diagnostic::offset);
    if diagnostics.len() > MOST_ERRORS {
        diagnostics.sort_by_key(|diagnostic| diagnostic.level);
        diagnostics.truncate(MOST_ERRORS);
        diagnostics.sort_by_key(Diagnostic::offset);
    }
}

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// The definition does not convert.
    Error,
    /// It converts, but probably not into what was meant.
    Warning,
}

/// A stretch of the text and what is to be said about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Label {
    /// Byte offsets as [`Source`] counts them; all of it is in one file.
    pub span: Range<usize>,
    /// A few words under the line; may be empty.
    pub text: String,
}

/// One finding. Messages start in lower case and have no full stop, as cargo's do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostic {
    /// Error or warning.
    pub level: Level,
    /// A stable word for scripts and editors, such as `unknown-key`.
    pub code: &'static str,
    /// What is wrong.
    pub message: String,
    /// The place that is wrong, if there is one.
    pub label: Option<Label>,
    /// A second place that it has to do with.
    pub related: Option<Label>,
    /// What to do about it.
    pub help: Option<String>,
}

impl Diagnostic {
    /// An error without a place.
    pub fn error(code: &'static str, message: impl Into<String>) -> Self {
        Self { level: Level::Error, code, message: message.into(), label: None, related: None, help: None }
    }

    /// A warning without a place.
    pub fn warning(code: &'static str, message: impl Into<String>) -> Self {
        Self { level: Level::Warning, ..Self::error(code, message) }
    }

    /// Points at `span`, with a few words under it.
    #[must_use]
    pub fn at(mut self, span: Range<usize>, text: impl Into<String>) -> Self {
        self.label = Some(Label { span, text: text.into() });
        self
    }

    /// Points at a second place.
    #[must_use]
    pub fn and(mut self, span: Range<usize>, text: impl Into<String>) -> Self {
        self.related = Some(Label { span, text: text.into() });
        self
    }

    /// Says what to do.
    #[must_use]
    pub fn help(mut self, text: impl Into<String>) -> Self {
        self.help = Some(text.into());
        self
    }

    /// Whether this prevents the definition from converting.
    pub fn is_error(&self) -> bool {
        self.level == Level::Error
    }

    /// Where it points, for sorting; findings without a place come first.
    pub(crate) fn offset(&self) -> usize {
        self.label.as_ref().map_or(0, |label| label.span.start)
    }

    /// The finding on one line, for logs: `path:line:column: message (help)`.
    pub fn one_line(&self, source: &Source) -> String {
        let place = match &self.label {
            Some(label) => source.place(label.span.start).to_string(),
            None => source.path().display().to_string(),
        };
        let help = self.help.as_ref().map(|help| format!(" ({help})")).unwrap_or_default();
        let warning = if self.is_error() { "" } else { "warning: " };
        let line = format!("{place}: {warning}{}{help}", self.message).replace(char::is_control, " ");
        match line.char_indices().nth(LONGEST_LINE) {
            Some((end, _)) => format!("{}…", line.get(..end).unwrap_or_default()),
            None => line,
        }
    }
}
