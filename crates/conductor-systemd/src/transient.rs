//! A unit that exists for one run and has no file (`StartTransientUnit`, org.freedesktop.systemd1(5)).

use std::os::fd::OwnedFd;

use zbus::proxy::CacheProperties;
use zbus::{Fd, Variant};

use crate::{ActiveState, Error, Observed, Scope, Signal, Systemd, UnitName, Watch};

/// What a transient unit is to be: its name and its properties.
#[derive(Debug)]
pub struct TransientUnit {
    name: UnitName,
    properties: Vec<(&'static str, Variant<'static>)>,
}

/// How the main process of a service ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct End {
    /// In systemd's word, such as `success`, `exit-code`, `signal` or `oom-kill`.
    pub result: String,
    /// The exit status if it exited, or 128 and the signal's number if one ended it, as shells say it;
    /// none if it was never started. systemd's own codes for why not (systemd.exec(5), Process Exit Codes) are
    /// in the range of a command's, so they do not count.
    pub status: Option<u8>,
}

#[derive(Debug, Default, zbus::DeserializeDict, zbus::Type)]
#[zbus(signature = "a{sv}", rename_all = "PascalCase")]
pub(crate) struct EndProperties {
    result: Option<String>,
    exec_main_code: Option<i32>,
    exec_main_status: Option<i32>,
    active_enter_timestamp: Option<u64>,
}

/// `CLD_EXITED` of waitid(2).
const EXITED: i32 = 1;

impl TransientUnit {
    /// A service of this name, without properties.
    pub fn new(name: UnitName) -> Self {
        // The reference keeps systemd from forgetting how it ended before we have asked, for as long as our
        // connection lives.
        Self { name, properties: vec![("AddRef", true.into())] }
    }

    /// Adds a property; its type has to be that which systemd has for the name.
    #[must_use]
    pub fn set(mut self, name: &'static str, value: impl Into<Variant<'static>>) -> Self {
        self.properties.push((name, value.into()));
        self
    }

    /// Adds the commands of an `Exec…` property: program and arguments of each, and whether their failure matters.
    #[must_use]
    pub fn commands(self, name: &'static str, commands: Vec<Vec<String>>, may_fail: bool) -> Self {
        let command = |words: Vec<String>| (words.first().cloned().unwrap_or_default(), words, may_fail);
        self.set(name, commands.into_iter().map(command).collect::<Vec<_>>())
    }

    /// Gives it these for input, output and messages.
    #[must_use]
    pub fn standard_streams(self, [input, output, error]: [OwnedFd; 3]) -> Self {
        self.set("StandardInputFileDescriptor", Fd::from(input))
            .set("StandardOutputFileDescriptor", Fd::from(output))
            .set("StandardErrorFileDescriptor", Fd::from(error))
    }
}

/// A transient unit that was started.
#[derive(Debug)]
pub struct TransientRun {
    systemd: Systemd,
    name: UnitName,
    watch: Watch,
}

impl TransientRun {
    /// Has systemd start it.
    ///
    /// # Errors
    /// If there is a unit of that name, a property is not possible, or we may not do it.
    pub async fn start(systemd: &Systemd, scope: Scope, unit: TransientUnit) -> Result<Self, Error> {
        let TransientUnit { name, properties } = unit;
        let starting = async {
            let manager = systemd.manager().await?;
            manager.start_transient_unit(name.as_str(), "fail", &properties, &[]).await
        };
        starting.await.map_err(|error| Error::new(format!("starting {name}"), &error))?;
        let watch = Watch::start(scope, vec![name.clone()]);
        Ok(Self { systemd: systemd.clone(), name, watch })
    }

    /// Waits until it has ended and everything of it is gone. Dropping the future loses nothing.
    ///
    /// # Errors
    /// If systemd cannot be followed any more.
    pub async fn ended(&mut self) -> Result<End, Error> {
        loop {
            self.watch.changed().await?;
            let seen = self.watch.seen();
            let Some(Observed::Known(view)) = seen.units.first() else { continue };
            let over = matches!(view.active_state, ActiveState::Inactive | ActiveState::Failed);
            // While its job waits it is inactive too.
            if over && view.job.is_none() {
                return self.end().await;
            }
        }
    }

    /// Sends a signal to its main process; nothing if there is none.
    pub async fn signal(&self, signal: Signal) -> Result<(), Error> {
        let sending = async {
            let path = self.systemd.load_unit(&self.name).await?;
            let unit = self.systemd.unit_proxy(path.as_str()).await;
            let sent = match unit {
                Ok(unit) => unit.kill("main", signal.number()).await,
                Err(error) => Err(error),
            };
            sent.map_err(|error| Error::new(format!("sending {} to {}", signal.name(), self.name), &error))
        };
        match sending.await {
            Err(error) if error.name() == Some("org.freedesktop.systemd1.NoSuchProcess") => Ok(()),
            sent => sent,
        }
    }

    async fn end(&self) -> Result<End, Error> {
        let path = self.systemd.load_unit(&self.name).await?;
        let reading = async {
            let properties = crate::proxy::PropertiesOfEndProxy::builder(self.systemd.connection())
                .path(path)
                .cache_properties(CacheProperties::No)
                .build()
                .await?;
            Ok::<_, zbus::Error>(End::new(properties.get_all("").await?))
        };
        reading.await.map_err(|error| Error::new(format!("reading how {} ended", self.name), &error))
    }
}

impl End {
    fn new(read: EndProperties) -> Self {
        let EndProperties { result, exec_main_code, exec_main_status, active_enter_timestamp } = read;
        let status = exec_main_status.unwrap_or_default();
        let status = match exec_main_code.unwrap_or_default() {
            0 => None,
            // With Type=exec it is active once the program is (systemd.service(5)).
            _ if active_enter_timestamp == Some(0) => None,
            EXITED => u8::try_from(status).ok(),
            _ => u8::try_from(status.saturating_add(128)).ok(),
        };
        Self { result: result.unwrap_or_default(), status }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ends_are_told_as_shells_do() {
        let end = |code, status, active| {
            End::new(EndProperties {
                result: Some("exit-code".into()),
                exec_main_code: Some(code),
                exec_main_status: Some(status),
                active_enter_timestamp: Some(active),
            })
        };
        assert_eq!(end(EXITED, 3, 7).status, Some(3));
        assert_eq!(end(2, 9, 7).status, Some(137), "killed");
        assert_eq!(end(0, 0, 0).status, None, "never started");
        assert_eq!(end(EXITED, 243, 0).status, None, "a credential is missing");
    }
}
