//! HAProxy's runtime API: a line in, text out, over a socket (its management guide, section 9.3).

use std::io;
use std::path::Path;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::UnixStream;

use super::Haproxy;
use crate::{Error, Kind};

/// Answers come within a millisecond.
const LIMIT: Duration = Duration::from_secs(10);
/// More than a thousand servers take.
const LONGEST: u64 = 4 << 20;

impl Haproxy {
    /// One command and its answer, without the empty line at its end.
    pub(super) async fn ask(&self, command: &str) -> Result<String, Error> {
        match tokio::time::timeout(LIMIT, conversation(&self.socket, command)).await {
            Ok(Ok(answer)) => Ok(answer.trim().to_owned()),
            Ok(Err(error)) => Err(self.unreachable(&error.to_string())),
            Err(_) => Err(self.unreachable(&format!("no answer within {} s", LIMIT.as_secs()))),
        }
    }

    /// A command that says nothing, or this, when it has worked.
    pub(super) async fn tell(&self, command: &str, worked: &str) -> Result<(), Error> {
        let answer = self.ask(command).await?;
        if answer.is_empty() || answer.contains(worked) {
            return Ok(());
        }
        let answer = answer.split_ascii_whitespace().collect::<Vec<_>>().join(" ");
        Err(Error::new(Kind::Refused, format!("HAProxy answered to `{command}`: {answer}")))
    }

    fn unreachable(&self, why: &str) -> Error {
        let socket = self.socket.display();
        let text = format!(
            "HAProxy does not answer on {socket} ({why}): it has to run, with `stats socket {socket} level admin` in \
             the `global` section of its configuration. Nothing was changed"
        );
        Error::new(Kind::Unreachable, text)
    }
}

async fn conversation(socket: &Path, command: &str) -> io::Result<String> {
    let mut stream = UnixStream::connect(socket).await?;
    stream.write_all(format!("{command}\n").as_bytes()).await?;
    let mut answer = Vec::new();
    // It closes after one line of commands.
    stream.take(LONGEST).read_to_end(&mut answer).await?;
    Ok(String::from_utf8_lossy(&answer).into_owned())
}
