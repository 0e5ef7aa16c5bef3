//! Who has a service's lock: for everybody to see, and for those who may have it to be waited for, or asked to end.

use std::fs;
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use conductor_definition::Scope;
use rustix::io::Errno;
use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

use crate::store::Store;
use crate::{Failure, FailureKind};

/// What a guard calls itself.
pub const GUARD: &str = "its guard";

/// The process that has the lock, for as long as it lives: a pidfd cannot come to mean another one.
#[derive(Debug)]
pub(crate) struct Keeper {
    pid: Pid,
    fd: AsyncFd<OwnedFd>,
    /// As it has written down itself, or else its number.
    pub(crate) who: String,
    /// Whether it has.
    pub(crate) is_known: bool,
}

impl Store {
    /// Who holds the lock, if anybody does. The kernel tells everybody, and nobody's try to lock is in the way of another's.
    pub fn holder(&self) -> Option<String> {
        self.keeps().map(|_| self.written())
    }

    /// The process that holds the lock. None if nobody does, if it changes hands at this moment, or if it is one that
    /// cannot be seen from here, as from a container.
    #[expect(
        deprecated,
        reason = "its successor is unsafe code; an OwnedFd, which cannot close early, is sound here"
    )]
    pub(crate) fn keeper(&self) -> Result<Option<Keeper>, Failure> {
        let fail =
            |error: io::Error| Failure::system(format!("watching who has locked {}", self.name()), error);
        let Some(pid) = self.keeps().and_then(Pid::from_raw) else { return Ok(None) };
        let fd = match pidfd_open(pid, PidfdFlags::empty()) {
            Ok(fd) => fd,
            Err(Errno::SRCH) => return Ok(None),
            Err(error) => return Err(fail(error.into())),
        };
        let written = self.written();
        // Between the look and the descriptor the number may have changed hands.
        if self.keeps() != Some(pid.as_raw_nonzero().get()) {
            return Ok(None);
        }
        let number = format!("process {}", pid.as_raw_nonzero());
        // Whoever has only just taken it has not written yet.
        let is_known = written.ends_with(&format!(", {number}"));
        let who = if is_known { written } else { number };
        let fd = AsyncFd::with_interest(fd, Interest::READABLE).map_err(fail)?;
        Ok(Some(Keeper { pid, fd, who, is_known }))
    }

    /// The number of the process that holds the lock, by the kernel's list.
    fn keeps(&self) -> Option<i32> {
        let file = fs::metadata(self.lock_file()).ok()?;
        let locks = fs::read_to_string("/proc/locks").ok()?;
        locks.lines().find_map(|line| locked_by(line, file.dev(), file.ino()))
    }

    fn written(&self) -> String {
        fs::read_to_string(self.holder_file()).unwrap_or_default().trim().to_owned()
    }

    /// How people call the command for this service.
    pub(crate) fn conductor(&self) -> &'static str {
        match self.scope() {
            Scope::System => "conductor",
            Scope::User => "conductor --user",
        }
    }

    /// What is said to whoever comes second.
    pub(crate) fn locked(&self) -> Failure {
        let (name, who) = (self.name(), self.written());
        let abort = format!("`{} abort {name}`", self.conductor());
        Failure::new(
            FailureKind::Locked,
            if is_guard(&who) {
                format!(
                    "a release of {name} that was interrupted, or got unhealthy, is being cleared up ({who}). That ends by \
                     itself: try again in a moment; {abort} waits for it"
                )
            } else {
                format!(
                    "{name} is being deployed by somebody else ({who}): wait for its end, or end it with {abort}"
                )
            },
        )
    }
}

impl Keeper {
    /// Whether it is the same process.
    pub(crate) fn is(&self, pid: Option<Pid>) -> bool {
        pid == Some(self.pid)
    }

    pub(crate) fn pid(&self) -> Pid {
        self.pid
    }

    pub(crate) fn is_guard(&self) -> bool {
        is_guard(&self.who)
    }

    /// Waits for its end; the kernel has given its lock free by then.
    pub(crate) async fn ended(&self) -> Result<(), Failure> {
        let ended = self.fd.readable().await;
        ended.map(drop).map_err(|error| Failure::system(format!("waiting for {}", self.who), error))
    }

    /// Asks it to end, as Ctrl-C does, and says which process that was.
    ///
    /// # Errors
    /// It is no command of ours, which might take that for something else.
    pub(crate) fn ask_to_end(&self) -> Result<Pid, Failure> {
        let (who, number) = (&self.who, self.pid.as_raw_nonzero());
        let asking = format!("asking {who} to end");
        let program = match fs::read_link(format!("/proc/{number}/exe")) {
            // It has ended by itself.
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(self.pid),
            program => program.map_err(|error| Failure::system(&asking, error))?,
        };
        if !is_ours(&program) {
            let said = format!(
                "the lock is held by {} (process {number}), which is no command of Conductor's: see what it does, and end \
                 it yourself",
                program.display()
            );
            return Err(Failure::new(FailureKind::Locked, said));
        }
        match pidfd_send_signal(self.fd.get_ref(), Signal::INT) {
            Ok(()) | Err(Errno::SRCH) => Ok(self.pid),
            Err(error) => Err(Failure::system(asking, io::Error::from(error))),
        }
    }
}

fn is_guard(who: &str) -> bool {
    who.strip_prefix(GUARD).is_some_and(|rest| rest.starts_with(','))
}

/// Whether a program is ours, which may be an older one that an upgrade has replaced (proc_pid_exe(5)).
fn is_ours(program: &Path) -> bool {
    let name = program.file_name().and_then(|name| name.to_str());
    name.is_some_and(|name| name.strip_suffix(" (deleted)").unwrap_or(name) == "conductor")
}

/// Which process has locked this file with flock(2), if a line of /proc/locks (proc_locks(5)) says so: "1: FLOCK ADVISORY
/// WRITE 708 00:19:10486 0 EOF", with `->` after the number for those who wait.
fn locked_by(line: &str, device: u64, inode: u64) -> Option<i32> {
    let place =
        format!("{:02x}:{:02x}:{inode}", nix::sys::stat::major(device), nix::sys::stat::minor(device));
    let mut words = line.split_whitespace().skip(1);
    let is_flock = words.next() == Some("FLOCK");
    let pid = words.nth(2).filter(|_| is_flock && words.next() == Some(&place));
    pid.and_then(|pid| pid.parse().ok())
}

#[cfg(test)]
pub(crate) mod tests {
    use std::process::{Child, Command, Stdio};

    use super::*;
    use conductor_definition::Site;

    /// Another process that has the lock for as long as its input is open.
    pub(crate) fn locked_elsewhere(store: &Store) -> Child {
        let mut other = Command::new("flock")
            .arg(store.lock_file())
            .args(["sh", "-c", "echo; read -r end"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        // It says that it has it.
        std::io::Read::read_exact(other.stdout.as_mut().unwrap(), &mut [0]).unwrap();
        other
    }

    #[test]
    fn lines_about_locks() {
        let device = nix::sys::stat::makedev(0, 0x19);
        let by = |line| locked_by(line, device, 708);
        assert_eq!(by("12: FLOCK  ADVISORY  WRITE 4711 00:19:708 0 EOF"), Some(4711));
        assert_eq!(by("12: FLOCK  ADVISORY  WRITE 708 00:19:709 0 EOF"), None);
        assert_eq!(by("12: -> FLOCK  ADVISORY  WRITE 4711 00:19:708 0 EOF"), None);
        assert_eq!(by("12: OFDLCK ADVISORY  WRITE -1 00:19:708 0 EOF"), None);
        assert_eq!(by(""), None);
    }

    #[test]
    fn programs() {
        for (path, ours) in [
            ("/usr/bin/conductor", true),
            ("/usr/bin/conductor (deleted)", true),
            ("/usr/bin/conductor-health", false),
            ("/usr/bin/flock", false),
            ("/", false),
        ] {
            assert_eq!(is_ours(Path::new(path)), ours, "{path}");
        }
    }

    #[test]
    fn what_is_said_to_whoever_comes_second() {
        let root = tempfile::tempdir().unwrap();
        let store = Store::new(&Site::system(root.path()), "web");
        let said = |holder: &str| {
            let _lock = store.lock(holder).unwrap();
            store.lock("you, process 1").unwrap_err().text
        };
        assert_eq!(
            said("alice, process 7"),
            "web is being deployed by somebody else (alice, process 7): wait for its end, or end it with `conductor abort \
             web`"
        );
        assert_eq!(
            said("its guard, process 7"),
            "a release of web that was interrupted, or got unhealthy, is being cleared up (its guard, process 7). That \
             ends by itself: try again in a moment; `conductor abort web` waits for it"
        );
        assert!(!is_guard("its guardian, process 7"));
    }

    #[tokio::test]
    async fn nobody_else_is_asked_to_end() {
        let root = tempfile::tempdir().unwrap();
        let store = Store::new(&Site::system(root.path()), "web");
        drop(store.lock("alice, process 7").unwrap());
        assert!(store.keeper().unwrap().is_none(), "nobody has it");
        let mut other = locked_elsewhere(&store);
        let keeper = store.keeper().unwrap().unwrap();
        // Not what was written by whoever had it before.
        assert_eq!((keeper.is_guard(), keeper.who.clone()), (false, format!("process {}", other.id())));
        let failure = keeper.ask_to_end().unwrap_err();
        assert!(
            failure.text.contains("flock (process") && failure.text.contains("end it yourself"),
            "{failure}"
        );
        assert!(store.holder().is_some(), "it lives");
        drop(other.stdin.take());
        keeper.ended().await.unwrap();
        store.lock("me").unwrap();
        other.wait().unwrap();
    }
}
