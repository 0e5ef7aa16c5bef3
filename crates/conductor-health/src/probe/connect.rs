//! From a URL to a connection over which something can be asked.

use super::check::{Address, Progress};
use super::meter::{Meter, Metered};
use super::reason::{Phase, Reason};
use super::resolve;
use super::socket::Socket;
use super::stream::Stream;
use super::tls;
use crate::url::{Host, Server, Url};
use rustix::io::Errno;
use rustix::net::{AddressFamily, SocketAddrUnix};
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{Instant, timeout_at};
use tokio_rustls::rustls::pki_types::ServerName;

/// RFC 6761, 6.3: always the loopback. Saves the thread that a resolver call costs.
const LOOPBACK: [IpAddr; 2] = [IpAddr::V4(Ipv4Addr::LOCALHOST), IpAddr::V6(Ipv6Addr::LOCALHOST)];

/// Resolves and connects.
pub(super) async fn connect(
    url: &Url,
    meter: &Arc<Meter>,
    progress: &mut Progress,
) -> Result<Socket, Reason> {
    let (host, port) = match url.server() {
        Server::Unix(path) => {
            begin(progress, Address::Unix(Arc::clone(path)));
            let stream = unix(path).await?;
            progress.check.timings.connect = Some(progress.lap());
            return Ok(stream);
        }
        Server::Inet(host, port) => (host, *port),
    };
    let stream = match host {
        Host::Ip(address) => first_of(&[*address], port, meter, progress).await,
        Host::Name(name) if name == "localhost" => first_of(&LOOPBACK, port, meter, progress).await,
        // Rare and large, as futures go.
        Host::Name(name) => {
            let addresses = Box::pin(resolve::lookup(name)).await?;
            first_of(&addresses, port, meter, progress).await
        }
    }?;
    progress.check.timings.connect = Some(progress.lap());
    Ok(stream)
}

/// Encrypts a connection, for a server of this name.
pub(super) async fn encrypt(
    source: &tls::Source,
    name: ServerName<'static>,
    http2: bool,
    socket: Socket,
    meter: &Arc<Meter>,
    progress: &mut Progress,
) -> Result<Stream, Reason> {
    progress.phase = Phase::Tls;
    let io = Metered::new(socket, Arc::clone(meter));
    let (stream, session) = tls::handshake(source, name, http2, io).await?;
    progress.check.timings.tls = Some(progress.lap());
    progress.check.tls = Some(session);
    Ok(Stream::Tls(Box::new(stream)))
}

fn begin(progress: &mut Progress, address: Address) {
    if progress.phase == Phase::Resolve {
        progress.phase = Phase::Connect;
        progress.check.timings.resolve = Some(progress.lap());
    }
    progress.check.address = Some(address);
}

/// The first of several addresses that accepts. Each has its share of the time that is left, so that
/// one that swallows everything (a firewall, a broken route for IPv6) does not hide the next.
async fn first_of(
    addresses: &[IpAddr],
    port: u16,
    meter: &Arc<Meter>,
    progress: &mut Progress,
) -> Result<Socket, Reason> {
    let mut told: Option<(Reason, SocketAddr)> = None;
    let mut left = u32::try_from(addresses.len()).unwrap_or(u32::MAX);
    for address in addresses {
        let address = SocketAddr::new(*address, port);
        begin(progress, Address::Inet(address));
        let family = if address.is_ipv4() { AddressFamily::INET } else { AddressFamily::INET6 };
        let attempt = Socket::connect(family, &address, Some(Arc::clone(meter)));
        let attempted = if left <= 1 {
            attempt.await
        } else {
            let now = Instant::now();
            let share = progress.deadline.saturating_duration_since(now) / left;
            timeout_at(now + share, attempt).await.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))
        };
        left -= 1;
        let reason = match attempted {
            Ok(stream) => return Ok(stream),
            Err(error) => Reason::from_io(&error),
        };
        // What is wrong with the service tells more than what we lack, such as IPv6.
        if told.as_ref().is_none_or(|(told, _)| told.is_our_own() && !reason.is_our_own()) {
            told = Some((reason, address));
        }
    }
    match told {
        Some((reason, address)) => {
            progress.check.address = Some(Address::Inet(address));
            Err(reason)
        }
        None => Err(Reason::Own("its name has no address".to_owned())),
    }
}

/// connect(2) on a unix socket never waits if it may not block: with a full backlog it fails, and
/// nothing ever tells that there is room. So it is tried again until the deadline ends that.
async fn unix(path: &Path) -> Result<Socket, Reason> {
    const AGAIN: Duration = Duration::from_millis(20);
    let address = SocketAddrUnix::new(path).map_err(|error| Reason::from_io(&error.into()))?;
    loop {
        let error = match Socket::connect(AddressFamily::UNIX, &address, None).await {
            Ok(stream) => return Ok(stream),
            Err(error) => error,
        };
        match error.raw_os_error().map(Errno::from_raw_os_error) {
            Some(Errno::AGAIN) => tokio::time::sleep(AGAIN).await,
            Some(Errno::NOENT | Errno::NOTDIR) => return Err(Reason::NoSocket),
            _ => return Err(Reason::from_io(&error)),
        }
    }
}
