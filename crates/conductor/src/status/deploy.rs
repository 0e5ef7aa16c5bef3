//! A deploy or a restart that has not ended: it runs, or was interrupted.

use std::time::Duration;

use conductor_definition::{Scope, Site};
use conductor_deploy::{Record, RestartRecord, Store, Waits};
use conductor_systemd::Systemd;

use super::model::Deploy;
use super::text::utc;
use crate::whose::conductor;

/// What is written down of one. Who may not read that learns from the kernel that one runs, which tells everybody about locks.
pub(super) async fn unfinished(site: &Site, service: &str, systemd: &Systemd) -> Option<Deploy> {
    let store = Store::new(site, service);
    let running = store.holder();
    let record = store.unfinished().ok().flatten();
    // While a command is at it, it is in between.
    let waiting = record.as_ref().filter(|record| record.waits.is_some() && running.is_none());
    let waiting = match waiting {
        Some(record) => Some(Waits::ask(systemd, service, record).await),
        None => None,
    };
    let deploy = record.map(|record| Deploy { waiting, ..of_deploy(record) });
    let deploy = deploy.or_else(|| store.unfinished_restart().ok().flatten().map(of_restart));
    let unknown = || running.is_some().then(|| Deploy::new("deploy"));
    let deploy = deploy.or_else(unknown)?;
    Some(Deploy { running, ..deploy })
}

fn of_deploy(record: Record) -> Deploy {
    let what = match (record.restart, record.rollback) {
        (true, _) => "restart",
        (false, true) => "rollback",
        (false, false) => "deploy",
    };
    Deploy {
        release: Some(record.revision),
        by: Some(record.by),
        since: Some(Duration::from_secs(record.started)),
        step: record.reached.map(conductor_deploy::Step::word),
        waits: record.waits,
        ..Deploy::new(what)
    }
}

fn of_restart(record: RestartRecord) -> Deploy {
    Deploy {
        release: Some(record.revision).filter(|revision| !revision.is_empty()),
        by: Some(record.by),
        since: Some(Duration::from_secs(record.started)),
        step: record.reached.map(conductor_deploy::Turn::word),
        ..Deploy::new("restart")
    }
}

impl Deploy {
    fn new(what: &'static str) -> Self {
        Self {
            what,
            release: None,
            by: None,
            since: None,
            step: None,
            waits: None,
            waiting: None,
            running: None,
        }
    }

    /// For people.
    pub(super) fn note(&self, service: &str, scope: Scope) -> String {
        let Self { what, release, by, since, step, waits, waiting, running } = self;
        let mut text = (*what).to_owned();
        let mut add = |before: &str, word: Option<&str>| {
            if let Some(word) = word {
                text += before;
                text += word;
            }
        };
        add(" of ", release.as_deref());
        add(" by ", by.as_deref());
        add(" since ", since.map(utc).as_deref());
        if waits.is_none() {
            add(", at step ", *step);
        }
        let conductor = conductor(scope);
        match (running, waits) {
            (None, Some(stage)) => {
                let unknown = || Waits::Unknown("it was not asked".to_owned());
                format!(
                    "{text}, {}",
                    waiting.clone().unwrap_or_else(unknown).tell(*stage, conductor, service)
                )
            }
            (Some(who), _) if who.is_empty() => text + ", is under way",
            (Some(who), _) => format!("{text}, is under way ({who})"),
            (None, None) => format!("{text}, was interrupted: `{conductor} abort {service}` cleans up"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_said_of_it() {
        let deploy = Deploy {
            release: Some("3f2a".to_owned()),
            by: Some("alice".to_owned()),
            since: Some(Duration::from_secs(0)),
            step: Some("settle"),
            running: Some("alice, process 7".to_owned()),
            ..Deploy::new("deploy")
        };
        assert_eq!(
            deploy.note("web", Scope::System),
            "deploy of 3f2a by alice since 1970-01-01T00:00:00Z, at step settle, is under way (alice, process 7)"
        );
        let canary = Some(conductor_deploy::Stage::Canary);
        let waits = Deploy { running: None, waits: canary, waiting: Some(Waits::Watched), ..deploy.clone() };
        assert_eq!(
            waits.note("web", Scope::System),
            "deploy of 3f2a by alice since 1970-01-01T00:00:00Z, waits as a canary: `conductor promote web` lets it go \
             on, `conductor abort web` takes it back"
        );
        let gone = Deploy { waiting: Some(Waits::Gone("it is inactive".to_owned())), ..waits };
        assert_eq!(
            gone.note("web", Scope::System),
            "deploy of 3f2a by alice since 1970-01-01T00:00:00Z, does not wait as a canary any more: it is inactive. \
             `conductor abort web` or the next deploy clears up"
        );
        let cut = Deploy { running: None, ..deploy };
        assert!(
            cut.note("web", Scope::User)
                .ends_with(", was interrupted: `conductor --user abort web` cleans up")
        );
    }
}
