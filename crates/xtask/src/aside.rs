//! Steps that run beside others, for a machine whose processors would wait otherwise: one of them links, another
//! downloads.

use std::fs::{self, File};
use std::io::Read as _;
use std::process::{Command, Stdio};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use conductor_tests::{Context, Error, Result, repository};

use crate::shell::{failed, shown};

/// A step that was begun. What its command says is kept in a file, and shown in one piece when it is waited for: lines of
/// two compilers in turn are of no use to anybody.
#[derive(Debug)]
pub(crate) struct Aside {
    name: &'static str,
    command: JoinHandle<(Duration, Result<()>)>,
    said: File,
}

/// What came of it.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) name: &'static str,
    pub(crate) took: Duration,
    pub(crate) said: Result<String>,
    pub(crate) result: Result<()>,
}

impl Aside {
    /// Begins it; it goes on whatever becomes of the others.
    pub(crate) fn begin(name: &'static str, mut command: Command) -> Result<Self> {
        let directory = repository().join("target/aside");
        fs::create_dir_all(&directory).context(directory.display())?;
        let file = directory.join(name);
        let log = File::create(&file).context(file.display())?;
        command.stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log);
        let started = Instant::now();
        let mut child = command.spawn().context(shown(&command))?;
        let command = std::thread::spawn(move || {
            let result = match child.wait() {
                Ok(status) if status.success() => Ok(()),
                Ok(status) => Err(failed(&command, status)),
                Err(error) => Err(error.into()),
            };
            (started.elapsed(), result)
        });
        Ok(Self { name, command, said: File::open(&file)? })
    }

    /// Waits for its end.
    pub(crate) fn end(mut self) -> Ended {
        let ended = self.command.join().map_err(|_| Error::new("a thread of xtask panicked"));
        let (took, result) = ended.unwrap_or_else(|error| (Duration::ZERO, Err(error)));
        let mut said = Vec::new();
        let read = self.said.read_to_end(&mut said).context(self.name);
        let said = read.map(|_| String::from_utf8_lossy(&said).into_owned());
        Ended { name: self.name, took, said, result }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_it_says_and_how_it_ends_is_known_at_its_end() {
        let mut command = Command::new("sh");
        command.args(["-c", "echo one; echo two >&2; exit 3"]);
        let ended = Aside::begin("self-test", command).unwrap().end();
        assert_eq!(ended.said.unwrap(), "one\ntwo\n");
        assert!(ended.result.unwrap_err().to_string().ends_with("ended with exit status: 3"));
    }
}
