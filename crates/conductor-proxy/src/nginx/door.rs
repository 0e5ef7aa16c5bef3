//! Ways into nginx that only root has: for each upstream a socket on which nginx passes requests on to it, whatever the
//! administrator's own servers do, and says which instance has answered.
//!
//! A socket is left behind when nginx is killed, and nginx would not start over it (`ngx_open_listening_sockets()`
//! binds without removing, and takes EADDRINUSE for another server). So whoever writes the files removes those on which
//! nobody listens.

use std::fmt::Write as _;
use std::fs::{self, DirBuilder};
use std::io::{self, ErrorKind};
use std::os::unix::fs::DirBuilderExt as _;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::time::Instant;

use super::Nginx;
use crate::files;
use crate::{Ask, Error, Kind, Upstream, UpstreamName, Verified};

/// The header in which nginx says who has answered.
pub(crate) const HEADER: &str = "X-Conductor-Instance";

/// `sun_path` of unix(7) has 108 bytes with the zero at its end.
const LONGEST_PATH: usize = 107;

/// How long it may take until all instances have had a turn: others get requests too.
const LIMIT: Duration = Duration::from_secs(5);

/// From bind(2) to listen(2) it is no time at all.
const SOON: Duration = Duration::from_millis(20);

/// How long one answer may take.
const ANSWER: Duration = Duration::from_secs(10);

/// A head of an answer is shorter: nginx's `proxy_buffer_size` is a page.
const LONGEST_HEAD: u64 = 64 << 10;

impl Nginx {
    /// The socket of an upstream; `None` if its name is too long for one.
    pub(super) fn door(&self, name: &UpstreamName) -> Option<PathBuf> {
        let path = self.doors().join(format!("{name}.sock"));
        (path.as_os_str().len() <= LONGEST_PATH && path.to_str().is_some_and(is_plain)).then_some(path)
    }

    fn doors(&self) -> PathBuf {
        self.directory.with_extension("doors")
    }

    /// Makes their directory, in which only root finds them, and removes those on which nobody listens.
    pub(super) fn tidy_doors(&self) -> io::Result<()> {
        let directory = self.doors();
        match DirBuilder::new().recursive(true).mode(0o700).create(&directory) {
            Err(error) if error.kind() != ErrorKind::AlreadyExists => return Err(error),
            _ => {}
        }
        for entry in fs::read_dir(&directory)? {
            let path = entry?.path();
            if is_refused(&path) {
                // Another nginx may have bound it this instant, and is about to listen.
                std::thread::sleep(SOON);
                if is_refused(&path) {
                    files::remove(&path)?;
                }
            }
        }
        Ok(())
    }

    /// Asks through nginx until each instance has answered.
    pub(super) async fn verified(&self, wanted: &Upstream, ask: &Ask) -> Result<Verified, Error> {
        let Some(door) = self.door(&wanted.name) else {
            return Ok(Verified::Unclear("the name of its upstream is too long".to_owned()));
        };
        let mut left: Vec<String> = wanted.servers.iter().map(|server| server.address.to_string()).collect();
        let (all, of) = (left.clone(), left.len());
        let begun = Instant::now();
        let mut requests = 0;
        while !left.is_empty() && begun.elapsed() < LIMIT {
            let asking = tokio::time::timeout(ANSWER, answer(&door, ask));
            let head = match asking.await {
                Ok(Ok(head)) => head,
                Ok(Err(error)) => {
                    return Err(Error::new(Kind::Refused, format!("nginx does not answer: {error}")));
                }
                Err(_) => {
                    let text = format!("nginx does not answer {} within {} s", ask.path, ANSWER.as_secs());
                    return Err(Error::new(Kind::Refused, text));
                }
            };
            requests += 1;
            match judge(&head, ask, &all)? {
                Ok(instance) => left.retain(|address| *address != instance),
                Err(why) => return Ok(Verified::Unclear(why)),
            }
        }
        Ok(Verified::Answered { requests, instances: of - left.len(), of })
    }
}

fn is_refused(door: &Path) -> bool {
    matches!(UnixStream::connect(door), Err(error) if error.kind() == ErrorKind::ConnectionRefused)
}

/// Neither quoting nor a variable of nginx's.
fn is_plain(path: &str) -> bool {
    path.chars().all(|c| c.is_ascii_alphanumeric() || "/._-".contains(c))
}

/// The head of the answer, status line and fields.
async fn answer(door: &PathBuf, ask: &Ask) -> io::Result<String> {
    let mut stream = tokio::net::UnixStream::connect(door).await?;
    stream.write_all(request(ask).as_bytes()).await?;
    let mut head = Vec::new();
    let mut answer = stream.take(LONGEST_HEAD);
    let end = |head: &[u8]| head.windows(4).any(|four| four == b"\r\n\r\n");
    while !end(&head) && answer.read_buf(&mut head).await? > 0 {}
    Ok(String::from_utf8_lossy(&head).into_owned())
}

fn request(ask: &Ask) -> String {
    let has = |wanted: &str| ask.headers.iter().any(|(name, _)| name.eq_ignore_ascii_case(wanted));
    let mut text = format!("{} {} HTTP/1.1\r\nConnection: close\r\n", ask.method, ask.path);
    if !has("host") {
        text += "Host: localhost\r\n";
    }
    for (name, value) in ask.headers.iter().filter(|(name, _)| !name.eq_ignore_ascii_case("connection")) {
        // Writing to a String cannot fail.
        let _ = write!(text, "{name}: {value}\r\n");
    }
    text + "\r\n"
}

/// Which instance has answered as it should; or why that cannot be told. An error is an answer that no customer should
/// get.
fn judge(head: &str, ask: &Ask, wanted: &[String]) -> Result<Result<String, String>, Error> {
    let refused = |text: String| Error::new(Kind::Refused, text);
    let status = head.split(' ').nth(1).and_then(|status| status.parse::<u16>().ok());
    let status = status.ok_or_else(|| refused("nginx answers with something that is not HTTP".to_owned()))?;
    let asked = format!("{} of it through nginx", ask.path);
    let field = head.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case(HEADER).then(|| value.trim().to_owned())
    });
    let field = field.unwrap_or_default();
    // It lists all that it has tried, after each other (`$upstream_addr`).
    let tried: Vec<&str> = field.split(", ").flat_map(|part| part.split(" : ")).collect();
    let expected = |status: u16| ask.expect.iter().any(|range| range.contains(&status));
    match tried.as_slice() {
        // Rules of the `http` block hold for our server as well: who may come in, what is cached, how often one may ask.
        _ if matches!(status, 401 | 403) && !expected(status) => {
            Ok(Err(format!("nginx lets nobody in, with {status}, by rules for all its servers")))
        }
        [""] if status < 500 => Ok(Err(format!("nginx answers by itself, with {status}"))),
        [""] => Err(refused(format!("nginx answers {asked} by itself, with {status}"))),
        [one] if !wanted.iter().any(|address| address == one) => Err(refused(format!(
            "nginx passes requests on to {one}, which is not an instance of this release"
        ))),
        [one] if expected(status) => Ok(Ok((*one).to_owned())),
        [one] => Err(refused(format!("{one} answers {asked} with {status}"))),
        [first, ..] => Err(refused(format!("nginx does not reach {first} and had to ask another instance"))),
        [] => Ok(Err("nginx does not say who has answered".to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ask() -> Ask {
        Ask {
            method: "GET".to_owned(),
            path: "/healthz?a".to_owned(),
            headers: vec![("Host".to_owned(), "shop".to_owned()), ("Accept".to_owned(), "*/*".to_owned())],
            expect: vec![200..=399],
        }
    }

    #[test]
    fn requests() {
        assert_eq!(
            request(&ask()),
            "GET /healthz?a HTTP/1.1\r\nConnection: close\r\nHost: shop\r\nAccept: */*\r\n\r\n"
        );
        let plain = Ask { headers: Vec::new(), ..ask() };
        assert!(request(&plain).contains("\r\nHost: localhost\r\n"));
    }

    fn judged(status: u16, who: &str) -> String {
        let head = format!("HTTP/1.1 {status} Word\r\nServer: nginx\r\nx-conductor-instance: {who}\r\n\r\n");
        let wanted = ["127.0.0.1:1", "[::1]:2"].map(str::to_owned);
        match judge(&head, &ask(), &wanted) {
            Ok(Ok(instance)) => instance,
            Ok(Err(unclear)) => format!("unclear: {unclear}"),
            Err(error) => format!("error: {error}"),
        }
    }

    #[test]
    fn answers() {
        assert_eq!(judged(204, "[::1]:2"), "[::1]:2");
        assert_eq!(judged(503, "[::1]:2"), "error: [::1]:2 answers /healthz?a of it through nginx with 503");
        assert_eq!(
            judged(200, "127.0.0.1:3"),
            "error: nginx passes requests on to 127.0.0.1:3, which is not an instance of this release"
        );
        assert_eq!(
            judged(200, "127.0.0.1:1, [::1]:2"),
            "error: nginx does not reach 127.0.0.1:1 and had to ask another instance"
        );
        assert_eq!(
            judged(502, ""),
            "error: nginx answers /healthz?a of it through nginx by itself, with 502"
        );
        assert_eq!(judged(200, ""), "unclear: nginx answers by itself, with 200");
        assert!(judged(401, "127.0.0.1:1").starts_with("unclear: nginx lets nobody in"));
        let nonsense = judge("nonsense", &ask(), &[]).unwrap_err().to_string();
        assert_eq!(nonsense, "nginx answers with something that is not HTTP");
    }
}
