//! A release of a service: a small HTTP server that answers with its name, after a while, and can be killed.

use std::io::{BufRead, BufReader, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use conductor_proxy::Address;

#[derive(Debug)]
pub(crate) struct Backend {
    address: SocketAddr,
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    name: String,
    delay: Duration,
    dead: AtomicBool,
    answered: AtomicUsize,
    connections: Mutex<Vec<TcpStream>>,
}

impl Backend {
    /// Starts one that takes so long for each answer.
    pub(crate) fn start(name: &str, delay: Duration) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let shared = Arc::new(Shared {
            name: name.to_owned(),
            delay,
            dead: AtomicBool::new(false),
            answered: AtomicUsize::new(0),
            connections: Mutex::new(Vec::new()),
        });
        let accepting = Arc::clone(&shared);
        std::thread::spawn(move || accept(&listener, &accepting));
        Self { address, shared }
    }

    pub(crate) fn address(&self) -> Address {
        self.address.to_string().parse().unwrap()
    }

    /// How many requests it has answered.
    pub(crate) fn answered(&self) -> usize {
        self.shared.answered.load(Ordering::SeqCst)
    }

    /// How many connections it has ever had.
    pub(crate) fn connected(&self) -> usize {
        self.shared.connections.lock().unwrap().len()
    }

    /// Ends at once, as a killed container does: listening socket and connections are gone.
    pub(crate) fn kill(self) {
        drop(self);
    }
}

impl Drop for Backend {
    fn drop(&mut self) {
        self.shared.dead.store(true, Ordering::SeqCst);
        for connection in self.shared.connections.lock().unwrap().drain(..) {
            // It may be closed already.
            let _ = connection.shutdown(Shutdown::Both);
        }
        // Wakes the thread that accepts, which then drops the listener.
        let _ = TcpStream::connect(self.address);
    }
}

fn accept(listener: &TcpListener, shared: &Arc<Shared>) {
    for connection in listener.incoming() {
        let connection = connection.unwrap();
        let mut connections = shared.connections.lock().unwrap();
        // Under the lock: nothing is accepted and forgotten while it is killed.
        if shared.dead.load(Ordering::SeqCst) {
            return;
        }
        connections.push(connection.try_clone().unwrap());
        drop(connections);
        let shared = Arc::clone(shared);
        std::thread::spawn(move || answer(connection, &shared));
    }
}

/// Answers until the connection ends, in whatever way.
fn answer(mut connection: TcpStream, shared: &Shared) -> Option<()> {
    connection.set_nodelay(true).ok()?;
    let mut reader = BufReader::new(connection.try_clone().ok()?);
    loop {
        loop {
            let mut line = String::new();
            if reader.read_line(&mut line).ok()? == 0 {
                return None;
            }
            if line == "\r\n" {
                break;
            }
        }
        std::thread::sleep(shared.delay);
        let name = &shared.name;
        let text = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{name}", name.len());
        connection.write_all(text.as_bytes()).ok()?;
        shared.answered.fetch_add(1, Ordering::SeqCst);
    }
}
