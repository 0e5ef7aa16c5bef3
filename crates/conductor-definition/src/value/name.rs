//! Names of services.

use std::fmt;
use std::path::Path;
use std::str::FromStr;

use super::InvalidValue;

/// Units of the base system whose names a service may not take: generated units shadow those in
/// /usr/lib (systemd.unit(5), unit load path), so `dbus.toml` would take the machine down.
const RESERVED: &[&str] = &[
    "conductor",
    "console-getty",
    "cron",
    "cryptsetup",
    "dbus",
    "dbus-broker",
    "default",
    "emergency",
    "getty",
    "halt",
    "initrd-cleanup",
    "kexec",
    "local-fs",
    "multi-user",
    "network",
    "network-online",
    "networking",
    "polkit",
    "poweroff",
    "reboot",
    "remote-fs",
    "rescue",
    "shutdown",
    "sleep",
    "ssh",
    "sshd",
    "sysinit",
    "systemd",
    "timers",
    "udev",
    "user",
];

/// Longest name: leaves room in systemd's 255 bytes for `-health`, slots, instances and cron jobs.
const MAX_LENGTH: usize = 64;

/// A service's name: `[a-z0-9][a-z0-9-]*`, so that unit names need no escaping that a person would see.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ServiceName(String);

impl ServiceName {
    /// The name that a definition's file name gives.
    ///
    /// # Errors
    /// If the file name does not end in `.toml` or the rest is not a valid name.
    pub fn from_path(path: &Path) -> Result<Self, InvalidValue> {
        let file = path.file_name().unwrap_or(path.as_os_str());
        let Some(stem) = file.to_str().and_then(|file| file.strip_suffix(".toml")) else {
            return Err(InvalidValue::new(format!(
                "the file name {} does not give a service name: call it NAME.toml",
                file.to_string_lossy().escape_debug()
            )));
        };
        stem.parse()
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for ServiceName {
    type Err = InvalidValue;

    fn from_str(text: &str) -> Result<Self, InvalidValue> {
        let valid = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        let refuse = |why: &str| {
            Err(InvalidValue::new(format!("`{}` cannot be a service's name: {why}", text.escape_debug())))
        };
        if text.is_empty() || text.starts_with('-') || !text.chars().all(valid) {
            return refuse("use lower-case letters, digits and `-`, and begin with a letter or a digit");
        }
        if text.len() > MAX_LENGTH {
            return refuse("it is longer than 64 characters");
        }
        if RESERVED.contains(&text) || text.starts_with("systemd-") {
            return refuse("the base system has units of this name");
        }
        Ok(Self(text.to_owned()))
    }
}

impl fmt::Display for ServiceName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accepts_plain_names_only() {
        for name in ["web", "a", "3scale", "web-2"] {
            assert!(name.parse::<ServiceName>().is_ok(), "{name}");
        }
        let long = "x".repeat(65);
        for name in ["", "-web", "Web", "web_1", "web.2", "web@1", "wéb", "a b", "dbus", "systemd-x", &long]
        {
            assert!(name.parse::<ServiceName>().is_err(), "{name}");
        }
    }

    #[test]
    fn comes_from_the_file_name() {
        let name = ServiceName::from_path(Path::new("/etc/conductor/services/web.toml")).unwrap();
        assert_eq!(name.as_str(), "web");
        assert!(ServiceName::from_path(Path::new("web.conf")).is_err());
        assert!(ServiceName::from_path(Path::new("..")).is_err());
    }
}
