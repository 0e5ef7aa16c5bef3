//! Command lines of `Exec…=` directives.

use std::fmt::{Display, Write as _};

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

    /// The same word, longer by literal text.
    pub(crate) fn then_literal(mut self, more: impl Display) -> Self {
        let start = self.0.len();
        // Writing to a String cannot fail.
        let _ = write!(self.0, "{more}");
        if !self.0.get(start..).is_some_and(quote::is_literal) {
            let more = self.0.split_off(start);
            self.0.push_str(&quote::literal(&more));
        }
        self
    }

    /// The same word, longer.
    pub(crate) fn then(mut self, more: &Word) -> Self {
        self.0.push_str(&more.0);
        self
    }
}

/// What can stand as one word on a command line.
pub(crate) trait Argument: Sized {
    /// The word.
    fn into_word(self) -> Word;

    /// Writes it, quoted where it has to be: the same without a copy, where there is no need for one.
    fn push_to(self, line: &mut String) {
        quote::push_word(line, &self.into_word().0);
    }
}

impl Argument for Word {
    fn into_word(self) -> Word {
        self
    }
}

impl Argument for &str {
    fn into_word(self) -> Word {
        Word::literal(self)
    }

    fn push_to(self, line: &mut String) {
        quote::push_literal(line, self);
    }
}

impl Argument for String {
    fn into_word(self) -> Word {
        self.into()
    }

    fn push_to(self, line: &mut String) {
        quote::push_literal(line, &self);
    }
}

/// Literal text in parts.
impl<const N: usize> Argument for [&str; N] {
    fn into_word(self) -> Word {
        self.concat().into()
    }

    fn push_to(self, line: &mut String) {
        let start = line.len();
        line.extend(self);
        quote::make_literal(line, start);
    }
}

/// Something that shows as literal text.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Shown<T>(pub(crate) T);

impl<T: Display> Argument for Shown<T> {
    fn into_word(self) -> Word {
        self.0.to_string().into()
    }

    fn push_to(self, line: &mut String) {
        let start = line.len();
        // Writing to a String cannot fail.
        let _ = write!(line, "{}", self.0);
        quote::make_literal(line, start);
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
    pub(crate) fn arg(mut self, word: impl Argument) -> Self {
        if let Some(words) = &mut self.words {
            words.push(word.into_word().0.replace("%%", "%"));
            return self;
        }
        self.text.push_str(if self.broken { " \\\n    " } else { " " });
        self.broken = false;
        word.push_to(&mut self.text);
        self
    }

    /// More words on the same line.
    pub(crate) fn args<W: Argument>(self, words: impl IntoIterator<Item = W>) -> Self {
        words.into_iter().fold(self, Self::arg)
    }

    /// The text behind `Exec…=`.
    pub(crate) fn as_str(&self) -> &str {
        &self.text
    }

    /// Breaks the line; what follows, if anything does, stands on the next.
    pub(crate) fn line(mut self) -> Self {
        self.broken = true;
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn expands_only_what_is_ours() {
        let port =
            Word::literal("a$b:").then(&Word::expanding("${PORT}")).then(&"/%i".into()).then_literal("$");
        let exec = Exec::new("-/usr/bin/x").arg("%i").arg(port).line().args(["a b", ";"]).line();
        let exec = exec.arg(["a=", "50%"]).arg(["a=", "b c"]).arg(Shown("$x")).arg(Shown(7));
        assert_eq!(
            exec.as_str(),
            "-/usr/bin/x %%i a$$b:${PORT}/%%i$$ \\\n    \"a b\" \";\" \\\n    a=50%% \"a=b c\" $$x 7"
        );
    }

    #[test]
    fn words_are_neither_quoted_nor_have_specifiers() {
        let exec = Exec::in_words("/usr/bin/x").arg("50% of $5").line().arg(Word::expanding("${PORT}"));
        assert_eq!(exec.into_words(), ["/usr/bin/x", "50% of $$5", "${PORT}"]);
    }
}
