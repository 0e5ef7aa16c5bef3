//! HTTP/2, and gRPC over it.

use super::super::frames::*;
use super::super::server::Step::{self, Anything, Endless, HalfClose, Reset, Stall};
use super::super::server::{endless, say};
use super::{Bad, http};

pub(super) fn all() -> Vec<Bad> {
    [http2(), grpc()].into_iter().flatten().collect()
}

fn h2(name: &'static str, steps: impl Into<Vec<Step>>, said: &'static str) -> Bad {
    Bad { scheme: "h2", ..http(name, steps, said) }
}

/// After a proper beginning.
fn h2_after(name: &'static str, step: Step, said: &'static str) -> Bad {
    h2(name, [Anything, say(settings()), step, Stall], said)
}

fn http2() -> Vec<Bad> {
    let answer = |headers: &[u8]| frame(HEADERS, END_HEADERS, 1, headers);
    let field = literal("x-filler", &"a".repeat(1000));
    vec![
        h2("silent", [Anything, Stall], "headers never came"),
        h2("closes at once", [], "reset|closed the connection"),
        h2("resets", [Anything, Reset], "connection reset"),
        h2(
            "HTTP/1.1",
            [Anything, say("HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n"), HalfClose, Stall],
            "does not speak HTTP/2",
        ),
        h2("SSH", [say("SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n"), Stall], "does not speak HTTP/2"),
        h2("settings and nothing more", [Anything, say(settings()), Stall], "had not ended after"),
        h2_after("settings without end", endless(settings()), "KiB, and there was no end"),
        h2_after("pings without end", endless(frame(PING, 0, 0, &[0; 8])), "KiB, and there was no end"),
        h2_after(
            "window updates without end",
            endless(frame(WINDOW_UPDATE, 0, 0, &[0, 0, 0, 1])),
            "KiB, and there was no end",
        ),
        h2_after(
            "frames of no known kind without end",
            endless(frame(0x55, 0, 0, &[0; 16])),
            "KiB, and there was no end",
        ),
        h2_after("empty data without end", Endless(frame(DATA, 0, 1, &[])), "HTTP/2|no end"),
        h2_after("go away", say(frame(GOAWAY, 0, 0, &[0, 0, 0, 0, 0, 0, 0, 11])), "ENHANCE_YOUR_CALM"),
        h2_after("reset of the stream", say(frame(RST_STREAM, 0, 1, &[0, 0, 0, 7])), "REFUSED_STREAM"),
        h2_after("resets without end", endless(frame(RST_STREAM, 0, 1, &[0, 0, 0, 7])), "HTTP/2"),
        h2_after(
            "push without being asked",
            say(frame(PUSH_PROMISE, END_HEADERS, 1, &[0, 0, 0, 2, 0x82])),
            "HTTP/2",
        ),
        h2_after("stream that nobody opened", say(frame(HEADERS, END_HEADERS, 7, STATUS_200)), "HTTP/2"),
        h2_after("headers that are not HPACK", say(answer(&[0xff; 32])), "HTTP/2"),
        h2_after("no status", say(answer(&literal("a", "b"))), "HTTP/2|never"),
        h2_after(
            "headers of a megabyte",
            Step::Say(
                [
                    frame(HEADERS, 0, 1, STATUS_200),
                    frame(CONTINUATION, 0, 1, &field.repeat(15)).repeat(70),
                    frame(CONTINUATION, END_HEADERS, 1, &[]),
                ]
                .concat(),
            ),
            "HTTP/2|no end|headers without end",
        ),
        h2_after("continuations without end", Step::Say(frame(HEADERS, 0, 1, STATUS_200)), "had not ended"),
        h2(
            "really without end",
            [
                Anything,
                say(settings()),
                say(frame(HEADERS, 0, 1, STATUS_200)),
                endless(frame(CONTINUATION, 0, 1, &field)),
            ],
            "HTTP/2|no end|headers without end",
        ),
        h2(
            "empty continuations without end",
            [
                Anything,
                say(settings()),
                say(frame(HEADERS, 0, 1, STATUS_200)),
                endless(frame(CONTINUATION, 0, 1, &[])),
            ],
            "HTTP/2|no end",
        ),
        h2_after("frame of 16 MB", say([0xff, 0xff, 0xff, DATA, 0, 0, 0, 0, 1]), "HTTP/2"),
        h2_after("answer without its body", say(answer(STATUS_200)), "the body stalled after 0 bytes"),
        h2_after(
            "more body than the window has",
            Step::Say([answer(STATUS_200), frame(DATA, 0, 1, &[0; 16384]).repeat(10)].concat()),
            "",
        ),
        h2_after(
            "reset in the body",
            Step::Say(
                [answer(STATUS_200), frame(DATA, 0, 1, b"half"), frame(RST_STREAM, 0, 1, &[0, 0, 0, 2])]
                    .concat(),
            ),
            "INTERNAL_ERROR",
        ),
    ]
}

fn grpc() -> Vec<Bad> {
    let said = |name, headers: Vec<u8>, rest: Vec<u8>, said| Bad {
        scheme: "grpc",
        ..h2_after(name, Step::Say([frame(HEADERS, END_HEADERS, 1, &headers), rest].concat()), said)
    };
    let kind = literal("content-type", "application/grpc");
    let grpc = [STATUS_200, &kind].concat();
    let end = |status: &str| frame(HEADERS, END_HEADERS | END_STREAM, 1, &literal("grpc-status", status));
    let message = |bytes: &[u8]| frame(DATA, 0, 1, bytes);
    vec![
        said(
            "a web server",
            [STATUS_200, &literal("content-type", "text/html")].concat(),
            frame(DATA, END_STREAM, 1, b"hi"),
            "not gRPC",
        ),
        said("not found", vec![0x8d], frame(DATA, END_STREAM, 1, b""), "answered 404 Not Found"),
        said("no message", grpc.clone(), end("0"), "not gRPC"),
        said(
            "message of four gigabytes",
            grpc.clone(),
            [message(&[0, 0xff, 0xff, 0xff, 0xff]), end("0")].concat(),
            "not gRPC",
        ),
        said(
            "compressed message",
            grpc.clone(),
            [message(&[1, 0, 0, 0, 2, 8, 1]), end("0")].concat(),
            "not gRPC",
        ),
        said("message without end", grpc.clone(), message(&[0; 8000]).repeat(8), "not gRPC"),
        said("no status", grpc.clone(), frame(DATA, END_STREAM, 1, &[0, 0, 0, 0, 2, 8, 1]), "not gRPC"),
        said(
            "status that is no number",
            grpc.clone(),
            [message(&[0, 0, 0, 0, 2, 8, 1]), end("fine")].concat(),
            "not gRPC",
        ),
        said(
            "never says how it ended",
            grpc,
            message(&[0, 0, 0, 0, 2, 8, 1]),
            "the body stalled after 7 bytes",
        ),
    ]
}
