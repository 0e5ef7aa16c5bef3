//! What is asked, and what is answered.

use std::fmt::Write as _;

/// The longest head of a request.
const LONGEST: usize = 8 * 1024;

/// What is asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Question {
    /// `GET` or `HEAD`, and the path without its query.
    Http {
        /// What for.
        path: String,
        /// Whether the body is wanted, too.
        body: bool,
    },
    /// The line that a load balancer's agent check sends (`agent-send` of HAProxy), without its end.
    Agent(String),
}

impl Question {
    pub(super) fn wants_body(&self) -> bool {
        matches!(self, Self::Http { body: true, .. } | Self::Agent(_))
    }
}

/// What is answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The status of HTTP.
    pub status: u16,
    /// Its `Content-Type`.
    pub kind: &'static str,
    /// The text.
    pub body: String,
}

impl Answer {
    /// Plain text.
    pub fn text(status: u16, body: impl Into<String>) -> Self {
        Self { status, kind: "text/plain; charset=utf-8", body: body.into() }
    }

    /// JSON.
    pub fn json(body: impl Into<String>) -> Self {
        Self { status: 200, kind: "application/json", body: body.into() }
    }

    /// What Prometheus reads.
    pub fn metrics(body: impl Into<String>) -> Self {
        Self { status: 200, kind: "text/plain; version=0.0.4; charset=utf-8", body: body.into() }
    }

    /// That there is no such thing, and what there is.
    pub fn not_found() -> Self {
        Self::text(404, "not here: ask for /health, /metrics or /status\n")
    }

    pub(super) fn http(&self, with_body: bool) -> String {
        let Self { status, kind, body } = self;
        let phrase = match status {
            200 => "OK",
            404 => "Not Found",
            405 => "Method Not Allowed",
            431 => "Request Header Fields Too Large",
            502 => "Bad Gateway",
            503 => "Service Unavailable",
            _ => "Bad Request",
        };
        let mut text = format!("HTTP/1.1 {status} {phrase}\r\n");
        // Writing into a String cannot fail.
        let _ = write!(text, "Content-Type: {kind}\r\nContent-Length: {}\r\n", body.len());
        text.push_str("Cache-Control: no-store\r\nConnection: close\r\n\r\n");
        if with_body {
            text.push_str(body);
        }
        text
    }

    /// The first line alone.
    pub(super) fn line(&self) -> String {
        format!("{}\n", self.body.lines().next().unwrap_or_default())
    }
}

/// What has been read so far.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Read {
    /// All of it.
    Question(Question),
    /// Not enough.
    More,
    /// Something that has no answer but this.
    Nonsense(Answer),
}

/// Reads the head of a request, or else one line.
pub(super) fn read(text: &[u8]) -> Read {
    let Some(end) = text.iter().position(|byte| *byte == b'\n') else {
        return if text.len() > LONGEST { too_long() } else { Read::More };
    };
    let line = String::from_utf8_lossy(text.get(..end).unwrap_or_default());
    let line = line.trim_end_matches('\r');
    let words: Vec<&str> = line.split(' ').collect();
    let [method, target, version] = words.as_slice() else {
        return Read::Question(Question::Agent(line.trim().to_owned()));
    };
    if !version.starts_with("HTTP/1.") {
        return Read::Nonsense(Answer::text(400, "this speaks HTTP/1.1\n"));
    }
    // What the header fields say changes nothing, but whoever sends them wants to get rid of them.
    let is_whole =
        text.windows(2).any(|two| two == b"\n\n") || text.windows(4).any(|four| four == b"\r\n\r\n");
    if !is_whole {
        return if text.len() > LONGEST { too_long() } else { Read::More };
    }
    let path = target.split(['?', '#']).next().unwrap_or_default().to_owned();
    match *method {
        "GET" => Read::Question(Question::Http { path, body: true }),
        "HEAD" => Read::Question(Question::Http { path, body: false }),
        _ => Read::Nonsense(Answer::text(405, "only GET and HEAD are understood\n")),
    }
}

fn too_long() -> Read {
    Read::Nonsense(Answer::text(431, "nobody needs to ask that much\n"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn http(path: &str) -> Read {
        Read::Question(Question::Http { path: path.to_owned(), body: true })
    }

    #[test]
    fn requests_and_lines() {
        assert_eq!(read(b"GET /a?b HTTP/1.1\r\nHost: x\r\n\r\n"), http("/a"));
        assert_eq!(read(b"GET / HTTP/1.0\n\n"), http("/"));
        assert_eq!(read(b"GET / HTTP/1.1\r\nHost: x\r\n"), Read::More);
        assert_eq!(read(b"web\r\n"), Read::Question(Question::Agent("web".to_owned())));
        assert_eq!(read(b"\n"), Read::Question(Question::Agent(String::new())));
        assert_eq!(read(b"we"), Read::More);
        for (asked, status) in [
            ("POST / HTTP/1.1\r\n\r\n", 405),
            ("GET / HTTP/2.0\r\n\r\n", 400),
            ("a b c\n", 400),
            (&*"x".repeat(9000), 431),
            (&*format!("GET / HTTP/1.1\r\n{}", "A: b\r\n".repeat(2000)), 431),
        ] {
            assert!(matches!(read(asked.as_bytes()), Read::Nonsense(answer) if answer.status == status));
        }
    }

    proptest! {
        #[test]
        fn whatever_comes_is_understood_once_and_for_all(text in proptest::collection::vec(any::<u8>(), 0..200)) {
            // What was understood does not change by what follows.
            if let Read::Question(question) = read(&text) {
                let mut longer = text.clone();
                longer.extend(b"more\r\n");
                prop_assert_eq!(read(&longer), Read::Question(question));
            }
        }
    }
}
