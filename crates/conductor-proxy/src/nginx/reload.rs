//! A reload, and the proof that it happened.
//!
//! nginx's main process reads the configuration anew, opens what it listens on, starts new workers, waits 100 ms and
//! then tells the old ones to finish (`ngx_process_cycle.c`). If anything fails it goes on as before and says so only
//! in its log: neither the exit status of `nginx -s reload` nor that of `nginx -t` knows. A port that another process
//! holds is tried 5 times, 500 ms apart, so that failing takes 2.5 s.
//!
//! So the workers are the proof: new ones have to be there, and every old one gone or finishing. That a reload has
//! *failed* is seen as well, without guessing a time: the main process blocks signals while it works and lets them
//! through only while it waits for the next one. If it waits, no SIGHUP is pending, and there is still no new worker,
//! then it is over and nothing came of it.

use std::time::Duration;

use tokio::time::Instant;

use super::Nginx;
use crate::process::Process;
use crate::{Error, Kind};

/// From one look to the next: nothing tells when a process changes its title.
const LOOK: Duration = Duration::from_millis(5);
/// A main process that still reads its configuration after this is not waited for.
const LIMIT: Duration = Duration::from_secs(30);
/// How often in a row it has to be seen waiting, with nothing done: the kernel takes a signal off the list of pending
/// ones an instant before its handler blocks it.
const SEEN: u32 = 4;

const WORKER: &str = "nginx: worker process";
const FINISHING: &str = "nginx: worker process is shutting down";

/// What became of a reload.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Followed {
    /// Every worker is a new one.
    Yes(Duration),
    /// The main process works on as before.
    No,
    /// The main process is another one now.
    Restarted,
    /// The limit was reached before either was certain.
    Unclear,
}

/// A child of the main process at one instant.
#[derive(Clone, Debug)]
struct Child {
    process: Process,
    title: String,
}

impl Nginx {
    /// Reloads, and says whether nginx follows.
    pub(super) async fn reload(&self) -> Result<Followed, Error> {
        let main = self.runner.main().await?;
        let before: Vec<Process> = children(main)?.into_iter().map(|child| child.process).collect();
        let begun = Instant::now();
        self.runner.reload(main).await?;
        let mut waited = 0;
        while begun.elapsed() < LIMIT {
            // In this order: what is started before it waits is seen after it.
            let waits = main.awaits_hangup();
            match judge(&before, &children(main)?, waits) {
                _ if !main.is_alive() => return Ok(Followed::Restarted),
                Some(true) => return Ok(Followed::Yes(begun.elapsed())),
                Some(false) if waited >= SEEN => return Ok(Followed::No),
                Some(false) => waited += 1,
                None => waited = 0,
            }
            tokio::time::sleep(LOOK).await;
        }
        Ok(Followed::Unclear)
    }

    /// Workers that finish what they have begun, with the servers that they knew.
    pub(super) async fn finishing(&self) -> Result<Vec<Process>, Error> {
        let children = children(self.runner.main().await?)?;
        Ok(children.into_iter().filter(|child| child.title == FINISHING).map(|child| child.process).collect())
    }
}

/// Whether nginx has followed: yes, no, not yet. `before` are the children from before the request, `waits` whether
/// the main process was seen waiting before `now` was looked at.
fn judge(before: &[Process], now: &[Child], waits: bool) -> Option<bool> {
    let is_new = |child: &&Child| !before.contains(&child.process);
    let is_worker = |child: &&Child| child.title.starts_with(WORKER);
    // A child that has no title yet counts as one of the next, not as a worker that works.
    let any_new = now.iter().any(|child| is_new(&child));
    let new_worker = now.iter().filter(is_new).any(|child| is_worker(&child));
    let old_works = now.iter().filter(is_worker).any(|child| !is_new(&child) && child.title != FINISHING);
    match (new_worker, old_works, any_new) {
        (true, false, _) => Some(true),
        (_, _, false) if waits => Some(false),
        _ => None,
    }
}

fn children(main: Process) -> Result<Vec<Child>, Error> {
    let children = main.children();
    let children = children
        .map_err(|error| Error::new(Kind::System, format!("looking for nginx's workers: {error}")))?;
    Ok(children.into_iter().map(|process| Child { process, title: process.title() }).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use rustix::process::Pid;

    const MAIN: &str = "nginx: master process /usr/sbin/nginx";

    /// Distinct processes: this one as it would be with other starts is another.
    fn process(number: u64) -> Process {
        Process::made_up(Pid::INIT, number)
    }

    fn judged(now: &[(u64, &str)], waits: bool) -> Option<bool> {
        let child =
            |(number, title): &(u64, &str)| Child { process: process(*number), title: (*title).to_owned() };
        judge(&[process(1), process(2)], &now.iter().map(child).collect::<Vec<_>>(), waits)
    }

    #[test]
    fn workers_are_the_proof() {
        assert_eq!(judged(&[(1, WORKER), (2, WORKER)], false), None, "it reads");
        assert_eq!(judged(&[(1, WORKER), (2, WORKER), (3, MAIN)], true), None, "one that has no title yet");
        assert_eq!(judged(&[(1, WORKER), (2, WORKER), (3, WORKER)], true), None, "the old ones still accept");
        assert_eq!(judged(&[(1, FINISHING), (2, WORKER), (3, WORKER)], true), None, "one of them");
        assert_eq!(judged(&[(1, FINISHING), (2, FINISHING), (3, WORKER)], false), Some(true));
        assert_eq!(judged(&[(3, WORKER)], true), Some(true), "they had nothing to finish");
    }

    #[test]
    fn who_waits_with_old_workers_has_not_followed() {
        assert_eq!(judged(&[(1, WORKER), (2, WORKER)], true), Some(false));
        assert_eq!(judged(&[], true), Some(false), "nobody works at all");
        let cache = "nginx: cache manager process";
        assert_eq!(judged(&[(1, FINISHING), (2, FINISHING), (3, cache)], true), None, "no worker yet");
    }
}
