//! Messages to the kernel's log, where boot messages are looked for, or to stderr.

use std::fs::File;
use std::io::Write;

/// How bad it is, by syslog's numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Priority {
    /// Something does not work.
    Error = 3,
    /// Something works but probably not as meant.
    Warning = 4,
    /// Worth knowing.
    Info = 6,
}

/// Takes messages.
pub trait Log {
    /// One message, one line.
    fn log(&mut self, priority: Priority, message: &str);
}

/// The kernel's log and stderr.
#[derive(Debug)]
pub struct SystemLog {
    kernel: Option<File>,
}

/// What is left of the kernel's longest record (`LOG_LINE_MAX`, 1024 bytes before Linux 6.12) after its
/// prefix; longer records are refused.
const LONGEST: usize = 900;

impl SystemLog {
    /// The kernel's log for the system's generator: journald is not there yet at boot. The user's
    /// manager keeps the generator's stderr in the journal, and may not write to /dev/kmsg.
    pub fn open(system_scope: bool) -> Self {
        let kernel = system_scope.then(|| File::options().append(true).open("/dev/kmsg").ok()).flatten();
        Self { kernel }
    }
}

impl Log for SystemLog {
    fn log(&mut self, priority: Priority, message: &str) {
        let level = priority as u8;
        let tag = format!("conductor-generator[{}]", std::process::id());
        if let Some(kernel) = &mut self.kernel {
            let record = format!("<{level}>{tag}: {message}").replace('\n', " ");
            let fits = record.char_indices().take_while(|(at, c)| at + c.len_utf8() <= LONGEST);
            let record: String = fits.map(|(_, c)| c).collect();
            // One write(2) is one record (Documentation/ABI/testing/dev-kmsg).
            if kernel.write_all(record.as_bytes()).is_ok() {
                return;
            }
        }
        // Nobody is left to tell if stderr is closed too.
        drop(writeln!(std::io::stderr(), "<{level}>{tag}: {message}"));
    }
}
