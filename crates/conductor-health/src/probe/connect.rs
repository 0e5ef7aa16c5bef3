//! From a URL to a connected socket.

use super::{Phase, Progress, Reason};
use crate::HttpUrl;
use crate::url::Host;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use tokio::net::TcpStream;

/// Resolves and connects; of several addresses the first that accepts wins.
pub(super) async fn connect(url: &HttpUrl, progress: &mut Progress) -> Result<TcpStream, Reason> {
    let addresses = resolve(url).await?;
    progress.check.timings.resolve = Some(progress.lap());
    progress.phase = Phase::Connect;
    let mut last = Reason::Own(format!("the name {} has no address", url.host()));
    for address in addresses {
        progress.check.address = Some(address);
        match TcpStream::connect(address).await {
            Ok(stream) => {
                progress.check.timings.connect = Some(progress.lap());
                return Ok(stream);
            }
            Err(error) => last = Reason::from_io(&error),
        }
    }
    Err(last)
}

async fn resolve(url: &HttpUrl) -> Result<Vec<SocketAddr>, Reason> {
    let port = url.port();
    let name = match url.host() {
        Host::Ip(address) => return Ok(vec![SocketAddr::new(*address, port)]),
        // RFC 6761, 6.3: always the loopback. Saves the thread that a resolver call costs.
        Host::Name(name) if name == "localhost" => {
            let loopback: [IpAddr; 2] = [Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()];
            return Ok(loopback.map(|address| SocketAddr::new(address, port)).to_vec());
        }
        Host::Name(name) => name,
    };
    match tokio::net::lookup_host((name.as_str(), port)).await {
        Ok(found) => Ok(found.collect()),
        // A resolver that fails is no fault of the service behind the name.
        Err(_) => Err(Reason::Own(format!("the name {name} does not resolve"))),
    }
}
