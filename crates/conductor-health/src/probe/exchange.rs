//! Request and answer.

use super::drive::Driver;
use super::{MAX_BODY, MAX_REDIRECTS, Phase, Progress, Reason, connect};
use crate::HttpUrl;
use http_body_util::{BodyExt, Empty};
use hyper::body::{Bytes, Incoming};
use hyper::client::conn::http1;
use hyper::header::{ACCEPT, CONNECTION, HOST, LOCATION, USER_AGENT};
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;

/// Headers beyond this are a fault. It bounds what a hostile answer costs us in memory.
const MAX_HEAD: usize = 64 * 1024;

const AGENT: &str = concat!("conductor-health/", env!("CARGO_PKG_VERSION"));

/// Asks, follows redirects on the same server, judges.
pub(super) async fn follow(first: &HttpUrl, progress: &mut Progress) -> Result<(), Reason> {
    let mut url = first.clone();
    loop {
        let Some(next) = ask(&url, progress).await? else {
            return Ok(());
        };
        if progress.check.redirects.len() == MAX_REDIRECTS {
            return Err(Reason::TooManyRedirects);
        }
        progress.check.redirects.push(next.to_string());
        url = next;
    }
}

/// One request over one connection. Says where to go on if the answer is a redirect.
async fn ask(url: &HttpUrl, progress: &mut Progress) -> Result<Option<HttpUrl>, Reason> {
    progress.begin();
    let stream = connect::connect(url, progress).await?;
    progress.phase = Phase::Headers;
    let (mut sender, connection) = http1::Builder::new()
        .max_buf_size(MAX_HEAD)
        // HTTP/1 names are case-insensitive, but not to every home-made server.
        .title_case_headers(true)
        .handshake(TokioIo::new(stream))
        .await
        .map_err(|error| Reason::from_hyper(&error))?;
    let mut driver = Driver::new(connection);
    let response = driver.drive(sender.send_request(request(url)?)).await;
    let response = response.map_err(|error| Reason::from_hyper(&error))?;
    progress.check.timings.headers = Some(progress.lap());
    let status = response.status();
    progress.check.status = Some(status.as_u16());
    if !(200..400).contains(&status.as_u16()) {
        return Err(Reason::Status(status));
    }
    if let Some(location) = location(&response) {
        return redirect(url, &location).map(Some);
    }
    read_body(response, &mut driver, progress).await?;
    progress.check.timings.body = Some(progress.lap());
    Ok(None)
}

/// Exactly four headers: what is not sent cannot make a service answer us differently than others.
fn request(url: &HttpUrl) -> Result<Request<Empty<Bytes>>, Reason> {
    Request::get(url.path_and_query())
        .header(HOST, url.authority())
        .header(ACCEPT, "*/*")
        .header(USER_AGENT, AGENT)
        .header(CONNECTION, "close")
        .body(Empty::new())
        .map_err(|error| Reason::Own(error.to_string()))
}

/// Where the answer leads to, if it is one of the redirects that carry a new address.
fn location(response: &Response<Incoming>) -> Option<String> {
    matches!(
        response.status(),
        StatusCode::MOVED_PERMANENTLY
            | StatusCode::FOUND
            | StatusCode::SEE_OTHER
            | StatusCode::TEMPORARY_REDIRECT
            | StatusCode::PERMANENT_REDIRECT
    )
    .then(|| response.headers().get(LOCATION))
    .flatten()
    .map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned())
}

fn redirect(from: &HttpUrl, location: &str) -> Result<HttpUrl, Reason> {
    match from.join(location) {
        Ok(to) if to.is_same_server(from) => Ok(to),
        Ok(to) => Err(Reason::RedirectsAway(printable(&to.to_string()))),
        Err(_) if location.starts_with("https:") => Err(Reason::RedirectsAway(printable(location))),
        Err(_) => Err(Reason::BadRedirect(printable(location))),
    }
}

/// A piece of a hostile answer, fit for a log line.
fn printable(text: &str) -> String {
    text.chars().take(200).map(|c| if c.is_control() { '?' } else { c }).collect()
}

/// Reads until the end or [`MAX_BODY`], whichever comes first.
async fn read_body<C: Future>(
    response: Response<Incoming>,
    driver: &mut Driver<C>,
    progress: &mut Progress,
) -> Result<(), Reason> {
    let status = response.status();
    let mut body = response.into_body();
    loop {
        progress.phase = Phase::Body(status, progress.check.body_bytes);
        match driver.drive(body.frame()).await {
            None => return Ok(()),
            Some(Ok(frame)) => {
                let read = progress.check.body_bytes + frame.data_ref().map_or(0, Bytes::len);
                progress.check.body_bytes = read.min(MAX_BODY);
                if read > MAX_BODY {
                    progress.check.body_truncated = true;
                    return Ok(());
                }
            }
            Some(Err(error)) => {
                return Err(match Reason::from_hyper(&error) {
                    own @ Reason::Own(_) => own,
                    _ => Reason::BrokeOff(status),
                });
            }
        }
    }
}
