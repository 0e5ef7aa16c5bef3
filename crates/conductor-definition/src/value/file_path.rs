//! Absolute paths, on the host or in the container.

use std::fmt;
use std::str::FromStr;

use super::{InvalidValue, deserialize_from_str, text_schema};

/// Characters that end a path in the engines' options.
const SEPARATORS: [char; 2] = [':', ','];

/// An absolute path that can stand in a unit file and in an engine's options: no control characters, and
/// no `:` or `,`, which end a path in `--volume` and `--mount`.
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
        Ok(Self(text.to_owned()))
    }
}

impl fmt::Display for FilePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

deserialize_from_str!(FilePath, "an absolute path in quotes, such as \"/srv/data\"");
text_schema!(FilePath, "absolute path", Self::pattern());

#[cfg(feature = "schema")]
impl FilePath {
    pub(crate) fn pattern() -> String {
        let not = format!("/{}{}", crate::schema::CONTROL, SEPARATORS.iter().collect::<String>());
        // What stands between slashes: nothing, one dot, or anything but two.
        format!(r"(/(\.|\.?[^.{not}][^{not}]*|\.\.[^{not}]+)?)+")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn absolute_and_plain() {
        for text in ["/", "/srv/data", "/srv/with space", "/srv/ü", "/a/..b"] {
            assert!(text.parse::<FilePath>().is_ok(), "{text}");
        }
        for text in ["", "srv", "./x", "/a/../b", "/a:b", "/a,b", "/a\nb", "~/x"] {
            assert!(text.parse::<FilePath>().is_err(), "{text}");
        }
    }
}
