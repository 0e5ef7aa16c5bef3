//! A server that does what it is told, however rude. It lives on a thread of its own, so that its work is not
//! mistaken for the checker's.

use std::net::SocketAddr;
use std::sync::LazyLock;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::{Builder, Handle};

/// One thing that a server does with a connection. At the end of all it closes it.
#[derive(Clone, Debug)]
pub(crate) enum Step {
    /// Reads the head of a request.
    Head,
    /// Reads whatever comes first.
    Anything,
    /// Writes this.
    Say(Vec<u8>),
    /// Writes this again and again, for as long as it is taken.
    Endless(Vec<u8>),
    /// Writes this again and again, a byte each ten milliseconds.
    Drip(Vec<u8>),
    /// Says that it has nothing more to say, and stays.
    HalfClose,
    /// Does nothing more.
    Stall,
    /// Hangs up with a reset.
    Reset,
}

/// Writes this.
pub(crate) fn say(text: impl Into<Vec<u8>>) -> Step {
    Step::Say(text.into())
}

/// Writes this without end.
pub(crate) fn endless(text: impl Into<Vec<u8>>) -> Step {
    Step::Endless(text.into())
}

static ELSEWHERE: LazyLock<Handle> = LazyLock::new(thread);

fn thread() -> Handle {
    let runtime = Builder::new_current_thread().enable_all().build().unwrap();
    let handle = runtime.handle().clone();
    std::thread::spawn(move || runtime.block_on(std::future::pending::<()>()));
    handle
}

/// Starts a server that does this with each connection, and says where.
pub(crate) fn start(steps: Vec<Step>) -> SocketAddr {
    start_on(&ELSEWHERE, steps)
}

/// The same, apart from all others.
pub(crate) fn start_apart(steps: Vec<Step>) -> SocketAddr {
    start_on(&thread(), steps)
}

fn start_on(thread: &Handle, steps: Vec<Step>) -> SocketAddr {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let address = listener.local_addr().unwrap();
    thread.spawn(async move {
        let listener = TcpListener::from_std(listener).unwrap();
        while let Ok((stream, _)) = listener.accept().await {
            let steps = steps.clone();
            tokio::spawn(async move {
                // A client that hangs up ends the play.
                let _ = serve(stream, steps).await;
            });
        }
    });
    address
}

/// A socket whose queue of connections is full for good.
pub(crate) fn full() -> SocketAddr {
    let (tell, told) = std::sync::mpsc::channel();
    ELSEWHERE.spawn(async move {
        let socket = tokio::net::TcpSocket::new_v4().unwrap();
        socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
        let listener = socket.listen(1).unwrap();
        let address = listener.local_addr().unwrap();
        let mut queue = Vec::new();
        for _ in 0..4 {
            let attempt = TcpStream::connect(address);
            queue.push(tokio::time::timeout(Duration::from_millis(100), attempt).await);
        }
        tell.send(address).unwrap();
        let _kept = (listener, queue);
        std::future::pending::<()>().await;
    });
    told.recv().unwrap()
}

/// A port on which nobody listens.
pub(crate) fn nobody() -> SocketAddr {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap()
}

async fn serve(mut stream: TcpStream, steps: Vec<Step>) -> std::io::Result<()> {
    stream.set_nodelay(true)?;
    for step in steps {
        match step {
            Step::Head => head(&mut stream).await?,
            Step::Anything => drop(stream.read(&mut [0; 4096]).await?),
            Step::Say(text) => stream.write_all(&text).await?,
            Step::Endless(text) => {
                let many = text.repeat(65536 / text.len().max(1) + 1);
                loop {
                    stream.write_all(&many).await?;
                }
            }
            Step::Drip(text) => {
                for byte in text.iter().cycle() {
                    stream.write_all(&[*byte]).await?;
                    tokio::time::sleep(Duration::from_millis(10)).await;
                }
            }
            Step::HalfClose => stream.shutdown().await?,
            Step::Stall => std::future::pending().await,
            Step::Reset => {
                stream.set_zero_linger()?;
                return Ok(());
            }
        }
    }
    Ok(())
}

async fn head(stream: &mut TcpStream) -> std::io::Result<()> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await?);
    }
    Ok(())
}
