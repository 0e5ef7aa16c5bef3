//! The web server that scenarios run in containers: healthy until told otherwise.
//!
//! It answers on the port that `--port` names, or else the variable `PORT` (8080), and takes any other arguments as
//! they come. Its behaviour is its *mode*:
//! `ok`, `500`, `hang` (takes the request, never answers), `slow` (a byte every 200 ms), `refuse` (nobody listens), `crash` (exits with 1).
//! A mode comes from, in this order:
//! - `GET /mode/MODE`: for this process only, so a restart cures it;
//! - the file `/ctl/mode.INSTANCE` or `/ctl/mode`, read at each request: for every container with that directory
//!   mounted, and across restarts;
//! - the variable `PAYLOAD_MODE`.
//!
//! `PAYLOAD_START_DELAY` (seconds) delays listening; `PAYLOAD_IGNORE_TERM=1` or `GET /ignore-term` makes SIGTERM a
//! no-op; `PAYLOAD_TERM_EXIT` is the exit status for SIGTERM otherwise (0). `GET /exit/N` exits, `GET /memory/MIB`
//! fills memory, `GET /ready` tells systemd that it is ready (sd_notify(3)), `GET /env`, `/hostname`, `/args`,
//! `/instance` and `/pid` show what the container got.
//!
//! Requests that last, in `lasting.rs`: `GET /after/MS` answers after so many milliseconds, `GET /stream/N/MS` sends N
//! lines, one each so many milliseconds, and `GET /echo` with `Upgrade: websocket` sends back what it gets.

// A test server: it prints to its log and exits on demand, which is what it is for.
#![allow(clippy::print_stdout, clippy::exit)]

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::os::unix::net::UnixDatagram;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

mod lasting;

use nix::sys::signal::{SigSet, Signal};

/// What this process was told; `None` in `mode` leaves it to the file and the variable.
#[derive(Default)]
struct State {
    mode: Mutex<Option<String>>,
    ignore_term: AtomicBool,
    hoard: Mutex<Vec<Vec<u8>>>,
}

fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

fn port() -> u16 {
    let argument = std::env::args().skip_while(|word| word != "--port").nth(1);
    argument.or_else(|| variable("PORT")).and_then(|text| text.parse().ok()).unwrap_or(8080)
}

fn mode(state: &State) -> String {
    let told = state.mode.lock().ok().and_then(|mode| mode.clone());
    let instance = variable("CONDUCTOR_INSTANCE").unwrap_or_default();
    let file = |path: String| std::fs::read_to_string(path).ok().map(|text| text.trim().to_owned());
    told.or_else(|| file(format!("/ctl/mode.{instance}")))
        .or_else(|| file("/ctl/mode".to_owned()))
        .or_else(|| variable("PAYLOAD_MODE"))
        .unwrap_or_else(|| "ok".to_owned())
}

fn main() {
    if std::env::args().nth(1).as_deref() == Some("--version") {
        println!("payload {}", env!("CARGO_PKG_VERSION"));
        return;
    }
    let state = Arc::new(State::default());
    state.ignore_term.store(variable("PAYLOAD_IGNORE_TERM").is_some(), Ordering::Relaxed);
    watch_signals(Arc::clone(&state));
    println!("payload: starting with arguments {:?}", std::env::args().skip(1).collect::<Vec<_>>());
    if let Some(seconds) = variable("PAYLOAD_START_DELAY").and_then(|text| text.parse().ok()) {
        std::thread::sleep(Duration::from_secs_f32(seconds));
    }
    let port = port();
    match mode(&state).as_str() {
        "crash" => std::process::exit(1),
        "refuse" => park(),
        _ => {}
    }
    let listener = TcpListener::bind(("0.0.0.0", port)).unwrap_or_else(|error| {
        println!("payload: cannot listen on port {port}: {error}");
        std::process::exit(1)
    });
    println!("payload: listening on port {port}");
    for stream in listener.incoming().map_while(Result::ok) {
        if mode(&state) == "refuse" {
            break;
        }
        let state = Arc::clone(&state);
        std::thread::spawn(move || serve(&state, stream));
    }
    drop(listener);
    println!("payload: no longer listening");
    park()
}

/// Lives on without doing anything.
fn park() -> ! {
    loop {
        std::thread::park();
    }
}

/// PID 1 of a container has no default action for SIGTERM, so there has to be someone who waits for it.
fn watch_signals(state: Arc<State>) {
    let mut signals = SigSet::empty();
    signals.add(Signal::SIGTERM);
    signals.add(Signal::SIGINT);
    if let Err(error) = signals.thread_block() {
        println!("payload: cannot block signals: {error}");
    }
    std::thread::spawn(move || {
        while let Ok(signal) = signals.wait() {
            if state.ignore_term.load(Ordering::Relaxed) {
                println!("payload: ignoring {signal}");
            } else {
                println!("payload: ending on {signal}");
                std::process::exit(
                    variable("PAYLOAD_TERM_EXIT").and_then(|text| text.parse().ok()).unwrap_or(0),
                );
            }
        }
    });
}

fn serve(state: &State, stream: TcpStream) {
    let mut reader = BufReader::new(&stream);
    let mut request = String::new();
    if reader.read_line(&mut request).is_err() {
        return;
    }
    let mut header = String::new();
    while reader.read_line(&mut header).is_ok_and(|length| length > 2) {
        header.clear();
    }
    let path = request.split(' ').nth(1).unwrap_or("/");
    let path = path.split('?').next().unwrap_or_default();
    if lasting::serve(path, &mut reader, &stream) {
        return;
    }
    if let Some((status, body)) = answer(state, path) {
        let length = body.len();
        let head = format!("HTTP/1.1 {status}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n");
        let answer = format!("{head}{body}");
        if path.starts_with("/mode/") || mode(state) != "slow" {
            let _ = (&stream).write_all(answer.as_bytes());
        } else {
            for byte in answer.bytes() {
                std::thread::sleep(Duration::from_millis(200));
                if (&stream).write_all(&[byte]).is_err() {
                    break;
                }
            }
        }
    } else {
        // Keeps the connection open and silent until the client gives up.
        while reader.read_line(&mut header).is_ok_and(|length| length > 0) {
            header.clear();
        }
    }
    let woken_to_refuse = mode(state) == "refuse";
    drop(stream);
    if woken_to_refuse {
        // The accept loop waits for a connection; this is the one that tells it to look at the mode.
        let _ = TcpStream::connect(("127.0.0.1", port()));
    }
}

fn say_ready() -> std::io::Result<()> {
    let socket = variable("NOTIFY_SOCKET").ok_or(std::io::ErrorKind::NotFound)?;
    UnixDatagram::unbound()?.send_to(b"READY=1", socket).map(drop)
}

/// Status and body, or `None` for no answer at all.
fn answer(state: &State, path: &str) -> Option<(&'static str, String)> {
    let lines = |items: Vec<String>| items.join("\n") + "\n";
    let mut words = path.trim_start_matches('/').split('/');
    let body = match (words.next().unwrap_or_default(), words.next()) {
        ("mode", Some(mode)) => {
            println!("payload: mode is {mode} now");
            if let Ok(mut told) = state.mode.lock() {
                *told = Some(mode.to_owned());
            }
            "ok\n".to_owned()
        }
        ("exit", Some(code)) => std::process::exit(code.parse().unwrap_or(1)),
        ("memory", Some(mebibytes)) => {
            let bytes = mebibytes.parse::<usize>().unwrap_or(1) << 20;
            if let Ok(mut hoard) = state.hoard.lock() {
                hoard.push(vec![1; bytes]);
            }
            "ok\n".to_owned()
        }
        ("ignore-term", None) => {
            state.ignore_term.store(true, Ordering::Relaxed);
            "ok\n".to_owned()
        }
        ("ready", None) => match say_ready() {
            Ok(()) => "ok\n".to_owned(),
            Err(error) => return Some(("500 Internal Server Error", format!("{error}\n"))),
        },
        ("env", None) => lines(std::env::vars().map(|(name, value)| format!("{name}={value}")).collect()),
        ("hostname", None) => return Some(("200 OK", variable("HOSTNAME").unwrap_or_default())),
        ("args", None) => lines(std::env::args().collect()),
        ("instance", None) => variable("CONDUCTOR_INSTANCE").unwrap_or_default() + "\n",
        ("pid", None) => format!("{}\n", std::process::id()),
        _ => {
            return match mode(state).as_str() {
                "500" => Some(("500 Internal Server Error", "told to fail\n".to_owned())),
                "hang" => None,
                "crash" => std::process::exit(1),
                _ => Some(("200 OK", "ok\n".to_owned())),
            };
        }
    };
    Some(("200 OK", body))
}
