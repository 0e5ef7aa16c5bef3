//! Devices of the host in the container.

use std::fmt;
use std::str::FromStr;

use super::{InvalidValue, deserialize_from_str, text_schema};

/// Letters of the control group's device rules: read, write, mknod.
const RIGHTS: &str = "rwm";

/// `/dev/fuse`, `/dev/ttyUSB0:/dev/modem`, `/dev/sda:/dev/sda:r`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Device(String);

impl Device {
    /// As the engines' `--device` takes it.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Device {
    type Err = InvalidValue;

    fn from_str(text: &str) -> Result<Self, InvalidValue> {
        let path = |part: &str| {
            part.starts_with("/dev/")
                && part.len() > 5
                && !part.contains("..")
                && !part.chars().any(char::is_control)
        };
        let rights =
            |part: &str| (1..=RIGHTS.len()).contains(&part.len()) && part.chars().all(|c| RIGHTS.contains(c));
        let parts: Vec<&str> = text.split(':').collect();
        let valid = match parts.as_slice() {
            [host] => path(host),
            [host, more] => path(host) && (path(more) || rights(more)),
            [host, container, more] => path(host) && path(container) && rights(more),
            _ => false,
        };
        if valid {
            return Ok(Self(text.to_owned()));
        }
        Err(InvalidValue::new(format!(
            "`{}` is not a device: write /dev/NAME, and perhaps `:` and the path in the container, and `:` and rights such as rw",
            text.escape_debug()
        )))
    }
}

impl fmt::Display for Device {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

deserialize_from_str!(Device, "a device in quotes, such as \"/dev/fuse\"");
text_schema!(Device, "device", {
    let not = crate::schema::CONTROL;
    // No two dots in a row.
    let path = format!(r"/dev/(\.|(\.?[^.:{not}])+\.?)");
    let rights = format!("[{RIGHTS}]{{1,{}}}", RIGHTS.len());
    format!("{path}(:({path}|{rights})|:{path}:{rights})?")
});

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_the_engines_write_them() {
        for text in ["/dev/fuse", "/dev/a:/dev/b", "/dev/a:rw", "/dev/a:/dev/b:rwm"] {
            assert!(text.parse::<Device>().is_ok(), "{text}");
        }
        for text in [
            "",
            "fuse",
            "/dev/",
            "/etc/passwd",
            "/dev/../etc",
            "/dev/a:x",
            "/dev/a:/dev/b:rwx",
            "/dev/a:b:c:d",
        ] {
            assert!(text.parse::<Device>().is_err(), "{text}");
        }
    }
}
