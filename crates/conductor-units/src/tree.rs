//! A set of unit files and links, sorted by path.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry as Slot;
use std::fmt;

/// What stands at a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Entry {
    /// A file with this text, which ends in a line break.
    File(String),
    /// A symbolic link to this target.
    Link(String),
}

/// Files and links by their path below the generator's directory.
///
/// Its text form, which `conductor generate` prints and the last good units are kept in, is that of
/// head(1) with several files: `==> PATH <==` before each file, `==> PATH -> TARGET` for a link. No
/// line of a unit file begins that way.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tree(BTreeMap<String, Entry>);

/// Two services claim one path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Duplicate(
    /// The path.
    pub String,
);

/// A text is not the text form of a tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParseError {
    /// The line that is wrong, from 1.
    pub line: usize,
}

impl fmt::Display for ParseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {} is neither a heading nor a whole line of a file", self.line)
    }
}

impl std::error::Error for ParseError {}

impl Tree {
    /// Adds a file, in place of what was there.
    pub fn file(&mut self, path: impl Into<String>, text: impl Into<String>) {
        self.0.insert(path.into(), Entry::File(text.into()));
    }

    /// Adds a link, in place of what was there.
    pub fn link(&mut self, path: impl Into<String>, target: impl Into<String>) {
        self.0.insert(path.into(), Entry::Link(target.into()));
    }

    /// All paths and what stands there, sorted.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Entry)> {
        self.0.iter().map(|(path, entry)| (path.as_str(), entry))
    }

    /// What stands at `path`.
    pub fn get(&self, path: &str) -> Option<&Entry> {
        self.0.get(path)
    }

    /// Whether there is nothing in it.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Paths of files at the top: the unit names that the tree defines.
    pub fn unit_names(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str).filter(|path| !path.contains('/'))
    }

    /// What is at paths that are not `taken`.
    #[must_use]
    pub fn without(&self, taken: impl Fn(&str) -> bool) -> Self {
        let free = self.0.iter().filter(|(path, _)| !taken(path));
        Self(free.map(|(path, entry)| (path.clone(), entry.clone())).collect())
    }

    /// The text form in parts, which are many and short: nothing is copied to compare or to write it.
    pub fn parts(&self) -> impl Iterator<Item = &str> + Clone {
        self.0.iter().flat_map(|(path, entry)| match entry {
            Entry::File(text) => ["==> ", path, " <==\n", text, ""],
            Entry::Link(target) => ["==> ", path, " -> ", target, "\n"],
        })
    }

    /// Adds all of `other`, or nothing of it if a path is taken.
    ///
    /// # Errors
    /// The first path that both define.
    pub fn merge(&mut self, other: &Self) -> Result<(), Duplicate> {
        if let Some(path) = other.0.keys().find(|path| self.0.contains_key(*path)) {
            return Err(Duplicate(path.clone()));
        }
        self.0.extend(other.0.iter().map(|(path, entry)| (path.clone(), entry.clone())));
        Ok(())
    }

    /// Reads the text form.
    ///
    /// # Errors
    /// If the text does not begin with a heading or does not end in a line break, or if a heading is not one: each path
    /// stands once and leads into the directory that the tree is for.
    pub fn parse(text: &str) -> Result<Self, ParseError> {
        let mut tree = Self::default();
        let mut current: Option<String> = None;
        for (index, line) in text.split_inclusive('\n').enumerate() {
            let wrong = || ParseError { line: index + 1 };
            let content = line.strip_suffix('\n').ok_or_else(wrong)?;
            let Some(heading) = content.strip_prefix("==> ") else {
                let path = current.as_deref().ok_or_else(wrong)?;
                if let Some(Entry::File(text)) = tree.0.get_mut(path) {
                    text.push_str(line);
                }
                continue;
            };
            let (path, entry) = match heading.strip_suffix(" <==") {
                Some(path) => (path, Entry::File(String::new())),
                None => heading
                    .split_once(" -> ")
                    .map(|(path, target)| (path, Entry::Link(target.to_owned())))
                    .ok_or_else(wrong)?,
            };
            current = matches!(entry, Entry::File(_)).then(|| path.to_owned());
            match tree.0.entry(path.to_owned()) {
                Slot::Vacant(slot) if stays_inside(path) => slot.insert(entry),
                _ => return Err(wrong()),
            };
        }
        Ok(tree)
    }
}

/// Whether the path leads into the directory that it is joined to.
fn stays_inside(path: &str) -> bool {
    path.split('/').all(|part| !matches!(part, "" | "." | ".."))
}

impl fmt::Display for Tree {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.parts().try_for_each(|part| f.write_str(part))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn example() -> Tree {
        let mut tree = Tree::default();
        tree.file("web.service", "[Unit]\nDescription=x\n\n[Service]\n");
        tree.file("web-pull.service", "[Service]\n");
        tree.link("conductor.target.wants/web.service", "../web.service");
        tree
    }

    #[test]
    fn text_form_reads_back() {
        let tree = example();
        assert_eq!(Tree::parse(&tree.to_string()), Ok(tree));
        assert_eq!(Tree::parse(""), Ok(Tree::default()));
        assert_eq!(Tree::parse("x\n"), Err(ParseError { line: 1 }));
        assert_eq!(Tree::parse("==> a -> b\nx\n"), Err(ParseError { line: 2 }));
        for text in
            ["==> a\n", "==> a <==", "==> /a <==\n", "==> a/../../b -> c\n", "==> a/ <==\n", "==>  <==\n"]
        {
            assert_eq!(Tree::parse(text), Err(ParseError { line: 1 }), "{text}");
        }
        assert_eq!(Tree::parse("==> a <==\nx\n==> a -> b\n"), Err(ParseError { line: 3 }), "once only");
        assert_eq!(Tree::parse("==> a <==\nx"), Err(ParseError { line: 2 }), "half of a line");
    }

    #[test]
    fn merging_is_all_or_nothing() {
        let mut tree = example();
        let mut other = Tree::default();
        other.file("api.service", "");
        other.file("web.service", "");
        assert_eq!(tree.merge(&other), Err(Duplicate("web.service".into())));
        assert_eq!(tree, example());
    }
}
