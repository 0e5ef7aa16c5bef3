//! Entries with fields, in journald's own protocol: one datagram each.
//!
//! The protocol is a page (systemd.io/JOURNAL_NATIVE_PROTOCOL) and what we send is short, so that its one
//! complication, a sealed memfd for what does not fit into a datagram, is not needed.

use super::{Field, Level};
use conductor_systemd::put_field;
use std::fs::File;
use std::io;
use std::os::fd::AsFd;
use std::os::unix::fs::MetadataExt;
use std::os::unix::net::UnixDatagram;
use std::sync::Arc;

const SOCKET: &str = "/run/systemd/journal/socket";

#[derive(Clone, Debug)]
pub(super) struct Journal {
    socket: Arc<UnixDatagram>,
    identifier: String,
    service: Option<String>,
}

impl Journal {
    /// The journal, if standard error leads there: that is what $JOURNAL_STREAM is for (systemd.exec(5)).
    pub(super) fn of_stderr(identifier: &str, service: Option<&str>) -> Option<Self> {
        let stream = std::env::var("JOURNAL_STREAM").ok()?;
        let stderr = io::stderr().as_fd().try_clone_to_owned().ok()?;
        let is = File::from(stderr).metadata().ok()?;
        if stream != format!("{}:{}", is.dev(), is.ino()) {
            return None;
        }
        Self::open(SOCKET, identifier, service).ok()
    }

    fn open(socket: &str, identifier: &str, service: Option<&str>) -> io::Result<Self> {
        let unconnected = UnixDatagram::unbound()?;
        // A journal that hangs must not hang the checks: then the line is lost, or goes to standard error.
        unconnected.set_nonblocking(true)?;
        unconnected.connect(socket)?;
        Ok(Self {
            socket: Arc::new(unconnected),
            identifier: identifier.to_owned(),
            service: service.map(str::to_owned),
        })
    }

    /// Whether it was sent.
    pub(super) fn send(&self, level: Level, text: &str, fields: &[Field<'_>]) -> bool {
        let mut datagram = Vec::with_capacity(512);
        let priority = (level as u8).to_string();
        let own = [("MESSAGE", text), ("PRIORITY", &priority), ("SYSLOG_IDENTIFIER", &self.identifier)];
        let service = self.service.as_deref().map(|service| ("CONDUCTOR_SERVICE", service));
        for (name, value) in own.iter().chain(&service).chain(fields) {
            put_field(&mut datagram, name, value);
        }
        if self.socket.send(&datagram).is_ok() {
            return true;
        }
        // journald was restarted: its socket is a new one. Sent by address, it needs no connection.
        self.socket.send_to(&datagram, SOCKET).is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_datagram_with_all_fields() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("socket");
        let journald = UnixDatagram::bind(&path).unwrap();
        let journal = Journal::open(path.to_str().unwrap(), "web-health", Some("web")).unwrap();
        assert!(journal.send(
            Level::Warning,
            "it fails",
            &[("REASON", "two\nlines"), ("UNIT", "web.service")]
        ));
        let mut got = [0; 1024];
        let length = journald.recv(&mut got).unwrap();
        let expected = b"MESSAGE=it fails\nPRIORITY=4\nSYSLOG_IDENTIFIER=web-health\nCONDUCTOR_SERVICE=web\n\
                         REASON\n\x09\0\0\0\0\0\0\0two\nlines\nUNIT=web.service\n";
        assert_eq!(String::from_utf8_lossy(&got[..length]), String::from_utf8_lossy(expected));
    }

    #[test]
    fn a_journal_that_is_gone_is_not_waited_for() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("socket");
        let journald = UnixDatagram::bind(&path).unwrap();
        let journal = Journal::open(path.to_str().unwrap(), "x", None).unwrap();
        // Nobody reads.
        let mut sent = 0;
        while journal.socket.send(b"MESSAGE=x\n").is_ok() {
            sent += 1;
        }
        assert!(sent > 0);
        drop(journald);
        assert!(journal.socket.send(b"MESSAGE=x\n").is_err());
    }
}
