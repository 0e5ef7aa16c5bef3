//! An entry in the journal for the beginning and the end of every deploy and restart, in journald's own protocol
//! (systemd.io/JOURNAL_NATIVE_PROTOCOL): whatever becomes of the terminal, `journalctl CONDUCTOR_SERVICE=web` has it.

use conductor_systemd::put_field;
use std::os::unix::net::UnixDatagram;

use crate::{Entry, Failure, Outcome, Request};

const SOCKET: &str = "/run/systemd/journal/socket";

/// `MESSAGE_ID=` of what begins, and of what has ended; described in conductor(1).
const BEGINS: &str = "873c15ca39f54be89e0e3402039127a9";
const ENDED: &str = "21527732a6d54571b439f5a728ffddbd";

/// What is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum What {
    Deploy,
    Rollback,
    Restart,
}

impl What {
    fn word(self) -> &'static str {
        match self {
            Self::Deploy => "deploy",
            Self::Rollback => "rollback",
            Self::Restart => "restart",
        }
    }

    pub(crate) fn of(rollback: bool, restart: bool) -> Self {
        match (rollback, restart) {
            (_, true) => Self::Restart,
            (true, false) => Self::Rollback,
            (false, false) => Self::Deploy,
        }
    }
}

/// It begins.
pub(crate) fn begins(service: &str, what: What, id: &str, revision: &str, by: &str) {
    let text = format!("{} of {service} {revision} begins, by {by}", what.word());
    send(&[
        ("MESSAGE", &text),
        ("MESSAGE_ID", BEGINS),
        ("PRIORITY", "6"),
        ("CONDUCTOR_SERVICE", service),
        ("CONDUCTOR_ACTION", what.word()),
        ("CONDUCTOR_DEPLOY", id),
        ("CONDUCTOR_RELEASE", revision),
        ("CONDUCTOR_BY", by),
    ]);
}

/// It has ended.
pub(crate) fn ended(service: &str, entry: &Entry) {
    let what = What::of(entry.rollback, entry.restart).word();
    let (how, priority) = match entry.outcome {
        Outcome::Released => ("released", "5"),
        Outcome::Leftovers => ("leftovers", "4"),
        Outcome::Waiting => ("waiting", "5"),
        Outcome::Undone => ("undone", "4"),
        Outcome::Stuck => ("stuck", "3"),
    };
    let why = entry.failure.as_deref().unwrap_or_default();
    let colon = if why.is_empty() { "" } else { ": " };
    let first = why.lines().next().unwrap_or_default();
    let text = format!("{what} of {service} {} ended, {how}{colon}{first}", entry.revision);
    send(&[
        ("MESSAGE", &text),
        ("MESSAGE_ID", ENDED),
        ("PRIORITY", priority),
        ("CONDUCTOR_SERVICE", service),
        ("CONDUCTOR_ACTION", what),
        ("CONDUCTOR_DEPLOY", &entry.id),
        ("CONDUCTOR_RELEASE", &entry.revision),
        ("CONDUCTOR_IMAGE", &entry.image),
        ("CONDUCTOR_BY", &entry.by),
        ("CONDUCTOR_OUTCOME", how),
        ("CONDUCTOR_SECONDS", &entry.ended.saturating_sub(entry.started).to_string()),
        ("CONDUCTOR_FAILURE", why),
    ]);
}

/// It ended before anything was changed.
pub(crate) fn refused(request: &Request, failure: &Failure) {
    let Request { service, by, .. } = request;
    let what = request.rollback.as_ref().map_or(What::Deploy, |_| What::Rollback).word();
    let why = failure.text.as_str();
    let text = format!("{what} of {service} was refused: {}", why.lines().next().unwrap_or_default());
    send(&[
        ("MESSAGE", &text),
        ("MESSAGE_ID", ENDED),
        ("PRIORITY", "4"),
        ("CONDUCTOR_SERVICE", service),
        ("CONDUCTOR_ACTION", what),
        ("CONDUCTOR_BY", by),
        ("CONDUCTOR_OUTCOME", "refused"),
        ("CONDUCTOR_FAILURE", why),
    ]);
}

/// Sends it if there is a journal: a deploy does not fail because nobody writes down that it happened.
fn send(fields: &[(&str, &str)]) {
    let Ok(socket) = UnixDatagram::unbound() else { return };
    if socket.set_nonblocking(true).is_ok() {
        let _ = socket.send_to(&datagram(fields), SOCKET);
    }
}

fn datagram(fields: &[(&str, &str)]) -> Vec<u8> {
    let mut datagram = Vec::new();
    for (name, value) in [("SYSLOG_IDENTIFIER", "conductor")].iter().chain(fields) {
        if !value.is_empty() {
            put_field(&mut datagram, name, value);
        }
    }
    datagram
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_datagram_with_all_fields_that_are_known() {
        let sent = datagram(&[("MESSAGE", "it\nfails"), ("CONDUCTOR_IMAGE", ""), ("CONDUCTOR_BY", "me")]);
        let expected =
            b"SYSLOG_IDENTIFIER=conductor\nMESSAGE\n\x08\0\0\0\0\0\0\0it\nfails\nCONDUCTOR_BY=me\n";
        assert_eq!(String::from_utf8_lossy(&sent), String::from_utf8_lossy(expected));
    }
}
