//! Where a redirect leads.

use super::options::{Follow, Options};
use super::reason::Reason;
use super::request::Prepared;
use crate::url::{Server, Url};
use hyper::StatusCode;

/// What is asked next, and how; the error is why it is not.
///
/// `first` is what the user has named, `from` what has answered.
pub(super) fn next(
    first: &Url,
    from: &Url,
    prepared: &Prepared,
    options: &Options,
    status: StatusCode,
    location: &str,
) -> Result<(Url, Prepared), Reason> {
    let to = from.join(location).map_err(|_| Reason::BadRedirect(printable(location)))?;
    let calls_itself = prepared.authority();
    let is_relative = to.is_same_server(from);
    let to = if is_relative {
        to
    } else if to.scheme() == from.scheme()
        && matches!(to.server(), Server::Inet(..))
        && calls_itself.is_some_and(|authority| authority.as_str().eq_ignore_ascii_case(&to.authority()))
    {
        // Where it believes to be, because we told it so with `Host`: the same server by another name.
        from.with_target(to.target().clone())
    } else if !to.scheme().is_http() || matches!(to.server(), Server::Unix(_)) {
        // No server sends us to a socket of this machine.
        return Err(Reason::BadRedirect(printable(location)));
    } else if options.follow == Follow::Any {
        to
    } else {
        return Err(Reason::RedirectsAway(printable(&to.to_string())));
    };
    let is_named = to.is_same_server(first);
    let prepared = prepared.redirected(&to, options, status.as_u16(), is_named);
    Ok((to, prepared))
}

/// A piece of a hostile answer, fit for a log line.
fn printable(text: &str) -> String {
    text.chars().take(200).map(|c| if c.is_control() { '?' } else { c }).collect()
}
