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

/// A literal part of a command line, before quoting: neither specifiers nor variables expand in it.
pub(crate) fn literal(value: &str) -> String {
    if is_literal(value) { value.to_owned() } else { value.replace('%', "%%").replace('$', "$$") }
}

/// Whether it means itself in a command line.
pub(crate) fn is_literal(value: &str) -> bool {
    !value.bytes().any(|byte| matches!(byte, b'%' | b'$'))
}

/// Whether a byte means itself and needs no quotes. A match and no search, because each byte of all command
/// lines passes here.
fn is_plain(byte: u8) -> bool {
    byte.is_ascii_alphanumeric()
        || matches!(byte, b'_' | b'-' | b'.' | b'/' | b':' | b'=' | b',' | b'@' | b'+' | b'{' | b'}')
}

/// Whether text can be written as it is, whoever wrote it.
fn is_plain_literal(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(is_plain)
}

/// One literal word of a command line.
pub(crate) fn push_literal(to: &mut String, text: &str) {
    if is_plain_literal(text) {
        to.push_str(text);
    } else {
        push_word(to, &literal(text));
    }
}

/// The end of `to`, from `start` on, becomes one literal word.
pub(crate) fn make_literal(to: &mut String, start: usize) {
    if !to.get(start..).is_some_and(is_plain_literal) {
        let text = to.split_off(start);
        push_word(to, &literal(&text));
    }
}

/// One word of a command line or of a list; `word` has its `%` and `$` in order already.
pub(crate) fn push_word(quoted: &mut String, word: &str) {
    if !word.is_empty() && word.bytes().all(|byte| is_plain(byte) || matches!(byte, b'%' | b'$')) {
        quoted.push_str(word);
        return;
    }
    quoted.push('"');
    let mut rest = word;
    let is_special =
        |c: char| matches!(c, '"' | '\\') || c.is_ascii_control() || (!c.is_ascii() && is_hidden(c));
    while let Some((at, c)) = rest.char_indices().find(|(_, c)| is_special(*c)) {
        quoted.push_str(rest.get(..at).unwrap_or_default());
        match c {
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            '\n' => quoted.push_str("\\n"),
            '\t' => quoted.push_str("\\t"),
            '\r' => quoted.push_str("\\r"),
            // Writing to a String cannot fail.
            c if c.is_ascii_control() => drop(write!(quoted, "\\x{:02x}", u32::from(c))),
            c => drop(write!(quoted, "\\u{:04x}", u32::from(c))),
        }
        rest = rest.get(at + c.len_utf8()..).unwrap_or_default();
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
    if is_plain_literal(value) {
        for part in [name, "=", value] {
            to.push_str(part);
        }
    } else {
        push_word(to, &[name, "=", &value.replace('%', "%%")].concat());
    }
}

/// One word of a list in which `%` expands and `$` does not.
pub(crate) fn specifiers(value: &str) -> String {
    let mut quoted = String::new();
    push_word(&mut quoted, &value.replace('%', "%%"));
    quoted
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
