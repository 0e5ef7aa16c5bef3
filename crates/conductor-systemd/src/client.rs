//! One connection to one systemd.

use crate::proxy::{ManagerProxy, PropertiesProxy, UnitProxy};
use crate::{Definition, Error, InvocationId, KillOutcome, Signal, UnitName, UnitView};
use std::time::Duration;
use zbus::{Connection, OwnedObjectPath, proxy::CacheProperties};

/// How long a call may take. Answers come within a millisecond, and within a second or two from a
/// systemd that is reloading a large machine; authorisation by polkit comes on top.
pub const METHOD_TIMEOUT: Duration = Duration::from_secs(10);

const UNIT_INTERFACE: &str = "org.freedesktop.systemd1.Unit";
const SERVICE_INTERFACE: &str = "org.freedesktop.systemd1.Service";

/// Which systemd to talk to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// PID 1, over the system bus.
    System,
    /// The user's own manager, over the user's bus (`$XDG_RUNTIME_DIR/bus`, dbus-user-session).
    User,
}

/// A connection to systemd. Clones share it.
#[derive(Clone, Debug)]
pub struct Systemd {
    connection: Connection,
}

impl Systemd {
    /// Connects over the bus, within [`METHOD_TIMEOUT`].
    pub async fn connect(scope: Scope) -> Result<Self, Error> {
        let (builder, doing) = match scope {
            Scope::System => (zbus::connection::Builder::system(), "connecting to the system bus"),
            Scope::User => (
                zbus::connection::Builder::session(),
                "connecting to the user's bus, which dbus-user-session brings",
            ),
        };
        let connecting = builder.method_timeout(METHOD_TIMEOUT).build();
        match tokio::time::timeout(METHOD_TIMEOUT, connecting).await {
            Ok(connection) => Ok(Self { connection: connection.map_err(|error| Error::new(doing, &error))? }),
            Err(_) => Err(Error::transport(doing, format!("no answer within {}s", METHOD_TIMEOUT.as_secs()))),
        }
    }

    pub(crate) fn connection(&self) -> &Connection {
        &self.connection
    }

    /// Asks systemd to send signals to this connection. Without it none arrive.
    pub async fn subscribe(&self) -> Result<(), Error> {
        let doing = "subscribing to systemd's signals";
        let fail = |error| Error::new(doing, &error);
        self.manager().await.map_err(fail)?.subscribe().await.map_err(fail)
    }

    /// The object path of a unit under its primary name. A unit that does not exist has one as well.
    pub async fn load_unit(&self, name: &UnitName) -> Result<OwnedObjectPath, Error> {
        let fail = |error| Error::new(format!("looking up {name}"), &error);
        self.manager().await.map_err(fail)?.load_unit(name.as_str()).await.map_err(fail)
    }

    /// Reads a unit by name. One that does not exist reads as [`crate::LoadState::NotFound`].
    pub async fn unit(&self, name: &UnitName) -> Result<UnitView, Error> {
        let path = self.load_unit(name).await?;
        self.unit_at(path.as_str(), name.as_str()).await
    }

    /// Reads the unit whose current run this is; `None` if that run is over.
    pub async fn invocation(&self, id: &InvocationId) -> Result<Option<UnitView>, Error> {
        match self.unit_at(&id.object_path(), &format!("invocation {id}")).await {
            Ok(view) => Ok(Some(view)),
            Err(error) if error.is_gone() => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// What systemd would start this very process from, had it to start it now; `None` if that cannot
    /// be told, as for a service whose unit file is gone. An error outside of any unit.
    pub async fn own_definition(&self) -> Result<Option<Definition>, Error> {
        let reading = async {
            let path = self.manager().await?.get_unit_by_pid(0).await?;
            self.properties(path.as_str()).await?.get_service(SERVICE_INTERFACE).await
        };
        let read = reading.await.map_err(|error| Error::new("reading the unit of this process", &error))?;
        Ok(Definition::new(read))
    }

    /// Sends a signal to the main process of one run of a unit, and of no other.
    pub async fn kill_invocation(&self, id: &InvocationId, signal: Signal) -> KillOutcome {
        let sending = async { self.unit_proxy(&id.object_path()).await?.kill("main", signal.number()).await };
        KillOutcome::from_answer(
            sending
                .await
                .map_err(|error| Error::new(format!("sending {} to invocation {id}", signal.name()), &error)),
        )
    }

    /// How often systemd has restarted the unit by itself since somebody last started it or reset its failures.
    pub async fn restarts(&self, id: &InvocationId) -> Result<u32, Error> {
        let reading = async {
            let properties = self.properties(&id.object_path()).await?;
            let restarts = properties.get(SERVICE_INTERFACE, "NRestarts").await?;
            u32::try_from(restarts)
        };
        reading.await.map_err(|error| Error::new(format!("reading invocation {id}"), &error))
    }

    /// The main process of a service; `None` while it has none.
    pub async fn main_pid(&self, name: &UnitName) -> Result<Option<u32>, Error> {
        let path = self.load_unit(name).await?;
        let reading = async {
            let pid = self.properties(path.as_str()).await?.get(SERVICE_INTERFACE, "MainPID").await?;
            u32::try_from(pid)
        };
        let pid = reading.await.map_err(|error| Error::new(format!("reading {name}"), &error))?;
        Ok((pid != 0).then_some(pid))
    }

    /// Forgets the failures of a unit, so that its restart delay and start limit begin anew.
    pub async fn reset_failed(&self, id: &InvocationId) -> Result<(), Error> {
        let resetting = async { self.unit_proxy(&id.object_path()).await?.reset_failed().await };
        resetting
            .await
            .map_err(|error| Error::new(format!("resetting the failures of invocation {id}"), &error))
    }

    /// Everything about the unit in one answer, so that its parts fit each other. What only services
    /// have is a property of another interface, which comes by a call of its own.
    pub(crate) async fn unit_at(&self, path: &str, what: &str) -> Result<UnitView, Error> {
        let reading = async {
            let properties = self.properties(path).await?;
            // Both at once: systemd answers them one right after the other.
            let (read, status_text) = tokio::join!(
                properties.get_all(UNIT_INTERFACE),
                properties.get(SERVICE_INTERFACE, "StatusText")
            );
            // Units of other types have no such property, and that is no reason to fail.
            let status_text = status_text.ok().and_then(|text| String::try_from(text).ok());
            Ok::<_, zbus::Error>(UnitView::new(read?, status_text))
        };
        reading.await.map_err(|error| Error::new(format!("reading {what}"), &error))
    }

    pub(crate) async fn manager(&self) -> zbus::Result<ManagerProxy<'static>> {
        ManagerProxy::builder(&self.connection).cache_properties(CacheProperties::No).build().await
    }

    async fn properties(&self, path: &str) -> zbus::Result<PropertiesProxy<'static>> {
        PropertiesProxy::builder(&self.connection)
            .path(path.to_owned())
            .cache_properties(CacheProperties::No)
            .build()
            .await
    }

    pub(crate) async fn unit_proxy(&self, path: &str) -> zbus::Result<UnitProxy<'static>> {
        UnitProxy::builder(&self.connection)
            .path(path.to_owned())
            .cache_properties(CacheProperties::No)
            .build()
            .await
    }
}
