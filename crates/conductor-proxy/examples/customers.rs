//! Customers: they ask all the time, one request after the other, never twice for the same, and say in the end what
//! became of all requests. Those who keep their connection look whether it was closed before they use it again.
//!
//! ```sh
//! customers 127.0.0.1:8000 kept 8 /hostname /run/enough    # until there is that file
//! customers 127.0.0.1:8000 fresh 8 /hostname /run/enough
//! customers 127.0.0.1:8000 socket 2 /echo /run/enough      # WebSockets, each as long as it lasts
//! ```
//!
//! Each line is `answered NUMBER TEXT` or `lost NUMBER WHY`.

#![allow(clippy::unwrap_used, clippy::print_stdout, clippy::print_stderr)] // A client of tests.

#[path = "../tests/support/client.rs"]
#[allow(dead_code, reason = "tests use more of it")]
mod client;

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use client::{Connections, Load};

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let [address, how, number, path, enough] = words.as_slice() else {
        eprintln!("usage: customers ADDRESS fresh|kept|socket NUMBER PATH FILE");
        return ExitCode::FAILURE;
    };
    let (Ok(address), Ok(number)) = (address.parse(), number.parse()) else {
        eprintln!("{address} or {number} is not what it has to be");
        return ExitCode::FAILURE;
    };
    let enough = PathBuf::from(enough);
    match how.as_str() {
        "socket" => sockets(address, number, path, &enough),
        how => {
            let connections = if how == "kept" { Connections::Kept } else { Connections::Fresh };
            let load = Load::start(address, number, connections, path);
            wait_for(&enough);
            let tally = load.end();
            let lines = |word: &str, of: &std::collections::BTreeMap<String, u64>| {
                for (text, count) in of {
                    println!("{word} {count} {}", text.trim_end());
                }
            };
            lines("answered", &tally.answered);
            lines("lost", &tally.lost);
        }
    }
    ExitCode::SUCCESS
}

fn wait_for(file: &Path) {
    while !file.exists() {
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// A line for each, as soon as it ends.
fn sockets(address: SocketAddr, number: usize, path: &str, enough: &Path) {
    std::thread::scope(|scope| {
        for _ in 0..number {
            scope.spawn(move || {
                let mut answers = 0;
                let end = socket(address, path, enough, &mut answers);
                println!("answered {answers} in one socket");
                if let Err(why) = end {
                    println!("lost 1 {why}");
                }
            });
        }
    });
}

/// Talks over one until it is enough.
fn socket(address: SocketAddr, path: &str, enough: &Path, answers: &mut u64) -> Result<(), String> {
    let said = |error: std::io::Error| format!("socket: {}", error.kind());
    let mut stream = TcpStream::connect(address).map_err(said)?;
    stream.set_read_timeout(Some(Duration::from_secs(30))).map_err(said)?;
    // The sample key of RFC 6455: HAProxy compares the answer with it.
    let request = format!(
        "GET {path} HTTP/1.1\r\nHost: web\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    );
    stream.write_all(request.as_bytes()).map_err(said)?;
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        stream.read_exact(&mut byte).map_err(said)?;
        head.extend(byte);
    }
    if !head.starts_with(b"HTTP/1.1 101 ") {
        return Err(format!(
            "no socket: {}",
            String::from_utf8_lossy(&head).lines().next().unwrap_or_default()
        ));
    }
    while !enough.exists() {
        stream.write_all(b"ping").map_err(said)?;
        let mut answer = [0; 4];
        stream.read_exact(&mut answer).map_err(said)?;
        *answers += 1;
        std::thread::sleep(Duration::from_millis(50));
    }
    Ok(())
}
