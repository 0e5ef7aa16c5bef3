//! Escapes as in C: `cunescape_one()` of systemd's `src/basic/escape.c`.

/// Reads one escape, without its backslash, at the start of `text`. Appends what it stands for and says how
/// long it was; nothing if it is not one.
pub(crate) fn unescape(text: &str, to: &mut Vec<u8>) -> Option<usize> {
    let first = text.bytes().next()?;
    let plain = match first {
        b'a' => 0x07,
        b'b' => 0x08,
        b'f' => 0x0c,
        b'n' => b'\n',
        b'r' => b'\r',
        b't' => b'\t',
        b'v' => 0x0b,
        b's' => b' ',
        b'\\' | b'"' | b'\'' => first,
        b'x' => return byte(text.get(1..3)?, 16).map(|byte| push(to, byte, 3)),
        b'0'..=b'7' => return byte(text.get(..3)?, 8).map(|byte| push(to, byte, 3)),
        b'u' => return character(text.get(1..5)?, to).map(|()| 5),
        b'U' => return character(text.get(1..9)?, to).map(|()| 9),
        _ => return None,
    };
    Some(push(to, plain, 1))
}

fn push(to: &mut Vec<u8>, byte: u8, length: usize) -> usize {
    to.push(byte);
    length
}

/// Not a NUL: nothing could receive it.
fn byte(digits: &str, radix: u32) -> Option<u8> {
    // from_str_radix() would take a sign.
    let all_digits = digits.chars().all(|c| c.is_digit(radix));
    u8::from_str_radix(digits, radix).ok().filter(|byte| all_digits && *byte != 0)
}

fn character(digits: &str, to: &mut Vec<u8>) -> Option<()> {
    let all_digits = digits.chars().all(|c| c.is_ascii_hexdigit());
    let number = u32::from_str_radix(digits, 16).ok().filter(|number| all_digits && *number != 0)?;
    let c = char::from_u32(number)?;
    to.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_of_c_and_a_blank() {
        let read = |text: &str| {
            let mut to = Vec::new();
            unescape(text, &mut to).map(|length| (length, String::from_utf8(to).unwrap()))
        };
        for (text, expected) in [
            ("n", "\n"),
            ("s", " "),
            ("\\", "\\"),
            ("'", "'"),
            ("x41", "A"),
            ("101", "A"),
            ("u00e9", "é"),
            ("U0001F980", "\u{1F980}"),
        ] {
            assert_eq!(read(text), Some((text.len(), expected.to_owned())), "{text}");
        }
        for text in ["", "q", ";", "$", "x4", "x00", "000", "x+1", "777", "ud800", "U00110000", "xé"] {
            assert_eq!(read(text), None, "{text}");
        }
        assert_eq!(read("x41z"), Some((3, "A".to_owned())));
    }
}
