//! Whether this machine should get traffic for a service.

use super::Answer;
use crate::verdict::{Away, State};

/// What is known of one instance.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Member {
    /// Its state.
    pub state: State,
    /// Whether it was healthy when it was last heard of, and has not failed often enough since to be unhealthy.
    pub serves: bool,
}

/// What to tell a load balancer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Traffic {
    /// Send it here: so many of so many serve.
    Up(usize, usize),
    /// Send nothing new, but let what is under way come to its end.
    Drain(usize),
    /// Send nothing.
    Down(usize),
}

impl Traffic {
    /// From all instances.
    pub fn of(members: impl Iterator<Item = Member> + Clone) -> Self {
        let total = members.clone().count();
        let serve = members.clone().filter(|member| member.serves).count();
        let is_leaving =
            |member: Member| matches!(member.state, State::Deferred(Away::Stopping | Away::Pending));
        match serve {
            0 if members.into_iter().any(is_leaving) => Self::Drain(total),
            0 => Self::Down(total),
            serve => Self::Up(serve, total),
        }
    }

    /// For whoever asks over HTTP, such as HAProxy's `option httpchk`.
    pub fn http(self) -> Answer {
        match self {
            Self::Up(serve, total) => {
                Answer::text(200, format!("up, {serve} of {total} instances are healthy\n"))
            }
            Self::Drain(total) => Answer::text(503, format!("drain, {total} instances are being stopped\n")),
            Self::Down(total) => Answer::text(503, format!("down, none of {total} instances is healthy\n")),
        }
    }

    /// For HAProxy's `agent-check`. `ready` takes back an earlier `drain`, which would last otherwise.
    pub fn agent(self) -> Answer {
        let line = match self {
            Self::Up(serve, total) => format!("ready up {}%", (serve * 100).div_ceil(total.max(1))),
            Self::Drain(_) => "drain".to_owned(),
            Self::Down(total) => format!("ready down #none of {total} instances is healthy"),
        };
        Answer::text(200, line)
    }

    /// One word, for programs.
    pub fn word(self) -> &'static str {
        match self {
            Self::Up(..) => "up",
            Self::Drain(_) => "drain",
            Self::Down(_) => "down",
        }
    }
}

/// How well off a service is by this answer of one of its checkers, to compare it with another's.
pub(super) fn rank(answer: &Answer) -> u32 {
    let body = answer.body.trim_end();
    if let Some(share) = body.strip_prefix("ready up ") {
        return 2 + share.trim_end_matches('%').parse::<u32>().unwrap_or_default();
    }
    match body.split([' ', ',']).next() {
        Some("up") => 2,
        Some("drain") => 1,
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(members: &[(State, bool)]) -> Traffic {
        Traffic::of(members.iter().map(|(state, serves)| Member { state: *state, serves: *serves }))
    }

    #[test]
    fn one_that_serves_is_enough() {
        let (healthy, failing) = ((State::Healthy, true), (State::Failing(1, 3), true));
        let unhealthy = (State::Unhealthy, false);
        assert_eq!(of(&[healthy, unhealthy, unhealthy]), Traffic::Up(1, 3));
        assert_eq!(of(&[healthy, unhealthy, unhealthy]).agent().body, "ready up 34%");
        assert_eq!(of(&[failing, healthy]).agent().body, "ready up 100%");
        assert_eq!(of(&[(State::Unknown, true)]), Traffic::Up(1, 1), "as it was when it was last heard of");
        assert_eq!(of(&[unhealthy]).http().status, 503);
        assert_eq!(of(&[]), Traffic::Down(0));
    }

    #[test]
    fn answers_are_ranked() {
        let all = [Traffic::Down(1), Traffic::Drain(1), Traffic::Up(1, 2), Traffic::Up(2, 2)];
        assert!(all.map(|traffic| rank(&traffic.agent())).is_sorted_by(|one, other| one < other));
        assert_eq!(all.map(|traffic| rank(&traffic.http())), [0, 1, 2, 2]);
    }

    #[test]
    fn a_stop_drains() {
        let stopping = (State::Deferred(Away::Stopping), false);
        assert_eq!(of(&[stopping, (State::Deferred(Away::Stopped), false)]), Traffic::Drain(2));
        assert_eq!(of(&[stopping, (State::Healthy, true)]), Traffic::Up(1, 2));
        assert_eq!(of(&[(State::Deferred(Away::Restarting), false)]), Traffic::Down(1));
    }
}
