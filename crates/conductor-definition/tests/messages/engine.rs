//! What engines, users and units can do.

use conductor_definition::{Abilities, Controllers};
use snapbox::{assert_data_eq, str};

use crate::{messages, messages_for, messages_of};

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
