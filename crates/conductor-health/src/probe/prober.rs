//! Asks one target, again and again.

use super::check::{Address, Check, Outcome, Progress};
use super::connect::{connect, encrypt};
use super::exchange::{self, Step};
use super::meter::{Meter, Metered};
use super::reason::{Phase, Reason};
use super::request::Prepared;
use super::stream::Stream;
use super::target::Target;
use super::tls;
use super::wire::Wire;
use super::within::within;
use super::{MAX_REDIRECTS, follow};
use crate::url::{Scheme, Url};
use hyper::StatusCode;
use std::fmt;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;
use tokio_rustls::rustls::pki_types::ServerName;

/// A target, and the connection to it that is kept between checks if the options say so.
pub struct Prober {
    target: Target,
    kept: Option<Kept>,
}

/// A connection after a complete answer.
struct Kept {
    wire: Wire<Stream>,
    meter: Arc<Meter>,
    address: Option<Address>,
    tls: Option<tls::Session>,
    /// How many checks have gone over it.
    checks: u32,
}

impl Prober {
    /// Of this target; nothing is opened yet.
    pub fn new(target: Target) -> Self {
        Self { target, kept: None }
    }

    /// What is asked.
    pub fn target(&self) -> &Target {
        &self.target
    }

    /// Asks once.
    ///
    /// Must run on a tokio runtime with I/O and time. Dropping the future ends the check without a trace.
    pub async fn probe(&mut self, timeout: Duration) -> Check {
        let started = Instant::now();
        let deadline = started + timeout;
        let mut progress = Progress::new(started, deadline);
        let asked = within(deadline, pin!(self.ask(&mut progress))).await;
        conclude(asked, progress, started, timeout)
    }

    /// Asks, and follows redirects.
    async fn ask(&mut self, progress: &mut Progress) -> Result<(), Reason> {
        let target = self.target.clone();
        let mut hop: Option<(Url, Prepared)> = None;
        loop {
            let (url, prepared) = match &hop {
                None => (target.url(), target.prepared()),
                Some((url, prepared)) => (url, prepared),
            };
            let (status, location) = match self.ask_one(url, prepared, progress).await? {
                Step::Healthy => return Ok(()),
                Step::Redirect { status, location } => (status, location),
            };
            let next = follow::next(target.url(), url, prepared, target.options(), status, &location)?;
            if progress.check.redirects.len() == MAX_REDIRECTS {
                return Err(Reason::TooManyRedirects);
            }
            progress.check.redirects.push(next.0.to_string());
            hop = Some(next);
        }
    }

    /// One request.
    async fn ask_one(
        &mut self,
        url: &Url,
        prepared: &Prepared,
        progress: &mut Progress,
    ) -> Result<Step, Reason> {
        progress.begin();
        if url.scheme() == Scheme::Tcp {
            let meter = Meter::new();
            let _socket = connect(url, &meter, progress).await?;
            // Nothing was asked and nothing is owed.
            meter.complete();
            return Ok(Step::Healthy);
        }
        if let Some(mut kept) = self.take(url).await {
            kept.meter.begin();
            progress.meter = Some(Arc::clone(&kept.meter));
            progress.check.reused = true;
            progress.check.address.clone_from(&kept.address);
            progress.check.tls.clone_from(&kept.tls);
            let (judged, complete) =
                exchange::ask(&mut kept.wire, prepared, self.target.options(), progress).await;
            if !judged.as_ref().is_err_and(|reason| is_stale(reason, kept.meter.read())) {
                self.put_back(kept, url, complete, judged.is_ok()).await;
                return judged;
            }
            drop(kept);
            progress.begin();
        }
        let mut kept = self.open(url, prepared, progress).await?;
        let (judged, complete) =
            exchange::ask(&mut kept.wire, prepared, self.target.options(), progress).await;
        self.put_back(kept, url, complete, judged.is_ok()).await;
        judged
    }

    async fn open(&self, url: &Url, prepared: &Prepared, progress: &mut Progress) -> Result<Kept, Reason> {
        let meter = Meter::new();
        progress.meter = Some(Arc::clone(&meter));
        let http2 = prepared.is_http2();
        let is_tls = url.scheme().is_tls();
        let socket = connect(url, &meter, progress).await?;
        let stream = if is_tls {
            let name = self.tls_name(url)?;
            // Boxed, like HTTP/2 below: nine in ten checks need neither, and a future has room for its largest part.
            Box::pin(encrypt(self.target.tls(), name, http2, socket, &meter, progress)).await?
        } else {
            Stream::Plain(Metered::new(socket, Arc::clone(&meter)))
        };
        meter.begin();
        progress.phase = Phase::Headers;
        let wire = if http2 { Box::pin(Wire::http2(stream)).await? } else { Wire::http1(stream, is_tls) };
        let (address, tls) = (progress.check.address.clone(), progress.check.tls.clone());
        Ok(Kept { wire, meter, address, tls, checks: 0 })
    }

    /// The name that the certificate must be for.
    fn tls_name(&self, url: &Url) -> Result<ServerName<'static>, Reason> {
        let given = self.target.options().tls.server_name.as_ref();
        if let Some(name) = given.filter(|_| url.is_same_server(self.target.url())) {
            return Ok(name.clone());
        }
        let name = url.tls_name();
        ServerName::try_from(name.clone()).map_err(|_| {
            Reason::Own(format!("no certificate can be for {name}: name another with --server-name"))
        })
    }

    /// The connection that was kept, if it will do.
    async fn take(&mut self, url: &Url) -> Option<Kept> {
        let mut kept = self.kept.take()?;
        let limit = self.target.options().keep_alive?.get();
        if !url.is_same_server(self.target.url()) {
            self.kept = Some(kept);
            return None;
        }
        if kept.checks >= limit {
            // A live connection hides that nobody listens any more.
            kept.wire.close().await;
            return None;
        }
        kept.wire.is_open().await.then_some(kept)
    }

    /// Keeps a connection, or ends it.
    async fn put_back(&mut self, mut kept: Kept, url: &Url, complete: bool, is_healthy: bool) {
        if !complete {
            return;
        }
        kept.meter.complete();
        kept.checks += 1;
        let limit = self.target.options().keep_alive.map_or(1, std::num::NonZeroU32::get);
        if is_healthy && kept.checks < limit && url.is_same_server(self.target.url()) {
            self.kept = Some(kept);
        } else if kept.wire.has_goodbye() {
            Box::pin(kept.wire.close()).await;
        }
    }
}

/// Whether this may be because the server closes idle connections, at the very moment in which we used this one
/// again. That is no fault (RFC 9112, 9.3.1), and a fresh connection will tell.
fn is_stale(reason: &Reason, read: usize) -> bool {
    match reason {
        Reason::Closed | Reason::Reset | Reason::Http2(_) => read == 0,
        // Some say so before they close: an answer that nobody had asked for, mostly 408 (RFC 9110, 15.5.9).
        Reason::Garbage => true,
        Reason::Status(status) | Reason::OtherStatus { status, .. } => *status == StatusCode::REQUEST_TIMEOUT,
        _ => false,
    }
}

/// Turns what came of asking into a verdict; the error of `asked` is the deadline that has passed.
pub(super) fn conclude(
    asked: Result<Result<(), Reason>, Instant>,
    mut progress: Progress,
    started: Instant,
    timeout: Duration,
) -> Check {
    let now = Instant::now();
    let is_flooded = progress.meter.as_ref().is_some_and(|meter| meter.is_flooded());
    let asked = asked.map(|asked| asked.map_err(|reason| reason.unless_flooded(is_flooded)));
    let outcome = match asked {
        Ok(Ok(())) => Outcome::Healthy,
        Ok(Err(reason)) if reason.is_our_own() => Outcome::Unknown(reason),
        Ok(Err(reason)) => Outcome::Unhealthy(reason),
        Err(deadline) => {
            progress.first_byte();
            let bytes = progress.meter.as_ref().map_or(0, |meter| meter.read());
            let timed_out = Reason::TimedOut { after: timeout, phase: progress.phase, bytes };
            let reason = lateness(deadline, now, timeout).map_or(timed_out, Reason::Late);
            if reason.is_our_own() { Outcome::Unknown(reason) } else { Outcome::Unhealthy(reason) }
        }
    };
    let mut check = progress.check;
    check.outcome = outcome;
    check.timings.total = now.saturating_duration_since(started);
    check
}

/// By how much a deadline was noticed too late to blame the service for it: a process that does not
/// get the processor sees its own timers expire first and the answer that lies waiting second.
pub(super) fn lateness(deadline: Instant, now: Instant, timeout: Duration) -> Option<Duration> {
    const TOLERATED: Duration = Duration::from_millis(50);
    Some(now.saturating_duration_since(deadline)).filter(|late| *late > TOLERATED.max(timeout / 5))
}

impl fmt::Debug for Prober {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let checks = self.kept.as_ref().map(|kept| kept.checks);
        f.debug_struct("Prober").field("target", &self.target).field("kept", &checks).finish()
    }
}
