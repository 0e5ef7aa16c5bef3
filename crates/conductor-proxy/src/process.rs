//! Processes of others, as /proc has them (proc(5)).

use std::fs;
use std::io;
use std::os::fd::OwnedFd;

use rustix::io::Errno;
use rustix::process::{Pid, PidfdFlags, pidfd_open};
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

/// One process for as long as it lives: a number that is used again is another one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Process {
    pid: Pid,
    /// In ticks since boot.
    started: u64,
}

impl Process {
    /// The process that has this number now; `None` if there is none, or only what is left of one.
    pub(crate) fn find(pid: Pid) -> Option<Self> {
        Stat::read(pid).filter(|stat| !stat.is_dead).map(|stat| Self { pid, started: stat.started })
    }

    #[cfg(test)]
    pub(crate) fn made_up(pid: Pid, started: u64) -> Self {
        Self { pid, started }
    }

    pub(crate) fn pid(self) -> Pid {
        self.pid
    }

    pub(crate) fn is_alive(self) -> bool {
        Self::find(self.pid) == Some(self)
    }

    /// The processes that it started itself and that live.
    pub(crate) fn children(self) -> io::Result<Vec<Self>> {
        let list = format!("/proc/{0}/task/{0}/children", self.pid.as_raw_nonzero());
        match fs::read_to_string(list) {
            Ok(pids) => {
                let pids = pids.split_ascii_whitespace().filter_map(|pid| Pid::from_raw(pid.parse().ok()?));
                Ok(pids.filter_map(Self::find).collect())
            }
            // It takes CONFIG_PROC_CHILDREN in the kernel.
            Err(error) if error.kind() == io::ErrorKind::NotFound => self.children_of_all(),
            Err(error) => Err(error),
        }
    }

    fn children_of_all(self) -> io::Result<Vec<Self>> {
        let mut children = Vec::new();
        for entry in fs::read_dir("/proc")? {
            let Some(pid) = entry?.file_name().to_str().and_then(|name| Pid::from_raw(name.parse().ok()?))
            else {
                continue;
            };
            if let Some(stat) = Stat::read(pid).filter(|stat| !stat.is_dead && stat.parent == Some(self.pid))
            {
                children.push(Self { pid, started: stat.started });
            }
        }
        Ok(children)
    }

    /// What it calls itself (setproctitle); empty if that cannot be told.
    pub(crate) fn title(self) -> String {
        let line = fs::read(format!("/proc/{}/cmdline", self.pid.as_raw_nonzero())).unwrap_or_default();
        let end = line.iter().position(|byte| *byte == 0).unwrap_or(line.len());
        String::from_utf8_lossy(line.get(..end).unwrap_or_default()).trim_end().to_owned()
    }

    /// Whether it lets SIGHUP through and has none waiting: a main loop that blocks signals while it works waits for
    /// the next one.
    pub(crate) fn awaits_hangup(self) -> bool {
        let status = fs::read_to_string(format!("/proc/{}/status", self.pid.as_raw_nonzero()));
        status.is_ok_and(|status| awaits_hangup(&status))
    }

    /// Waits for its end. A pidfd cannot come to mean another process.
    #[expect(
        deprecated,
        reason = "its successor is unsafe code; an OwnedFd, which cannot close early, is sound here"
    )]
    pub(crate) async fn ended(self) -> io::Result<()> {
        let fd: OwnedFd = match pidfd_open(self.pid, PidfdFlags::empty()) {
            Ok(fd) => fd,
            Err(Errno::SRCH) => return Ok(()),
            Err(error) => return Err(error.into()),
        };
        // Between the look and the descriptor the number may have changed hands.
        if !self.is_alive() {
            return Ok(());
        }
        AsyncFd::with_interest(fd, Interest::READABLE)?.readable().await.map(drop)
    }
}

/// Signal 1 is the lowest bit of each set.
fn awaits_hangup(status: &str) -> bool {
    let free = |key: &str| {
        let set = status.lines().find_map(|line| line.strip_prefix(key));
        set.and_then(|set| u64::from_str_radix(set.trim(), 16).ok()).is_some_and(|set| set & 1 == 0)
    };
    free("SigPnd:") && free("ShdPnd:") && free("SigBlk:")
}

struct Stat {
    is_dead: bool,
    parent: Option<Pid>,
    started: u64,
}

impl Stat {
    fn read(pid: Pid) -> Option<Self> {
        let text = fs::read_to_string(format!("/proc/{}/stat", pid.as_raw_nonzero())).ok()?;
        Self::parse(&text)
    }

    /// The name in the second field may hold anything, even `)`: what follows the last one is numbers.
    fn parse(text: &str) -> Option<Self> {
        let (_, rest) = text.rsplit_once(") ")?;
        let mut fields = rest.split_ascii_whitespace();
        let state = fields.next()?;
        let parent = Pid::from_raw(fields.next()?.parse().ok()?);
        // starttime is field 22; 5 comes next.
        let started = fields.nth(17)?.parse().ok()?;
        Some(Self { is_dead: matches!(state, "Z" | "X"), parent, started })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::process::Command;

    #[test]
    fn stat_with_a_name_like_that() {
        let text = "7 (a) S 1 (b) Z 42 1 1 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 1 0 98765 1 2\n";
        let stat = Stat::parse(text).unwrap();
        assert_eq!((stat.is_dead, stat.parent, stat.started), (true, Pid::from_raw(42), 98765));
    }

    #[test]
    fn waiting_signals_and_blocked_ones() {
        let status = |pending: &str, shared: &str, blocked: &str| {
            awaits_hangup(&format!("Name:\tx\nSigPnd:\t{pending}\nShdPnd:\t{shared}\nSigBlk:\t{blocked}\n"))
        };
        assert!(status("0", "0000000000000002", "0"));
        assert!(!status("0", "0000000000000001", "0"));
        assert!(!status("1", "0", "0"));
        assert!(!status("0", "0", "00000000180b7a03"));
        assert!(!awaits_hangup("Name:\tx\n"), "nothing is known");
    }

    #[tokio::test]
    async fn a_child_is_seen_and_its_end_awaited() {
        let mut child = Command::new("sleep").arg("60").spawn().unwrap();
        let pid = Pid::from_raw(i32::try_from(child.id()).unwrap()).unwrap();
        let process = Process::find(pid).unwrap();
        let own = Process::find(rustix::process::getpid()).unwrap();
        // A test runs in a thread of its own, and `children` of the main thread does not list its children.
        assert!(own.children_of_all().unwrap().contains(&process));
        child.kill().unwrap();
        process.ended().await.unwrap();
        assert!(!process.is_alive(), "a zombie is no process any more");
        child.wait().unwrap();
        process.ended().await.unwrap();
    }
}
