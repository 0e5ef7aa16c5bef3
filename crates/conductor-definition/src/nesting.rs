//! How deep a text nests, before anything is built from it.
//!
//! The parser takes 80 brackets inside each other and 80 parts of a dotted key, but not the product of both:
//! `{ a.b.c = { a.b.c = …` makes thousands of levels in a few kilobytes. Whatever walks over such a table, be it
//! to free it, needs stack for each level; and a stack that is full cannot be caught, it ends the whole generator.

use std::ops::Range;

use toml_parser::Source;
use toml_parser::lexer::TokenKind;

/// Levels, besides those of a `[heading]`. A definition has four.
const DEEPEST: usize = 80;

/// Where the text goes too deep, if it does. Text that is not TOML is measured generously.
pub(crate) fn too_deep(text: &str) -> Option<Range<usize>> {
    // Without inline tables there is nothing that multiplies: the parser's own limits do.
    if !text.contains('{') {
        return None;
    }
    let mut open = vec![Level::new(TokenKind::Eof)];
    let mut depth = 0;
    for token in Source::new(text).lex() {
        let outermost = open.len() == 1;
        let Some(level) = open.last_mut() else { break };
        match token.kind() {
            TokenKind::Dot if level.in_key => {
                level.dots += 1;
                depth += 1;
            }
            TokenKind::Equals => level.in_key = false,
            TokenKind::Comma => depth -= level.next_key(),
            TokenKind::Newline if outermost => depth -= level.next_key(),
            kind @ (TokenKind::LeftCurlyBracket | TokenKind::LeftSquareBracket) => {
                depth += 1;
                open.push(Level::new(kind));
            }
            kind @ (TokenKind::RightCurlyBracket | TokenKind::RightSquareBracket)
                if level.is_closed_by(kind) =>
            {
                depth -= 1 + level.dots;
                open.pop();
            }
            _ => {}
        }
        if depth > DEEPEST {
            return Some(token.span().start()..token.span().end());
        }
    }
    None
}

/// What is between a bracket and its counterpart.
struct Level {
    opened_by: TokenKind,
    /// Whether a key may stand here; dots in values are parts of numbers.
    in_key: bool,
    /// In the key that is being read, or whose value is.
    dots: usize,
}

impl Level {
    fn new(opened_by: TokenKind) -> Self {
        Self { opened_by, in_key: opened_by != TokenKind::LeftSquareBracket, dots: 0 }
    }

    /// Begins another key; returns how deep the last one went.
    fn next_key(&mut self) -> usize {
        if self.opened_by == TokenKind::LeftSquareBracket {
            return 0;
        }
        self.in_key = true;
        std::mem::take(&mut self.dots)
    }

    fn is_closed_by(&self, kind: TokenKind) -> bool {
        matches!(
            (self.opened_by, kind),
            (TokenKind::LeftCurlyBracket, TokenKind::RightCurlyBracket)
                | (TokenKind::LeftSquareBracket, TokenKind::RightSquareBracket)
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn nested(open: &str, close: &str, times: usize) -> String {
        format!("a = {}1{}", open.repeat(times), close.repeat(times))
    }

    #[test]
    fn levels_are_brackets_and_dots() {
        assert_eq!(too_deep(&nested("{a=", "}", DEEPEST)), None);
        assert_eq!(too_deep(&nested("{a=", "}", DEEPEST + 1)), Some(4 + 3 * DEEPEST..5 + 3 * DEEPEST));
        assert_eq!(too_deep(&nested("{a.'b'.\"c\" = ", "}", DEEPEST / 3)), None);
        assert!(too_deep(&nested("{a.b.c=", "}", DEEPEST / 3 + 1)).is_some());
        assert!(too_deep(&nested("[{a.b=", "}]", DEEPEST / 3 + 1)).is_some());
        assert!(too_deep(&nested("[{a=[", "]}]", DEEPEST / 3 + 1)).is_some());
    }

    #[test]
    fn what_only_looks_like_levels_is_none() {
        for text in [
            "a = { b.c = 1.5, d.e = '{{{{', f.g = 1979-05-27T07:32:00.999 } # {{{{\n".repeat(DEEPEST),
            format!("a = {{ b = [{}] }}", "1.5, ".repeat(DEEPEST)),
            format!("a = {{ b = [{}] }}", "{c.d = 1}, ".repeat(DEEPEST)),
            format!("x = '${{y}}'\n{}", "a.b.c.d = { e = 1 }\n".repeat(DEEPEST)),
            format!("x = '''\n{}'''", "{a.b.c = \n".repeat(DEEPEST)),
        ] {
            assert_eq!(too_deep(&text), None, "{text}");
        }
    }

    #[test]
    fn brackets_that_do_not_match_close_nothing() {
        assert!(too_deep(&"{a.b.c=[}".repeat(DEEPEST)).is_some());
        assert_eq!(too_deep(&"}]".repeat(DEEPEST)), None);
    }
}
