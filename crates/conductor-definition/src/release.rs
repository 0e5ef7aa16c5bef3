//! How releases of a service take over from each other: the model.

use std::fmt;
use std::net::SocketAddr;

use conductor_timespan::TimeSpan;

use crate::value::{DoorWord, FilePath, UpstreamName};
use crate::written::default;
use crate::{Port, Service};

/// One of the two places of a service that is deployed blue-green: while the release in one is live, the next comes up
/// in the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Slot {
    /// The first one.
    Blue,
    /// The other one.
    Green,
}

impl Slot {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Blue, Self::Green];

    /// Its name, in names of units and files.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Blue => "blue",
            Self::Green => "green",
        }
    }

    /// The file of the release in it.
    pub fn file_name(self) -> &'static str {
        match self {
            Self::Blue => "blue.toml",
            Self::Green => "green.toml",
        }
    }

    /// The slot whose release has this file.
    pub fn of_file(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|slot| slot.file_name() == name)
    }

    /// Not this one.
    #[must_use]
    pub fn other(self) -> Self {
        match self {
            Self::Blue => Self::Green,
            Self::Green => Self::Blue,
        }
    }

    /// How far its ports are from the first slot's, in ports of one instance.
    fn offset(self) -> u16 {
        match self {
            Self::Blue => 0,
            Self::Green => 1,
        }
    }
}

impl fmt::Display for Slot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// How a new release takes over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Strategy {
    /// It starts beside the old one, which is stopped when the new one has taken over.
    BlueGreen,
    /// The old one is stopped first.
    Recreate,
}

/// How a service is deployed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Deploy {
    /// How a new release takes over.
    pub strategy: Strategy,
    /// For so long it has to be healthy before it does.
    pub settle: TimeSpan,
    /// For so long connections to the old one may go on.
    pub drain: TimeSpan,
    /// What runs before a new release starts.
    pub before: Option<Before>,
    /// Releases that are kept.
    pub keep: u32,
    /// What of a new release gets requests before the whole of it does.
    pub canary: Option<Canary>,
    /// For so long the old release can still take over again after the switch; none if zero.
    pub bake: TimeSpan,
}

/// A part of a new release that gets a share of the requests, for a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Canary {
    /// How many of its instances; at least one and at most all.
    pub instances: u16,
    /// The share of all of them together in percent, from 1 to 99; the same for each instance of both releases if none.
    pub share: Option<u8>,
    /// For how long, if it goes on by itself after that.
    pub bake: TimeSpan,
    /// Who says that the rest follows.
    pub promotion: Promotion,
}

/// Who says that a canary becomes a release.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Promotion {
    /// The time for which it was healthy.
    #[default]
    Auto,
    /// Somebody, with a command.
    Manual,
}

impl Default for Canary {
    /// What counts where a canary is asked for and nothing is said about it.
    fn default() -> Self {
        Self { instances: 1, share: None, bake: default::CANARY_BAKE, promotion: Promotion::Auto }
    }
}

/// A command that runs once, in the new image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Before {
    /// The command and its arguments; never empty.
    pub command: Vec<String>,
    /// The time it may take.
    pub timeout: TimeSpan,
}

/// What passes requests on to the instances of the live release.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proxy {
    /// nginx's upstream, or HAProxy's backend.
    pub upstream: UpstreamName,
    /// The port of each instance that gets the requests.
    pub port: Port,
    /// Which program.
    pub driver: ProxyDriver,
    /// How requests reach a release that gets no others.
    pub dark: Option<Door>,
}

/// What takes a request to a release that is in the dark.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Door {
    /// A header field of this name with this value.
    Header(DoorWord, DoorWord),
    /// A cookie of this name with this value.
    Cookie(DoorWord, DoorWord),
    /// An address of the host, on which the proxy listens for it.
    Listen(SocketAddr),
}

/// A program that passes requests on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ProxyDriver {
    /// nginx, which is reloaded.
    Nginx,
    /// HAProxy, which is told through its runtime API.
    Haproxy {
        /// The socket of the API.
        socket: FilePath,
    },
}

impl Service {
    /// Whether it is more than one container, or will be: then a target stands for it.
    pub fn is_group(&self) -> bool {
        self.slots || self.instances > 1
    }

    /// How far two instances' host ports are apart, in ports of one instance: the slots take turns, so that more
    /// instances in the next release are not in the way of those that run.
    pub(crate) fn stride(slots: bool) -> u16 {
        if slots { 2 } else { 1 }
    }
}

impl Port {
    /// The host's first port of instance `number` (from 1): a pure function of the definition, so that nothing has to
    /// be asked at run time. Validation made sure that it stays within 16 bits.
    pub fn host_port(self, number: u16, slot: Option<Slot>) -> u16 {
        let before = number.saturating_sub(1).saturating_mul(Service::stride(slot.is_some()));
        let before = before.saturating_add(slot.map_or(0, Slot::offset));
        self.host.saturating_add(before.saturating_mul(self.count))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Source, parse};

    fn service(text: &str) -> Service {
        parse(&Source::new("web.toml", format!("image = \"x:1\"\n{text}"))).unwrap().service
    }

    #[test]
    fn ports_of_the_slots_take_turns() {
        let text = "[[ports]]\ncontainer = \"80-81\"\nhost = 100\n[deploy]\nstrategy = \"blue-green\"";
        let [port] = service(text).network.ports.try_into().unwrap();
        let first = |number, slot| port.host_port(number, slot);
        assert_eq!([first(1, None), first(2, None)], [100, 102]);
        assert_eq!([first(1, Some(Slot::Blue)), first(2, Some(Slot::Blue))], [100, 104]);
        assert_eq!([first(1, Some(Slot::Green)), first(2, Some(Slot::Green))], [102, 106]);
    }

    #[test]
    fn who_asks_for_nothing_keeps_plain_units() {
        let health = "[[ports]]\ncontainer = 80\nhost = 100\n[health]\npath = \"/\"\n";
        let of = |text: &str| {
            let service = service(text);
            (service.deploy.strategy, service.slots)
        };
        assert_eq!(of(""), (Strategy::Recreate, false));
        assert_eq!(of(health), (Strategy::BlueGreen, false));
        assert_eq!(of("deploy.keep = 5"), (Strategy::Recreate, false));
        assert_eq!(of(&format!("deploy.keep = 5\n{health}")), (Strategy::BlueGreen, true));
        assert_eq!(of(&format!("deploy.strategy = \"recreate\"\n{health}")), (Strategy::Recreate, false));
        let proxy = "proxy.upstream = \"web\"\n[[ports]]\ncontainer = 80\nhost = 100\n";
        assert_eq!(of(proxy), (Strategy::BlueGreen, true));
        assert_eq!(of("deploy.strategy = \"blue-green\""), (Strategy::BlueGreen, true));
    }
}
