//! Gives back the pages of a program's text that it needed only to start.
//!
//! Reading a command line, linking, greeting the bus: a program that runs for months needs half of its text for its first
//! tenth of a second, and all of that stays mapped, with what lies around it (the kernel maps 64 KiB at each fault,
//! `fault_around_bytes`). Unmapped, what is still needed comes back at its next use, from the page cache; the rest does
//! not, counts as nobody's, and is the first to go when memory is short.

use std::ffi::c_void;
use std::fs;
use std::io;
use std::ops::Range;
use std::ptr;

use rustix::mm::{Advice, madvise};

/// Unmaps the text of the program and of its libraries. Costs one read of /proc/self/smaps, a call for each library and,
/// for what is used again, as many page faults as a start did.
///
/// # Errors
/// What could not be read or unmapped; the program runs on as before.
pub fn unmap_text() -> io::Result<()> {
    for text in texts(&fs::read_to_string("/proc/self/smaps")?) {
        let start = ptr::without_provenance_mut::<c_void>(text.start);
        // SAFETY: Nobody has written to these pages: none of them is anonymous, and they are mapped from a file for reading
        // and running only. For such pages MADV_DONTNEED does what the kernel does by itself when memory is short: the next use maps the same
        // content of the same file (madvise(2)). That the range is still the text that was read of holds because text is
        // unmapped only by dlclose(3), which neither we nor what we link calls.
        #[expect(unsafe_code, reason = "no safe call does this")]
        unsafe {
            madvise(start, text.len(), Advice::LinuxDontNeed)?;
        }
    }
    Ok(())
}

/// The mappings of files' text of which no page was ever written to, as by whoever patches a program that runs, from
/// /proc/self/smaps (`proc_pid_smaps(5)`).
fn texts(smaps: &str) -> Vec<Range<usize>> {
    let mut texts = Vec::new();
    let mut current = None;
    for line in smaps.lines() {
        let mut words = line.split_ascii_whitespace();
        match words.next() {
            Some("Anonymous:") => {
                let is_clean = words.next() == Some("0");
                texts.extend(current.take().filter(|_| is_clean));
            }
            Some(word) if word.ends_with(':') => {}
            _ => current = text(line),
        }
    }
    texts
}

/// The addresses in the first line about a mapping, if it is a private one of a file's text.
fn text(line: &str) -> Option<Range<usize>> {
    let mut words = line.split_ascii_whitespace();
    let (addresses, permissions, _offset, _device, inode) =
        (words.next()?, words.next()?, words.next()?, words.next()?, words.next()?);
    if permissions != "r-xp" || inode == "0" {
        return None;
    }
    let (start, end) = addresses.split_once('-')?;
    let [start, end] = [start, end].map(|address| usize::from_str_radix(address, 16).ok());
    Some(start?..end?).filter(|text| !text.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_of_files_and_nothing_else() {
        for (line, expected) in [
            (
                "55e0c9000000-55e0c9002000 r-xp 000f1000 fe:00 1234   /usr/bin/x y",
                Some(0x55e0_c900_0000..0x55e0_c900_2000),
            ),
            ("55e0c9000000-55e0c9002000 r-xp 000f1000 fe:00 1234", Some(0x55e0_c900_0000..0x55e0_c900_2000)),
            // What was written to at the start, and is read-only since, must not be lost: relocations.
            ("55e0c9000000-55e0c9002000 r--p 000f1000 fe:00 1234 /usr/bin/x", None),
            ("55e0c9000000-55e0c9002000 rwxp 000f1000 fe:00 1234 /usr/bin/x", None),
            ("55e0c9000000-55e0c9002000 r-xs 000f1000 fe:00 1234 /usr/bin/x", None),
            ("7ffd1b1f0000-7ffd1b1f2000 r-xp 00000000 00:00 0      [vdso]", None),
            ("55e0c9000000-55e0c9000000 r-xp 000f1000 fe:00 1234 /usr/bin/x", None),
            ("55e0c9000000 r-xp 000f1000 fe:00 1234 /usr/bin/x", None),
            ("x-y r-xp 000f1000 fe:00 1234 /usr/bin/x", None),
            ("r-xp", None),
            ("", None),
        ] {
            assert_eq!(text(line), expected, "{line}");
        }
    }

    #[test]
    fn text_that_somebody_has_patched_stays() {
        let mapping = |start: &str, permissions, anonymous| {
            format!(
                "{start}000-{start}fff {permissions} 00000000 fe:00 12 /usr/bin/x: y\nSize: 4 kB\nRss: 4 kB\n\
                 Anonymous: {anonymous} kB\nVmFlags: rd ex\n"
            )
        };
        let smaps = [
            mapping("1", "r-xp", "0"),
            mapping("2", "r-xp", "4"),
            mapping("3", "r--p", "0"),
            mapping("4", "r-xp", "0"),
        ];
        assert_eq!(texts(&smaps.concat()), [0x1000..0x1fff, 0x4000..0x4fff]);
        assert_eq!(texts("5000-6000 r-xp 0 fe:00 12 /usr/bin/x\n"), [], "nothing is known of it");
        assert_eq!(texts(""), []);
    }
}
