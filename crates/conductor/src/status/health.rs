//! What the checker's own words say about a container.

use serde::Serialize;

/// The health of the containers that one checker watches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Health {
    /// All of them answer.
    Healthy,
    /// Some do. Which ones is for people to read in the checker's words: those are made of reasons,
    /// too, and taking them apart would be guessing.
    Partly(u32, u32),
    /// None does.
    Unhealthy,
    /// The checker does not run.
    Unchecked,
    /// It runs and does not say.
    Unknown,
}

impl Serialize for Health {
    fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(match self {
            Self::Healthy => "healthy",
            Self::Partly(..) => "partly",
            Self::Unhealthy => "unhealthy",
            Self::Unchecked => "unchecked",
            Self::Unknown => "unknown",
        })
    }
}

impl Health {
    /// From the beginning of the checker's status: `1/2 healthy`.
    pub(super) fn from_status(text: &str) -> Self {
        let counted = || {
            let (count, _) = text.split_once(" healthy")?;
            let (healthy, all) = count.split_once('/')?;
            Some((healthy.parse::<u32>().ok()?, all.parse::<u32>().ok()?))
        };
        match counted() {
            // Nobody is asked while systemd cannot be.
            Some(_) if text.contains(" nothing is checked") => Self::Unknown,
            Some((0, _)) => Self::Unhealthy,
            Some((healthy, all)) if healthy >= all => Self::Healthy,
            Some((healthy, all)) => Self::Partly(healthy, all),
            None => Self::Unknown,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_and_does_not_guess() {
        let read = Health::from_status;
        assert_eq!(read("2/2 healthy"), Health::Healthy);
        assert_eq!(read("1/2 healthy, web@2.service: failing (1 of 3) (2/2 healthy)"), Health::Partly(1, 2));
        assert_eq!(read("0/1 healthy, web.service: unhealthy (connection refused)"), Health::Unhealthy);
        assert_eq!(
            read("0/1 healthy, systemd cannot be asked and nothing is checked: no bus"),
            Health::Unknown
        );
        assert_eq!(read("starting"), Health::Unknown);
    }
}
