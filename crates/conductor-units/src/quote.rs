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

/// One word of a command line or of a list; `word` has its `%` and `$` in order already.
pub(crate) fn word(word: &str) -> String {
    let mut quoted = String::with_capacity(word.len() + 2);
    push_word(&mut quoted, word);
    quoted
}

/// The same at the end of `quoted`.
pub(crate) fn push_word(quoted: &mut String, word: &str) {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"_-./:=,@+%${}".contains(&byte);
    if !word.is_empty() && word.bytes().all(plain) {
        quoted.push_str(word);
        return;
    }
    quoted.push('"');
    for c in word.chars() {
        match c {
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            '\n' => quoted.push_str("\\n"),
            '\t' => quoted.push_str("\\t"),
            '\r' => quoted.push_str("\\r"),
            // Writing to a String cannot fail.
            c if c.is_ascii_control() => drop(write!(quoted, "\\x{:02x}", u32::from(c))),
            c if is_hidden(c) => drop(write!(quoted, "\\u{:04x}", u32::from(c))),
            c => quoted.push(c),
        }
    }
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
    specifiers(&format!("{name}={value}"))
}

/// One word of a list in which `%` expands and `$` does not.
pub(crate) fn specifiers(value: &str) -> String {
    word(&value.replace('%', "%%"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use conductor_unit_file::{commands, specifiers, variables};
    use proptest::prelude::*;

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
        fn text_never_breaks_the_line(value in any::<String>()) {
            let written = text(&value);
            prop_assert!(!written.contains('\n') && !written.ends_with('\\'));
        }
    }
}
