//! Text for troff: man(7), groff_char(7).

/// A font, as escapes name it.
#[derive(Debug, Clone, Copy)]
pub(super) enum Font {
    Bold,
    Italic,
}

/// Text that is printed as it stands.
pub(super) fn plain(text: &str) -> String {
    text.replace('\\', "\\e")
}

/// Text that one would type: no character is typeset as another one.
pub(super) fn literal(text: &str) -> String {
    let mut out = String::new();
    for c in text.chars() {
        match c {
            '\\' => out.push_str("\\e"),
            '-' => out.push_str("\\-"),
            '\'' => out.push_str("\\(aq"),
            '"' => out.push_str("\\(dq"),
            '`' => out.push_str("\\(ga"),
            '^' => out.push_str("\\(ha"),
            '~' => out.push_str("\\(ti"),
            c => out.push(c),
        }
    }
    out
}

/// Text, escaped already, in a font.
pub(super) fn in_font(font: Font, text: &str) -> String {
    match font {
        Font::Bold => format!("\\fB{text}\\fR"),
        Font::Italic => format!("\\fI{text}\\fR"),
    }
}

/// A doc comment's Markdown, one line for each sentence or so: `code` is bold, *emphasis* is italic, and pages of
/// the manual are bold with their section in roman.
pub(super) fn paragraph(markdown: &str) -> String {
    let mut out = String::new();
    let mut rest = markdown;
    while let Some(at) = rest.find(['`', '*']) {
        let (before, marked) = rest.split_at(at);
        let (mark, inside) = marked.split_at(1);
        let Some((inside, after)) = inside.split_once(mark) else { break };
        out.push_str(&references(before));
        out.push_str(&match mark {
            "`" => in_font(Font::Bold, &literal(inside)),
            _ => in_font(Font::Italic, &plain(inside)),
        });
        rest = after;
    }
    out.push_str(&references(rest));
    // A control character of troff at the beginning of a line would be one.
    if out.starts_with(['.', '\'']) { format!("\\&{out}") } else { out }
}

/// Plain text in which `page(5)` is set as references are.
fn references(text: &str) -> String {
    let words = text.split_inclusive(' ').map(|word| {
        let reference = word.find('(').and_then(|at| {
            let (page, section) = word.split_at(at);
            let digit = section.chars().nth(1).filter(char::is_ascii_digit)?;
            let rest = section.strip_prefix('(')?.strip_prefix(digit)?.strip_prefix(')')?;
            let named =
                !page.is_empty() && page.chars().all(|c| c.is_ascii_alphanumeric() || "._-".contains(c));
            named.then(|| format!("{}({digit}){}", in_font(Font::Bold, &literal(page)), plain(rest)))
        });
        reference.unwrap_or_else(|| plain(word))
    });
    words.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markdown_becomes_fonts() {
        assert_eq!(
            paragraph("As `--user\"` in *all* of systemd.unit(5), not (5)."),
            "As \\fB\\-\\-user\\(dq\\fR in \\fIall\\fR of \\fBsystemd.unit\\fR(5), not (5)."
        );
        assert_eq!(paragraph(".so x\\y"), "\\&.so x\\ey");
        assert_eq!(paragraph("2 * 3"), "2 * 3");
    }
}
