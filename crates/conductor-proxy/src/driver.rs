//! Either driver.

use std::time::Duration;

use crate::{
    Ask, Difference, Drain, Error, Haproxy, Nginx, Others, Proxy, Switch, Upstream, UpstreamName, Verified,
};

/// The proxy that a definition names.
#[derive(Debug)]
pub enum Driver {
    /// nginx, which is reloaded.
    Nginx(Nginx),
    /// HAProxy, which is told through its runtime API.
    Haproxy(Haproxy),
}

impl Driver {
    /// Writes what is to be known of an upstream, for a proxy that does not run and reads it when it starts.
    ///
    /// # Errors
    /// If the files cannot be written.
    pub async fn write(&self, wanted: &Upstream) -> Result<(), Error> {
        let one = std::slice::from_ref(wanted);
        match self {
            Self::Nginx(nginx) => nginx.write_all(one, Others::Keep).await,
            Self::Haproxy(haproxy) => haproxy.write_all(one, Others::Keep),
        }
    }
}

impl Proxy for Driver {
    async fn difference(&self, wanted: &Upstream) -> Result<Difference, Error> {
        match self {
            Self::Nginx(nginx) => nginx.difference(wanted).await,
            Self::Haproxy(haproxy) => haproxy.difference(wanted).await,
        }
    }

    async fn check(&self, wanted: &Upstream) -> Result<(), Error> {
        match self {
            Self::Nginx(nginx) => nginx.check(wanted).await,
            Self::Haproxy(haproxy) => haproxy.check(wanted).await,
        }
    }

    async fn switch(&self, wanted: &Upstream) -> Result<Switch, Error> {
        match self {
            Self::Nginx(nginx) => nginx.switch(wanted).await,
            Self::Haproxy(haproxy) => haproxy.switch(wanted).await,
        }
    }

    async fn verify(&self, wanted: &Upstream, ask: &Ask) -> Result<Verified, Error> {
        match self {
            Self::Nginx(nginx) => nginx.verify(wanted, ask).await,
            Self::Haproxy(haproxy) => haproxy.verify(wanted, ask).await,
        }
    }

    async fn remove(&self, name: &UpstreamName) -> Result<Switch, Error> {
        match self {
            Self::Nginx(nginx) => nginx.remove(name).await,
            Self::Haproxy(haproxy) => haproxy.remove(name).await,
        }
    }

    async fn drain(&self, wanted: &Upstream, limit: Duration) -> Result<Drain, Error> {
        match self {
            Self::Nginx(nginx) => nginx.drain(wanted, limit).await,
            Self::Haproxy(haproxy) => haproxy.drain(wanted, limit).await,
        }
    }
}
