//! Lines for the journal.

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

/// Writes lines to standard error, each in one piece.
///
/// Where the journal listens, a line begins with `<N>`, which journald takes as its priority
/// (`SyslogLevelPrefix=` is on by default); without it every line would be "info" and
/// `journalctl -p err` empty. On a terminal there is no prefix.
#[derive(Clone, Copy, Debug)]
pub struct Log {
    prefixed: bool,
}

impl Log {
    /// A log that suits where standard error leads.
    pub fn stderr() -> Self {
        Self { prefixed: std::env::var_os("JOURNAL_STREAM").is_some() || !std::io::stderr().is_terminal() }
    }

    /// Writes a line.
    pub fn line(&self, level: Level, text: impl fmt::Display) {
        let line = self.render(level, &text.to_string());
        // With nobody to listen there is nobody to tell.
        let _ = std::io::stderr().write_all(line.as_bytes());
    }

    fn render(self, level: Level, text: &str) -> String {
        // A line break would make the rest a line of its own, at another level.
        let text = text.replace(['\n', '\r'], " ");
        if self.prefixed { format!("<{}>{text}\n", level as u8) } else { format!("{text}\n") }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_line_with_its_priority() {
        let log = Log { prefixed: true };
        assert_eq!(log.render(Level::Error, "a\nb"), "<3>a b\n");
        assert_eq!(Log { prefixed: false }.render(Level::Info, "a"), "a\n");
    }
}
