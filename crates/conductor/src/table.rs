//! Columns.

use std::fmt::Write as _;

/// A cell: its text and how it is coloured on a terminal.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Cell {
    text: String,
    colour: Option<&'static str>,
}

impl Cell {
    /// Good.
    pub(crate) fn green(text: impl Into<String>) -> Self {
        Self { text: text.into(), colour: Some("32") }
    }

    /// Something is under way, or wants a look.
    pub(crate) fn yellow(text: impl Into<String>) -> Self {
        Self { text: text.into(), colour: Some("33") }
    }

    /// Bad.
    pub(crate) fn red(text: impl Into<String>) -> Self {
        Self { text: text.into(), colour: Some("31") }
    }
}

impl<T: Into<String>> From<T> for Cell {
    fn from(text: T) -> Self {
        Self { text: text.into(), colour: None }
    }
}

/// Lays rows out under their headings; nothing stands behind the last cell of a row.
pub(crate) fn table<const N: usize>(headings: [&str; N], rows: &[[Cell; N]], colour: bool) -> String {
    let mut widths = headings.map(width);
    for row in rows {
        for (widest, cell) in widths.iter_mut().zip(row) {
            *widest = (*widest).max(width(&cell.text));
        }
    }
    let headings = headings.map(Cell::from);
    let mut text = String::new();
    for row in std::iter::once(&headings).chain(rows) {
        let mut line = String::new();
        let mut gap = 0;
        for (cell, widest) in row.iter().zip(widths) {
            // Writing to a String cannot fail.
            let _ = match cell.colour {
                Some(code) if colour => write!(line, "{:gap$}\x1b[{code}m{}\x1b[0m", "", cell.text),
                _ => write!(line, "{:gap$}{}", "", cell.text),
            };
            gap = widest.saturating_sub(width(&cell.text)) + 2;
        }
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}

/// Names and numbers are ASCII; nothing else gets into a cell.
fn width(text: &str) -> usize {
    text.chars().count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_line_up_with_and_without_colours() {
        let rows = [
            ["web".into(), Cell::green("up"), "1".into()],
            ["a-longer-one".into(), "down".into(), "".into()],
        ];
        let plain = "SERVICE       STATE  N\nweb           up     1\na-longer-one  down\n";
        assert_eq!(table(["SERVICE", "STATE", "N"], &rows, false), plain);
        let coloured = table(["SERVICE", "STATE", "N"], &rows, true);
        assert_eq!(coloured.replace("\x1b[32m", "").replace("\x1b[0m", ""), plain);
        assert_ne!(coloured, plain);
    }
}
