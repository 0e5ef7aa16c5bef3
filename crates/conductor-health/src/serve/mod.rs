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
/// How long a question may take: those who ask nothing are not to take the places of those who do.
const QUESTION: Duration = Duration::from_secs(2);
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
    let Ok(Some(asked)) = tokio::time::timeout(QUESTION, listen_to(&mut stream)).await else { return };
    let reply = match asked {
        Ok(question) => {
            let with_body = question.wants_body();
            let as_line = matches!(question, Question::Agent(_));
            let answer = answer(question).await;
            if as_line { answer.line() } else { answer.http(with_body) }
        }
        Err(answer) => answer.http(true),
    };
    let _ = stream.write_all(reply.as_bytes()).await;
    let _ = stream.shutdown().await;
}

/// The question, or what is to be said of what is none; nothing of those who hang up.
async fn listen_to<S: AsyncRead + Unpin>(stream: &mut S) -> Option<Result<Question, Answer>> {
    let mut text = Vec::new();
    loop {
        match read(&text) {
            Read::Question(question) => return Some(Ok(question)),
            Read::Nonsense(answer) => return Some(Err(answer)),
            Read::More => {}
        }
        let mut more = [0; 1024];
        match stream.read(&mut more).await {
            Ok(0) | Err(_) => return None,
            Ok(length) => text.extend_from_slice(more.get(..length).unwrap_or_default()),
        }
    }
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
    async fn those_who_say_nothing_hold_up_nobody_for_long() {
        let address = server();
        let mut silent = Vec::new();
        for _ in 0..AT_ONCE - 1 {
            silent.push(TcpStream::connect(address).await.unwrap());
        }
        assert_eq!(ask(address, "web\n").await, "ready up 50% #web\n", "there is a place left");
        silent.push(TcpStream::connect(address).await.unwrap());
        let asked = tokio::time::timeout(QUESTION * 3, ask(address, "web\n")).await;
        assert_eq!(asked.as_deref(), Ok("ready up 50% #web\n"), "they have lost theirs");
    }
}
