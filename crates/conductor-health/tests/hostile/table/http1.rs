//! HTTP/1.1 and what is below it.

use super::super::frames::settings;
use super::super::server::Step::{self, Drip, HalfClose, Head, Reset, Stall};
use super::super::server::{endless, say};
use super::{Bad, Server, http};

const OK: &str = "HTTP/1.1 200 OK\r\n";

pub(super) fn all() -> Vec<Bad> {
    [connections(), heads(), interim(), bodies(), redirects()].into_iter().flatten().collect()
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
