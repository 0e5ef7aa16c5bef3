//! Answers about the state of services: over HTTP, and in the one line that HAProxy's agent checks want.
//!
//! Who asks is a Prometheus, a load balancer or an administrator with curl: one question on each connection, a
//! short answer, end. So this is no web server: it reads the first lines that come, within bounds of time and
//! size, and knows `GET` and `HEAD`.

pub mod aggregate;
mod checkers;
pub mod exposition;
mod listen;
mod question;
mod traffic;

pub use listen::{Address, Listener, inherited};
pub use question::{Answer, Question};
pub use traffic::{Member, Traffic};

use question::{Read, read};
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::sync::Semaphore;

/// How many are answered at once. The others wait in the kernel's queue.
const AT_ONCE: usize = 64;
/// How long one may take, from its first byte to our last.
const PATIENCE: Duration = Duration::from_secs(10);
/// The pause after nobody could be let in, for want of descriptors for instance.
const PAUSE: Duration = Duration::from_millis(200);

/// Answers whoever connects, for ever.
pub async fn serve<H, F>(listener: Listener, answer: H)
where
    H: Fn(Question) -> F + Clone + Send + Sync + 'static,
    F: Future<Output = Answer> + Send,
{
    let places = Arc::new(Semaphore::new(AT_ONCE));
    loop {
        // Nobody closes it.
        let Ok(place) = Arc::clone(&places).acquire_owned().await else { return };
        let answer = answer.clone();
        let accepted = listener
            .accept(move |stream| async move {
                let _ = tokio::time::timeout(PATIENCE, converse(stream, answer)).await;
                drop(place);
            })
            .await;
        if accepted.is_err() {
            tokio::time::sleep(PAUSE).await;
        }
    }
}

/// One question, one answer. Whoever hangs up in the middle has changed their mind.
async fn converse<S, H, F>(mut stream: S, answer: H)
where
    S: AsyncRead + AsyncWrite + Unpin,
    H: Fn(Question) -> F,
    F: Future<Output = Answer>,
{
    let mut text = Vec::new();
    let reply = loop {
        match read(&text) {
            Read::Question(question) => {
                let with_body = question.wants_body();
                let as_line = matches!(question, Question::Agent(_));
                let answer = answer(question).await;
                break if as_line { answer.line() } else { answer.http(with_body) };
            }
            Read::Nonsense(answer) => break answer.http(true),
            Read::More => {}
        }
        let mut more = [0; 1024];
        match stream.read(&mut more).await {
            Ok(0) | Err(_) => return,
            Ok(length) => text.extend_from_slice(more.get(..length).unwrap_or_default()),
        }
    };
    let _ = stream.write_all(reply.as_bytes()).await;
    let _ = stream.shutdown().await;
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::net::TcpStream;

    fn server() -> std::net::SocketAddr {
        let listener = Listener::bind(&"127.0.0.1:0".parse().unwrap()).unwrap();
        let address = listener.local_address().unwrap();
        tokio::spawn(serve(listener, |question| async move {
            match question {
                Question::Http { path, .. } => Answer::text(200, format!("you asked for {path}\n")),
                Question::Agent(name) => Answer::text(200, format!("ready up 50% #{name}\n")),
            }
        }));
        address
    }

    async fn ask(address: std::net::SocketAddr, text: &str) -> String {
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(text.as_bytes()).await.unwrap();
        let mut said = String::new();
        stream.read_to_string(&mut said).await.unwrap();
        said
    }

    #[tokio::test]
    async fn answers_both_kinds_on_one_port() {
        let address = server();
        let said = ask(address, "GET /health?x=1 HTTP/1.1\r\nHost: a\r\nUser-Agent: b\r\n\r\n").await;
        assert!(said.starts_with("HTTP/1.1 200 OK\r\n"), "{said}");
        assert!(said.ends_with("\r\n\r\nyou asked for /health\n"), "{said}");
        assert_eq!(ask(address, "web\n").await, "ready up 50% #web\n");
        let said = ask(address, "HEAD / HTTP/1.1\r\n\r\n").await;
        assert!(said.contains("Content-Length: 16\r\n") && said.ends_with("\r\n\r\n"), "{said}");
    }

    #[tokio::test]
    async fn one_who_says_nothing_holds_up_nobody() {
        let address = server();
        let mut silent = Vec::new();
        for _ in 0..AT_ONCE - 1 {
            silent.push(TcpStream::connect(address).await.unwrap());
        }
        assert_eq!(ask(address, "web\n").await, "ready up 50% #web\n");
    }
}
