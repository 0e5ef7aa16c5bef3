//! The proxy that a record names.

use conductor_definition::{ProxyDriver, Service};
use conductor_proxy::{Address, Driver, Haproxy, Nginx, Runner, Upstream};
use conductor_systemd::Systemd;

use crate::Failure;
use crate::host::name;
use crate::record::ProxyRecord;

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
