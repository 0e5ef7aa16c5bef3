//! The proxy that a record names.

use conductor_definition::{ProxyDriver, Service};
use conductor_proxy::{Address, Driver, Haproxy, Nginx, Proxy as _, Runner, Upstream};
use conductor_systemd::Systemd;

use crate::host::name;
use crate::record::{ProxyRecord, Record};
use crate::{Failure, Stage};

/// What of a release's proxy is written down.
pub(crate) fn record(service: &Service) -> Option<ProxyRecord> {
    service.proxy.as_ref().map(|proxy| ProxyRecord {
        upstream: proxy.upstream.to_string(),
        socket: match &proxy.driver {
            ProxyDriver::Nginx => None,
            ProxyDriver::Haproxy { socket } => Some(socket.to_string()),
        },
    })
}

/// Its driver.
pub(crate) fn driver(proxy: Option<&ProxyRecord>, systemd: &Systemd) -> Result<Driver, Failure> {
    if let Some(socket) = proxy.and_then(|proxy| proxy.socket.as_ref()) {
        return Ok(Driver::Haproxy(Haproxy::new(socket)));
    }
    Ok(Driver::Nginx(nginx(systemd)?))
}

/// Whether the proxy would take a release, in each of its stages and as a whole.
pub(crate) async fn check(record: &Record, systemd: &Systemd) -> Result<(), Failure> {
    if record.proxy.is_none() {
        return Ok(());
    }
    let proxy = driver(record.proxy.as_ref(), systemd)?;
    let stages = record.stages.plan();
    if stages.dark {
        proxy.check(&record.shown(Stage::Dark)?).await?;
    }
    if stages.canary.is_some() {
        proxy.check(&record.shown(Stage::Canary)?).await?;
    }
    Ok(proxy.check(&record.upstream(&record.new)?).await?)
}

/// The machine's nginx.
pub(crate) fn nginx(systemd: &Systemd) -> Result<Nginx, Failure> {
    let runner = Runner::Unit { systemd: systemd.clone(), name: name("nginx.service")? };
    Ok(Nginx::new(runner))
}

/// Its upstream with these servers, which share it evenly.
pub(crate) fn upstream<'a>(
    proxy: Option<&ProxyRecord>,
    servers: impl IntoIterator<Item = &'a str>,
) -> Result<Upstream, Failure> {
    let fail = |error: &dyn std::fmt::Display| Failure::system("the proxy", error);
    let proxy = proxy.ok_or_else(|| fail(&"there is none"))?;
    let name = proxy.upstream.parse().map_err(|error| fail(&error))?;
    let servers: Result<Vec<Address>, _> = servers.into_iter().map(str::parse).collect();
    Ok(Upstream::even(name, servers.map_err(|error| fail(&error))?))
}
