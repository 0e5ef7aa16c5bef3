//! Whether nginx's configuration leads anybody to a release that is in the dark.

use std::path::Path;

use super::said;
use crate::{Dark, Door, Error, Kind, Upstream};

/// A header or a cookie opens nothing where requests are passed on by the upstream's own name: `proxy_pass http://web;`
/// never asks the variable. `own` is the upstream's file, which defines it, and `dump` is what `nginx -T` says.
pub(super) fn to_the_dark(wanted: &Upstream, own: &Path, dump: &str) -> Result<(), Error> {
    let Some(Dark { door: Door::Header(..) | Door::Cookie(..), .. }) = &wanted.dark else { return Ok(()) };
    let (name, variable) = (&wanted.name, wanted.name.variable());
    let mut here = None;
    for line in dump.lines() {
        if let Some(file) = said::files(line).next() {
            here = Some(file);
        } else if here != Some(own) && names(line, &variable) {
            return Ok(());
        }
    }
    Err(Error::new(
        Kind::Configuration,
        format!(
            "nothing in nginx's configuration would pass a request on to a release of {name} in the dark. Nothing was \
             changed: write `proxy_pass http://${variable};` where it says `proxy_pass http://{name};`"
        ),
    ))
}

/// Whether a line names a variable, comments not counted.
fn names(line: &str, variable: &str) -> bool {
    let line = line.split('#').next().unwrap_or_default();
    let rest = |part: &str| part.trim_start_matches('{').strip_prefix(variable).map(str::to_owned);
    let ends = |rest: String| !rest.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '_');
    line.split('$').skip(1).filter_map(rest).any(ends)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_variable_has_to_be_named_elsewhere() {
        let door = Door::Header("X-Dark".parse().unwrap(), "yes".parse().unwrap());
        let web = Upstream::even("a-b".parse().unwrap(), []);
        let dark = Upstream { dark: Some(Dark { servers: Vec::new(), door }), ..web.clone() };
        let own = "# configuration file /run/conductor/nginx/a-b.conf:\nmap $http_x_dark $a_b_pool {\n";
        let led = |wanted: &Upstream, site: &str| {
            let dump = format!("{own}# configuration file /etc/nginx/site.conf:\n{site}\n");
            to_the_dark(wanted, Path::new("/run/conductor/nginx/a-b.conf"), &dump)
                .map_err(|error| error.to_string())
        };
        for site in
            ["proxy_pass http://$a_b_pool;", "set $x ${a_b_pool};", "a; proxy_pass $a $a_b_pool/x; # b"]
        {
            assert_eq!(led(&dark, site), Ok(()), "{site}");
        }
        let said = "nothing in nginx's configuration would pass a request on to a release of a-b in the dark. Nothing was \
                    changed: write `proxy_pass http://$a_b_pool;` where it says `proxy_pass http://a-b;`";
        for site in
            ["proxy_pass http://a-b;", "# proxy_pass http://$a_b_pool;", "proxy_pass http://$a_b_pools;"]
        {
            assert_eq!(led(&dark, site), Err(said.to_owned()), "{site}");
        }
        assert_eq!(led(&web, "proxy_pass http://a-b;"), Ok(()), "nothing is in the dark");
        let listen = Dark { servers: Vec::new(), door: Door::Listen("127.0.0.1:1".parse().unwrap()) };
        assert_eq!(led(&Upstream { dark: Some(listen), ..web.clone() }, ""), Ok(()), "a port takes nothing");
    }
}
