//! A client that never tries again: what it calls lost was lost.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

/// How a client uses connections.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Connections {
    Fresh,
    Kept,
}

/// What became of all requests.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    /// By the name that answered.
    pub(crate) answered: BTreeMap<String, u64>,
    pub(crate) lost: BTreeMap<String, u64>,
}

impl Tally {
    pub(crate) fn total(&self) -> u64 {
        self.answered.values().sum()
    }

    pub(crate) fn lost(&self) -> u64 {
        self.lost.values().sum()
    }
}

#[derive(Debug)]
pub(crate) struct Load {
    stop: Arc<AtomicBool>,
    tally: Arc<Mutex<Tally>>,
    threads: Vec<JoinHandle<()>>,
}

impl Load {
    /// So many clients that ask for `path`, one request after the other.
    pub(crate) fn start(address: SocketAddr, clients: usize, connections: Connections, path: &str) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let tally = Arc::new(Mutex::new(Tally::default()));
        let threads = (0..clients)
            .map(|_| {
                let (stop, tally, path) = (Arc::clone(&stop), Arc::clone(&tally), path.to_owned());
                std::thread::spawn(move || client(address, connections, &path, &stop, &tally))
            })
            .collect();
        Self { stop, tally, threads }
    }

    /// Ends after the requests that are on their way.
    pub(crate) fn end(self) -> Tally {
        self.stop.store(true, Ordering::SeqCst);
        for thread in self.threads {
            thread.join().unwrap();
        }
        std::mem::take(&mut *self.tally.lock().unwrap())
    }
}

fn client(
    address: SocketAddr,
    connections: Connections,
    path: &str,
    stop: &AtomicBool,
    tally: &Mutex<Tally>,
) {
    let mut kept = None;
    while !stop.load(Ordering::SeqCst) {
        let answer = request(address, connections, &mut kept, path, "");
        let mut tally = tally.lock().unwrap();
        match answer {
            Ok(name) => *tally.answered.entry(name).or_default() += 1,
            Err(why) => *tally.lost.entry(why).or_default() += 1,
        }
    }
}

/// One request over a connection of its own; `headers` end in `\r\n` each.
pub(crate) fn get(address: SocketAddr, headers: &str) -> Result<String, String> {
    request(address, Connections::Fresh, &mut None, "/", headers)
}

fn request(
    address: SocketAddr,
    connections: Connections,
    kept: &mut Option<BufReader<TcpStream>>,
    path: &str,
    headers: &str,
) -> Result<String, String> {
    let reused = kept.is_some();
    let mut reader = match kept.take().filter(|kept| !is_closed(kept)) {
        Some(kept) => kept,
        None => connect(address)?,
    };
    let how = if reused { "reused" } else { "fresh" };
    let close = if connections == Connections::Fresh { "Connection: close\r\n" } else { "" };
    let text = format!("GET {path} HTTP/1.1\r\nHost: web\r\n{close}{headers}\r\n");
    reader.get_mut().write_all(text.as_bytes()).map_err(|error| format!("{how}: write: {}", error.kind()))?;
    let (name, closes) = read(&mut reader).map_err(|error| format!("{how}: {error}"))?;
    if connections == Connections::Kept && !closes {
        *kept = Some(reader);
    }
    Ok(name)
}

fn connect(address: SocketAddr) -> Result<BufReader<TcpStream>, String> {
    let stream = TcpStream::connect(address).map_err(|error| format!("connect: {}", error.kind()))?;
    stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
    stream.set_nodelay(true).unwrap();
    Ok(BufReader::new(stream))
}

/// Whether the other side has closed a connection that we have nothing to read from.
fn is_closed(kept: &BufReader<TcpStream>) -> bool {
    let stream = kept.get_ref();
    stream.set_nonblocking(true).unwrap();
    let peeked = stream.peek(&mut [0]);
    stream.set_nonblocking(false).unwrap();
    !matches!(peeked, Err(error) if error.kind() == std::io::ErrorKind::WouldBlock)
}

/// The body of an answer that is whole and `200`, and whether the connection ends with it.
fn read(reader: &mut BufReader<TcpStream>) -> Result<(String, bool), String> {
    let mut status = String::new();
    let mut length = None;
    let mut closes = false;
    loop {
        let mut line = String::new();
        match reader.read_line(&mut line) {
            Ok(0) => return Err("closed without an answer".to_owned()),
            Err(error) => return Err(format!("read: {}", error.kind())),
            Ok(_) => {}
        }
        let line = line.trim_end().to_ascii_lowercase();
        if status.is_empty() {
            status = line;
        } else if line.is_empty() {
            break;
        } else if let Some(value) = line.strip_prefix("content-length: ") {
            length = value.parse::<usize>().ok();
        } else if line == "connection: close" {
            closes = true;
        }
    }
    let mut body = vec![0; length.ok_or("no length")?];
    reader.read_exact(&mut body).map_err(|error| format!("truncated: {}", error.kind()))?;
    if status.contains(" 200 ") { Ok((String::from_utf8(body).unwrap(), closes)) } else { Err(status) }
}
