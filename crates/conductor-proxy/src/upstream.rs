//! What an upstream is to be.

use std::fmt;

use crate::{Address, Dark, UpstreamName};

/// How much of the traffic a server gets in relation to the others: 1 to 256, which is HAProxy's range.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Weight(u16);

impl Weight {
    /// The smallest one.
    pub const ONE: Self = Self(1);
    pub(crate) const MOST: u16 = 256;

    /// A weight, if it is in the range.
    pub fn new(weight: u16) -> Option<Self> {
        (1..=Self::MOST).contains(&weight).then_some(Self(weight))
    }

    /// As a number.
    pub fn get(self) -> u16 {
        self.0
    }
}

impl fmt::Display for Weight {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// One instance that gets requests.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Server {
    /// Where it listens.
    pub address: Address,
    /// Its part of the traffic.
    pub weight: Weight,
}

impl Server {
    /// A server with the weight that all have if nothing is said.
    pub fn new(address: Address) -> Self {
        Self { address, weight: Weight::ONE }
    }
}

/// Everything that a proxy is to know of one service: the whole, not a change. What is not in it gets no requests.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Upstream {
    /// Its name in the proxy's configuration.
    pub name: UpstreamName,
    /// The instances that share the traffic: those of the live release, and with weights those of a canary (see
    /// [`crate::shared`]). With none, requests are answered with 502 or 503: for a service without a release yet, so
    /// that a configuration that names the upstream is valid.
    pub servers: Vec<Server>,
    /// A release that gets only the requests that ask for it.
    pub dark: Option<Dark>,
}

impl Upstream {
    /// An upstream that these addresses share evenly.
    pub fn even(name: UpstreamName, addresses: impl IntoIterator<Item = Address>) -> Self {
        Self { name, servers: addresses.into_iter().map(Server::new).collect(), dark: None }
    }
}
