//! All the ways to be a bad server.

use super::frames::*;
use super::server::{Step, Step::*, endless, full, nobody, say, start};
use std::net::SocketAddr;

/// A bad server, and what a check says of it.
pub(crate) struct Bad {
    pub(crate) name: &'static str,
    /// Without the authority: `http`, `https` or `grpc`, and `h2` for HTTP/2 in the clear.
    pub(crate) scheme: &'static str,
    pub(crate) server: Server,
    /// What the reason holds; empty where the answer is healthy all the same.
    pub(crate) said: &'static str,
}

pub(crate) enum Server {
    Steps(Vec<Step>),
    Full,
    Nobody,
}

impl Server {
    pub(crate) fn start(self) -> SocketAddr {
        match self {
            Self::Steps(steps) => start(steps),
            Self::Full => full(),
            Self::Nobody => nobody(),
        }
    }
}

const OK: &str = "HTTP/1.1 200 OK\r\n";

fn http(name: &'static str, steps: impl Into<Vec<Step>>, said: &'static str) -> Bad {
    Bad { name, scheme: "http", server: Server::Steps(steps.into()), said }
}

fn https(name: &'static str, steps: impl Into<Vec<Step>>, said: &'static str) -> Bad {
    Bad { scheme: "https", ..http(name, steps, said) }
}

fn h2(name: &'static str, steps: impl Into<Vec<Step>>, said: &'static str) -> Bad {
    Bad { scheme: "h2", ..http(name, steps, said) }
}

/// After a proper beginning.
fn h2_after(name: &'static str, step: Step, said: &'static str) -> Bad {
    h2(name, [Anything, say(settings()), step, Stall], said)
}

pub(crate) fn all() -> Vec<Bad> {
    [connections(), heads(), interim(), bodies(), redirects(), tls(), http2(), grpc()]
        .into_iter()
        .flatten()
        .collect()
}

/// What everybody should do.
pub(crate) fn good() -> Vec<Step> {
    vec![Head, say(format!("{OK}Content-Length: 2\r\n\r\nok"))]
}

fn connections() -> Vec<Bad> {
    vec![
        Bad { name: "nobody", scheme: "http", server: Server::Nobody, said: "connection refused" },
        Bad { name: "full backlog", scheme: "http", server: Server::Full, said: "(no connection)" },
        http("silent", [Stall], "headers never came"),
        http("silent after the request", [Head, Stall], "headers never came"),
        http("closes at once", [], "reset|closed the connection"),
        http("closes after the request", [Head], "closed the connection without an answer"),
        http("resets at once", [Reset], "connection reset"),
        http("resets after the request", [Head, Reset], "connection reset"),
        http("half-closes at once", [HalfClose, Stall], "closed the connection without an answer"),
        http("half-closes after the request", [Head, HalfClose, Stall], "closed the connection"),
    ]
}

fn heads() -> Vec<Bad> {
    let filler = "X-Filler: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\r\n";
    let not_http = "answered something that is not HTTP";
    vec![
        http("SSH", [say("SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n"), Stall], not_http),
        http("SMTP", [say("220 mail.example ESMTP\r\n"), Stall], not_http),
        http("zeros", [Head, endless([0; 64])], not_http),
        http("a TLS server", [Head, say([0x15, 3, 1, 0, 2, 2, 10])], not_http),
        http("HTTP/0.9", [Head, say("<html>it works</html>")], not_http),
        http("HTTP/2 without being asked", [Head, say(settings()), Stall], not_http),
        http("another version", [Head, say("HTTP/3.7 200 OK\r\n\r\n")], not_http),
        http("status of four digits", [Head, say("HTTP/1.1 2000 OK\r\n\r\n")], not_http),
        http("status that is a word", [Head, say("HTTP/1.1 OK\r\n\r\n")], not_http),
        http("header without a colon", [Head, say(format!("{OK}no colon here\r\n\r\n"))], not_http),
        http("header with a zero in it", [Head, say(format!("{OK}A: b\0c\r\n\r\n"))], not_http),
        http(
            "status line of a gigabyte",
            [Head, say("HTTP/1.1 200 "), endless("very ok indeed ")],
            "headers without end",
        ),
        http(
            "header of a gigabyte",
            [Head, say(format!("{OK}A: ")), endless("aaaaaaaaaaaaaaaa")],
            "headers without end",
        ),
        http("headers without end", [Head, say(OK), endless(filler)], "headers without end"),
        http("name of a gigabyte", [Head, say(OK), endless("aaaaaaaaaaaaaaaa")], "headers without end"),
        http(
            "blank lines without end",
            [Head, endless("\r\n")],
            "headers without end|KiB, and there was no end",
        ),
        http(
            "a thousand headers",
            [Head, say(format!("{OK}{}\r\n", "A: b\r\n".repeat(1000)))],
            "headers without end",
        ),
        http(
            "half a head",
            [Head, say("HTTP/1.1 200 OK\r\nContent-Le"), Stall],
            "had not ended after 27 bytes",
        ),
        http(
            "half a head, then the end",
            [Head, say("HTTP/1.1 200 OK\r\nContent-Le")],
            "closed the connection",
        ),
        http("half a head, then a reset", [Head, say("HTTP/1.1 2"), Reset], "connection reset"),
        http(
            "a byte at a time",
            [Head, Drip(format!("{OK}A: bcdefghijklmnop\r\n").into())],
            "no answer within",
        ),
        http(
            "two lengths",
            [Head, say(format!("{OK}Content-Length: 1\r\nContent-Length: 2\r\n\r\nab"))],
            not_http,
        ),
        http("negative length", [Head, say(format!("{OK}Content-Length: -1\r\n\r\n"))], not_http),
        http("length that is no number", [Head, say(format!("{OK}Content-Length: 2,x\r\n\r\nab"))], not_http),
    ]
}

/// 1xx is no answer yet.
fn interim() -> Vec<Bad> {
    let go_on = "HTTP/1.1 100 Continue\r\n\r\n";
    vec![
        http("100 without end", [Head, endless(go_on)], "KiB, and there was no end"),
        http(
            "103 without end",
            [Head, endless("HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n")],
            "KiB, and there was no end",
        ),
        http("100 and nothing more", [Head, say(go_on), Stall], "had not ended after 25 bytes"),
        http("100 and then the answer", [Head, say(format!("{go_on}{OK}Content-Length: 0\r\n\r\n"))], ""),
        http(
            "101 without being asked",
            [
                Head,
                say("HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n"),
                Stall,
            ],
            "answered",
        ),
    ]
}

fn bodies() -> Vec<Bad> {
    let chunked = format!("{OK}Transfer-Encoding: chunked\r\n\r\n");
    let broke_off = "answered 200 OK and broke off in the body";
    vec![
        http("body without end", [Head, say(format!("{OK}\r\n")), endless([b'x'; 4096])], ""),
        http(
            "terabyte of body",
            [Head, say(format!("{OK}Content-Length: 1099511627776\r\n\r\n")), endless([b'x'; 4096])],
            "",
        ),
        http(
            "body a byte at a time",
            [Head, say(format!("{OK}Content-Length: 5000\r\n\r\n")), Drip(b"x".into())],
            "the body stalled after",
        ),
        http(
            "length too large, then the end",
            [Head, say(format!("{OK}Content-Length: 10\r\n\r\nhalf"))],
            broke_off,
        ),
        http(
            "length too large, then nothing",
            [Head, say(format!("{OK}Content-Length: 10\r\n\r\nhalf")), Stall],
            "the body stalled after 4 bytes",
        ),
        http(
            "length too large, then a reset",
            [Head, say(format!("{OK}Content-Length: 10\r\n\r\nhalf")), Reset],
            broke_off,
        ),
        http("length too small", [Head, say(format!("{OK}Content-Length: 2\r\n\r\nfar more than that"))], ""),
        http(
            "length too small, without end",
            [Head, say(format!("{OK}Content-Length: 2\r\n\r\nok")), endless([b'x'; 4096])],
            "",
        ),
        http("no body and no end", [Head, say(format!("{OK}\r\n")), Stall], "the body stalled after 0 bytes"),
        http("chunks without end", [Head, say(&*chunked), endless("1\r\nx\r\n")], ""),
        http(
            "chunk of many terabytes",
            [Head, say(format!("{chunked}ffffffffffff\r\n")), endless("xxxxxxxxxxxxxxxx")],
            "",
        ),
        http(
            "chunk larger than any number",
            [Head, say(format!("{chunked}fffffffffffffffffff\r\nx"))],
            broke_off,
        ),
        http("chunk size that is none", [Head, say(format!("{chunked}zz\r\n"))], broke_off),
        http("chunk that ends early", [Head, say(format!("{chunked}5\r\nab"))], broke_off),
        http("chunk without its line end", [Head, say(format!("{chunked}2\r\nabXY0\r\n\r\n"))], broke_off),
        http(
            "chunk extension without end",
            [Head, say(format!("{chunked}2;")), endless("a=b;a=b;a=b;a=b;")],
            broke_off,
        ),
        http(
            "trailers without end",
            [Head, say(format!("{chunked}2\r\nab\r\n0\r\n")), endless("A: bcdefghijklmn\r\n")],
            broke_off,
        ),
        http(
            "chunks, and the last one missing",
            [Head, say(format!("{chunked}2\r\nab\r\n")), Stall],
            "the body stalled after 2 bytes",
        ),
        http(
            "503 with a body without end",
            [Head, say("HTTP/1.1 503 No\r\n\r\n"), endless([b'x'; 4096])],
            "answered 503 Service Unavailable",
        ),
        http(
            "503 with a body that stalls",
            [Head, say("HTTP/1.1 503 No\r\nContent-Length: 9\r\n\r\n"), Stall],
            "answered 503 Service Unavailable",
        ),
        http("compressed bomb", [Head, say(bomb())], ""),
    ]
}

/// Ten megabytes of zeros in less than ten kilobytes.
fn bomb() -> Vec<u8> {
    let head = format!("{OK}Content-Encoding: gzip\r\nContent-Length: {BOMB}\r\n\r\n");
    let mut bytes = head.into_bytes();
    let start = bytes.len();
    bytes.extend(b"\x1f\x8b\x08\0\0\0\0\0\x02\x03\xec\xc1\x01\x01\0\0\0\x80\x90\xfe\xaf\xee\x08\x0a");
    bytes.resize(start + BOMB, 0);
    bytes
}

/// How large it is on the wire.
pub(crate) const BOMB: usize = 9750;

fn redirects() -> Vec<Bad> {
    let to = |location: &str| {
        say(format!("HTTP/1.1 302 Found\r\nLocation: {location}\r\nContent-Length: 0\r\n\r\n"))
    };
    vec![
        http("circle", [Head, to("/again")], "redirected more than 10 times"),
        http(
            "to another server",
            [Head, to("http://192.0.2.1/")],
            "redirects to another server (http://192.0.2.1/)",
        ),
        http("to a socket of ours", [Head, to("http://unix:/run/docker.sock:/")], "cannot be asked"),
        http("to a file", [Head, to("file:///etc/shadow")], "cannot be asked"),
        http("to nothing that is a URL", [Head, to("http://[")], "cannot be asked"),
        http("to a megabyte", [Head, to(&"a".repeat(1024 * 1024))], "headers without end"),
        http(
            "redirect with a body that stalls",
            [Head, say("HTTP/1.1 302 F\r\nLocation: /x\r\nContent-Length: 9\r\n\r\n"), Stall],
            "more than 10 times",
        ),
    ]
}

fn tls() -> Vec<Bad> {
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
