//! Absolute paths, on the host or in the container.

use std::fmt;
use std::str::FromStr;

use super::{InvalidValue, deserialize_from_str, text_schema};

/// Characters that end a path in the engines' options.
const SEPARATORS: [char; 2] = [':', ','];

/// Bytes of the longest path that the kernel takes (`PATH_MAX` in linux/limits.h, less the NUL).
const LONGEST: usize = 4095;

/// An absolute path that can stand in a unit file and in an engine's options: no control characters, no
/// `:` or `,`, which end a path in `--volume` and `--mount`, and no blank at the end, which systemd strips from a
/// line. Without `//` and `/./`, with which systemd ignores a credential (`path_is_normalized()` in src/basic/path-util.c).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct FilePath(String);

impl FilePath {
    /// The path.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for FilePath {
    type Err = InvalidValue;

    fn from_str(text: &str) -> Result<Self, InvalidValue> {
        let refuse = |why: &str| Err(InvalidValue::new(format!("`{}` {why}", text.escape_debug())));
        if !text.starts_with('/') {
            return refuse("is not an absolute path: begin it with `/`");
        }
        if text.split('/').any(|part| part == "..") {
            return refuse("leads through `..`: write where it ends");
        }
        if let Some(c) = text.chars().find(|c| c.is_control() || SEPARATORS.contains(c)) {
            return refuse(&format!(
                "cannot be mounted: container engines give `{}` a meaning",
                c.escape_debug()
            ));
        }
        if text.ends_with(' ') {
            return refuse("ends in a blank, which systemd would not read: rename the file");
        }
        if text.len() > LONGEST {
            return Err(InvalidValue::new(format!(
                "a path of {} bytes is longer than the kernel takes, which is {LONGEST}",
                text.len()
            )));
        }
        Ok(Self(normalized(text)))
    }
}

/// The same path without parts that mean nothing; a slash at its end stays.
fn normalized(text: &str) -> String {
    let slash = if text.len() > 1 && text.ends_with('/') { "/" } else { "" };
    let parts: Vec<&str> = text.split('/').filter(|part| !matches!(*part, "" | ".")).collect();
    if parts.is_empty() { "/".to_owned() } else { format!("/{}{slash}", parts.join("/")) }
}

impl fmt::Display for FilePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

deserialize_from_str!(FilePath, "an absolute path in quotes, such as \"/srv/data\"");
text_schema!(FilePath, "absolute path", Self::pattern(), LONGEST);

#[cfg(feature = "schema")]
impl FilePath {
    pub(crate) fn pattern() -> String {
        let not = format!("/{}{}", crate::schema::CONTROL, SEPARATORS.iter().collect::<String>());
        // What stands between slashes: nothing, one dot, or anything but two; and behind the last no blank at the end.
        let part = format!(r"(\.|\.?[^.{not}][^{not}]*|\.\.[^{not}]+)");
        let last = format!(r"(\.|\.?[^. {not}]|\.?[^.{not}][^{not}]*[^ {not}]|\.\.[^{not}]*[^ {not}])");
        format!("(/{part}?)*/{last}?")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn absolute_and_plain() {
        let longest = format!("/{}", "x".repeat(LONGEST - 1));
        let long = format!("{longest}x");
        for text in ["/", &longest, "/srv/data", "/srv/with space", "/srv/ü", "/a/..b"] {
            assert!(text.parse::<FilePath>().is_ok(), "{text}");
        }
        for text in ["", "srv", "./x", "/a/../b", "/a:b", "/a,b", "/a\nb", "~/x", "/a ", "/a/.. ", &long] {
            assert!(text.parse::<FilePath>().is_err(), "{text}");
        }
    }

    #[test]
    fn parts_that_mean_nothing_are_left_out() {
        for (text, path) in [
            ("//a///b", "/a/b"),
            ("/./a/./b/.", "/a/b"),
            ("/a/", "/a/"),
            ("/", "/"),
            ("//.", "/"),
            ("/a//", "/a/"),
        ] {
            assert_eq!(text.parse::<FilePath>().unwrap().as_str(), path, "{text}");
        }
    }
}
