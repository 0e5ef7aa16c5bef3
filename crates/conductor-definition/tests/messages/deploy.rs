//! `[deploy]` and `[proxy]`.

use snapbox::{assert_data_eq, str};

use crate::messages;

/// A definition that only lacks what is wrong with the test's tables.
fn released(tables: &str) -> String {
    format!("image = \"web:1\"\nresources.memory = \"1G\"\n{tables}")
}

#[test]
fn impossible_values_of_releases() {
    let text = r#"
image = "web:1"
[[ports]]
container = 80
host = 20000
[deploy]
strategy = "blue-gren"
settle = "0"
drain = "infinity"
keep = 1
before = { comand = ["x"], timeout = "soon" }
[proxy]
upstream = "a b"
driver = "apache"
port = 81
socket = "admin.sock"
"#;
    assert_data_eq!(
        messages(text),
        str![[r#"
web.toml:7:12: `blue-gren` is not known here: did you mean "blue-green"?
web.toml:8:10: `0` is not between 10ms and 1w
web.toml:9:9: `infinity` is not between 10ms and 1w
web.toml:10:8: 1 is not between 2 and 100
web.toml:11:12: unknown key `comand` (did you mean `command`?)
web.toml:11:38: not a time span: write a number and a unit, such as `5s`, `1min 30s` or `500ms`
web.toml:13:12: `a b` is not the name of an upstream: use letters, digits, `_`, `.` and `-`, and begin with a letter or a digit
web.toml:14:10: `apache` is not known here: write one of "nginx", "haproxy"
web.toml:15:8: port 81 is not in [[ports]] (published are the container's ports 80)
web.toml:16:10: `admin.sock` is not an absolute path: begin it with `/`

"#]]
    );
}

#[test]
fn what_is_missing_of_releases() {
    let text = "[deploy]\nbefore = {}\n[proxy]\n";
    assert_data_eq!(
        messages(&released(text)),
        str![[r#"
web.toml:4:10: `command` is missing (say what to run, such as command = ["bin/rake", "db:migrate"])
web.toml:5:1: `upstream` is missing (name the upstream that the proxy's configuration passes requests to)
web.toml:5:1: the proxy needs a port to pass requests to (add [[ports]] with container = and host =)

"#]]
    );
    assert_data_eq!(
        messages(&released("[deploy]\nbefore = { command = [] }\n")),
        str![[r#"
web.toml:4:22: there is nothing to run before a release (name a command, or leave `before` out)

"#]]
    );
}

#[test]
fn releases_contradict() {
    let text = r#"
[[ports]]
container = 80
host = 20000
[deploy]
strategy = "recreate"
[proxy]
upstream = "web"
socket = "/run/x.sock"
"#;
    assert_data_eq!(
        messages(&released(text)),
        str![[r#"
web.toml:8:12: with recreate there is nothing that a proxy could switch (write "blue-green", or leave [proxy] out and configure the proxy by hand)
web.toml:11:10: nginx has no socket for a runtime API (leave it out, or write driver = "haproxy")

"#]]
    );
}

#[test]
fn slots_need_room_for_their_ports() {
    let text = r#"
instances = 2
[[ports]]
container = 80
host = 20000
[[ports]]
container = 81
host = 20003
[[ports]]
container = 82
host = 65533
[deploy]
strategy = "blue-green"
"#;
    assert_data_eq!(
        messages(&released(text)),
        str![[r#"
web.toml:10:8: with 2 instances in each of two slots, the ports from 20003 and from 20000 on overlap (instance i gets host + 2 * (i - 1), and one more in the other slot: leave room for all instances)
web.toml:13:8: 2 instances in each of two slots from port 65533 on need ports up to 65536 (choose a lower port; instance i gets host + 2 * (i - 1), and one more in the other slot)

"#]]
    );
}

#[test]
fn settling_without_a_check() {
    let text = r#"
[[ports]]
container = 80
host = 20000
[health]
path = "/"
interval = "1min"
[deploy]
"#;
    assert_data_eq!(
        messages(&released(text)),
        str![[r#"
web.toml:7:1: warning: a new release may take over without a second check (raise settle in [deploy], or lower interval)

"#]]
    );
    // Without slots nobody settles yet.
    assert_data_eq!(messages(&released(&text.replace("[deploy]\n", ""))), str![[""]]);
}
