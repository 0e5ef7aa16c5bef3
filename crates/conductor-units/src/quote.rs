//! systemd's quoting, proved with systemd 252 and 257 (scenario `unit_reading`).
//!
//! - systemd.unit(5), "Specifiers": `%` is written `%%` wherever specifiers are expanded.
//! - systemd.service(5), "Command lines": `$` is written `$$`; a word is quoted with `"`; inside, `\`,
//!   `"` and control characters are escaped; a lone `;` would begin another command.
//! - Single paths (`SourcePath=`, `WorkingDirectory=`) are *not* unquoted: quotes would be part of them.

use std::fmt::Write as _;

/// Adds free text up to the end of the line, such as a description; also a single path.
///
/// Control characters cannot be written there; validation refuses them, and should one get here,
/// it becomes a blank: a line break in a value would begin a directive of its own.
pub(crate) fn push_text(to: &mut String, value: &str) {
    if value.bytes().all(|byte| matches!(byte, b' '..=b'~') && byte != b'%') {
        to.push_str(value);
    } else {
        for c in value.chars() {
            match c {
                '%' => to.push_str("%%"),
                c if c.is_control() => to.push(' '),
                c => to.push(c),
            }
        }
    }
    // A backslash at the end of the line would continue it; systemd drops the blank again.
    if value.ends_with('\\') {
        to.push(' ');
    }
}

/// Characters that mean themselves and need no quotes.
const PLAIN: u8 = 1;
/// Those that systemd expands something at.
const EXPANDING: u8 = 2;
/// Those that are escaped between quotes, or may have to be.
const ESCAPED: u8 = 4;

/// What kind a byte is of. Each byte of all command lines is asked, so this is one that compiles to a table.
fn class(byte: u8) -> u8 {
    match byte {
        b'a'..=b'z'
        | b'A'..=b'Z'
        | b'0'..=b'9'
        | b'_'
        | b'-'
        | b'.'
        | b'/'
        | b':'
        | b'='
        | b','
        | b'@'
        | b'+'
        | b'{'
        | b'}' => PLAIN,
        b'%' | b'$' => EXPANDING,
        b'"' | b'\\' | 0..b' ' | 0x7f.. => ESCAPED,
        _ => 0,
    }
}

/// Whether a byte is of one of several kinds.
fn is_in(classes: u8, byte: u8) -> bool {
    class(byte) & classes != 0
}

/// A literal part of a command line, before quoting: neither specifiers nor variables expand in it.
pub(crate) fn literal(value: &str) -> String {
    if is_literal(value) { value.to_owned() } else { value.replace('%', "%%").replace('$', "$$") }
}

/// Whether it means itself in a command line.
pub(crate) fn is_literal(value: &str) -> bool {
    !value.bytes().any(|byte| is_in(EXPANDING, byte))
}

/// Whether text is one word as it is, of characters of these kinds.
fn is_word_of(classes: u8, text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| is_in(classes, byte))
}

/// One literal word of a command line.
pub(crate) fn push_literal(to: &mut String, text: &str) {
    if is_word_of(PLAIN, text) {
        to.push_str(text);
    } else if is_word_of(PLAIN | EXPANDING, text) {
        to.push_str(&literal(text));
    } else {
        push_quoted(to, text, EXPANDING);
    }
}

/// The end of `to`, from `start` on, becomes one literal word.
pub(crate) fn make_literal(to: &mut String, start: usize) {
    if !to.get(start..).is_some_and(|text| is_word_of(PLAIN, text)) {
        let text = to.split_off(start);
        push_literal(to, &text);
    }
}

/// One word of a command line or of a list; `word` has its `%` and `$` in order already.
pub(crate) fn push_word(quoted: &mut String, word: &str) {
    if is_word_of(PLAIN | EXPANDING, word) {
        quoted.push_str(word);
    } else {
        push_quoted(quoted, word, 0);
    }
}

/// Text between quotes; characters of the kinds in `doubled` are written twice.
fn push_quoted(quoted: &mut String, text: &str, doubled: u8) {
    quoted.push('"');
    let mut rest = text;
    // What is not ASCII begins with such a byte too.
    while let Some(at) = rest.bytes().position(|byte| is_in(ESCAPED | doubled, byte)) {
        let (before, from) = rest.split_at_checked(at).unwrap_or((rest, ""));
        quoted.push_str(before);
        let mut characters = from.chars();
        match characters.next() {
            Some(c @ ('%' | '$')) => quoted.extend([c, c]),
            Some('"') => quoted.push_str("\\\""),
            Some('\\') => quoted.push_str("\\\\"),
            Some('\n') => quoted.push_str("\\n"),
            Some('\t') => quoted.push_str("\\t"),
            Some('\r') => quoted.push_str("\\r"),
            // Writing to a String cannot fail.
            Some(c) if c.is_ascii_control() => drop(write!(quoted, "\\x{:02x}", u32::from(c))),
            Some(c) if is_hidden(c) => drop(write!(quoted, "\\u{:04x}", u32::from(c))),
            Some(c) => quoted.push(c),
            None => {}
        }
        rest = characters.as_str();
    }
    quoted.push_str(rest);
    quoted.push('"');
}

/// Harmless to systemd, but not to who reads `systemctl cat`: terminals obey C1 controls, and the others break
/// lines or turn the text around (Unicode Standard Annex 9).
fn is_hidden(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
}

/// One assignment of `Environment=`.
pub(crate) fn environment(name: &str, value: &str) -> String {
    let mut quoted = String::new();
    push_environment(&mut quoted, name, value);
    quoted
}

/// The same at the end of `to`.
pub(crate) fn push_environment(to: &mut String, name: &str, value: &str) {
    if is_word_of(PLAIN, value) {
        for part in [name, "=", value] {
            to.push_str(part);
        }
    } else {
        push_word(to, &[name, "=", &value.replace('%', "%%")].concat());
    }
}

/// One path of a list of paths. Such a list knows no escapes: a backslash takes the next character as it is, whatever
/// that is (`EXTRACT_UNQUOTE` alone in `config_parse_unit_mounts_for()`, src/core/load-fragment.c).
pub(crate) fn path(path: &str) -> String {
    if is_word_of(PLAIN, path) {
        return path.to_owned();
    }
    format!("\"{}\"", path.replace('\\', "\\\\").replace('"', "\\\"").replace('%', "%%"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use conductor_unit_file::{commands, specifiers, variables};
    use proptest::prelude::*;

    fn word(word: &str) -> String {
        let mut quoted = String::new();
        push_word(&mut quoted, word);
        quoted
    }

    fn text(value: &str) -> String {
        let mut line = String::new();
        push_text(&mut line, value);
        line
    }

    #[test]
    fn plain_words_stay_plain() {
        assert_eq!(word("127.0.0.1:20000:8080"), "127.0.0.1:20000:8080");
        assert_eq!(word(&literal("50%")), "50%%");
        assert_eq!(word(&literal("$HOME")), "$$HOME");
    }

    #[test]
    fn the_rest_is_quoted() {
        assert_eq!(word(""), "\"\"");
        assert_eq!(word(";"), "\";\"");
        assert_eq!(word("a b"), "\"a b\"");
        assert_eq!(word("say \"hi\"\\"), "\"say \\\"hi\\\"\\\\\"");
        assert_eq!(word("a\nExecStart=/bin/sh"), "\"a\\nExecStart=/bin/sh\"");
        assert_eq!(word("\u{1b}[0m"), "\"\\x1b[0m\"");
        assert_eq!(word("\u{9b}0m\u{202e}é"), "\"\\u009b0m\\u202eé\"");
        assert_eq!(word("#no comment"), "\"#no comment\"");
        assert_eq!(word("'"), "\"'\"");
    }

    #[test]
    fn text_is_one_line_without_continuation() {
        assert_eq!(text("100% fun"), "100%% fun");
        assert_eq!(text("a\nb"), "a b");
        assert_eq!(text("ends in \\"), "ends in \\ ");
    }

    #[test]
    fn paths_in_lists_have_no_escapes() {
        assert_eq!(path("/srv/data"), "/srv/data");
        assert_eq!(path("/a \\n\"%\u{202e}"), "\"/a \\\\n\\\"%%\u{202e}\"");
    }

    #[test]
    fn assignments_keep_their_dollars() {
        assert_eq!(environment("A", "b $c %n"), "\"A=b $c %%n\"");
    }

    proptest! {
        #[test]
        fn any_word_survives(text in any::<String>()) {
            // No program can be given a NUL; validation refuses it.
            let text = text.replace('\0', "");
            let written = word(&literal(&text));
            prop_assert!(!written.contains(char::is_control));
            let (commands, error) = commands(&format!("/bin/a {written}"));
            prop_assert_eq!((commands.len(), error), (1, None));
            let words: Vec<String> =
                commands[0].arguments.iter().map(|word| specifiers(word, |_| None).unwrap()).collect();
            prop_assert_eq!(&variables(&words, |_| None)[1..], [text]);
        }

        #[test]
        fn all_ways_to_write_a_literal_agree(text in any::<String>()) {
            let expected = format!("x {}", word(&literal(&text)));
            let mut pushed = String::from("x ");
            push_literal(&mut pushed, &text);
            prop_assert_eq!(&pushed, &expected);
            let mut made = format!("x {text}");
            make_literal(&mut made, 2);
            prop_assert_eq!(made, expected);
        }

        #[test]
        fn text_never_breaks_the_line(value in any::<String>()) {
            let written = text(&value);
            prop_assert!(!written.contains('\n') && !written.ends_with('\\'));
        }
    }
}
