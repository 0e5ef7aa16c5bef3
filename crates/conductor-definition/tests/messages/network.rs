//! Ports, networks, names.

use snapbox::{assert_data_eq, str};

use crate::messages;

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
