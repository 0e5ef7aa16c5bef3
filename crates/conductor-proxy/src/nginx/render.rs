//! An upstream in nginx's words.
//!
//! Everything that goes in is of a type that has no character with a meaning to nginx, so nothing is quoted but the
//! values of doors, which might be words of `map`.

use std::fmt;
use std::path::Path;

use super::door::HEADER;
use crate::{Dark, Door, Server, Upstream};

/// The file for settings of the whole `http` block. No upstream can be called so.
pub(crate) const HTTP_FILE: &str = "_http.conf";

/// Its content, for an nginx that has the directive.
pub(crate) const HTTP: &str = "\
# Written by Conductor.
# A connection that a client keeps stays open for so long after a reload: a request that is on its way is answered.
keepalive_min_timeout 1s;
";

/// The name of an upstream's file.
pub(crate) fn file_name(upstream: &crate::UpstreamName) -> String {
    format!("{upstream}.conf")
}

/// The whole file of an upstream, with a way in for us if there is a path for it.
pub(crate) fn render(upstream: &Upstream, door: Option<&Path>) -> String {
    Text(upstream, door).to_string()
}

struct Text<'a>(&'a Upstream, Option<&'a Path>);

impl fmt::Display for Text<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(Upstream { name, servers, dark }, way_in) = self;
        writeln!(f, "# Written by Conductor for the upstream {name}; what is changed here is lost.")?;
        pool(f, name.as_str(), servers)?;
        if let Some(Dark { servers, door: _ }) = dark {
            pool(f, &name.dark(), servers)?;
        }
        // The variable is there without a dark release as well, so that `proxy_pass http://$web_pool` always works.
        let (source, value) = match dark.as_ref().map(|dark| &dark.door) {
            Some(Door::Header(header, value)) => (format!("$http_{}", header.variable()), Some(value)),
            Some(Door::Cookie(cookie, value)) => (format!("$cookie_{}", cookie.as_str()), Some(value)),
            Some(Door::Listen(_)) | None => ("$host".to_owned(), None),
        };
        writeln!(f, "map {source} ${} {{", name.variable())?;
        writeln!(f, "    default {name};")?;
        if let Some(value) = value {
            writeln!(f, "    \"{}\" {};", value.as_str(), name.dark())?;
        }
        writeln!(f, "}}")?;
        if let Some(Door::Listen(address)) = dark.as_ref().map(|dark| &dark.door) {
            write!(
                f,
                "server {{
    listen {address};
    location / {{
        proxy_pass http://{};
        proxy_http_version 1.1;
        proxy_set_header Host $http_host;
        proxy_set_header Connection \"\";
    }}
}}
",
                name.dark()
            )?;
        }
        if let Some(socket) = way_in {
            // In its log nobody looks for us, and the header is for nobody else.
            write!(
                f,
                "server {{
    listen unix:{};
    access_log off;
    location / {{
        proxy_pass http://{name};
        proxy_http_version 1.1;
        proxy_set_header Host $http_host;
        proxy_set_header Connection \"\";
        add_header {HEADER} $upstream_addr always;
    }}
}}
",
                socket.display()
            )?;
        }
        Ok(())
    }
}

/// An `upstream` block.
fn pool(f: &mut fmt::Formatter<'_>, name: &str, servers: &[Server]) -> fmt::Result {
    writeln!(f, "upstream {name} {{")?;
    // Workers share what they know, so that weights hold for all requests and not for those of each worker.
    writeln!(f, "    zone conductor_{name} 64k;")?;
    for Server { address, weight } in servers {
        // The sidecar decides what is healthy. nginx would take one error for a reason to leave an instance alone for
        // 10 seconds, and all of them as a reason to answer nothing.
        writeln!(f, "    server {address} weight={weight} max_fails=0;")?;
    }
    if servers.is_empty() {
        // A block without servers is an error, and an upstream that is not there breaks whoever names it.
        writeln!(f, "    server unix:/no/release/yet down;")?;
    }
    // Said because defaults differ (on from 1.29.7). Shorter than the 5 s after which common applications close.
    writeln!(f, "    keepalive 32;\n    keepalive_timeout 4s;")?;
    f.write_str("}\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Address, Share, shared};
    use snapbox::{assert_data_eq, str};

    fn address(text: &str) -> Address {
        text.parse().unwrap()
    }

    fn web() -> Upstream {
        Upstream::even("web".parse().unwrap(), ["127.0.0.1:21042", "[::1]:21043"].map(address))
    }

    fn dark(door: Door) -> Upstream {
        let servers = vec![Server::new(address("unix:/run/web.sock"))];
        Upstream { dark: Some(Dark { servers, door }), ..web() }
    }

    #[test]
    fn a_release() {
        assert_data_eq!(
            render(&web(), None),
            str![[r#"
# Written by Conductor for the upstream web; what is changed here is lost.
upstream web {
    zone conductor_web 64k;
    server 127.0.0.1:21042 weight=1 max_fails=0;
    server [::1]:21043 weight=1 max_fails=0;
    keepalive 32;
    keepalive_timeout 4s;
}
map $host $web_pool {
    default web;
}

"#]]
        );
    }

    #[test]
    fn no_release_yet() {
        let text = render(&Upstream::even("a-b.c".parse().unwrap(), []), None);
        assert_data_eq!(
            text,
            str![[r#"
# Written by Conductor for the upstream a-b.c; what is changed here is lost.
upstream a-b.c {
    zone conductor_a-b.c 64k;
    server unix:/no/release/yet down;
    keepalive 32;
    keepalive_timeout 4s;
}
map $host $a_b_c_pool {
    default a-b.c;
}

"#]]
        );
    }

    #[test]
    fn a_canary() {
        let live = vec![address("127.0.0.1:1"), address("127.0.0.1:2")];
        let servers = shared(live, vec![address("127.0.0.1:3")], Share::percent(5).unwrap());
        let text = render(&Upstream { servers, ..web() }, None);
        assert!(text.contains("server 127.0.0.1:1 weight=19 max_fails=0;\n"), "{text}");
        assert!(text.contains("server 127.0.0.1:3 weight=2 max_fails=0;\n"), "{text}");
    }

    #[test]
    fn a_dark_release_by_header_and_by_cookie() {
        let text =
            render(&dark(Door::Header("X-Dark-Web".parse().unwrap(), "s3cret".parse().unwrap())), None);
        assert_data_eq!(
            text,
            str![[r#"
# Written by Conductor for the upstream web; what is changed here is lost.
upstream web {
    zone conductor_web 64k;
    server 127.0.0.1:21042 weight=1 max_fails=0;
    server [::1]:21043 weight=1 max_fails=0;
    keepalive 32;
    keepalive_timeout 4s;
}
upstream web_dark {
    zone conductor_web_dark 64k;
    server unix:/run/web.sock weight=1 max_fails=0;
    keepalive 32;
    keepalive_timeout 4s;
}
map $http_x_dark_web $web_pool {
    default web;
    "s3cret" web_dark;
}

"#]]
        );
        let text = render(&dark(Door::Cookie("Dark".parse().unwrap(), "yes".parse().unwrap())), None);
        assert!(text.contains("map $cookie_Dark $web_pool {\n"), "{text}");
    }

    #[test]
    fn a_dark_release_by_port() {
        let text = render(&dark(Door::Listen("127.0.0.1:9000".parse().unwrap())), None);
        assert!(
            text.ends_with(
                "\
map $host $web_pool {
    default web;
}
server {
    listen 127.0.0.1:9000;
    location / {
        proxy_pass http://web_dark;
        proxy_http_version 1.1;
        proxy_set_header Host $http_host;
        proxy_set_header Connection \"\";
    }
}
"
            ),
            "{text}"
        );
    }

    #[test]
    fn a_way_in_for_us() {
        let text = render(&web(), Some(Path::new("/run/conductor/nginx.doors/web.sock")));
        assert!(
            text.ends_with(
                "\
map $host $web_pool {
    default web;
}
server {
    listen unix:/run/conductor/nginx.doors/web.sock;
    access_log off;
    location / {
        proxy_pass http://web;
        proxy_http_version 1.1;
        proxy_set_header Host $http_host;
        proxy_set_header Connection \"\";
        add_header X-Conductor-Instance $upstream_addr always;
    }
}
"
            ),
            "{text}"
        );
    }
}
