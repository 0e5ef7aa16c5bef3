//! Every message about networks and volumes, word for word.

#![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]

mod editor;

use conductor_definition::{Kind, Source};
use snapbox::{assert_data_eq, str};

/// The diagnostics of a definition called `NAME.toml`, one line each.
fn messages_of(kind: Kind, path: &str, text: &str) -> String {
    let source = Source::new(path, text);
    let diagnostics = editor::read(kind, &source).unwrap_or_else(|errors| errors);
    editor::agrees(kind, &source, &diagnostics);
    diagnostics.iter().map(|diagnostic| diagnostic.one_line(&source) + "\n").collect()
}

fn network(text: &str) -> String {
    messages_of(Kind::Network, "net.toml", text)
}

fn volume(text: &str) -> String {
    messages_of(Kind::Volume, "data.toml", text)
}

#[test]
fn good_ones() {
    assert_data_eq!(network("# All defaults."), str![[""]]);
    assert_data_eq!(volume("# All defaults."), str![[""]]);
    let bound =
        "type = 'none'\ndevice = '/srv/a b'\nmount-options = ['bind', 'ro']\nuid = 0\ngid = 4294967294";
    assert_data_eq!(volume(bound), str![[""]]);
    assert_data_eq!(volume("type = 'tmpfs'\nmount-options = ['size=1m']"), str![[""]]);
    // As Compose has it.
    let driver_options =
        "runtime = 'docker'\n[options]\ntype = 'nfs'\no = 'addr=nas,rw'\ndevice = ':/export'\n";
    assert_data_eq!(volume(driver_options), str![[""]]);
    assert_data_eq!(volume("device = 'nas:/x'\n[options]\ntype = 'nfs'\no = 'nfsvers=4'"), str![[""]]);
    assert_data_eq!(
        network("[dns]\nenabled = true\nservers = []\n[[subnets]]\nsubnet = 'fd00::/64'"),
        str![[""]]
    );
}

#[test]
fn names() {
    let all = |kind| -> String {
        ["a b.toml", "host.toml", "x.conf"].map(|path| messages_of(kind, path, "internal = 1")).concat()
    };
    assert_data_eq!(
        all(Kind::Network),
        str![[r#"
a b.toml: `a b` cannot be a network's name: use letters, digits, `_`, `.` and `-`, and begin with a letter or a digit
a b.toml:1:12: integer `1` is not true or false
host.toml: `host` cannot be a network's name: the engines have a meaning of their own for it
host.toml:1:12: integer `1` is not true or false
x.conf: the file name x.conf does not give a network name: call it NAME.toml
x.conf:1:12: integer `1` is not true or false

"#]]
    );
    assert_data_eq!(
        all(Kind::Volume),
        str![[r#"
a b.toml:1:1: unknown key `internal` (known here are device, driver, labels, mount-options, options, runtime, runtime-args, type and others: `man conductor-volume` tells of all)
a b.toml: `a b` cannot be a volume's name: use letters, digits, `_`, `.` and `-`, and begin with a letter or a digit
host.toml:1:1: unknown key `internal` (known here are device, driver, labels, mount-options, options, runtime, runtime-args, type and others: `man conductor-volume` tells of all)
x.conf:1:1: unknown key `internal` (known here are device, driver, labels, mount-options, options, runtime, runtime-args, type and others: `man conductor-volume` tells of all)
x.conf: the file name x.conf does not give a volume name: call it NAME.toml

"#]]
    );
    assert_data_eq!(
        messages_of(Kind::Network, &format!("{}.toml", "x".repeat(129)), ""),
        str![[r#"
xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx.toml: `xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx` cannot be a network's name: it is longer than 128 characters

"#]]
    );
}

#[test]
fn a_name_that_podman_may_take_for_an_id() {
    assert_data_eq!(
        messages_of(Kind::Network, "db.toml", ""),
        str![[r#"
db.toml: warning: podman may take `db` for the beginning of another network's ID (call it db-net, or anything with a letter after f)

"#]]
    );
    assert_data_eq!(messages_of(Kind::Network, "db.toml", "runtime = 'docker'"), str![[""]]);
    assert_data_eq!(messages_of(Kind::Network, "abcde.toml", ""), str![[""]]);
    assert_data_eq!(messages_of(Kind::Volume, "db.toml", ""), str![[""]]);
}

#[test]
fn keys_and_types() {
    let text = "
descripton = 'x'
runtime = 'dokcer'
driver = 'mac vlan'
internal = 'yes'
ipv6 = 6
interface = 'much-too-long-a-name'
subnets = ['10.89.4.0/24']
options = { mtu = [1400], 'a b' = 1 }
labels = { 'a b' = 'c', d = 1 }
[dns]
enable = false
servers = ['dns.example.com']
";
    assert_data_eq!(
        network(text),
        str![[r#"
net.toml:2:1: unknown key `descripton` (did you mean `description`?)
net.toml:3:11: `dokcer` is not known here: did you mean "docker"?
net.toml:4:10: `mac vlan` is not the name of a driver: use letters, digits, `.`, `_`, `-`, `/` and `:`
net.toml:5:12: string "yes" is not true or false
net.toml:6:8: integer `6` is not true or false
net.toml:7:13: `much-too-long-a-name` is not the name of an interface: use at most 15 letters, digits, `_`, `.` and `-`, and begin with a letter or a digit
net.toml:8:12: string "10.89.4.0/24" is not a table, such as { subnet = "10.89.4.0/24" }
net.toml:9:19: a list is not a text in quotes, a number, true or false
net.toml:9:27: `a b` is not the name of an option
net.toml:10:12: `a b` cannot be a label: use letters, digits, `.`, `_`, `-` and `/`
net.toml:10:29: integer `1` is not a text in quotes
net.toml:12:1: unknown key `enable` (did you mean `enabled`?)
net.toml:13:12: `dns.example.com` is not an IP address: write it in numbers, such as 127.0.0.1 or ::1

"#]]
    );
    let text = "
driver = '--rm'
device = 5
type = 'n f s'
mount-options = 'ro,noatime'
uid = -1
gid = 4294967295
subnets = []
";
    assert_data_eq!(
        volume(text),
        str![[r#"
data.toml:2:10: `--rm` is not the name of a driver: use letters, digits, `.`, `_`, `-`, `/` and `:`
data.toml:3:10: integer `5` is not a text in quotes, such as "nas:/export/data"
data.toml:4:8: `n f s` is not a type of file system: write it as mount(8) takes it, such as "nfs"
data.toml:5:17: string "ro,noatime" is not a list, such as ["first", "second"]
data.toml:6:7: -1 is not between 0 and 4294967294
data.toml:7:7: 4294967295 is not between 0 and 4294967294
data.toml:8:1: unknown key `subnets` (known here are description, driver, labels, mount-options, options, runtime, runtime-args, type and others: `man conductor-volume` tells of all)

"#]]
    );
}

#[test]
fn subnets() {
    let text = "
[[subnets]]
[[subnets]]
subnet = '10.89.4.1/24'
[[subnets]]
subnet = '10.89.4.0'
[[subnets]]
subnet = '10.89.4.0/31'
[[subnets]]
subnet = '10.1.0.0/24'
gateway = '10.2.0.1'
ip-range = '10.1.0.0/16'
[[subnets]]
subnet = '10.2.0.0/24'
gateway = '10.2.0.255'
[[subnets]]
subnet = '10.2.0.128/25'
[[subnets]]
subnet = 'fd00::/64'
gateway = '10.2.0.1'
ip-range = 'fd00:0:0:1::/80'
";
    assert_data_eq!(
        network(text),
        str![[r#"
net.toml:2:1: `subnet` is missing (say which addresses it has: subnet = "10.89.4.0/24")
net.toml:4:10: `10.89.4.1/24` is not where its subnet begins: write 10.89.4.0/24
net.toml:6:10: `10.89.4.0` is not a subnet: write address and prefix, such as 10.89.4.0/24 or fd00:4::/64
net.toml:8:10: `10.89.4.0/31` cannot be a network's: its prefix is not between /8 and /30
net.toml:11:11: the gateway 10.2.0.1 is not in 10.1.0.0/24 (change it, or `subnet`)
net.toml:12:12: the range 10.1.0.0/16 is not in 10.1.0.0/24 (change it, or `subnet`)
net.toml:15:11: no machine in 10.2.0.0/24 can be 10.2.0.255 (leave it out, or say 10.2.0.1 for one)
net.toml:16:1: 10.2.0.128/25 and 10.2.0.0/24 overlap (choose another, or leave one out)
net.toml:20:11: the gateway 10.2.0.1 is not in fd00::/64 (change it, or `subnet`)
net.toml:21:12: the range fd00:0:0:1::/80 is not in fd00::/64 (change it, or `subnet`)

"#]]
    );
}

#[test]
fn what_contradicts_itself_or_the_engine() {
    assert_data_eq!(
        network("ipv6 = false\n[[subnets]]\nsubnet = 'fd00::/64'"),
        str![[r#"
net.toml:1:8: fd00::/64 is a subnet of IPv6 (leave `ipv6` out, or the subnet)

"#]]
    );
    assert_data_eq!(
        network("[dns]\nenabled = false\nservers = ['10.0.0.1']"),
        str![[r#"
net.toml:3:11: a network that resolves no names asks no name servers (leave one of the two out)

"#]]
    );
    assert_data_eq!(
        network("runtime = 'docker'\ndns.enabled = false"),
        str![[r#"
net.toml:2:15: docker always resolves names in a network of one's own (leave it out)

"#]]
    );
    assert_data_eq!(
        network("runtime = 'docker'\ndns.servers = ['10.0.0.1']"),
        str![[r#"
net.toml:2:15: docker knows name servers of containers only (write them into [dns] of the services)

"#]]
    );
    assert_data_eq!(
        network("runtime = 'docker'\ndriver = 'overlay'\ninterface = 'br0'"),
        str![[r#"
net.toml:3:13: docker's driver overlay takes no interface of the host (leave it out, or write what the driver takes into [options])

"#]]
    );
    assert_data_eq!(
        network(
            "runtime = 'docker'\ninterface = 'br0'\noptions = { 'com.docker.network.bridge.name' = 'br1' }"
        ),
        str![[r#"
net.toml:2:13: the interface is named twice (leave `interface` out, or `com.docker.network.bridge.name`)

"#]]
    );
    assert_data_eq!(
        network("driver = 'macvlan'\ninterface = 'eth0'\noptions = { parent = 'eth1' }"),
        str![[r#"
net.toml:2:13: the interface is named twice (leave `interface` out, or `parent`)

"#]]
    );
}

#[test]
fn what_is_mounted() {
    assert_data_eq!(
        volume("device = '/srv'"),
        str![[r#"
data.toml:1:10: `type` is missing (say what file system it has, such as type = "nfs"; type = "bind" for a directory)

"#]]
    );
    assert_data_eq!(
        volume("type = 'nfs'"),
        str![[r#"
data.toml:1:8: `device` is missing (say what is mounted, such as device = "nas:/export/data")

"#]]
    );
    assert_data_eq!(
        volume("type = 'bind'\ndevice = 'srv'"),
        str![[r#"
data.toml:2:10: only a directory of the host can be bound (write its path without `..`, such as "/srv/data")

"#]]
    );
    assert_data_eq!(
        volume("type = 'bind'\ndevice = '/srv/../etc'"),
        str![[r#"
data.toml:2:10: only a directory of the host can be bound (write its path without `..`, such as "/srv/data")

"#]]
    );
    assert_data_eq!(
        volume("type = 'nfs'\ndevice = \"a\\nb\""),
        str![[r#"
data.toml:2:10: a device is one line of text: write what mount(8) takes, such as "nas:/export/data"

"#]]
    );
    assert_data_eq!(
        volume("mount-options = ['a,b']"),
        str![[r#"
data.toml:1:18: `a,b` is not one option: write one option for each element

"#]]
    );
    assert_data_eq!(
        volume("runtime = 'docker'\nmount-options = ['ro']"),
        str![[r#"
data.toml:2:17: docker has options for what it mounts only (write `device` and `type` too, or leave them out)

"#]]
    );
    assert_data_eq!(
        volume("runtime = 'docker'\nuid = 1000"),
        str![[r#"
data.toml:2:7: docker gives volumes no owner (change the owner in the container or its image; tmpfs takes it in mount-options)

"#]]
    );
    assert_data_eq!(
        volume("uid = 1000\nmount-options = ['uid=1001']"),
        str![[r#"
data.toml:1:7: `uid` is written twice (leave one of the two out)

"#]]
    );
    assert_data_eq!(
        volume("driver = 'image'\ndevice = 'x'\ntype = 'nfs'\nuid = 1"),
        str![[r#"
data.toml:2:10: `device` is for the driver local (write what the driver takes into [options])
data.toml:3:8: `type` is for the driver local (write what the driver takes into [options])
data.toml:4:7: `uid` is for the driver local (write what the driver takes into [options])

"#]]
    );
    let twice = "device = 'a:/b'\ntype = 'nfs'\ngid = 1\n[options]\ndevice = 'x'\ntype = 'y'\no = 'z'";
    assert_data_eq!(
        volume(twice),
        str![[r#"
data.toml:1:10: `device` is the option `device` (leave one of the two out)
data.toml:2:8: `type` is the option `type` (leave one of the two out)
data.toml:3:7: `gid` is the option `o` (leave one of the two out)

"#]]
    );
}

#[test]
fn references_and_sizes() {
    let text = "description = '$ {driver}'\ndriver = 'local'\ndevice = '${drive}:/x'\ntype = 'nfs'\n[options]\no = '$'";
    assert_data_eq!(
        volume(text),
        str![[r#"
data.toml:1:16: a lone `$` (write `$$` for a dollar, or `${NAME}` for the text of another key)
data.toml:3:11: `drive` is not a key of this definition (did you mean `${driver}`?)

"#]]
    );
    let long = "x".repeat(17 << 10);
    assert_data_eq!(
        volume(&format!("labels = {{ a = '{long}' }}")),
        str![[r#"
data.toml: the settings of this volume are longer than 16 KiB (they become arguments of one command: leave out what is not needed)

"#]]
    );
    let many =
        (0..=255).map(|n| format!("[[subnets]]\nsubnet = '10.{n}.0.0/16'\n")).collect::<Vec<_>>().concat();
    assert_data_eq!(network(&many), str![[""]]);
    assert_data_eq!(
        network(&format!("{many}[[subnets]]\nsubnet = '11.0.0.0/16'")),
        str![[r#"
net.toml: the settings of this network are longer than 16 KiB (they become arguments of one command: leave out what is not needed)

"#]]
    );
}
