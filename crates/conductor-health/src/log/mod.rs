//! Lines for the journal.

mod journal;

use journal::Journal;
use std::fmt;
use std::io::{IsTerminal, Write};

/// How much a line matters; the numbers are syslog's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    /// Something is broken and somebody should look.
    Error = 3,
    /// Something may break.
    Warning = 4,
    /// News.
    Info = 6,
}

/// A field of a journal entry besides its text: systemd.journal-fields(7).
pub type Field<'a> = (&'static str, &'a str);

/// Writes lines to standard error, each in one piece; or, where that is the journal, entries with fields
/// to the journal itself.
///
/// Where lines are wanted that somebody may read who understands levels, a line begins with `<N>`, which
/// journald takes as its priority (`SyslogLevelPrefix=` is on by default); without it every line would be
/// "info" and `journalctl -p err` empty. On a terminal there is no prefix.
#[derive(Clone, Debug)]
pub struct Log {
    journal: Option<Journal>,
    prefixed: bool,
}

impl Log {
    /// A log that suits where standard error leads.
    pub fn stderr() -> Self {
        let prefixed = std::env::var_os("JOURNAL_STREAM").is_some() || !std::io::stderr().is_terminal();
        Self { journal: None, prefixed }
    }

    /// The same, but with fields if that is the journal. `identifier` is what the journal shows in front of
    /// each line, which `SyslogIdentifier=` sets for standard error alone. `service` is what entries are to name as
    /// their service where systemd does not: `LogExtraFields=` has no effect in users' managers.
    pub fn with_fields(identifier: &str, service: Option<&str>) -> Self {
        Self { journal: Journal::of_stderr(identifier, service), ..Self::stderr() }
    }

    /// Writes a line.
    pub fn line(&self, level: Level, text: impl fmt::Display) {
        self.entry(level, text, &[]);
    }

    /// Writes a line with fields, which only the journal keeps.
    pub fn entry(&self, level: Level, text: impl fmt::Display, fields: &[Field<'_>]) {
        // A line break would make the rest a line of its own, at another level.
        let text = text.to_string().replace(['\n', '\r'], " ");
        if self.journal.as_ref().is_some_and(|journal| journal.send(level, &text, fields)) {
            return;
        }
        // With nobody to listen there is nobody to tell.
        let _ = std::io::stderr().write_all(self.render(level, &text).as_bytes());
    }

    fn render(&self, level: Level, text: &str) -> String {
        if self.prefixed { format!("<{}>{text}\n", level as u8) } else { format!("{text}\n") }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_line_with_its_priority() {
        let log = Log { journal: None, prefixed: true };
        assert_eq!(log.render(Level::Error, "a b"), "<3>a b\n");
        assert_eq!(Log { prefixed: false, ..log }.render(Level::Info, "a"), "a\n");
    }
}
