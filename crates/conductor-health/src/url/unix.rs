//! Paths of sockets inside URLs.

use std::ffi::OsStr;
use std::fmt;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};

/// What `sun_path` holds besides its final zero (unix(7)).
const MAX_PATH: usize = 107;

/// A path as it stands in a URL: `%XX` for whatever would end it or could be misread.
pub(super) struct Encoded<'a>(pub(super) &'a Path);

impl fmt::Display for Encoded<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for &byte in self.0.as_os_str().as_bytes() {
            if byte.is_ascii_alphanumeric() || b"/-._~@+,=".contains(&byte) {
                write!(f, "{}", char::from(byte))?;
            } else {
                write!(f, "%{byte:02X}")?;
            }
        }
        Ok(())
    }
}

/// Reads a path with `%XX` in it; none if it is not one that a socket can have.
pub(super) fn decode(text: &str) -> Option<PathBuf> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        let byte = match byte {
            b'%' => hex(rest.next()?)? * 16 + hex(rest.next()?)?,
            b' ' | b'?' | b'#' | b'"' | 0..=0x1f | 0x7f => return None,
            other => other,
        };
        if byte == 0 {
            return None;
        }
        bytes.push(byte);
    }
    let is_file = bytes.starts_with(b"/") && !bytes.ends_with(b"/") && bytes.len() <= MAX_PATH;
    is_file.then(|| PathBuf::from(std::ffi::OsString::from_vec(bytes)))
}

fn hex(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).and_then(|value| u8::try_from(value).ok())
}

/// Splits `PATH:TARGET` or `PATH`, as nginx does.
pub(super) fn split(text: &str) -> (&str, &str) {
    text.split_once(':').unwrap_or((text, ""))
}

/// Only for a message: the file, if there is one in such a text.
pub(super) fn guess(text: &str) -> &OsStr {
    let start = text.find('/').unwrap_or(text.len());
    OsStr::new(split(text.get(start..).unwrap_or_default().trim_start_matches('/')).0)
}
