//! Command lines of `Exec…=` directives.

use std::fmt::Write as _;

use crate::quote;

/// A word made of literal text and of text that systemd expands (`%i`, `${NAME}`).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Word(String);

impl Word {
    /// Text that reaches the program as it is.
    pub(crate) fn literal(text: &str) -> Self {
        Self(quote::literal(text))
    }

    /// Text of ours in which systemd expands specifiers and variables.
    pub(crate) fn expanding(text: &str) -> Self {
        Self(text.to_owned())
    }

    /// The same word, longer.
    pub(crate) fn then(mut self, more: &Word) -> Self {
        self.0.push_str(&more.0);
        self
    }
}

impl From<&str> for Word {
    fn from(text: &str) -> Self {
        Self::literal(text)
    }
}

impl From<String> for Word {
    fn from(text: String) -> Self {
        Self::literal(&text)
    }
}

/// A command line, broken where a person would break it.
#[derive(Debug, Clone)]
pub(crate) struct Exec {
    lines: Vec<Vec<Word>>,
}

impl Exec {
    /// A command; `program` is an absolute path, perhaps with systemd's prefix (`-`).
    pub(crate) fn new(program: &'static str) -> Self {
        Self { lines: vec![vec![Word::expanding(program)]] }
    }

    /// One more word on the same line.
    pub(crate) fn arg(mut self, word: impl Into<Word>) -> Self {
        if let Some(line) = self.lines.last_mut() {
            line.push(word.into());
        }
        self
    }

    /// More words on the same line.
    pub(crate) fn args<W: Into<Word>>(self, words: impl IntoIterator<Item = W>) -> Self {
        words.into_iter().fold(self, Self::arg)
    }

    /// Breaks the line; what follows stands on the next.
    pub(crate) fn line(mut self) -> Self {
        self.lines.push(Vec::new());
        self
    }
}

impl std::fmt::Display for Exec {
    /// systemd joins lines that end in a backslash. A continued line may not begin with `#` or `;`,
    /// which would make it a comment: [`quote::word`] never leaves those unquoted.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for (row, line) in self.lines.iter().filter(|line| !line.is_empty()).enumerate() {
            if row > 0 {
                f.write_str(" \\\n    ")?;
            }
            for (column, word) in line.iter().enumerate() {
                if column > 0 {
                    f.write_char(' ')?;
                }
                f.write_str(&quote::word(&word.0))?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn expands_only_what_is_ours() {
        let port = Word::literal("a$b:").then(&Word::expanding("${PORT}")).then(&"/%i".into());
        let exec = Exec::new("-/usr/bin/x").arg("%i").arg(port).line().args(["a b", ";"]).line();
        assert_eq!(exec.to_string(), "-/usr/bin/x %%i a$$b:${PORT}/%%i \\\n    \"a b\" \";\"");
    }
}
