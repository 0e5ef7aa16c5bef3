//! How a release fares that was left in a stage: what is written down says only that it was.

use conductor_systemd::{ActiveState, Systemd};
use serde::Serialize;

use crate::host::name;
use crate::promote::gone;
use crate::record::Record;
use crate::stages::guard;
use crate::{Failure, Stage};

/// How it fares.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Waits {
    /// It is there, and its guard watches it.
    Watched,
    /// It is there, and nobody watches it.
    Unwatched,
    /// It is not there any more, and why; as after a boot.
    Gone(String),
    /// systemd does not say, and why.
    Unknown(String),
}

impl Waits {
    /// Asks systemd.
    pub async fn ask(systemd: &Systemd, service: &str, record: &Record) -> Self {
        Self::asked(systemd, service, record).await.unwrap_or_else(|failure| Self::Unknown(failure.text))
    }

    async fn asked(systemd: &Systemd, service: &str, record: &Record) -> Result<Self, Failure> {
        if let Some(why) = gone(systemd, record).await? {
            return Ok(Self::Gone(why));
        }
        let guard = systemd.status(&name(&guard(service))?).await?;
        // Of one that failed systemd starts the next one in a moment.
        let watches = guard.is_active() || guard.active_state == ActiveState::Activating;
        Ok(if watches { Self::Watched } else { Self::Unwatched })
    }

    /// Says so, and what can be done; `conductor` is how it is called for this service.
    pub fn tell(&self, stage: Stage, conductor: &str, service: &str) -> String {
        let choice = format!(
            "`{conductor} promote {service}` lets it go on, `{conductor} abort {service}` takes it back"
        );
        match self {
            Self::Watched => format!("waits {stage}: {choice}"),
            Self::Unwatched => {
                let guard = guard(service);
                format!(
                    "waits {stage}, and nobody watches it: `systemctl restart {guard}` has that done, {choice}"
                )
            }
            Self::Unknown(why) => format!("was left {stage}, and how it fares nobody says ({why}): {choice}"),
            Self::Gone(why) => format!(
                "does not wait {stage} any more: {why}. `{conductor} abort {service}` or the next deploy clears up"
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_said_of_it() {
        let said = |waits: Waits| waits.tell(Stage::Canary, "conductor", "web");
        assert_eq!(
            said(Waits::Watched),
            "waits as a canary: `conductor promote web` lets it go on, `conductor abort web` takes it back"
        );
        assert_eq!(
            said(Waits::Unwatched),
            "waits as a canary, and nobody watches it: `systemctl restart conductor-guard@web.service` has that done, \
             `conductor promote web` lets it go on, `conductor abort web` takes it back"
        );
        assert_eq!(
            said(Waits::Unknown("no bus".to_owned())),
            "was left as a canary, and how it fares nobody says (no bus): `conductor promote web` lets it go on, \
             `conductor abort web` takes it back"
        );
        assert_eq!(
            said(Waits::Gone("web-blue@1.service is inactive".to_owned())),
            "does not wait as a canary any more: web-blue@1.service is inactive. `conductor abort web` or the next \
             deploy clears up"
        );
    }
}
