//! Answers that came whole and leave nothing to interpret.
//!
//! Nine in ten health checks are answered within one segment: a few headers, a length, and a body of that length.
//! To make a client of HTTP/1 for such an answer, with its channels, buffers and header map, costs several times what
//! reading it does. So the bytes of such an answer are read here, by hyper's own parser, and all others are hyper's:
//! whatever is encoded, chunked, incomplete, longer or shorter than it says, a redirect, or an upgrade; whatever could
//! be understood in two ways or is only tolerated by somebody. The fuzzer holds both to the same result.

use httparse::{EMPTY_HEADER, Response, Status};
use hyper::body::Bytes;
use hyper::{StatusCode, Version};

/// More headers are hyper's to read; more bytes, too.
const MAX_HEADERS: usize = 32;
pub(super) const MAX_WHOLE: usize = 4096;

/// An answer to one request.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Whole {
    pub(super) status: StatusCode,
    pub(super) version: Version,
    pub(super) body: Bytes,
    /// Whether another request may follow.
    pub(super) stays: bool,
}

/// The answer that these bytes are; none if it takes more than this to say so.
pub(super) fn read(came: &[u8], is_head: bool) -> Option<Whole> {
    let mut headers = [EMPTY_HEADER; MAX_HEADERS];
    let mut head = Response::new(&mut headers);
    let Ok(Status::Complete(length)) = head.parse(came) else {
        return None;
    };
    let body = came.get(length..)?;
    let status = StatusCode::from_u16(head.code?).ok()?;
    let version = match head.version? {
        0 => Version::HTTP_10,
        1 => Version::HTTP_11,
        _ => return None,
    };
    let mut announced = None;
    let mut connection = None;
    for header in head.headers.iter() {
        let once = match header.name.len() {
            10 if header.name.eq_ignore_ascii_case("connection") => &mut connection,
            14 if header.name.eq_ignore_ascii_case("content-length") => &mut announced,
            16 if header.name.eq_ignore_ascii_case("content-encoding") => return None,
            17 if header.name.eq_ignore_ascii_case("transfer-encoding") => return None,
            _ => continue,
        };
        if once.replace(header.value).is_some() {
            return None;
        }
    }
    let has_none = is_head || status == StatusCode::NO_CONTENT;
    let announced = announced.map_or(has_none.then_some(0), decimal)?;
    let is_usual = matches!(status.as_u16(), 200..=299 | 400..=599) && status != StatusCode::RESET_CONTENT;
    if !is_usual || body.len() != if has_none { 0 } else { announced } {
        return None;
    }
    let stays = match connection {
        None => version == Version::HTTP_11,
        Some(value) if value.eq_ignore_ascii_case(b"close") => false,
        Some(value) if value.eq_ignore_ascii_case(b"keep-alive") && version == Version::HTTP_11 => true,
        Some(_) => return None,
    };
    Some(Whole { status, version, body: Bytes::copy_from_slice(body), stays })
}

/// Digits and nothing else.
fn decimal(text: &[u8]) -> Option<usize> {
    let text = std::str::from_utf8(text).ok()?;
    text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok())?
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(text: &str) -> Option<(u16, usize, bool)> {
        read(text.as_bytes(), false).map(|whole| (whole.status.as_u16(), whole.body.len(), whole.stays))
    }

    #[test]
    fn usual_answers_are_read() {
        assert_eq!(said("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"), Some((200, 2, true)));
        assert_eq!(
            said("HTTP/1.1 503 \r\ncontent-length: 0\r\nConnection: Close\r\n\r\n"),
            Some((503, 0, false))
        );
        assert_eq!(said("HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok"), Some((200, 2, false)));
        assert_eq!(
            said("HTTP/1.1 200\nContent-Length: 2\nConnection: keep-alive\n\nok"),
            Some((200, 2, true))
        );
        assert_eq!(said("HTTP/1.1 204 No Content\r\n\r\n"), Some((204, 0, true)));
        let head = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n";
        assert_eq!(read(head, true).map(|whole| whole.body.len()), Some(0));
    }

    #[test]
    fn all_others_are_left_to_hyper() {
        for text in [
            "",
            "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n",
            "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\no",
            "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok!",
            "HTTP/1.1 200 OK\r\nContent-Length: +2\r\n\r\nok",
            "HTTP/1.1 200 OK\r\nContent-Length: \r\n\r\n",
            "HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999\r\n\r\n",
            "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 2\r\n\r\nok",
            "HTTP/1.1 200 OK\r\n\r\nok",
            "HTTP/1.1 200 OK\r\n\r\n",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Length: 0\r\n\r\n",
            "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 2\r\n\r\nok",
            "HTTP/1.1 200 OK\r\nConnection: close, upgrade\r\nContent-Length: 2\r\n\r\nok",
            "HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 2\r\n\r\nok",
            "HTTP/1.1 100 Continue\r\n\r\n",
            "HTTP/1.1 101 Switching Protocols\r\nContent-Length: 0\r\n\r\n",
            "HTTP/1.1 204 No Content\r\n\r\nok",
            "HTTP/1.1 205 Reset Content\r\nContent-Length: 0\r\n\r\n",
            "HTTP/1.1 302 Found\r\nContent-Length: 0\r\nLocation: /\r\n\r\n",
            "HTTP/1.1 304 Not Modified\r\nContent-Length: 2\r\n\r\n",
            "HTTP/1.1 600 x\r\nContent-Length: 0\r\n\r\n",
            "HTTP/2 200\r\nContent-Length: 0\r\n\r\n",
            "SSH-2.0-OpenSSH_9.2p1\r\n",
        ] {
            assert_eq!(said(text), None, "{text}");
        }
        let many = "A: b\r\n".repeat(MAX_HEADERS);
        assert_eq!(said(&format!("HTTP/1.1 200 OK\r\n{many}Content-Length: 0\r\n\r\n")), None);
    }
}
