//! TLS that never comes about.

use super::super::server::Step::{self, Anything, Drip, Reset, Stall};
use super::super::server::{endless, say};
use super::{Bad, http};

fn https(name: &'static str, steps: impl Into<Vec<Step>>, said: &'static str) -> Bad {
    Bad { scheme: "https", ..http(name, steps, said) }
}

pub(super) fn all() -> Vec<Bad> {
    let record = |kind: u8, body: &[u8]| {
        let length = u16::try_from(body.len()).unwrap().to_be_bytes();
        [&[kind, 3, 3], &length[..], body].concat()
    };
    let not_tls = "answered something that is not TLS";
    vec![
        https("silent", [Anything, Stall], "the TLS handshake never ended"),
        https("closes at once", [], "reset|closed the connection"),
        https("closes after the hello", [Anything], "closed the connection"),
        https("resets after the hello", [Anything, Reset], "connection reset"),
        https("HTTP in the clear", [Anything, say("HTTP/1.1 400 Bad Request\r\n\r\n")], not_tls),
        https("SSH", [say("SSH-2.0-OpenSSH_9.2p1\r\n"), Stall], not_tls),
        https("zeros without end", [Anything, endless([0; 64])], not_tls),
        https(
            "alert",
            [Anything, say(record(21, &[2, 40]))],
            "refused the TLS connection (HandshakeFailure)",
        ),
        https("half a record", [Anything, say([22, 3, 3, 64]), Stall], "the TLS handshake never ended"),
        https("record of nothing", [Anything, say(record(22, &[])), Stall], "not TLS|never ended"),
        https(
            "handshake message of 16 MB",
            [Anything, say(record(22, &[2, 0xff, 0xff, 0xff])), endless(record(22, &[0; 1024]))],
            "TLS",
        ),
        https(
            "handshake a byte at a time",
            [Anything, Drip(record(22, &[2, 0, 0, 80]))],
            "never ended|not TLS",
        ),
        https("empty records without end", [Anything, endless(record(23, &[]))], "TLS|no end"),
        https("warnings without end", [Anything, endless(record(21, &[1, 90]))], "TLS|no end"),
    ]
}
