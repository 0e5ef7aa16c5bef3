//! Lines: `read_line_full()` of systemd's `src/basic/fileio.c`.

/// Splits a text into lines. A line ends at a line feed, at a carriage return or at a NUL; different ones in
/// a row end one line together, and a NUL is always the last of them.
pub(crate) fn lines(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = text;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let length = rest.find(ends).unwrap_or(rest.len());
        let (line, after) = rest.split_at_checked(length)?;
        let mut seen = String::new();
        for c in after.chars() {
            if !ends(c) || seen.contains(c) || seen.ends_with('\0') {
                break;
            }
            seen.push(c);
        }
        rest = after.get(seen.len()..)?;
        Some(line)
    })
}

fn ends(c: char) -> bool {
    matches!(c, '\n' | '\r' | '\0')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_characters_end_a_line() {
        let all = |text: &'static str| lines(text).collect::<Vec<_>>();
        assert_eq!(all(""), [""; 0]);
        assert_eq!(all("a"), ["a"]);
        assert_eq!(all("a\nb\n"), ["a", "b"]);
        assert_eq!(all("a\r\nb\rc\n\rd"), ["a", "b", "c", "d"]);
        assert_eq!(all("a\n\nb"), ["a", "", "b"]);
        assert_eq!(all("a\r\r\nb"), ["a", "", "b"]);
        assert_eq!(all("a\0b\n\0c\0\nd"), ["a", "b", "c", "", "d"]);
    }
}
