//! Words of a list: `extract_first_word()` of systemd's `src/basic/extract-word.c`.

use std::fmt;

use crate::WHITESPACE;
use crate::escape::unescape;

/// Why the rest of a list is not read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WordError {
    /// A quote is not closed.
    Unbalanced,
    /// A backslash stands before something that it has no meaning for.
    Escape,
    /// Escapes make bytes that are not UTF-8. systemd passes them on; a text here is UTF-8.
    NotUtf8,
}

impl fmt::Display for WordError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Unbalanced => "a quote is not closed",
            Self::Escape => "a backslash stands before something that cannot be escaped: write `\\\\`",
            Self::NotUtf8 => "an escape makes a text that is not UTF-8",
        })
    }
}

impl std::error::Error for WordError {}

/// The words of a list whose values may hold anything, such as `Environment=`: quotes are removed, escapes
/// are read. After an error there are no more; systemd keeps the words before it.
pub fn words(text: &str) -> Words<'_> {
    Words { rest: Some(text), escapes: Escapes::Read }
}

/// The words of a list of paths, such as `RequiresMountsFor=`: quotes are removed, and a backslash takes the next
/// character as it is.
pub fn paths(text: &str) -> Words<'_> {
    Words { rest: Some(text), escapes: Escapes::Drop }
}

/// The words of a list of names, such as `After=`: quotes and backslashes belong to the names.
pub fn names(text: &str) -> impl Iterator<Item = &str> {
    text.split(WHITESPACE).filter(|name| !name.is_empty())
}

/// See [`words`] and [`paths`].
#[derive(Debug, Clone)]
pub struct Words<'a> {
    rest: Option<&'a str>,
    escapes: Escapes,
}

impl Iterator for Words<'_> {
    type Item = Result<String, WordError>;

    fn next(&mut self) -> Option<Self::Item> {
        let word = first_word(&mut self.rest, self.escapes);
        if word.is_err() {
            self.rest = None;
        }
        word.transpose()
    }
}

/// What is done about backslashes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Escapes {
    /// They begin escapes (`EXTRACT_CUNESCAPE`).
    Read,
    /// The same, and one that begins none stands for itself (`EXTRACT_UNESCAPE_RELAX`).
    ReadOrKeep,
    /// They are dropped, and what follows means nothing special (neither flag).
    Drop,
}

/// Takes the first word off `rest`, and the white space around it; afterwards `rest` is nothing at the end.
pub(crate) fn first_word(rest: &mut Option<&str>, escapes: Escapes) -> Result<Option<String>, WordError> {
    let Some(mut text) = rest.map(|rest| rest.trim_start_matches(WHITESPACE)).filter(|text| !text.is_empty())
    else {
        *rest = None;
        return Ok(None);
    };
    let mut word = Vec::new();
    let mut quote = None;
    let ends_at_separator = loop {
        let mut chars = text.chars();
        let Some(c) = chars.next() else {
            match quote {
                Some(_) => return Err(WordError::Unbalanced),
                None => break false,
            }
        };
        let after = chars.as_str();
        if c == '\\' {
            let length = if escapes == Escapes::Drop { None } else { unescape(after, &mut word) };
            text = match length {
                Some(length) => after.get(length..).unwrap_or_default(),
                None if after.is_empty() && quote.is_some() => return Err(WordError::Unbalanced),
                None if escapes == Escapes::Read || (escapes == Escapes::Drop && after.is_empty()) => {
                    return Err(WordError::Escape);
                }
                None => {
                    // What follows is taken as it is, a quote or a blank too.
                    let mut following = after.chars();
                    if escapes == Escapes::ReadOrKeep {
                        word.push(b'\\');
                    }
                    word.extend(following.next().into_iter().flat_map(|c| c.to_string().into_bytes()));
                    following.as_str()
                }
            };
            continue;
        }
        text = after;
        match quote {
            Some(open) if c == open => quote = None,
            None if matches!(c, '"' | '\'') => quote = Some(c),
            None if WHITESPACE.contains(&c) => break true,
            _ => word.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes()),
        }
    };
    *rest = ends_at_separator.then(|| text.trim_start_matches(WHITESPACE)).filter(|text| !text.is_empty());
    String::from_utf8(word).map(Some).map_err(|_| WordError::NotUtf8)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(list: Words<'_>) -> Result<Vec<String>, WordError> {
        list.collect()
    }

    #[test]
    fn quotes_and_escapes() {
        let read = |text| all(words(text)).unwrap();
        assert_eq!(read(" a  b\tc "), ["a", "b", "c"]);
        assert_eq!(read(r#"a"b c"'d "e' "" ''"#), ["ab cd \"e", "", ""]);
        assert_eq!(read(r#""x\n\"\\" \x41\s '\''"#), ["x\n\"\\", "A ", "'"]);
        assert_eq!(read(""), [""; 0]);
    }

    #[test]
    fn mistakes_end_the_list() {
        assert_eq!(all(words("a \"b")), Err(WordError::Unbalanced));
        assert_eq!(all(words("a \\q")), Err(WordError::Escape));
        assert_eq!(all(words("a \\")), Err(WordError::Escape));
        assert_eq!(all(words("\"\\")), Err(WordError::Unbalanced));
        assert_eq!(all(words("\\xff")), Err(WordError::NotUtf8));
        assert_eq!(words("a \\q b").count(), 2);
    }

    #[test]
    fn names_keep_their_backslashes_and_paths_lose_them() {
        let list = r#" a\x2db.mount "x y\" "#;
        assert_eq!(names(list).collect::<Vec<_>>(), ["a\\x2db.mount", "\"x", "y\\\""]);
        assert_eq!(all(paths(r#"/a\x2db "/x y\\" /\"\ z"#)).unwrap(), ["/ax2db", "/x y\\", "/\" z"]);
        assert_eq!(all(paths("/a \\")), Err(WordError::Escape));
    }
}
