//! States, as users see them.

use super::Away;
use std::fmt;

/// The state of one target.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// The bus is away, or the unit was not read yet.
    Unknown,
    /// The unit is not in a state to be checked.
    Deferred(Away),
    /// It runs and is being checked; nothing is concluded yet.
    Starting,
    /// It answers.
    Healthy,
    /// It has failed this many checks in a row, of so many that make a verdict.
    Failing(u32, u32),
    /// It has failed enough of them, and nothing is or could be done about it.
    Unhealthy,
    /// It has failed enough of them, and is left alone for the time being.
    Held(Hold),
    /// SIGTERM is being sent, or was.
    Terminating,
    /// SIGKILL is being sent, or was.
    Killing,
}

/// Why an unhealthy unit is left alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hold {
    /// As many of the others as may be are being restarted or started.
    Budget,
    /// No other one is healthy, and one is being restarted already: first it has to show that this helps.
    Together,
    /// There were too many signals lately.
    Rate,
    /// It is too slow, on a machine that has too much to do.
    Pressure,
}

impl Hold {
    /// All of them, in the order in which they are looked at.
    pub const ALL: [Self; 4] = [Self::Together, Self::Budget, Self::Rate, Self::Pressure];

    /// One word, for programs.
    pub fn word(self) -> &'static str {
        match self {
            Self::Budget => "budget",
            Self::Together => "together",
            Self::Rate => "rate",
            Self::Pressure => "pressure",
        }
    }
}

impl State {
    /// Whether both are the same but for a number: going from one to the other is no news.
    pub fn is_same_kind(self, other: Self) -> bool {
        match (self, other) {
            (Self::Held(one), Self::Held(other)) => one == other,
            _ => std::mem::discriminant(&self) == std::mem::discriminant(&other),
        }
    }

    /// One word, for programs.
    pub fn word(self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::Deferred(_) => "deferred",
            Self::Starting => "starting",
            Self::Healthy => "healthy",
            Self::Failing(..) => "failing",
            Self::Unhealthy => "unhealthy",
            Self::Held(_) => "held",
            Self::Terminating => "terminating",
            Self::Killing => "killing",
        }
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unknown => f.write_str("unknown"),
            Self::Deferred(away) => write!(f, "{away}"),
            Self::Starting => f.write_str("running, not healthy yet"),
            Self::Healthy => f.write_str("healthy"),
            Self::Failing(failed, of) => write!(f, "failing ({failed} of {of})"),
            Self::Unhealthy => f.write_str("unhealthy"),
            Self::Held(hold) => write!(f, "unhealthy and held, {hold}"),
            Self::Terminating => f.write_str("terminating"),
            Self::Killing => f.write_str("killing"),
        }
    }
}

impl fmt::Display for Hold {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Budget => "because others are being restarted",
            Self::Together => {
                "because no other instance is healthy and one is being restarted to see whether that helps"
            }
            Self::Rate => "because many were terminated lately",
            Self::Pressure => "because it is slow and the machine is busy",
        })
    }
}
