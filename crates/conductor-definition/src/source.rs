//! A definition's text and where it came from.

use std::fmt;
use std::ops::Range;
use std::path::{Path, PathBuf};

/// The text of a definition: its main file and its drop-ins, laid end to end in one text, so that a
/// byte offset is enough to say in which file and where.
///
/// Small without its text, because of thousands of definitions one is held.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    path: Box<Path>,
    /// Nothing if the text is not kept.
    text: Option<Box<Text>>,
}

/// The files of a definition.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Text {
    /// That of the main file first.
    all: String,
    /// Where the main file's ends.
    main: usize,
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
        let mut source = Self { path: path.into().into(), text: None };
        let text = text.into();
        if !text.is_empty() {
            let main = text.len();
            source.text = Some(Box::new(Text { all: text, main, ..Text::default() }));
        }
        source
    }

    /// Adds a drop-in, and says at which offset its text begins; later ones win.
    pub fn push(&mut self, path: impl Into<PathBuf>, text: &str) -> usize {
        let files = self.text.get_or_insert_default();
        let start = files.append(text);
        files.drop_ins.push(Piece { path: path.into(), range: start..files.all.len() });
        start
    }

    /// Adds a file of another definition, at which a finding about this one points too. It says nothing here.
    pub fn quote(&mut self, path: impl Into<PathBuf>, text: &str) -> usize {
        let path = path.into();
        let files = self.text.get_or_insert_default();
        if let Some(known) = files.quoted.iter().find(|piece| piece.path == path) {
            return known.range.start;
        }
        let start = files.append(text);
        files.quoted.push(Piece { path, range: start..files.all.len() });
        start
    }

    /// Drops the text of all files, and with it the places in it; the main file's path stays.
    pub fn forget_text(&mut self) {
        self.text = None;
    }

    /// The path of the main file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The paths of the drop-ins, in the order in which they are applied.
    pub fn drop_ins(&self) -> impl Iterator<Item = &Path> {
        self.text.iter().flat_map(|files| &files.drop_ins).map(|piece| piece.path.as_path())
    }

    /// All files of the definition itself, the main one first.
    pub fn parts(&self) -> impl Iterator<Item = Part<'_>> {
        let drop_ins = self.text.iter().flat_map(|files| &files.drop_ins);
        std::iter::once(self.main()).chain(drop_ins.map(|piece| self.part(piece)))
    }

    /// The file in which a byte offset lies; the last one if it lies past the end.
    pub fn part_at(&self, offset: usize) -> Part<'_> {
        let mut later =
            self.text.iter().flat_map(|files| files.quoted.iter().rev().chain(files.drop_ins.iter().rev()));
        let piece = later.find(|piece| piece.range.start <= offset);
        piece.map_or_else(|| self.main(), |piece| self.part(piece))
    }

    /// The file and the position of a byte offset; an offset past the end is the end.
    pub fn place(&self, offset: usize) -> Place<'_> {
        let part = self.part_at(offset);
        let position = (!part.text.is_empty()).then(|| position(part.text, offset - part.start));
        Place { path: part.path, position }
    }

    /// What stands at `span`.
    pub(crate) fn slice(&self, span: Range<usize>) -> &str {
        self.all().get(span).unwrap_or_default()
    }

    /// Bytes of all files.
    pub fn len(&self) -> usize {
        self.all().len()
    }

    /// Whether there is no text, be it that it is not kept.
    pub fn is_empty(&self) -> bool {
        self.all().is_empty()
    }

    /// Whether a character stands anywhere.
    pub(crate) fn contains(&self, wanted: &[char]) -> bool {
        self.all().contains(wanted)
    }

    fn all(&self) -> &str {
        self.text.as_ref().map_or("", |files| &files.all)
    }

    fn main(&self) -> Part<'_> {
        let end = self.text.as_ref().map_or(0, |files| files.main);
        Part { path: &self.path, text: self.slice(0..end), start: 0 }
    }

    fn part<'a>(&'a self, piece: &'a Piece) -> Part<'a> {
        Part { path: &piece.path, text: self.slice(piece.range.clone()), start: piece.range.start }
    }
}

impl Text {
    /// Where it begins.
    fn append(&mut self, text: &str) -> usize {
        // A byte in between: what is wrong at the very end of a file must not point into the next one.
        self.all.push('\n');
        let start = self.all.len();
        self.all.push_str(text);
        start
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
