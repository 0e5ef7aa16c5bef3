//! Whoever comes from Compose or Quadlet.

use snapbox::{assert_data_eq, str};

use crate::messages;

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
