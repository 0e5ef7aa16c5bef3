//! Following units for as long as the process lives.

use crate::signals::{Hints, Signals};
use crate::{Error, Scope, Systemd, UnitName, UnitView};
use std::collections::BTreeSet;
use std::time::Duration;
use tokio::sync::watch;
use tokio::task::AbortHandle;
use tokio::time::Instant;
use zbus::{MessageStream, OwnedObjectPath};

/// The first pause before another attempt to connect, and the longest.
const BACKOFF: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(5));

/// Up to so many units have match rules of their own, two each. The system's bus allows a connection 512 rules
/// (`max_match_rules_per_connection` in dbus-daemon(1)); with more units, changes of all are listened to, of which
/// those of others are left unread.
const RULES_EACH: usize = 200;

/// What is known of one unit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Observed {
    /// Nothing, at the moment.
    Unknown,
    /// What it was like when last read; changes are followed.
    Known(UnitView),
}

/// What is known at the moment.
#[derive(Clone, Debug)]
pub struct Seen {
    /// The connection, while there is one.
    pub systemd: Option<Systemd>,
    /// Why there is none.
    pub trouble: Option<Error>,
    /// How often everything was read anew: after connecting, and each time systemd has read its unit
    /// files again. What a unit's file says may be something else since.
    pub loads: u64,
    /// The units, in the order in which they were asked for.
    pub units: Vec<Observed>,
}

/// Follows a fixed set of units.
///
/// Runs as a task of its own: reads each unit when a signal hints at a change, reconnects when the
/// bus or systemd goes away, and until then calls every unit [`Observed::Unknown`]. Only the newest
/// state is kept, so a slow reader costs no memory; it may miss an intermediate state, never the
/// last one. A restart in between shows as another invocation.
#[derive(Debug)]
pub struct Watch {
    seen: watch::Receiver<Seen>,
    task: AbortHandle,
}

impl Watch {
    /// Starts to follow the units. Must be called on a tokio runtime.
    pub fn start(scope: Scope, names: Vec<UnitName>) -> Self {
        let units = vec![Observed::Unknown; names.len()];
        let (sender, seen) = watch::channel(Seen { systemd: None, trouble: None, loads: 0, units });
        let task = tokio::spawn(run(scope, names, sender)).abort_handle();
        Self { seen, task }
    }

    /// Waits for news. Dropping the future loses none.
    ///
    /// The task only ends with us. Should it have panicked, there is no news ever again: that is the
    /// error, and to go on as if nothing had changed would be wrong.
    pub async fn changed(&mut self) -> Result<(), Error> {
        let ended = |_| Error::transport("watching units", "the task that follows them has died");
        self.seen.changed().await.map_err(ended)
    }

    /// What is known now; marks it as read.
    pub fn seen(&mut self) -> Seen {
        self.seen.borrow_and_update().clone()
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn run(scope: Scope, names: Vec<UnitName>, sender: watch::Sender<Seen>) {
    let (first, longest) = BACKOFF;
    let mut pause = first;
    loop {
        let begun = Instant::now();
        let error = match Session::open(scope, &names).await {
            Ok(mut session) => session.follow(&sender).await,
            Err(error) => error,
        };
        // A session that held for a while was a good one; one that breaks at once is no better than none.
        if begun.elapsed() > longest {
            pause = first;
        }
        sender.send_modify(|seen| {
            seen.systemd = None;
            seen.trouble = Some(error);
            seen.units.fill(Observed::Unknown);
        });
        tokio::time::sleep(pause).await;
        pause = pause.saturating_mul(2).min(longest);
    }
}

/// One connection's worth of following.
struct Session<'a> {
    systemd: Systemd,
    signals: Signals,
    names: &'a [UnitName],
    /// Where each unit is served, in the order of `names`.
    paths: Vec<OwnedObjectPath>,
    rules: BTreeSet<String>,
}

impl<'a> Session<'a> {
    /// Connects and subscribes first, and only then reads: a change in between is a hint waiting.
    async fn open(scope: Scope, names: &'a [UnitName]) -> Result<Self, Error> {
        let systemd = Systemd::connect(scope).await?;
        let signals = Signals::listen(MessageStream::from(systemd.connection()));
        let mut session = Session { systemd, signals, names, paths: Vec::new(), rules: BTreeSet::new() };
        session
            .hear(
                "sender='org.freedesktop.DBus',member='NameOwnerChanged',arg0='org.freedesktop.systemd1'"
                    .to_owned(),
            )
            .await?;
        session.hear(from_systemd("interface='org.freedesktop.systemd1.Manager',member='Reloading'")).await?;
        session.systemd.subscribe().await?;
        session.find_units().await?;
        Ok(session)
    }

    /// Looks every unit up and listens to it. An alias is served under the path of its primary name.
    async fn find_units(&mut self) -> Result<(), Error> {
        let mut paths = Vec::with_capacity(self.names.len());
        let is_crowd = self.names.len() > RULES_EACH;
        if is_crowd {
            self.hear(of_unit("path_namespace='/org/freedesktop/systemd1/unit'")).await?;
            self.hear(from_systemd("member='UnitNew'")).await?;
        }
        for name in self.names {
            let path = self.systemd.load_unit(name).await?;
            if !is_crowd {
                self.hear(of_unit(&format!("path='{}'", path.as_str()))).await?;
                self.hear(from_systemd(&format!("member='UnitNew',arg0='{name}'"))).await?;
            }
            paths.push(path);
        }
        self.paths = paths;
        Ok(())
    }

    /// Adds a match rule, once.
    async fn hear(&mut self, rule: String) -> Result<(), Error> {
        if self.rules.contains(&rule) {
            return Ok(());
        }
        self.systemd
            .connection()
            .call_method(
                Some("org.freedesktop.DBus"),
                "/org/freedesktop/DBus",
                Some("org.freedesktop.DBus"),
                "AddMatch",
                &rule.as_str(),
            )
            .await
            .map_err(|error| Error::new("asking the bus for signals", &error))?;
        self.rules.insert(rule);
        Ok(())
    }

    /// Reads everything once and then whatever changes, until something breaks.
    async fn follow(&mut self, sender: &watch::Sender<Seen>) -> Error {
        match self.read(|_| true).await {
            Ok(read) => sender.send_modify(|seen| {
                seen.systemd = Some(self.systemd.clone());
                seen.trouble = None;
                seen.loads += 1;
                store(seen, read);
            }),
            Err(error) => return error,
        }
        loop {
            let hints = self.signals.next().await;
            if let Some(why) = hints.lost {
                return Error::transport("watching units", why);
            }
            match self.reread(&hints).await {
                Ok(read) => {
                    sender.send_if_modified(|seen| {
                        seen.loads += u64::from(hints.reloaded);
                        store(seen, read) || hints.reloaded
                    });
                }
                Err(error) => return error,
            }
        }
    }

    async fn reread(&mut self, hints: &Hints) -> Result<Vec<(usize, UnitView)>, Error> {
        if hints.reloaded {
            self.find_units().await?;
            return self.read(|_| true).await;
        }
        self.read(|path| hints.changed.contains(path.as_str())).await
    }

    async fn read(&self, wanted: impl Fn(&OwnedObjectPath) -> bool) -> Result<Vec<(usize, UnitView)>, Error> {
        let mut read = Vec::new();
        for (at, (name, path)) in self.names.iter().zip(&self.paths).enumerate() {
            if wanted(path) {
                read.push((at, self.systemd.unit_at(path.as_str(), name.as_str()).await?));
            }
        }
        Ok(read)
    }
}

/// Of the two interfaces that change together, the unit's own says all we want to know.
fn of_unit(place: &str) -> String {
    from_systemd(&format!("member='PropertiesChanged',{place},arg0='org.freedesktop.systemd1.Unit'"))
}

fn from_systemd(rule: &str) -> String {
    format!("type='signal',sender='org.freedesktop.systemd1',{rule}")
}

/// Takes over what was read; true if anything is different now.
fn store(seen: &mut Seen, read: Vec<(usize, UnitView)>) -> bool {
    let mut different = false;
    for (at, view) in read {
        if let Some(unit) = seen.units.get_mut(at) {
            let observed = Observed::Known(view);
            different |= *unit != observed;
            *unit = observed;
        }
    }
    different
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn that_nobody_follows_any_more_is_an_error() {
        let (sender, seen) =
            watch::channel(Seen { systemd: None, trouble: None, loads: 0, units: Vec::new() });
        let task = tokio::spawn(async {}).abort_handle();
        let mut watch = Watch { seen, task };
        sender.send_modify(|seen| seen.loads += 1);
        drop(sender);
        assert!(watch.changed().await.is_ok(), "the last news is still news");
        assert_eq!(watch.seen().loads, 1);
        let said = watch.changed().await.unwrap_err().to_string();
        assert!(said.contains("has died"), "{said}");
    }
}
