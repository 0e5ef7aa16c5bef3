//! A definition's text and where it came from.

use std::fmt;
use std::ops::Range;
use std::path::{Path, PathBuf};

/// The text of a definition: its main file and its drop-ins, laid end to end in one text, so that a
/// byte offset is enough to say in which file and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    text: String,
    main: Piece,
    /// Hardly ever there, and of thousands of definitions one is held: hence the box.
    more: Option<Box<More>>,
}

/// Files besides the main one.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct More {
    drop_ins: Vec<Piece>,
    /// Files of other definitions, behind its own.
    quoted: Vec<Piece>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Piece {
    path: PathBuf,
    range: Range<usize>,
}

/// One file of a definition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Part<'a> {
    /// The path as the user would type it.
    pub path: &'a Path,
    /// The whole text; empty if it could not be read.
    pub text: &'a str,
    /// The offset of its first byte, as spans count.
    pub start: usize,
}

/// A place in a text as editors count it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Position {
    /// From 1.
    pub line: usize,
    /// From 1, in characters.
    pub column: usize,
}

/// A file and the place in it; shown as `path:line:column`, as compilers do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place<'a> {
    /// The file.
    pub path: &'a Path,
    /// The place, unless the file has no text that one could look at.
    pub position: Option<Position>,
}

impl Source {
    /// A main file; its name gives the service its name.
    pub fn new(path: impl Into<PathBuf>, text: impl Into<String>) -> Self {
        let text = text.into();
        let main = Piece { path: path.into(), range: 0..text.len() };
        Self { text, main, more: None }
    }

    /// Adds a drop-in, and says at which offset its text begins; later ones win.
    pub fn push(&mut self, path: impl Into<PathBuf>, text: &str) -> usize {
        let piece = self.append(path.into(), text);
        let start = piece.range.start;
        self.more.get_or_insert_default().drop_ins.push(piece);
        start
    }

    /// Adds a file of another definition, at which a finding about this one points too. It says nothing here.
    pub fn quote(&mut self, path: impl Into<PathBuf>, text: &str) -> usize {
        let path = path.into();
        if let Some(known) = self.quoted().iter().find(|piece| piece.path == path) {
            return known.range.start;
        }
        let piece = self.append(path, text);
        let start = piece.range.start;
        self.more.get_or_insert_default().quoted.push(piece);
        start
    }

    fn append(&mut self, path: PathBuf, text: &str) -> Piece {
        // A byte in between: what is wrong at the very end of a file must not point into the next one.
        self.text.push('\n');
        let start = self.text.len();
        self.text.push_str(text);
        Piece { path, range: start..self.text.len() }
    }

    /// Drops the text of all files, and with it the places in it; the main file's path stays.
    pub fn forget_text(&mut self) {
        self.text = String::new();
        self.main.range = 0..0;
        self.more = None;
    }

    /// The path of the main file.
    pub fn path(&self) -> &Path {
        &self.main.path
    }

    /// The paths of the drop-ins, in the order in which they are applied.
    pub fn drop_ins(&self) -> impl Iterator<Item = &Path> {
        self.added().iter().map(|piece| piece.path.as_path())
    }

    /// All files of the definition itself, the main one first.
    pub fn parts(&self) -> impl Iterator<Item = Part<'_>> {
        self.pieces().map(|piece| self.part(piece))
    }

    /// The file in which a byte offset lies; the last one if it lies past the end.
    pub fn part_at(&self, offset: usize) -> Part<'_> {
        let mut later = self.quoted().iter().rev().chain(self.added().iter().rev());
        let piece = later.find(|piece| piece.range.start <= offset);
        self.part(piece.unwrap_or(&self.main))
    }

    /// The file and the position of a byte offset; an offset past the end is the end.
    pub fn place(&self, offset: usize) -> Place<'_> {
        let part = self.part_at(offset);
        let position = (!part.text.is_empty()).then(|| position(part.text, offset - part.start));
        Place { path: part.path, position }
    }

    /// What stands at `span`.
    pub(crate) fn slice(&self, span: Range<usize>) -> &str {
        self.text.get(span).unwrap_or_default()
    }

    /// Bytes of all files.
    pub fn len(&self) -> usize {
        self.text.len()
    }

    /// Whether there is no text, be it that it is not kept.
    pub fn is_empty(&self) -> bool {
        self.text.is_empty()
    }

    /// Whether a character stands anywhere.
    pub(crate) fn contains(&self, wanted: &[char]) -> bool {
        self.text.contains(wanted)
    }

    fn pieces(&self) -> impl Iterator<Item = &Piece> {
        std::iter::once(&self.main).chain(self.added())
    }

    fn added(&self) -> &[Piece] {
        self.more.as_ref().map_or(&[], |more| &more.drop_ins)
    }

    fn quoted(&self) -> &[Piece] {
        self.more.as_ref().map_or(&[], |more| &more.quoted)
    }

    fn part<'a>(&'a self, piece: &'a Piece) -> Part<'a> {
        Part { path: &piece.path, text: self.slice(piece.range.clone()), start: piece.range.start }
    }
}

fn position(text: &str, offset: usize) -> Position {
    let before = text.get(..offset).unwrap_or(text);
    let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
    Position {
        line: before.matches('\n').count() + 1,
        column: before.get(line_start..).map_or(0, |line| line.chars().count()) + 1,
    }
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.line, self.column)
    }
}

impl fmt::Display for Place<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.path.display())?;
        self.position.map_or(Ok(()), |position| write!(f, ":{position}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_lines_and_characters_from_one() {
        let source = Source::new("web.toml", "a\nüb = 1\n");
        assert_eq!(source.place(0).to_string(), "web.toml:1:1");
        assert_eq!(source.place(2).to_string(), "web.toml:2:1");
        assert_eq!(source.place(4).to_string(), "web.toml:2:2");
        assert_eq!(source.place(99).to_string(), "web.toml:3:1");
    }

    #[test]
    fn an_offset_says_which_file() {
        let mut source = Source::new("web.toml", "a = 1");
        source.push("10.toml", "");
        source.push("20.toml", "b = 1\nc = 2");
        let starts: Vec<usize> = source.parts().map(|part| part.start).collect();
        assert_eq!(starts, [0, 6, 7]);
        assert_eq!(source.place(5).to_string(), "web.toml:1:6", "the end of a file is still its own");
        assert_eq!(source.place(6).to_string(), "10.toml");
        assert_eq!(source.place(7 + 6).to_string(), "20.toml:2:1");
        assert_eq!(source.place(99).to_string(), "20.toml:2:6");
    }

    #[test]
    fn what_is_quoted_is_pointed_at_and_no_part() {
        let mut source = Source::new("web.toml", "a = 1");
        source.push("10.toml", "b = 1");
        let at = source.quote("api.toml", "c = 1\nd = 2");
        assert_eq!(source.quote("api.toml", "c = 1\nd = 2"), at, "once is enough");
        assert_eq!(source.place(at + 6).to_string(), "api.toml:2:1");
        assert_eq!(source.place(6).to_string(), "10.toml:1:1");
        assert_eq!(source.parts().count(), 2);
    }
}
