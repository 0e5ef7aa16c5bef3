//! Command lines of `Exec…=` directives.

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
        if quote::is_literal(&text) { Self(text) } else { Self::literal(&text) }
    }
}

/// A command line, broken where a person would break it.
///
/// systemd joins lines that end in a backslash. A continued line may not begin with `#` or `;`, which would
/// make it a comment: [`quote::push_word`] never leaves those unquoted.
#[derive(Debug, Clone)]
pub(crate) struct Exec {
    text: String,
    /// Whether the next word begins a line.
    broken: bool,
    /// The words by themselves, instead of a text, for a command line that systemd is told over D-Bus.
    words: Option<Vec<String>>,
}

impl Exec {
    /// A command; `program` is an absolute path, perhaps with systemd's prefix (`-`).
    pub(crate) fn new(program: &'static str) -> Self {
        let mut exec = Self { text: String::with_capacity(512), broken: false, words: None };
        quote::push_word(&mut exec.text, program);
        exec
    }

    /// A command whose words are kept apart.
    pub(crate) fn in_words(program: &'static str) -> Self {
        Self { text: String::new(), broken: false, words: Some(vec![program.to_owned()]) }
    }

    /// The words of a command that was begun with [`Self::in_words`]. systemd expands variables in a
    /// command line that it is told, but neither unquotes it nor looks for specifiers.
    pub(crate) fn into_words(self) -> Vec<String> {
        self.words.unwrap_or_default()
    }

    /// One more word on the same line.
    pub(crate) fn arg(mut self, word: impl Into<Word>) -> Self {
        if let Some(words) = &mut self.words {
            words.push(word.into().0.replace("%%", "%"));
            return self;
        }
        self.text.push_str(if self.broken { " \\\n    " } else { " " });
        self.broken = false;
        quote::push_word(&mut self.text, &word.into().0);
        self
    }

    /// More words on the same line.
    pub(crate) fn args<W: Into<Word>>(self, words: impl IntoIterator<Item = W>) -> Self {
        words.into_iter().fold(self, Self::arg)
    }

    /// Breaks the line; what follows, if anything does, stands on the next.
    pub(crate) fn line(mut self) -> Self {
        self.broken = true;
        self
    }
}

impl std::fmt::Display for Exec {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.text)
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

    #[test]
    fn words_are_neither_quoted_nor_have_specifiers() {
        let exec = Exec::in_words("/usr/bin/x").arg("50% of $5").line().arg(Word::expanding("${PORT}"));
        assert_eq!(exec.into_words(), ["/usr/bin/x", "50% of $$5", "${PORT}"]);
    }
}
