//! Output. A closed pipe (`conductor generate | head`) ends the program quietly, as with any filter.

use std::io::{IsTerminal, Write};
use std::process::ExitCode;

/// Exit status where definitions have errors or a file cannot be written.
pub(crate) const FAILURE: u8 = 1;

/// Writes results to stdout.
pub(crate) fn print(text: &str) -> ExitCode {
    match std::io::stdout().lock().write_all(text.as_bytes()) {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => {
            say(&format!("error: cannot write to standard output: {error}"));
            ExitCode::from(FAILURE)
        }
        _ => ExitCode::SUCCESS,
    }
}

/// Writes one of many results at once; false if nobody reads any more, and so there is no point in going on.
pub(crate) fn print_next(text: &str) -> bool {
    let mut out = std::io::stdout().lock();
    out.write_all(text.as_bytes()).and_then(|()| out.flush()).is_ok()
}

/// Writes a message to stderr.
pub(crate) fn say(text: &str) {
    // Nobody is left to tell if stderr is closed.
    drop(writeln!(std::io::stderr().lock(), "{text}"));
}

/// Whether messages may have colours (<https://no-color.org>).
pub(crate) fn colour() -> bool {
    std::io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
}

/// Whether results may have colours.
pub(crate) fn colour_on_stdout() -> bool {
    std::io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
}
