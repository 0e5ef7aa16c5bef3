//! Every error message, word for word: the wording is a feature. And an editor that has the schema underlines the
//! same places, as far as a schema can say what is wrong.

#![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]

mod editor;

use conductor_definition::{Abilities, Controllers, Source, parse_for};
use snapbox::{assert_data_eq, str};

/// The diagnostics of a definition called `web.toml`, one line each.
fn messages(text: &str) -> String {
    messages_of("web.toml", text)
}

fn messages_of(path: &str, text: &str) -> String {
    messages_for(Abilities::ROOT, path, text)
}

fn messages_for(abilities: Abilities, path: &str, text: &str) -> String {
    let source = Source::new(path, text);
    let diagnostics = match parse_for(&source, abilities) {
        Ok(parsed) => parsed.warnings,
        Err(diagnostics) => diagnostics,
    };
    editor::agrees(conductor_definition::Kind::Service, &source, &diagnostics);
    diagnostics.iter().map(|diagnostic| diagnostic.one_line(&source) + "\n").collect()
}

#[test]
fn good_practice_is_not_questioned() {
    assert_data_eq!(messages("image = \"localhost/web:1\"\n[resources]\nmemory = \"64M\"\n"), str![[""]]);
    let pinned = "image = \"web@sha256:0123\"\n[resources]\nslice = \"team\"\n";
    assert_data_eq!(messages(pinned), str![[""]]);
}

#[test]
fn empty_file() {
    assert_data_eq!(
        messages(""),
        str![[r#"
web.toml: `image` is missing (say what to run: image = "registry.example.com/web:1.4.2")

"#]]
    );
}

#[test]
fn all_unknown_keys_at_once() {
    let text = r#"
imgae = "web"
[helth]
path = "/"
[restart]
dealy = "5s"
[restart.limit]
start = 3
"#;
    assert_data_eq!(
        messages(text),
        str![[r#"
web.toml:2:1: unknown key `imgae` (did you mean `image`?)
web.toml:3:2: unknown key `helth` (did you mean `health`?)
web.toml:6:1: unknown key `dealy` (did you mean `delay`?)
web.toml:8:1: unknown key `start` (did you mean `starts`?)

"#]]
    );
}

#[test]
fn time_zones_names_and_addresses_in_networks() {
    let text = r#"
image = "web:1"
timezone = "Mars/Olympus Mons"
network-aliases = ["web_1"]
network-addresses = ["10.0.0.300"]
"#;
    assert_data_eq!(
        messages(text),
        str![[r#"
web.toml:3:12: `Mars/Olympus Mons` is not a time zone: write it as `timedatectl list-timezones` does, such as Europe/London
web.toml:4:20: `web_1` is not a host name: use letters, digits, `-` and `.`
web.toml:5:22: `10.0.0.300` is not an IP address: write it in numbers, such as 127.0.0.1 or ::1

"#]]
    );
    let text = r#"
image = "web:1"
runtime = "docker"
timezone = "local"
network-aliases = ["shop"]
network-addresses = ["10.89.0.9"]
"#;
    assert_data_eq!(
        messages(text),
        str![[r#"
web.toml:4:12: docker has no time zone `local` (name the zone, or mount the host's /etc/localtime with [[volumes]])
web.toml:5:19: only in a network that has a name a container has aliases (name one: network = "backend")
web.toml:6:21: only in one network that has a name a container can choose its address (name one: network = "backend")

"#]]
    );
    let several = r#"
image = "web:1"
instances = 2
network = "backend"
network-addresses = ["10.89.0.9"]
"#;
    assert_data_eq!(
        messages(several),
        str![[r#"
web.toml:5:21: several containers would have one address (leave it out: others find the service by its name, or by `network-aliases`)

"#]]
    );
    let twice = several.replace("instances = 2", "").replace("\"]", "\", \"10.89.0.10\"]");
    assert_data_eq!(
        messages(&twice),
        str![[r#"
web.toml:5:21: a container has one address of each version in a network (leave one of them, or one and one of the other version)

"#]]
    );
}

#[test]
fn places_of_secrets() {
    let text = r#"
image = "web:1"
[environment]
TOKEN = "x"
[secrets]
a = { path = "/etc/a", target = "../b" }
b = { path = "/etc/b", environment = "B-C D" }
c = { path = "/etc/c", environment = "C", target = "c", uid = 1, mode = "0400" }
d = { path = "/etc/d", environment = "TOKEN" }
e = { path = "/etc/e", target = "f" }
f = "/etc/f"
g = { path = "/etc/g", environment = "G" }
h = { path = "/etc/h", environment = "G" }
i = { path = "/etc/i", environment = "CONDUCTOR_INSTANCE" }
"#;
    assert_data_eq!(
        messages(text),
        str![[r#"
web.toml:6:33: `../b` is neither the name of a file nor an absolute path: write "token" for /run/secrets/token
web.toml:7:38: `B-C D` cannot be the name of an environment variable: use letters, digits, `_`, `.` and `-`, and begin with a letter or `_`
web.toml:8:52: a variable has no `target` (leave one of them out)
web.toml:8:63: a variable has no `uid` (leave one of them out)
web.toml:8:73: a variable has no `mode` (leave one of them out)
web.toml:9:38: `TOKEN` stands in [environment] too (leave it out there: what is in the unit is no secret)
web.toml:11:5: two secrets are the container's file /run/secrets/f (give one of them another `target` or `environment`)
web.toml:13:5: two secrets are the container's variable G (give one of them another `target` or `environment`)
web.toml:14:38: `CONDUCTOR_INSTANCE` is set by Conductor: it is the number of the instance (choose another name)

"#]]
    );
}

#[test]
fn reload_and_readiness() {
    let reload = |keys: &str| messages(&format!("image = \"web:1\"\n[reload]\n{keys}\n"));
    assert_data_eq!(
        reload(""),
        str![[r#"
web.toml:2:1: [reload] does not say how (write command = ["bin/reload"] or signal = "HUP")

"#]]
    );
    assert_data_eq!(
        reload("command = []"),
        str![[r#"
web.toml:3:11: there is no command (write command = ["bin/reload"] or signal = "HUP")

"#]]
    );
    assert_data_eq!(
        reload("command = [\"a\"]\nsignal = \"HUP\""),
        str![[r#"
web.toml:4:10: a reload is either a command or a signal (write command = ["bin/reload"] or signal = "HUP")

"#]]
    );
    assert_data_eq!(
        reload("signal = \"HUPP\""),
        str![[r#"
web.toml:3:10: `HUPP` is not a signal: did you mean `HUP`?

"#]]
    );
    assert_data_eq!(
        reload("command = \"a b\""),
        str![[r#"
web.toml:3:11: string "a b" is not a list, such as ["first", "second"]

"#]]
    );
    assert_data_eq!(
        messages("image = \"web:1\"\nruntime = \"docker\"\nnotify = true\n"),
        str![[r#"
web.toml:3:10: docker does not let a container tell systemd that it is ready (have it asked instead: [health] with path = "/healthz")

"#]]
    );
}

#[test]
fn keys_of_compose() {
    let text = r#"
image = "web:1"
container_name = "web"
depends_on = ["postgres"]
env_file = ".env"
restart = "always"
mem_limit = "512m"
cap_add = ["NET_ADMIN"]
working_dir = "/srv"
stdin_open = true
privileged = true
network_mode = "host"
ports = ["8080:80"]
volumes = ["/srv:/data:ro"]
environment = ["A=b"]
[healthcheck]
test = ["CMD", "curl", "-f", "http://localhost"]
[deploy]
replicas = 2
[deploy.resources.limits]
memory = "512M"
"#;
    assert_data_eq!(
        messages(text),
        str![[r#"
web.toml:3:1: unknown key `container_name` (leave it out: the file's name is the service's, and its container is called conductor-NAME)
web.toml:4:1: unknown key `depends_on` (here it is requires = ["postgres"])
web.toml:5:1: unknown key `env_file` (here it is environment-files = ["/etc/web.env"])
web.toml:6:11: string "always" is not a table (systemd starts it again whenever it ends, unless it was stopped: leave it out, or write [restart] and below it delay = "5s")
web.toml:7:1: unknown key `mem_limit` (here it is [resources], and below it memory = "512M")
web.toml:8:1: unknown key `cap_add` (here it is [security], and below it capabilities = { add = ["NET_ADMIN"], drop = ["ALL"] })
web.toml:9:1: unknown key `working_dir` (did you mean `working-directory`?)
web.toml:10:1: unknown key `stdin_open` (a service has no terminal: leave it out; `conductor run NAME -- COMMAND` and `conductor exec` have yours)
web.toml:11:1: unknown key `privileged` (name what it needs: `devices`, and [security] with `capabilities`; or give it everything, runtime-args = ["--privileged"])
web.toml:12:1: unknown key `network_mode` (here it is network = ["backend"])
web.toml:13:10: string "8080:80" is not a table (here it is [[ports]], and below it container = 80 and host = 8080)
web.toml:14:12: string "/srv:/data:ro" is not a table (here it is [[volumes]], and below it source = "/srv/data", target = "/data" and read-only = true)
web.toml:15:15: a list is not a table (here it is [environment], and below it NAME = "value")
web.toml:16:2: unknown key `healthcheck` (here it is [health], and below it path = "/healthz")
web.toml:19:1: unknown key `replicas` (here it is instances = 2, above all tables)
web.toml:20:9: unknown key `resources` (here it is [resources], and below it memory = "512M")

"#]]
    );
}

#[test]
fn keys_of_quadlet() {
    let text = r#"
Image = "web:1"
Exec = "bin/web"
PublishPort = "8080:80"
Volume = "/srv:/data:ro"
EnvironmentFile = "/etc/web.env"
ReadOnly = true
AddCapability = "NET_ADMIN"
AutoUpdate = "registry"
[Unit]
After = "postgres.service"
[systemd.install]
WantedBy = "multi-user.target"
"#;
    assert_data_eq!(
        messages(text),
        str![[r#"
web.toml:2:1: unknown key `Image` (did you mean `image`?)
web.toml:3:1: unknown key `Exec` (here it is command = ["bin/web", "--port", "8080"])
web.toml:4:1: unknown key `PublishPort` (here it is [[ports]], and below it container = 80 and host = 8080)
web.toml:5:1: unknown key `Volume` (here it is [[volumes]], and below it source = "/srv/data", target = "/data" and read-only = true)
web.toml:6:1: unknown key `EnvironmentFile` (here it is environment-files = ["/etc/web.env"])
web.toml:7:1: unknown key `ReadOnly` (did you mean `read-only`?)
web.toml:8:1: unknown key `AddCapability` (here it is [security], and below it capabilities = { add = ["NET_ADMIN"], drop = ["ALL"] })
web.toml:9:1: unknown key `AutoUpdate` (a tag is not followed by itself: write the new one and reload, or have [pull] with policy = "always" fetch it before each start)
web.toml:10:2: unknown key `Unit` (here it is [systemd.unit], and below it ConditionPathExists = "/srv/data")
web.toml:12:10: unknown key `install` (generated units are enabled here: enabled = true, above all tables, is the default)

"#]]
    );
}

#[test]
fn keys_of_nobody() {
    let text = r#"
image = "web:1"
kubernetes = true
[secrets.key]
pwd = "/etc/key"
"#;
    assert_data_eq!(
        messages(text),
        str![[r#"
web.toml:3:1: unknown key `kubernetes` (known here are devices, environment-files, instances, labels, ports, requires, secrets, ulimits and others: `man conductor-service` tells of all)
web.toml:4:1: missing field `path`
web.toml:5:1: unknown key `pwd` (known here: path, encrypted, target, environment, uid, gid, mode)

"#]]
    );
}

#[test]
fn ports_and_volumes_in_the_words_of_compose() {
    let text = r#"
image = "web:1"
[[ports]]
target = 80
published = 8080
host_ip = "127.0.0.1"
[[volumes]]
type = "bind"
src = "/srv"
destination = "/data"
readOnly = true
"#;
    assert_data_eq!(
        messages(text),
        str![[r#"
web.toml:4:1: unknown key `target` (did you mean `container`?)
web.toml:5:1: unknown key `published` (did you mean `host`?)
web.toml:6:1: unknown key `host_ip` (did you mean `address`?)
web.toml:8:1: unknown key `type` (leave it out: a source that begins with / is a path of the host, any other the name of a volume; [[tmpfs]] is in memory)
web.toml:9:1: unknown key `src` (did you mean `source`?)
web.toml:10:1: unknown key `destination` (did you mean `target`?)
web.toml:11:1: unknown key `readOnly` (did you mean `read-only`?)

"#]]
    );
}

#[test]
fn wrong_types() {
    let text = r#"
image = 5
command = "bin/web --port 80"
instances = "two"
enabled = "yes"
[environment]
PORT = 8080
[resources]
memory = 512
cpus = "one"
[health]
path = "/"
interval = 5
"#;
    assert_data_eq!(
        messages(text),
        str![[r#"
web.toml:2:9: integer `5` is not an image reference in quotes, such as "registry.example.com/web:1.4.2"
web.toml:3:11: string "bin/web --port 80" is not a list, such as ["first", "second"]
web.toml:4:13: string "two" is not a whole number
web.toml:5:11: string "yes" is not true or false
web.toml:7:8: integer `8080` is not a text in quotes
web.toml:9:10: integer `512` is not a size of memory in quotes, such as "512M"
web.toml:10:8: string "one" is not a number of CPUs, such as 1.5
web.toml:11:1: a health check needs a port to ask (add [[ports]] with container = and host =)
web.toml:13:12: integer `5` is not a time span in quotes, such as "5s" or "1min 30s"

"#]]
    );
}

#[test]
fn impossible_values() {
    let text = r#"
description = "two\nlines"
image = "--privileged"
instances = 0
after = ["postgres.unit"]
[environment]
"A B" = "x"
nul = "\u0000"
[resources]
memory = "512MB"
cpus = -1
pids = 0
[[ports]]
container = 70000
host = 0
[health]
path = "healthz"
interval = "0"
timeout = "infinity"
unhealthy-after = 0
on-unhealthy = "reboot"
max-unavailable = 0
max-pressure = 101
max-hold = "1 parsec"
[restart]
delay = "5 seconds or so"
max-delay = "1s"
limit = "never"
"#;
    assert_data_eq!(
        messages(text),
        str![[r#"
web.toml:2:15: a description is one line of text
web.toml:3:9: not an image reference: it begins with neither a letter nor a digit
web.toml:4:13: 0 is not between 1 and 1000
web.toml:5:10: `postgres.unit` names neither a unit (such as `postgresql.service`) nor a service (such as `web`)
web.toml:7:1: `A B` cannot be the name of an environment variable: use letters, digits, `_`, `.` and `-`, and begin with a letter or `_`
web.toml:8:7: a text may not contain a NUL character: no program could receive it
web.toml:10:10: `512MB` could mean base 1000 or base 1024: write `512M`, which is base 1024
web.toml:11:8: not a number of CPUs: write how many the service may use, such as 1.5
web.toml:12:8: 0 is not between 32 and 4194304
web.toml:14:13: 70000 is not between 1 and 65535
web.toml:15:8: 0 is not between 1 and 65535
web.toml:17:8: the path of a check begins with `/`, such as `/healthz`
web.toml:18:12: `0` is not between 10ms and 1w
web.toml:19:11: `infinity` is not between 10ms and 1w
web.toml:20:19: 0 is not between 1 and 10000
web.toml:21:16: `reboot` is not known here: write one of "restart", "none"
web.toml:22:19: 0 is not between 1 and 10000
web.toml:23:16: 101 is not between 0 and 100
web.toml:24:12: not a time span: write a number and a unit, such as `5s`, `1min 30s` or `500ms`
web.toml:26:9: not a time span: write a number and a unit, such as `5s`, `1min 30s` or `500ms`
web.toml:27:13: `max-delay` is shorter than `delay` (the delay grows from `delay` to `max-delay` while restarts follow each other)
web.toml:28:9: invalid value: string "never", expected a table such as { starts = 10, within = "auto" }, or "none"

"#]]
    );
}

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
fn ports_need_both_ends() {
    assert_data_eq!(
        messages("image = \"web\"\n[[ports]]\n[[ports]]\ncontainer = 80\n"),
        str![[r#"
web.toml:2:1: `container` is missing (say which port the program listens on, such as container = 8080)
web.toml:2:1: `host` is missing (say which of the host's ports it gets, such as host = 20000)
web.toml:3:1: `host` is missing (say which of the host's ports it gets, such as host = 20000)

"#]]
    );
}

#[test]
fn port_ranges_overlap() {
    let text = r#"
image = "web"
instances = 3
[[ports]]
container = 80
host = 20000
[[ports]]
container = 81
host = 20002
[[ports]]
container = 82
host = 65534
"#;
    assert_data_eq!(
        messages(text),
        str![[r#"
web.toml:9:8: with 3 instances, the ports from 20002 and from 20000 on overlap (instance i gets host + i - 1: leave room for all instances)
web.toml:12:8: 3 instances from port 65534 on need ports up to 65536 (choose a lower port; instance i gets host + i - 1)

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

#[test]
fn a_file_mode_that_is_a_number() {
    let text = "image = \"a\"\nsecrets.key = { path = \"/x\", mode = 0400 }\n[environment]\nMY_mode = 0400\n";
    assert_data_eq!(
        messages(text),
        str![[r#"
web.toml:2:37: unexpected leading zero, expected nothing (file modes are octal, and numbers of TOML are not: write it in quotes, such as "0400")
web.toml:4:11: unexpected leading zero, expected nothing

"#]]
    );
}

#[test]
fn syntax_errors_all_at_once() {
    assert_data_eq!(
        messages("image = web\ncommand = [\n[health\npath = \"/\"\n"),
        str![[r#"
web.toml:1:9: string values must be quoted, expected literal string
web.toml:3:2: string values must be quoted, expected literal string
web.toml:4:1: missing comma between array elements, expected `,`
web.toml:4:1: string values must be quoted, expected literal string
web.toml:4:6: unexpected `=` in array, expected value, `]`
web.toml:4:8: missing comma between array elements, expected `,`
web.toml:4:11: unclosed array, expected `]`

"#]]
    );
}

#[test]
fn duplicate_keys() {
    assert_data_eq!(
        messages("image = \"a\"\nimage = \"b\"\n"),
        str![[r#"
web.toml:2:1: duplicate key

"#]]
    );
}

#[test]
fn file_names_that_are_no_service_names() {
    let image = "image = \"web\"\n";
    assert_data_eq!(
        messages_of("/etc/conductor/services/My Web.toml", image),
        str![[r#"
/etc/conductor/services/My Web.toml: `My Web` cannot be a service's name: use lower-case letters, digits and `-`, and begin with a letter or a digit

"#]]
    );
    assert_data_eq!(
        messages_of("dbus.toml", image),
        str![[r#"
dbus.toml: `dbus` cannot be a service's name: the base system has units of this name

"#]]
    );
    assert_data_eq!(
        messages_of("web.conf", image),
        str![[r#"
web.conf: the file name web.conf does not give a service name: call it NAME.toml

"#]]
    );
}

#[test]
fn tables_and_lists_mixed_up() {
    let text = "image = [\"web\"]\nenvironment = [\"A=b\"]\nhealth = \"/healthz\"\nports = 80\ncommand = { a = 1 }\n";
    assert_data_eq!(
        messages(text),
        str![[r#"
web.toml:1:9: a list is not an image reference in quotes, such as "registry.example.com/web:1.4.2"
web.toml:2:15: a list is not a table (here it is [environment], and below it NAME = "value")
web.toml:3:10: string "/healthz" is not a table (here it is [health], and below it path = "/healthz")
web.toml:4:9: integer `80` is not a list, such as ["first", "second"] (here it is [[ports]], and below it container = 80 and host = 8080)
web.toml:5:11: a table is not a list, such as ["first", "second"]

"#]]
    );
}

#[test]
fn a_list_with_one_bad_element() {
    assert_data_eq!(
        messages("image = \"web\"\ncommand = [\"a\", 5]\nafter = [\"web\", \"a b\"]\n"),
        str![[r#"
web.toml:2:17: integer `5` is not a text in quotes
web.toml:3:17: `a b` names neither a unit (such as `postgresql.service`) nor a service (such as `web`)

"#]]
    );
}

#[test]
fn impossible_values_of_the_engine() {
    let text = r#"
image = "web"
runtime = "dcoker"
user = "a b"
groups = ["x:y"]
working-directory = "srv"
hostname = "-web"
hosts = ["web;1"]
environment-files = ["/etc/../x"]
devices = ["/etc/passwd"]
network = ["host", "frontend"]
[labels]
"a b" = "x"
[secrets]
"../x" = "/etc/x"
key = { file = "/etc/x" }
x = { path = "/etc/x", uid = -1 }
y = { path = "/etc/x", mode = "u=r" }
[resources]
memory = "1M"
memory-high = "2M"
cpu-weight = 0
slice = "a--b"
shm = "0"
[[ports]]
container = "90-80"
host = 1
[[ports]]
container = 80
host = 1
address = "localhost"
protocol = "sctp"
[[volumes]]
source = "./data"
target = "/data"
options = ["z,ro"]
[[volumes]]
[[tmpfs]]
[dns]
servers = ["one.one"]
[extra-hosts]
db = "postgres"
[ulimits]
files = 1
nofile = { soft = 10, hard = 5 }
[sysctls]
somaxconn = 1
[security]
seccomp = "none"
user-namespace = "a b"
capabilities = { add = ["NET_ADMN"], drop = ["al"] }
[stop]
signal = "SIGTREM"
timeout = "infinity"
[pull]
policy = "allways"
retries = -1
[log]
driver = "-x"
[systemd.service]
limitNOFILE = 5
ExecStartPre = "/bin/true\nExecStart=/bin/evil"
"#;
    assert_data_eq!(
        messages(text),
        str![[r#"
web.toml:3:11: `dcoker` is not known here: did you mean "docker"?
web.toml:4:8: `a b` is not a user of the image: write a name or a number, and perhaps `:` and a group, such as `1000:1000`
web.toml:5:11: `x:y` is not a group: write a name or a number
web.toml:6:21: `srv` is not an absolute path: begin it with `/`
web.toml:7:12: `-web` is not a host name: use letters, digits, `-` and `.`
web.toml:8:10: `web;1` is not a pattern for host names: use letters, digits, `-`, `.`, `*` and `?`
web.toml:9:22: `/etc/../x` leads through `..`: write where it ends
web.toml:10:12: `/etc/passwd` is not a device: write /dev/NAME, and perhaps `:` and the path in the container, and `:` and rights such as rw
web.toml:11:11: `host` cannot be combined with other networks
web.toml:13:1: `a b` cannot be a label: use letters, digits, `.`, `_`, `-` and `/`
web.toml:15:1: `../x` cannot be a secret's name: use letters, digits, `_`, `.` and `-`, and begin with a letter or a digit
web.toml:16:7: missing field `path`
web.toml:16:9: unknown key `file` (did you mean `path`?)
web.toml:17:30: -1 is not between 0 and 4294967294
web.toml:18:31: `u=r` is not a file's mode: write it as chmod(1) takes it, such as "0440"
web.toml:21:15: `memory-high` is above `memory` (above memory-high it is slowed down, above memory it is killed)
web.toml:22:14: 0 is not between 1 and 10000
web.toml:23:9: `a--b` is not the name of a slice: write it as in systemd.slice(5), such as team-storefront
web.toml:24:7: no memory at all: leave the key out for no limit
web.toml:26:13: not a range of ports: write it as "8000-8009", or one port as a number
web.toml:31:11: `localhost` is not an IP address: write it in numbers, such as 127.0.0.1 or ::1
web.toml:32:12: `sctp` is not known here: write one of "tcp", "udp"
web.toml:34:10: `./data` is not an absolute path: begin it with `/`
web.toml:36:12: `z,ro` is not one option: write one option for each element
web.toml:37:1: `source` is missing (say what to mount: a directory of the host, or the name of a volume)
web.toml:37:1: `target` is missing (say where it is in the container: target = "/data")
web.toml:38:1: `target` is missing (say where it is in the container: target = "/tmp")
web.toml:40:12: `one.one` is not an IP address: write it in numbers, such as 127.0.0.1 or ::1
web.toml:42:6: `postgres` is not an address: write an IP address, or "host-gateway" for the host's own
web.toml:44:1: `files` is not a limit of setrlimit(2)
web.toml:45:10: a soft limit lies between 0 and the hard limit; -1 is no limit
web.toml:47:1: `somaxconn` is not a kernel parameter: write it with dots, such as net.core.somaxconn
web.toml:49:11: `none` is not an absolute path: begin it with `/`
web.toml:50:18: `a b` is not a user namespace: write it as the engine's --userns takes it, such as "auto" or "keep-id"
web.toml:51:25: `NET_ADMN` is not a capability: did you mean `NET_ADMIN`?
web.toml:51:46: `al` is not a capability: did you mean `ALL`?
web.toml:53:10: `SIGTREM` is not a signal: did you mean `TERM`?
web.toml:54:11: `infinity` is not between 10ms and 1w
web.toml:56:10: `allways` is not known here: did you mean "always"?
web.toml:57:11: -1 is not between 0 and 100
web.toml:59:10: `-x` is not the name of a log driver
web.toml:61:1: `limitNOFILE` is not a directive: write it as systemd does, such as LimitNOFILE
web.toml:62:16: a directive is one line: write a list for several

"#]]
    );
}

#[test]
fn what_docker_cannot_do() {
    let text = r#"
runtime = "docker"
image = "web:1"
[resources]
memory = "1G"
memory-high = "768M"
cpu-weight = 50
io-weight = 200
[security]
user-namespace = "keep-id"
[log]
options = { tag = "web" }
"#;
    assert_data_eq!(
        messages(text),
        str![[r#"
web.toml:6:15: `memory-high` has no effect with docker (write slice = "NAME" and limit that: `systemctl set-property NAME.slice MemoryHigh=VALUE`)
web.toml:7:14: `cpu-weight` has no effect with docker (write slice = "NAME" and limit that: `systemctl set-property NAME.slice CPUWeight=VALUE`)
web.toml:8:13: `io-weight` has no effect with docker (write slice = "NAME" and limit that: `systemctl set-property NAME.slice IOWeight=VALUE`)
web.toml:10:18: docker has no user namespace `keep-id` (leave it out; "userns-remap" in /etc/docker/daemon.json is for all containers)
web.toml:12:11: options of the journald driver have no effect with docker (leave them out, or name the driver that they are for)

"#]]
    );
    // With podman, or where docker can, there is nothing to say.
    assert_data_eq!(messages(&text.replace("docker", "podman")), str![""]);
    let fine = "runtime = \"docker\"\nimage = \"web:1\"\n[resources]\nmemory = \"1G\"\n\
                [security]\nuser-namespace = \"host\"\n[log]\ndriver = \"local\"\noptions = { max-size = \"1m\" }\n";
    assert_data_eq!(messages(fine), str![""]);
}

#[test]
fn networks_contradict_ports() {
    assert_data_eq!(
        messages("image = \"web\"\nnetwork = \"none\"\n[[ports]]\ncontainer = 80\nhost = 2000\n"),
        str![[r#"
web.toml:3:1: a container without a network cannot publish a port

"#]]
    );
    assert_data_eq!(
        messages("image = \"web\"\nnetwork = \"host\"\n[[ports]]\ncontainer = 80\nhost = 2000\n"),
        str![[r#"
web.toml:4:13: in the host's network a container has no ports of its own (leave it out; the program gets its port in the variable PORT)

"#]]
    );
}

#[test]
fn ranges_of_ports_overlap_and_protocols_do_not() {
    let ranges = "image = \"web\"\ninstances = 2\n[[ports]]\ncontainer = \"8000-8009\"\nhost = 2000\n[[ports]]\ncontainer = 90\nhost = 2019\n";
    assert_data_eq!(
        messages(ranges),
        str![[r#"
web.toml:8:8: with 2 instances, the ports from 2019 and from 2000 on overlap (instance i gets host + i - 1: leave room for all instances)

"#]]
    );
    let protocols = "image = \"dns\"\n[[ports]]\ncontainer = 53\nhost = 53\n[[ports]]\ncontainer = 53\nhost = 53\nprotocol = \"udp\"\n";
    assert_data_eq!(
        messages(protocols),
        str![[r#"
web.toml: warning: it may use all of the machine's memory (set a limit, such as [resources] memory = "512M", or a slice that has one)
web.toml:1:9: warning: which version runs depends on when the image was fetched (name a version, such as :1.4.2, or a digest)

"#]]
    );
}

#[test]
fn what_is_probably_not_meant() {
    let text = "image = \"registry.example.com:5000/web\"\ninstances = 2\n[[ports]]\ncontainer = 80\nhost = 2000\n[health]\npath = \"/\"\ninterval = \"1s\"\ntimeout = \"3s\"\nmax-unavailable = 2\n[restart]\nlimit = \"none\"\n";
    assert_data_eq!(
        messages(text),
        str![[r#"
web.toml: warning: it may use all of the machine's memory (set a limit, such as [resources] memory = "512M", or a slice that has one)
web.toml:1:9: warning: which version runs depends on when the image was fetched (name a version, such as :1.4.2, or a digest)
web.toml:6:1: warning: all instances may be restarted at once (lower max-unavailable, so that some are left to answer)
web.toml:6:1: warning: a check may take longer than the interval (checks that are late are left out: raise interval, or lower timeout)
web.toml:12:9: warning: a service that never works restarts for ever (leave `limit` out for ten starts, or write { starts = 10, within = "auto" })

"#]]
    );
    assert_data_eq!(
        messages("image = \"web:latest\"\n[resources]\nmemory = \"64M\"\n"),
        str![[r#"
web.toml:1:9: warning: which version runs depends on when the image was fetched (name a version, such as :1.4.2, or a digest)

"#]]
    );
}

#[test]
fn what_users_cannot_do() {
    let controllers = Controllers::named("cpu memory pids");
    let user =
        Abilities { docker: false, proxy: false, encrypted_secrets: false, lowest_port: 1024, controllers };
    let text = r#"
image = "web:1"
runtime = "docker"
[secrets]
plain = "/home/alice/key"
sealed = { path = "/home/alice/key.cred", encrypted = true }
"#;
    assert_data_eq!(
        messages_for(user, "web.toml", text),
        str![[r#"
web.toml:3:11: docker runs the machine's containers, not a user's (leave `runtime` out: podman needs no root; or define it for the machine, in /etc/conductor)
web.toml:6:10: this systemd does not decrypt secrets for users (systemd 258 and later do; until then name a plain file that only you may read)

"#]]
    );
    let low = "image = \"web:1\"\n[resources]\nmemory = \"64M\"\n[[ports]]\ncontainer = 80\nhost = 80\n";
    assert_data_eq!(
        messages_for(user, "web.toml", low),
        str![[r#"
web.toml:6:8: warning: only root may publish ports below 1024 (take a higher one, or have root lower the sysctl net.ipv4.ip_unprivileged_port_start)

"#]]
    );
    assert_data_eq!(messages_of("web.toml", low), str![[""]]);
    let limits = "image = \"web:1\"\n[resources]\nmemory = \"64M\"\nio-weight = 50\n";
    assert_data_eq!(
        messages_for(user, "web.toml", limits),
        str![[r#"
web.toml: warning: `io-weight` has no effect: users' systemd may not limit `io` here (root can change that: `systemctl edit user@.service`, [Service] Delegate=cpu io memory pids)

"#]]
    );
}

#[test]
fn bounds() {
    let port = |number: u32| format!("[[ports]]\ncontainer = 80\nhost = {number}\n");
    let ports: String = (1..=257).map(port).collect();
    assert_data_eq!(
        messages(&format!("image = \"web\"\n{ports}")),
        str![[r#"
web.toml:770:1: there are more than 256 [[ports]] (publish a range: container = "8000-8009")

"#]]
    );
    let range = |number: u32| {
        format!("[[ports]]\ncontainer = \"1-10000\"\nhost = 1\naddress = \"127.0.0.{number}\"\n")
    };
    let ranges: String = (1..=7).map(range).collect();
    assert_data_eq!(
        messages(&format!("image = \"web\"\n{ranges}")),
        str![[r#"
web.toml:28:8: its ports, those of all instances together, are more than 65535 (publish fewer ports, or have fewer instances)

"#]]
    );
    let path = "x".repeat(4096);
    assert_data_eq!(
        messages(&format!("image = \"web\"\nworking-directory = \"/{path}\"\n[health]\npath = \"/{path}\"")),
        str![[r#"
web.toml:2:21: a path of 4097 bytes is longer than the kernel takes, which is 4095
web.toml:3:1: a health check needs a port to ask (add [[ports]] with container = and host =)
web.toml:4:8: a path of 4097 bytes is longer than 1024: let a short one do for the check

"#]]
    );
    assert_data_eq!(
        messages("image = \"web\"\nsecrets.key = \"/etc/key \"\n"),
        str![[r#"
web.toml:2:15: `/etc/key ` ends in a blank, which systemd would not read: rename the file

"#]]
    );
    let deep = format!("image = {}1{}", "{ a.b = ".repeat(41), "}".repeat(41));
    assert_data_eq!(
        messages(&deep),
        str![[r#"
web.toml:1:329: tables and lists are nested too deep (this is probably another file under this name)

"#]]
    );
}

#[test]
fn units_that_systemd_would_not_take() {
    assert_data_eq!(
        messages(
            "image = \"web\"\nafter = [\".service\"]\nwants = [\"@a.service\"]\nrequires = [\"a@b.service\"]"
        ),
        str![[r#"
web.toml:2:10: `.service` names neither a unit (such as `postgresql.service`) nor a service (such as `web`)
web.toml:3:10: `@a.service` names neither a unit (such as `postgresql.service`) nor a service (such as `web`)

"#]]
    );
}

/// A file full of mistakes is probably another file; some of them say enough.
#[test]
fn of_very_many_mistakes_some_are_named() {
    let name = |number: u32| format!("\"{number} x\" = \"y\"\n");
    let names: String = (0..100).map(name).collect();
    for text in [format!("[environment]\n{names}"), "[[volumes]]\n".repeat(100)] {
        let source = Source::new("web.toml", format!("image = \"web\"\n{text}"));
        let found = conductor_definition::parse(&source).unwrap_err();
        let places: Vec<usize> = found.iter().map(|one| one.label.as_ref().unwrap().span.start).collect();
        assert!(places.len() == 64 && places.is_sorted(), "{places:?}");
    }
}

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

#[test]
fn what_ties_a_container_to_its_unit_stays() {
    assert_data_eq!(
        messages(
            r#"
image = "web:1"
runtime-args = ["--name=other", "--label", "-dit", "--memory=1g", "-p", "8080:80", "-e", "--sdnotify=ignore", "-"]
[resources]
memory = "1M"
[systemd.service]
ExecStart = "/bin/true"
Restart = "no"
LimitNOFILE = 1
DynamicUser = true
"#
        ),
        str![[r#"
web.toml:3:17: `--name` is not for you to set (leave it out: Conductor sets what systemd needs to start, stop and limit the container)
web.toml:3:44: `-dit` is not for you to set (leave it out: Conductor sets what systemd needs to start, stop and limit the container)
web.toml:3:52: warning: Conductor does not see what `--memory` sets (write [resources] memory, which is checked together with everything else)
web.toml:3:67: warning: Conductor does not see what `-p` sets (write [[ports]], which is checked together with everything else)
web.toml:3:90: `--sdnotify` is not for you to set (leave it out: Conductor sets what systemd needs to start, stop and limit the container)
web.toml:7:13: systemd refuses a service with two ExecStart= lines (write `command` for another program in the container; or begin the list with "", which takes ours away)
web.toml:8:11: warning: Conductor relies on its own Restart= (leave it out: a service whose container stops answering is terminated, and restarted by this)
web.toml:10:15: warning: Conductor relies on its own DynamicUser= (leave it out: the engine's own rights are root's, or with --user yours; `user` is the program's)

"#]]
    );
    // Whoever replaces the command is alone with the rest.
    let replaced = "image = \"web:1\"\nresources.memory = \"1M\"\n[systemd.service]\nExecStart = [\"\", \"/bin/x\"]\nType = \"exec\"\n";
    assert_eq!(messages(replaced), "");
}

#[test]
fn things_that_cannot_both_be() {
    assert_data_eq!(
        messages(
            r#"
image = "web:1"
network = "host"
instances = 2
[environment]
PORT = "4000"
CONDUCTOR_INSTANCE = "3"
[[ports]]
host = 4000
[[volumes]]
source = "/a"
target = "/data/"
[[volumes]]
source = "b"
target = "/data"
[[tmpfs]]
target = "/data"
[pull]
policy = "never"
retries = 3
[security]
user-namespace = "auto"
capabilities = { add = ["CHOWN", "KILL"], drop = ["KILL", "ALL"] }
[secrets]
all = "/a"
also-all = { path = "/a", mode = "0444" }
group = { path = "/a", gid = 5 }
some = { path = "/a", mode = "0400" }
"#
        ),
        str![[r#"
web.toml:5:1: `CONDUCTOR_INSTANCE` is set by Conductor: it is the number of the instance (choose another name)
web.toml:5:1: `PORT` is set by Conductor: it is in the host's network the port of each instance (leave it out: the program finds its `host` port in it)
web.toml:13:1: two things are mounted at `/data` (give one of them another target)
web.toml:16:1: two things are mounted at `/data` (give one of them another target)
web.toml:20:11: an image that is never pulled is not tried again either (leave it out, or the policy)
web.toml:23:50: `CAP_KILL` is both added and dropped (leave it out of one of the lists)
web.toml:27:9: in a user namespace of its own nobody has these numbers (leave out uid, gid and mode: then all users of this container can read it, and nobody else)
web.toml:28:8: in a user namespace of its own nobody has these numbers (leave out uid, gid and mode: then all users of this container can read it, and nobody else)

"#]]
    );
    let same = "image = \"web:1\"\nnetwork = \"host\"\nenvironment.PORT = \"4000\"\nports = [{ host = 4000 }]\nresources.memory = \"1M\"\n";
    assert_eq!(messages(same), "");
}
