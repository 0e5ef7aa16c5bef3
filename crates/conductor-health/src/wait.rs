//! The gate at the end of a service's start: it opens with the first healthy answers.
//!
//! As `ExecStartPost=` it keeps the unit `activating` until the service works, so that `systemctl
//! start` and every `After=` mean "it answers". It gives up when its time is over, and at once when the
//! service's main process has ended, because then no answer can come any more.

use crate::Url;
use crate::notify::Notifier;
use crate::opened::{self, span};
use crate::probe::{Outcome, Reason, Target, probe};
use conductor_systemd::{Scope, UnitName};
use rustix::io::Errno;
use rustix::process::{Pid, PidfdFlags, pidfd_open};
use std::fmt;
use std::os::fd::OwnedFd;
use std::time::Duration;
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;
use tokio::time::Instant;

/// What to wait for, and for how long.
#[derive(Clone, Debug)]
pub struct Gate {
    /// The unit to name in messages.
    pub unit: Option<UnitName>,
    /// Whose it is: its log is read with other options.
    pub scope: Scope,
    /// What to ask.
    pub target: Target,
    /// When to give up.
    pub within: Duration,
    /// From the start of one check to the start of the next.
    pub interval: Duration,
    /// How long one check may take.
    pub timeout: Duration,
    /// So many healthy answers in a row open the gate.
    pub healthy_after: u32,
}

/// The process whose end makes waiting pointless.
#[derive(Debug)]
pub enum MainProcess {
    /// There is none to follow.
    Unwatched,
    /// It had ended before we began.
    Ended,
    /// It is running, or was.
    Running(AsyncFd<OwnedFd>),
}

impl MainProcess {
    /// The process that systemd names in `$MAINPID`. To be called on a tokio runtime.
    ///
    /// A pidfd cannot come to mean another process, and wakes us in the instant in which its own ends.
    pub fn from_env() -> Self {
        std::env::var("MAINPID")
            .ok()
            .and_then(|pid| pid.trim().parse().ok())
            .and_then(Pid::from_raw)
            .map_or(Self::Unwatched, Self::follow)
    }

    /// Follows this process.
    #[expect(
        deprecated,
        reason = "its successor is unsafe code; an OwnedFd, which cannot close early, is sound here"
    )]
    pub fn follow(pid: Pid) -> Self {
        match pidfd_open(pid, PidfdFlags::empty()) {
            Ok(fd) => AsyncFd::with_interest(fd, Interest::READABLE).map_or(Self::Unwatched, Self::Running),
            Err(Errno::SRCH) => Self::Ended,
            // Kernels before 5.3, or a seccomp filter: then the time that is given must do.
            Err(_) => Self::Unwatched,
        }
    }

    async fn ended(&self) {
        match self {
            Self::Ended => {}
            Self::Running(fd) if fd.readable().await.is_ok() => {}
            Self::Running(_) | Self::Unwatched => std::future::pending().await,
        }
    }
}

/// Waits. The error is the one line that is to be shown.
pub async fn wait(gate: &Gate, main: &MainProcess, notifier: &mut Notifier) -> Result<(), Failure> {
    let begun = Instant::now();
    let mut waiting = Waiting { gate, checks: 0, passed: 0, last: None };
    let end = tokio::select! {
        // What is decided already comes first: a healthy answer in the last instant counts, and that
        // the process has ended is the better message.
        biased;
        () = waiting.until_healthy(notifier) => None,
        () = main.ended() => Some(End::MainEnded(begun.elapsed())),
        () = tokio::time::sleep(gate.within) => Some(End::TimeOver),
    };
    let Some(end) = end else {
        notifier.status(&opened::status(&gate.target, begun.elapsed()));
        return Ok(());
    };
    let failure = Failure {
        unit: gate.unit.clone(),
        scope: gate.scope,
        url: gate.target.url().clone(),
        within: gate.within,
        checks: waiting.checks,
        last: waiting.last,
        end,
    };
    // `systemctl status` has this line still when the start limit has refused the next start, whose log
    // it shows instead of ours.
    notifier.status(&failure.summary());
    Err(failure)
}

struct Waiting<'a> {
    gate: &'a Gate,
    checks: u32,
    passed: u32,
    last: Option<Reason>,
}

impl Waiting<'_> {
    async fn until_healthy(&mut self, notifier: &mut Notifier) {
        notifier.status(&format!("Waiting for {}", self.gate.target.url()));
        loop {
            let next = Instant::now() + self.gate.interval;
            let check = probe(&self.gate.target, self.gate.timeout).await;
            self.checks += 1;
            match check.outcome {
                Outcome::Healthy => {
                    self.passed += 1;
                    self.last = None;
                    if self.passed >= self.gate.healthy_after {
                        return;
                    }
                }
                Outcome::Unhealthy(reason) | Outcome::Unknown(reason) => {
                    self.passed = 0;
                    notifier.status(&format!("Waiting: {}", reason.about(self.gate.target.url())));
                    self.last = Some(reason);
                }
            }
            tokio::time::sleep_until(next).await;
        }
    }
}

/// Why the gate did not open, as one line.
#[derive(Clone, Debug)]
pub struct Failure {
    unit: Option<UnitName>,
    scope: Scope,
    url: Url,
    within: Duration,
    checks: u32,
    last: Option<Reason>,
    end: End,
}

#[derive(Clone, Copy, Debug)]
enum End {
    TimeOver,
    MainEnded(Duration),
}

impl Failure {
    /// What happened, without what to do about it.
    fn summary(&self) -> String {
        let unit = self.unit.as_ref().map_or("the service", UnitName::as_str);
        let what = match (self.end, self.checks) {
            (End::TimeOver, _) => format!("{unit} did not become healthy within {}", span(self.within)),
            (End::MainEnded(_), 0) => format!("{unit}: its main process ended before it was healthy"),
            (End::MainEnded(after), _) => {
                format!("{unit}: its main process ended after {}, before it was healthy", span(after))
            }
        };
        let url = &self.url;
        match (self.checks, &self.last) {
            (0, _) => format!("{what}: no check of {url} had ended yet"),
            (checks, Some(last)) => format!("{what}: {}, the last: {}", counted(checks), last.about(url)),
            (checks, None) => {
                format!(
                    "{what}: {}, the last: {url} answered well, but not often enough in a row",
                    counted(checks)
                )
            }
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}. Look at the container's own log above", self.summary())?;
        if let Some(unit) = &self.unit {
            let journalctl = match self.scope {
                Scope::System => "journalctl",
                Scope::User => "journalctl --user",
            };
            write!(f, " ({journalctl} -u {unit})")?;
        }
        match self.end {
            End::TimeOver => f.write_str(", or raise start-within."),
            End::MainEnded(_) => f.write_str("."),
        }
    }
}

fn counted(checks: u32) -> String {
    if checks == 1 { "1 check".to_owned() } else { format!("{checks} checks") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use hyper::StatusCode;
    use snapbox::{assert_data_eq, str};

    fn gate(url: &str) -> Gate {
        Gate {
            unit: Some("web.service".parse().unwrap()),
            scope: Scope::System,
            target: url.parse::<Url>().unwrap().into(),
            within: Duration::from_millis(300),
            interval: Duration::from_millis(20),
            timeout: Duration::from_millis(100),
            healthy_after: 1,
        }
    }

    fn failure(checks: u32, last: Option<Reason>, end: End) -> String {
        of_scope(Scope::System, checks, last, end)
    }

    fn of_scope(scope: Scope, checks: u32, last: Option<Reason>, end: End) -> String {
        let gate = gate("http://127.0.0.1:20000/healthz");
        Failure {
            unit: gate.unit,
            scope,
            url: gate.target.url().clone(),
            within: Duration::from_secs(60),
            checks,
            last,
            end,
        }
        .to_string()
    }

    #[test]
    fn the_one_line_tells_what_the_last_check_saw_and_what_to_do() {
        assert_data_eq!(
            failure(58, Some(Reason::Status(StatusCode::SERVICE_UNAVAILABLE)), End::TimeOver),
            str![
                "web.service did not become healthy within 1min: 58 checks, the last: http://127.0.0.1:20000/healthz answered 503 Service Unavailable. Look at the container's own log above (journalctl -u web.service), or raise start-within."
            ]
        );
        assert_data_eq!(
            failure(1, Some(Reason::Refused), End::MainEnded(Duration::from_millis(1234))),
            str![
                "web.service: its main process ended after 1s 200ms, before it was healthy: 1 check, the last: http://127.0.0.1:20000/healthz: connection refused. Look at the container's own log above (journalctl -u web.service)."
            ]
        );
        assert_data_eq!(
            failure(0, None, End::TimeOver),
            str![
                "web.service did not become healthy within 1min: no check of http://127.0.0.1:20000/healthz had ended yet. Look at the container's own log above (journalctl -u web.service), or raise start-within."
            ]
        );
    }

    #[test]
    fn a_users_log_is_read_otherwise() {
        let said = of_scope(Scope::User, 1, Some(Reason::Refused), End::TimeOver);
        assert!(said.contains(" (journalctl --user -u web.service), "), "{said}");
    }

    /// A server that answers with these statuses, one a connection, the last one for ever.
    async fn answers(statuses: &'static [u16]) -> String {
        use tokio::io::{AsyncReadExt, AsyncWriteExt};
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/", listener.local_addr().unwrap());
        tokio::spawn(async move {
            let mut statuses = statuses.iter().peekable();
            loop {
                let (mut stream, _) = listener.accept().await.unwrap();
                let status =
                    if statuses.len() > 1 { *statuses.next().unwrap() } else { **statuses.peek().unwrap() };
                let _ = stream.read(&mut [0; 1024]).await;
                let _ = stream
                    .write_all(format!("HTTP/1.1 {status} X\r\nContent-Length: 0\r\n\r\n").as_bytes())
                    .await;
            }
        });
        url
    }

    async fn run(gate: &Gate, main: &MainProcess) -> Result<(), String> {
        wait(gate, main, &mut Notifier::default()).await.map_err(|failure| failure.to_string())
    }

    #[tokio::test]
    async fn opens_after_enough_healthy_answers_in_a_row() {
        let url = answers(&[500, 200, 500, 200, 200, 500]).await;
        let gate = Gate { healthy_after: 2, within: Duration::from_secs(10), ..gate(&url) };
        assert_eq!(run(&gate, &MainProcess::Unwatched).await, Ok(()));
    }

    #[tokio::test]
    async fn gives_up_when_the_time_is_over() {
        let said = run(&gate(&answers(&[500]).await), &MainProcess::Unwatched).await.unwrap_err();
        assert!(said.contains("within 300ms: ") && said.contains("answered 500 Internal"), "{said}");
        let url = answers(&[200]).await;
        let gate = Gate { healthy_after: 1000, ..gate(&url) };
        let said = run(&gate, &MainProcess::Unwatched).await.unwrap_err();
        assert!(said.contains("not often enough in a row"), "{said}");
    }

    #[tokio::test]
    async fn the_end_of_the_main_process_ends_the_wait_at_once() {
        let mut child = std::process::Command::new("sleep").arg("60").spawn().unwrap();
        let main = MainProcess::follow(Pid::from_child(&child));
        assert!(matches!(main, MainProcess::Running(_)));
        let gate = Gate { within: Duration::from_secs(60), ..gate("http://127.0.0.1:1/") };
        let begun = Instant::now();
        let (said, ()) = tokio::join!(run(&gate, &main), async {
            tokio::time::sleep(Duration::from_millis(50)).await;
            child.kill().unwrap();
        });
        assert!(begun.elapsed() < Duration::from_secs(5));
        let said = said.unwrap_err();
        assert!(said.contains("its main process ended") && said.contains("connection refused"), "{said}");
        child.wait().unwrap();
        assert!(matches!(MainProcess::follow(Pid::from_child(&child)), MainProcess::Ended));
    }
}
