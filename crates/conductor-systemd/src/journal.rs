//! Fields of journald's native protocol (systemd.journal-fields(7), "Journal Native Protocol").

/// The longest value. The smallest default of a socket's send buffer (net.core.wmem_default) is some 200 KiB.
const LONGEST: usize = 8 * 1024;

/// Adds a field to a datagram for journald: `NAME=value`, or, where the value has more lines, the name, the length in eight
/// bytes, the value. A value of more than 8 KiB is cut at a character.
pub fn put_field(datagram: &mut Vec<u8>, name: &str, value: &str) {
    let fits = |(at, letter): &(usize, char)| at + letter.len_utf8() <= LONGEST;
    let end = value.char_indices().take_while(fits).last().map_or(0, |(at, letter)| at + letter.len_utf8());
    let value = value.get(..end).unwrap_or_default();
    datagram.extend_from_slice(name.as_bytes());
    if value.contains('\n') {
        datagram.push(b'\n');
        datagram.extend_from_slice(&(value.len() as u64).to_le_bytes());
    } else {
        datagram.push(b'=');
    }
    datagram.extend_from_slice(value.as_bytes());
    datagram.push(b'\n');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_values_are_cut_at_a_character() {
        let mut datagram = Vec::new();
        put_field(&mut datagram, "REASON", &"\u{e4}".repeat(LONGEST));
        assert_eq!(datagram.len(), "REASON=\n".len() + LONGEST);
        let mut datagram = Vec::new();
        put_field(&mut datagram, "REASON", &format!("a{}", "\u{e4}".repeat(LONGEST)));
        assert_eq!(datagram.len(), "REASON=\n".len() + LONGEST - 1);
    }
}
