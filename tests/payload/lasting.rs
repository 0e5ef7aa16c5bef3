//! Requests that last, and may be on their way while a release ends.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

/// Serves those; `false` if it is none of them.
pub(crate) fn serve(path: &str, from: &mut impl Read, stream: &TcpStream) -> bool {
    let words: Vec<&str> = path.trim_start_matches('/').split('/').collect();
    // Whoever asked may be gone, and that is no concern of ours.
    let _ = match words.as_slice() {
        ["after", milliseconds] => after(millis(milliseconds), stream),
        ["stream", lines, milliseconds] => lines_of(lines.parse().unwrap_or(1), millis(milliseconds), stream),
        ["echo"] => echo(from, stream),
        _ => return false,
    };
    true
}

fn millis(word: &str) -> Duration {
    Duration::from_millis(word.parse().unwrap_or(0))
}

fn after(time: Duration, mut stream: &TcpStream) -> std::io::Result<()> {
    std::thread::sleep(time);
    stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\nConnection: close\r\n\r\nok\n")
}

/// Without a length: whether all of it has come, the chunks say, of which the last one is empty.
fn lines_of(lines: u32, each: Duration, mut stream: &TcpStream) -> std::io::Result<()> {
    stream.write_all(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n")?;
    for line in 1..=lines {
        std::thread::sleep(each);
        let text = format!("line {line}\n");
        stream.write_all(format!("{:x}\r\n{text}\r\n", text.len()).as_bytes())?;
    }
    stream.write_all(b"0\r\n\r\n")
}

/// What RFC 6455, 1.3, answers to its sample key, which is the one that our customers have: HAProxy compares.
const SWITCHING: &[u8] = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
    Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n";

/// What a WebSocket is to a proxy: bytes both ways after an upgrade.
fn echo(from: &mut impl Read, mut stream: &TcpStream) -> std::io::Result<()> {
    stream.write_all(SWITCHING)?;
    let mut bytes = [0; 512];
    loop {
        let length = from.read(&mut bytes)?;
        let Some(got) = bytes.get(..length).filter(|got| !got.is_empty()) else { return Ok(()) };
        stream.write_all(got)?;
    }
}
