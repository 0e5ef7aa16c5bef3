//! `[health]` and `[restart]`.

use snapbox::{assert_data_eq, str};

use crate::messages;

#[test]
fn health_needs_a_port_and_a_path() {
    assert_data_eq!(
        messages("image = \"web\"\n[health]\n"),
        str![[r#"
web.toml:2:1: `path` is missing (say what to ask for, such as path = "/healthz")
web.toml:2:1: a health check needs a port to ask (add [[ports]] with container = and host =)

"#]]
    );
    let other =
        "image = \"web\"\n[[ports]]\ncontainer = 80\nhost = 2000\n[health]\npath = \"/\"\nport = 81\n";
    assert_data_eq!(
        messages(other),
        str![[r#"
web.toml:7:8: port 81 is not in [[ports]] (published are the container's ports 80)

"#]]
    );
}

#[test]
fn checks_have_the_keys_of_their_protocol() {
    let asked = |health: &str| {
        let resources = "resources = { memory = \"64M\" }";
        let ports = "ports = [{ container = 80, host = 2000 }]";
        messages(&format!("image = \"web:1\"\n{resources}\n{ports}\n[health]\n{health}"))
    };
    for fine in [
        "path = \"/\"",
        "path = \"/\"\nprotocol = \"h2c\"\nmethod = \"POST\"\nbody = \"x\"\nexpect-status = 204",
        "path = \"/\"\nprotocol = \"https\"\ntls = { verify = false, server-name = \"web.example\" }",
        "protocol = \"grpc\"\nservice = \"shop.Cart\"\nheaders = { Authorization = \"x\" }",
        "protocol = \"grpcs\"\ntls = { ca = \"/ca.pem\", certificate = \"/own.pem\", key = \"/own.key\" }",
        "protocol = \"tcp\"",
    ] {
        assert_eq!(asked(fine), "", "{fine}");
    }
    let everything = r#"
path = "/"
service = "shop.Cart"
method = "GET"
headers = { A = "b" }
body = "x"
expect-status = "200-299,401"
expect-body = "x"
tls = { ca = "/ca.pem", verify = false, key = "/own.key" }
"#;
    assert_data_eq!(
        asked(&format!("protocol = \"tcp\"{everything}")),
        str![[r#"
web.toml:6:8: `path` means nothing to a check by tcp (leave it out)
web.toml:7:11: `service` means nothing to a check by tcp (write protocol = "grpc", or leave it out)
web.toml:8:10: `method` means nothing to a check by tcp (leave it out)
web.toml:9:11: `headers` means nothing to a check by tcp (leave it out)
web.toml:10:8: `body` means nothing to a check by tcp (leave it out)
web.toml:11:17: `expect-status` means nothing to a check by tcp (leave it out)
web.toml:12:15: `expect-body` means nothing to a check by tcp (leave it out)
web.toml:13:7: `tls` means nothing to a check by tcp (leave it out)
web.toml:13:14: `ca` says whom to trust, and `verify` says everybody (leave one of them out)
web.toml:13:47: `key` belongs to a `certificate`, and there is none (name the file that the key belongs to)

"#]]
    );
    assert_data_eq!(
        asked(&format!("protocol = \"grpc\"{everything}")),
        str![[r#"
web.toml:6:8: `path` means nothing to a check by grpc (leave it out)
web.toml:8:10: `method` means nothing to a check by grpc (leave it out)
web.toml:10:8: `body` means nothing to a check by grpc (leave it out)
web.toml:11:17: `expect-status` means nothing to a check by grpc (leave it out)
web.toml:12:15: `expect-body` means nothing to a check by grpc (leave it out)
web.toml:13:7: `tls` means nothing to a check by grpc (write protocol = "grpcs", or leave it out)
web.toml:13:14: `ca` says whom to trust, and `verify` says everybody (leave one of them out)
web.toml:13:47: `key` belongs to a `certificate`, and there is none (name the file that the key belongs to)

"#]]
    );
    assert_data_eq!(
        asked(&format!("protocol = \"http\"{everything}")),
        str![[r#"
web.toml:7:11: `service` means nothing to a check by http (write protocol = "grpc", or leave it out)
web.toml:13:7: `tls` means nothing to a check by http (write protocol = "https", or leave it out)
web.toml:13:14: `ca` says whom to trust, and `verify` says everybody (leave one of them out)
web.toml:13:47: `key` belongs to a `certificate`, and there is none (name the file that the key belongs to)

"#]]
    );
    assert_data_eq!(
        asked("protocol = \"https\""),
        str![[r#"
web.toml:4:1: `path` is missing (say what to ask for, such as path = "/healthz")

"#]]
    );
}

#[test]
fn what_a_check_cannot_send_or_expect() {
    let text = r#"
image = "web"
ports = [{ container = 80, host = 2000 }]
[health]
path = "/"
method = "HEAD"
body = "x"
expect-body = ""
expect-status = "2xx"
[health.headers]
Connection = "close"
Host = ""
X-Two = "a\nb"
[health.tls]
"#;
    assert_data_eq!(
        messages(text),
        str![[r#"
web.toml:6:10: HEAD has no body, and there is `body` (use another method)
web.toml:8:15: every answer holds an empty text: leave the key out
web.toml:9:17: `2xx` is no list of statuses from 200 to 599: write it like "200-299,401"
web.toml:11:14: `Connection` belongs to the connection (leave it out)
web.toml:12:8: `Host` cannot be left out (HTTP/1.1 demands it: write a host, or leave the key out for the address that is asked)
web.toml:13:9: the value of a header field is one line of text
web.toml:14:1: `tls` means nothing to a check by http (write protocol = "https", or leave it out)

"#]]
    );
    let text = r#"
image = "web"
ports = [{ container = 80, host = 2000 }]
[health]
protocol = "HTTPS"
method = "head"
service = "shop/Cart"
expect-status = 99
headers = { "a b" = "c" }
[health.tls]
server-name = "web_1.example"
ca = "ca.pem"
"#;
    assert_data_eq!(
        messages(text),
        str![[r#"
web.toml:5:12: `HTTPS` is not known here: write one of "http", "https", "h2c", "grpc", "grpcs", "tcp"
web.toml:6:10: `head` is not known here: write one of "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"
web.toml:7:11: `shop/Cart` is not the name of a gRPC service: write it with its package, such as shop.Cart
web.toml:8:17: `99` is no list of statuses from 200 to 599: write it like "200-299,401"
web.toml:9:13: `a b` is not the name of a header field
web.toml:11:15: `web_1.example` is not a name that a certificate can be for: write it like web.example.com
web.toml:12:6: `ca.pem` is not an absolute path: begin it with `/`

"#]]
    );
    let long = format!(
        "image = \"web\"\nports = [{{ container = 80, host = 2000 }}]\n[health]\npath = \"/\"\nexpect-body = \"{}\"\n",
        "x".repeat(1025)
    );
    assert_data_eq!(
        messages(&long),
        str![[r#"
web.toml:5:15: a check looks for no more than 1024 bytes: write a part of it

"#]]
    );
}

#[test]
fn delays_contradict() {
    assert_data_eq!(
        messages("image = \"web\"\n[restart]\ndelay = \"10s\"\nmax-delay = \"5s\"\n"),
        str![[r#"
web.toml:4:13: `max-delay` is shorter than `delay` (the delay grows from `delay` to `max-delay` while restarts follow each other)

"#]]
    );
}
