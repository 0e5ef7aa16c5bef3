//! The longest line that systemd reads.

use crate::{Entry, Tree};

/// Bytes of a line, the lines that continue it included, from which on systemd does not read the file
/// (`LONG_LINE_MAX` in src/basic/fileio.h and its use in src/shared/conf-parser.c, 252 to 257).
const TOO_LONG: usize = 1 << 20;

/// The first unit with a line that systemd would not read, and how long that is, in bytes. systemd would do
/// without the whole file.
pub fn too_long(tree: &Tree) -> Option<(&str, usize)> {
    tree.iter().find_map(|(path, entry)| {
        let Entry::File(text) = entry else { return None };
        // Nearly always the file is shorter than that.
        if text.len() < TOO_LONG {
            return None;
        }
        let longest = longest_line(text);
        (longest >= TOO_LONG).then_some((path, longest))
    })
}

fn longest_line(text: &str) -> usize {
    let mut longest = 0;
    let mut length = 0;
    for line in text.lines() {
        length += line.len();
        longest = longest.max(length);
        if !line.ends_with('\\') {
            length = 0;
        }
    }
    longest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn continued_lines_are_one() {
        let tree = |text: String| {
            let mut tree = Tree::default();
            tree.link("a.link", "b");
            tree.file("a.service", text);
            tree
        };
        let half = "x".repeat(TOO_LONG / 2);
        assert_eq!(too_long(&tree(format!("{half}\n{half}\n{half}\n"))), None);
        assert_eq!(too_long(&tree(format!("{half}\\\n{half}\n"))), Some(("a.service", TOO_LONG + 1)));
        assert_eq!(too_long(&tree(format!("a\n{half}{half}\nb\n"))), Some(("a.service", TOO_LONG)));
    }
}
