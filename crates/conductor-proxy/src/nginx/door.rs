//! Ways into nginx that only root has: for each upstream a socket on which nginx passes requests on to it, whatever the
//! administrator's own servers do, and says which instance has answered.
//!
//! Not in a file that nginx may find when it starts: where it must not have a socket (`ProtectSystem=`, AppArmor,
//! SELinux), and over one that a killed nginx has left (`ngx_open_listening_sockets()` binds without removing, and takes
//! EADDRINUSE for another server), it would not start at all. So the file has the door only while nginx is told to
//! reload; nginx keeps the socket until its next reload, and removes it then. Whoever writes the files removes the
//! sockets on which nobody listens.

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

/// How long one more instance may take to have its turn: others get requests too, and a limit may hold us up.
const LIMIT: Duration = Duration::from_secs(10);

/// nginx takes servers in turn. After so many requests for each of them, whoever had none is not passed any.
const TURNS: usize = 50;

/// From one request that nginx has not passed on, for now, to the next.
const PAUSE: Duration = Duration::from_millis(200);

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
        if let Some(verified) = asked(&door, wanted, ask).await? {
            return Ok(verified);
        }
        // nginx was told to reload by somebody else meanwhile, or was started anew; or somebody has removed the socket.
        // A socket that it still has is taken over by the next reload, wherever its name is: it goes with the first one,
        // and is made with the second. While the lock is held no other deploy closes it.
        let text = self.text(wanted)?;
        let _lock = self.moving(&wanted.name).await?;
        self.followed().await?;
        if let Err(error) = self.apply(wanted, text.clone()).await {
            // What another one has broken says nothing of what nginx still does, if that is this release.
            let is_shown = self.is_in_effect(&wanted.name, Some(&text))?;
            return if is_shown { Ok(Verified::Unclear(error.to_string())) } else { Err(error) };
        }
        let unclear =
            || Verified::Unclear(format!("nginx does not listen on {}; its log says why", door.display()));
        Ok(asked(&door, wanted, ask).await?.unwrap_or_else(unclear))
    }
}

/// Asks until each instance has answered; nothing if nobody listens.
async fn asked(door: &Path, wanted: &Upstream, ask: &Ask) -> Result<Option<Verified>, Error> {
    let mut left: Vec<String> = wanted.servers.iter().map(|server| server.address.to_string()).collect();
    let (all, of) = (left.clone(), left.len());
    let mut since = Instant::now();
    let (mut requests, mut hindrance) = (0, None);
    while !left.is_empty() {
        if since.elapsed() >= LIMIT {
            let late = format!("{} of {of} instances had no turn in {} s", left.len(), LIMIT.as_secs());
            let why = hindrance.map_or_else(|| late.clone(), |why| format!("{late}: {why}"));
            return Ok(Some(Verified::Unclear(why)));
        }
        if requests >= TURNS * of {
            let text = format!("nginx passes nothing on to {} in {requests} requests", left.join(" and "));
            return Err(Error::new(Kind::Refused, text));
        }
        let head = match tokio::time::timeout(ANSWER, answer(door, ask)).await {
            Ok(Ok(head)) => head,
            Ok(Err(error)) if is_absent(&error) => return Ok(None),
            Ok(Err(error)) => {
                return Err(Error::new(Kind::Refused, format!("nginx does not answer: {error}")));
            }
            Err(_) => {
                let text = format!("nginx does not answer {} within {} s", ask.path, ANSWER.as_secs());
                return Err(Error::new(Kind::Refused, text));
            }
        };
        match judge(&head, ask, &all)? {
            Answer::Of(instance) => {
                requests += 1;
                let before = left.len();
                left.retain(|address| *address != instance);
                if left.len() < before {
                    since = Instant::now();
                }
            }
            Answer::NotNow(why) => {
                hindrance = Some(why);
                tokio::time::sleep(PAUSE).await;
            }
            Answer::Unclear(why) => return Ok(Some(Verified::Unclear(why))),
        }
    }
    Ok(Some(Verified::Answered { requests, instances: of, of }))
}

/// Nobody listens, or nobody has since the machine was started.
fn is_absent(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::ConnectionRefused | ErrorKind::NotFound)
}

/// What an answer says.
#[derive(Debug, PartialEq, Eq)]
enum Answer {
    /// This instance has answered as it should.
    Of(String),
    /// nginx has answered in its place, which it may not do the next time: a limit, such as `limit_req`.
    NotNow(String),
    /// Nobody can tell in this way, and why.
    Unclear(String),
}

fn is_refused(door: &Path) -> bool {
    matches!(UnixStream::connect(door), Err(error) if error.kind() == ErrorKind::ConnectionRefused)
}

/// Neither quoting nor a variable of nginx's.
fn is_plain(path: &str) -> bool {
    path.chars().all(|c| c.is_ascii_alphanumeric() || "/._-".contains(c))
}

/// The head of the answer, status line and fields.
async fn answer(door: &Path, ask: &Ask) -> io::Result<String> {
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

/// What an answer says. An error is an answer of the release that no customer should get.
fn judge(head: &str, ask: &Ask, wanted: &[String]) -> Result<Answer, Error> {
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
            Ok(Answer::Unclear(format!("nginx lets nobody in, with {status}, by rules for all its servers")))
        }
        // What limits answer with (`limit_req_status`, `limit_conn_status`), having asked no instance.
        [""] if matches!(status, 429 | 503) => Ok(Answer::NotNow(format!(
            "nginx answers by itself, with {status}, as by a limit for all its servers"
        ))),
        [""] if status < 500 => Ok(Answer::Unclear(format!("nginx answers by itself, with {status}"))),
        // It could not even try to, as with an address of `proxy_bind` that is not the machine's.
        [""] => Err(refused(format!("nginx answers {asked} by itself, with {status}"))),
        [one] if !wanted.iter().any(|address| address == one) => Err(refused(format!(
            "nginx passes requests on to {one}, which is not an instance of this release"
        ))),
        [one] if expected(status) => Ok(Answer::Of((*one).to_owned())),
        [one] => Err(refused(format!("{one} answers {asked} with {status}"))),
        [first, ..] => Err(refused(format!("nginx does not reach {first} and had to ask another instance"))),
        [] => Ok(Answer::Unclear("nginx does not say who has answered".to_owned())),
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
            Ok(Answer::Of(instance)) => instance,
            Ok(Answer::NotNow(why)) => format!("not now: {why}"),
            Ok(Answer::Unclear(why)) => format!("unclear: {why}"),
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
            judged(500, ""),
            "error: nginx answers /healthz?a of it through nginx by itself, with 500"
        );
        for limited in [429, 503] {
            let said = judged(limited, "");
            assert_eq!(
                said,
                format!(
                    "not now: nginx answers by itself, with {limited}, as by a limit for all its servers"
                )
            );
        }
        assert_eq!(judged(200, ""), "unclear: nginx answers by itself, with 200");
        assert!(judged(401, "127.0.0.1:1").starts_with("unclear: nginx lets nobody in"));
        let nonsense = judge("nonsense", &ask(), &[]).unwrap_err().to_string();
        assert_eq!(nonsense, "nginx answers with something that is not HTTP");
    }
}
