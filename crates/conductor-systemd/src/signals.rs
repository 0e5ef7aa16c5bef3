//! Signals of the bus, boiled down to what has to be read again.

use futures_core::Stream;
use std::collections::BTreeSet;
use std::future::poll_fn;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::Notify;
use tokio::task::AbortHandle;
use zbus::{Message, MessageStream, OwnedObjectPath, message::Type};

/// What happened since one last asked. A signal is never believed, only followed by a read: several
/// may coalesce, and a bus can drop some.
#[derive(Debug, Default)]
pub(crate) struct Hints {
    /// Object paths of units that changed or were loaded.
    pub(crate) changed: BTreeSet<String>,
    /// systemd has reloaded its configuration: names may lead elsewhere now.
    pub(crate) reloaded: bool,
    /// systemd left the bus (daemon-reexec), or the bus left us.
    pub(crate) lost: Option<&'static str>,
}

impl Hints {
    fn is_empty(&self) -> bool {
        self.changed.is_empty() && !self.reloaded && self.lost.is_none()
    }
}

/// Drains the connection's signals all the time, so that a burst of them never fills zbus' queue and
/// thereby holds up the answer that somebody waits for.
#[derive(Debug)]
pub(crate) struct Signals {
    shared: Arc<Shared>,
    pump: AbortHandle,
}

#[derive(Debug, Default)]
struct Shared {
    hints: Mutex<Hints>,
    news: Notify,
}

impl Signals {
    /// Starts to listen. Which signals arrive is up to the match rules of the connection.
    pub(crate) fn listen(stream: MessageStream) -> Self {
        let shared = Arc::new(Shared::default());
        let pump = tokio::spawn(pump(stream, Arc::clone(&shared))).abort_handle();
        Self { shared, pump }
    }

    /// Waits until there is something, and takes it. Nothing is lost if this is dropped half-way.
    pub(crate) async fn next(&self) -> Hints {
        loop {
            let hints = std::mem::take(&mut *self.shared.lock());
            if !hints.is_empty() {
                return hints;
            }
            self.shared.news.notified().await;
        }
    }
}

impl Drop for Signals {
    fn drop(&mut self) {
        self.pump.abort();
    }
}

impl Shared {
    fn lock(&self) -> std::sync::MutexGuard<'_, Hints> {
        self.hints.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whoever waits for signals learns that there are no more, even if it is a panic that ends them.
struct Closing(Arc<Shared>);

impl Drop for Closing {
    fn drop(&mut self) {
        self.0.lock().lost = Some("the bus closed the connection");
        self.0.news.notify_one();
    }
}

async fn pump(mut stream: MessageStream, shared: Arc<Shared>) {
    let Closing(shared) = &Closing(shared);
    while let Some(Ok(message)) = poll_fn(|cx| Pin::new(&mut stream).poll_next(cx)).await {
        if note(&message, &mut shared.lock()) {
            shared.news.notify_one();
        }
    }
}

/// Takes down what a message means; false if it means nothing to us.
fn note(message: &Message, hints: &mut Hints) -> bool {
    if message.message_type() != Type::Signal {
        return false;
    }
    let header = message.header();
    let (Some(interface), Some(member)) = (header.interface(), header.member()) else {
        return false;
    };
    match (interface.as_str(), member.as_str()) {
        ("org.freedesktop.DBus.Properties", "PropertiesChanged") => {
            header.path().is_some_and(|path| hints.changed.insert(path.as_str().to_owned()))
        }
        // The first change of a unit that was not loaded is announced by this and by nothing else
        // (bus_unit_send_change_signal() in systemd's dbus-unit.c).
        ("org.freedesktop.systemd1.Manager", "UnitNew") => message
            .body()
            .deserialize::<(String, OwnedObjectPath)>()
            .is_ok_and(|(_, path)| hints.changed.insert(path.as_str().to_owned())),
        ("org.freedesktop.systemd1.Manager", "Reloading") => {
            let finished = message.body().deserialize::<bool>().is_ok_and(|begins| !begins);
            hints.reloaded |= finished;
            finished
        }
        ("org.freedesktop.DBus", "NameOwnerChanged") => {
            let moved = message
                .body()
                .deserialize::<(&str, &str, &str)>()
                .is_ok_and(|(name, _, _)| name == "org.freedesktop.systemd1");
            if moved {
                hints.lost = Some("systemd left the bus, as it does for daemon-reexec");
            }
            moved
        }
        _ => false,
    }
}
