//! `$NAME` and `${NAME}` in command lines: `replace_env_argv()` of systemd's `src/basic/env-util.c`.

use crate::WHITESPACE;

/// Replaces variables in the words of a command line; `known` says their values.
///
/// `${NAME}` is replaced wherever it stands, by nothing if it is not set. A word that is `$NAME` becomes as many words
/// as its value has. `$$` is a dollar; any other `$` stands for itself, unless a word begins with it: such a word is
/// taken for the name of a variable whatever follows.
pub fn variables(words: &[String], known: impl Fn(&str) -> Option<String>) -> Vec<String> {
    let mut replaced = Vec::with_capacity(words.len());
    for word in words {
        match word.strip_prefix('$').filter(|rest| !rest.starts_with(['$', '{'])) {
            Some(name) => replaced.extend(split(&known(name).unwrap_or_default())),
            None => replaced.push(in_word(word, &known)),
        }
    }
    replaced
}

fn in_word(word: &str, known: &impl Fn(&str) -> Option<String>) -> String {
    let mut replaced = String::with_capacity(word.len());
    let mut rest = word;
    while let Some((before, after)) = rest.split_once('$') {
        replaced.push_str(before);
        rest = match (after.strip_prefix('$'), after.strip_prefix('{')) {
            (Some(after), _) => {
                replaced.push('$');
                after
            }
            (None, Some(named)) => match named.split_once(['}', ':']) {
                Some((name, after)) if !named.get(name.len()..).is_some_and(|rest| rest.starts_with(':')) => {
                    replaced.push_str(&known(name).unwrap_or_default());
                    after
                }
                // `${NAME:-…}` is not for command lines: it stands for itself.
                Some((name, after)) => {
                    replaced.extend(["${", name, ":"]);
                    after
                }
                // Not closed: nothing is looked at any more.
                None => {
                    replaced.extend(["${", named]);
                    ""
                }
            },
            (None, None) => {
                replaced.push('$');
                after
            }
        };
    }
    replaced.push_str(rest);
    replaced
}

/// The words of a variable's value (`EXTRACT_RELAX|EXTRACT_UNQUOTE`): quotes are removed, a backslash takes the
/// next character as it is, and what is not closed ends with the value.
fn split(value: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut quote = None;
    let mut chars = value.chars();
    while let Some(c) = chars.next() {
        match (quote, c) {
            (_, '\\') => word.get_or_insert_default().extend(chars.next()),
            (Some(open), c) if c == open => quote = None,
            (None, '"' | '\'') => {
                quote = Some(c);
                word.get_or_insert_default();
            }
            (None, c) if WHITESPACE.contains(&c) => words.extend(word.take()),
            (_, c) => word.get_or_insert_default().push(c),
        }
    }
    words.extend(word);
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    fn replace(words: &[&str]) -> Vec<String> {
        let words: Vec<String> = words.iter().map(ToString::to_string).collect();
        variables(&words, |name| match name {
            "A" => Some("one".to_owned()),
            "LIST" => Some("a 'b c' d\\ e \"\"".to_owned()),
            _ => None,
        })
    }

    #[test]
    fn as_a_part_of_a_word() {
        assert_eq!(
            replace(&["x${A}y", "${LIST}", "${NO}", "a$A"]),
            ["xoney", "a 'b c' d\\ e \"\"", "", "a$A"]
        );
        assert_eq!(replace(&["$$A", "a$$", "$$$${A}", "$${A}"]), ["$A", "a$", "$${A}", "${A}"]);
        assert_eq!(replace(&["x${A$$", "x$", "${A:-$$}", "x${$$}"]), ["x${A$$", "x$", "${A:-$}", "x"]);
    }

    #[test]
    fn as_a_whole_word() {
        assert_eq!(replace(&["$A", "$LIST", "end"]), ["one", "a", "b c", "d e", "", "end"]);
        assert_eq!(replace(&["$NO", "$", "$5,000"]), [""; 0]);
    }
}
