//! `/etc/conductor/conductor.toml`: what holds for the whole machine.

use serde::Deserialize;
use toml::Spanned;

use crate::diagnostic::most_errors;
use crate::merge::merged;
use crate::written::{Form, Removed, Table, read};
use crate::{Diagnostic, Kind, Source};

/// The machine's settings.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Settings {
    /// The systemd whose directives may be used; `None` is the one that is installed.
    pub systemd_version: Option<u32>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct Written {
    systemd_version: Option<Spanned<i64>>,
}

impl Form for Written {
    const KIND: Option<Kind> = None;
}

impl Settings {
    /// Where they are, below the root.
    pub const PATH: &str = "/etc/conductor/conductor.toml";

    /// Reads the settings; whatever can be read is used.
    pub fn parse(source: &Source) -> (Self, Vec<Diagnostic>) {
        let table =
            || Ok(Table { keys: merged(source)?, removed: Removed::default(), diagnostics: Vec::new() });
        let (written, mut diagnostics) = match read::<Written>(table, most_errors(source)) {
            Ok(read) => (read.written, read.diagnostics),
            Err(errors) => return (Self::default(), errors),
        };
        let mut settings = Self::default();
        if let Some(version) = written.systemd_version {
            match u32::try_from(*version.get_ref()) {
                Ok(number @ 200..=999) => settings.systemd_version = Some(number),
                _ => diagnostics.push(
                    Diagnostic::error("invalid-value", "not a version of systemd")
                        .at(version.span(), "a number such as 252")
                        .help("`systemctl --version` prints it; leave the key out to use the installed one"),
                ),
            }
        }
        (settings, diagnostics)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> (Settings, usize) {
        let (settings, diagnostics) = Settings::parse(&Source::new(Settings::PATH, text));
        (settings, diagnostics.len())
    }

    #[test]
    fn reads_the_version() {
        assert_eq!(parse(""), (Settings { systemd_version: None }, 0));
        assert_eq!(parse("systemd-version = 252"), (Settings { systemd_version: Some(252) }, 0));
        assert_eq!(parse("systemd-version = -1"), (Settings { systemd_version: None }, 1));
        assert_eq!(parse("sytemd-version = 252"), (Settings { systemd_version: None }, 1));
    }
}
