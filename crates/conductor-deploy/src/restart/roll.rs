//! The machine in which instances are restarted.

use std::time::{Duration, Instant};

use conductor_proxy::Proxy as _;
use conductor_systemd::{Job, Systemd};
use tokio::sync::watch;

use super::plan::{Rolling, Turn};
use super::record::RestartRecord;
use crate::host::name;
use crate::progress::{Event, Progress, State};
use crate::store::Store;
use crate::{Failure, FailureKind, Outcome, proxied, why};

pub(super) struct Roll<'a> {
    pub(super) store: Store,
    pub(super) systemd: Systemd,
    pub(super) record: RestartRecord,
    pub(super) drain: Duration,
    pub(super) began: Instant,
    pub(super) progress: &'a mut dyn Progress,
    pub(super) interrupt: watch::Receiver<bool>,
}

impl Roll<'_> {
    /// To the end: the outcome, and what went wrong first.
    pub(super) async fn drive(&mut self, mut machine: Rolling) -> (Outcome, Option<Failure>) {
        let mut first = None;
        loop {
            let turn = match machine.next() {
                Ok(turn) => turn,
                Err(outcome) => return (outcome, first),
            };
            if machine.can_end_before() && *self.interrupt.borrow() {
                first = first.or(Some(ended()));
                machine.end();
                continue;
            }
            let noted = self.note(turn);
            self.tell(turn, State::Begins, String::new());
            let done = match noted {
                Ok(()) => self.turn(turn, machine.can_end_before()).await,
                // What goes back is done all the same: a full disk is no reason to leave an instance out.
                Err(_) if !machine.can_end_before() => self.turn(turn, false).await,
                Err(failure) => Err(failure),
            };
            machine.done(done.is_ok());
            match done {
                Ok(text) => self.tell(turn, State::Done, text),
                Err(failure) => {
                    self.tell(turn, State::Failed, failure.text.clone());
                    first = first.or(Some(failure.during(turn.word())));
                }
            }
        }
    }

    fn note(&mut self, turn: Turn) -> Result<(), Failure> {
        self.record.reached = Some(turn);
        self.store.note_restart(&self.record)
    }

    fn tell(&mut self, turn: Turn, state: State, text: String) {
        let at = u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.progress.tell(&Event { at, step: turn.word(), state, text });
    }

    async fn turn(&self, turn: Turn, interruptible: bool) -> Result<String, Failure> {
        match turn {
            Turn::Leave(number) => {
                self.others_serve(number).await?;
                self.switch(&self.without(number)).await?;
                Ok(self.unit(number)?.to_owned())
            }
            Turn::Drain(number) => {
                let upstream = self.upstream(&self.without(number))?;
                let proxy = self.proxy()?;
                let mut interrupt = self.interrupt.clone();
                let drained = tokio::select! {
                    drained = proxy.drain(&upstream, self.drain) => drained?,
                    Ok(_) = interrupt.wait_for(|asked| *asked), if interruptible => return Err(ended()),
                };
                Ok(format!("{}: {drained}", self.unit(number)?))
            }
            Turn::Restart(number) => {
                let unit = name(self.unit(number)?)?;
                // Those of earlier runs are none of this one's.
                self.systemd.forget_failures(&unit).await?;
                let begun = Instant::now();
                let end = self.systemd.job(Job::Restart, &unit).await?;
                if !end.is_done() {
                    return Err(self.not_back(number, &end).await);
                }
                Ok(format!("{unit} is back after {:.1} s", begun.elapsed().as_secs_f64()))
            }
            Turn::Revive(number) => {
                let unit = name(self.unit(number)?)?;
                self.systemd.forget_failures(&unit).await?;
                let end = self.systemd.job(Job::Start, &unit).await?;
                if end.is_done() {
                    Ok(format!("{unit} is up"))
                } else {
                    Err(self.not_back(number, &end).await)
                }
            }
            Turn::Return => {
                self.switch(&self.record.servers.iter().map(String::as_str).collect::<Vec<_>>()).await?;
                Ok(String::new())
            }
        }
    }

    async fn not_back(&self, number: usize, end: &conductor_systemd::JobEnd) -> Failure {
        let unit = self.record.instances.get(number).map_or("", String::as_str);
        let why = why::not_healthy(&self.systemd, self.store.scope(), unit, end).await;
        let rest = match self.record.instances.len() {
            1 => "",
            _ if self.record.proxy.is_some() => {
                "It gets no requests, and the others were not touched any more: "
            }
            _ => "The others were not touched any more: ",
        };
        Failure::gate(format!(
            "{why}\n{rest}mend what is said above and repeat this, or bring another release in"
        ))
    }

    /// Whoever is left has to be up: otherwise it would be better not to begin.
    async fn others_serve(&self, number: usize) -> Result<(), Failure> {
        for (other, unit) in self.record.instances.iter().enumerate() {
            if other != number && self.systemd.status(&name(unit)?).await?.is_active() {
                return Ok(());
            }
        }
        Err(alone(self.unit(number)?))
    }

    fn unit(&self, number: usize) -> Result<&str, Failure> {
        let unit = self.record.instances.get(number).map(String::as_str);
        unit.ok_or_else(|| Failure::system("restarting", "the record names no such instance"))
    }

    fn without(&self, number: usize) -> Vec<&str> {
        let servers = self.record.servers.iter().enumerate();
        servers.filter(|(other, _)| *other != number).map(|(_, server)| server.as_str()).collect()
    }

    async fn switch(&self, servers: &[&str]) -> Result<(), Failure> {
        let upstream = self.upstream(servers)?;
        self.proxy()?.switch(&upstream).await?;
        Ok(())
    }

    fn upstream(&self, servers: &[&str]) -> Result<conductor_proxy::Upstream, Failure> {
        proxied::upstream(self.record.proxy.as_ref(), servers.iter().copied())
    }

    fn proxy(&self) -> Result<conductor_proxy::Driver, Failure> {
        proxied::driver(self.record.proxy.as_ref(), &self.systemd)
    }
}

fn alone(unit: &str) -> Failure {
    Failure::gate(format!(
        "{unit} is the only one that serves, so it was not touched: see to the others first (`conductor status`)"
    ))
}

fn ended() -> Failure {
    Failure::new(FailureKind::Interrupted, "ended on request: the instances that are left were not restarted")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_one_is_a_matter_of_the_release() {
        let failure = alone("web@1.service");
        assert_eq!(failure.kind, FailureKind::Gate);
        assert!(failure.text.starts_with("web@1.service is the only one that serves, so it was not touched"));
    }
}
