//! Networks and volumes that have definitions.

use std::time::Duration;

use conductor_tests::Entry;

use crate::common::{SOON, invocation, state, undisturbed};
use crate::stage::{Engine, Stage};

/// The payload without a port on the host.
const PLAIN: &str = r#"
image = "localhost/web:1"
command = ["payload"]

[restart]
delay = "1s"
max-delay = "1s"
limit = "none"
"#;

#[test]
fn services_find_each_other_in_a_defined_network() {
    network_on(&Stage::podman());
}

#[test]
fn a_changed_or_broken_network_disturbs_nobody() {
    changes_on(&Stage::podman());
}

#[test]
fn volumes_keep_their_data() {
    volumes_on(&mut Stage::podman());
}

#[test]
fn without_its_volume_a_service_does_not_start() {
    broken_volume_on(&Stage::podman());
}

#[test]
fn docker_has_networks_and_volumes_too() {
    let mut on = Stage::docker();
    network_on(&on);
    changes_on(&on);
    broken_volume_on(&on);
    volumes_on(&mut on);
}

#[test]
fn networks_and_volumes_on_bookworm() {
    let Some(mut on) = Stage::bookworm(Engine::Podman) else { return };
    network_on(&on);
    changes_on(&on);
    broken_volume_on(&on);
    volumes_on(&mut on);
}

fn define_object(on: &Stage, path: &str, definition: &str) {
    on.write(&format!("/etc/conductor/{path}.toml"), &on.with_runtime(definition)).unwrap();
    on.ok(["systemctl", "daemon-reload"]).unwrap();
}

/// Starts it anew, and expects it to run: there is no health check that `systemctl` would wait for.
fn restart(on: &Stage, service: &str) {
    on.ok(["systemctl", "restart", service]).unwrap();
    on.wait_active(&format!("{service}.service"), SOON).unwrap();
}

/// A script succeeds in the container of `web`, which is there soon: docker's unit is active before it is.
fn inside_soon(on: &Stage, script: &str) {
    let run = || Ok(on.run([on.engine.name(), "exec", "conductor-web", "sh", "-c", script])?.success());
    on.eventually(SOON, script, run).unwrap();
}

/// `web` finds `db` by that name.
fn asks_db(on: &Stage) {
    inside_soon(on, "wget -qO- http://db:8080/healthz");
}

fn subnet_of(on: &Stage, network: &str) -> String {
    let format = match on.engine {
        Engine::Podman => "{{range .Subnets}}{{.Subnet}} {{.Gateway}}{{end}}",
        Engine::Docker => "{{range .IPAM.Config}}{{.Subnet}} {{.Gateway}}{{end}}",
    };
    on.cli(["network", "inspect", "--format", format, network])
}

fn network_on(on: &Stage) {
    let backend = r#"
internal = true
[[subnets]]
subnet = "10.89.44.0/24"
gateway = "10.89.44.7"
ip-range = "10.89.44.128/25"
[labels]
team = "store, front \"$HOME\""
"#;
    define_object(on, "networks/backend", backend);
    // The payload listens on IPv4 only, so the network with both is not the one in which it is asked.
    let both = "[[subnets]]\nsubnet = \"10.89.46.0/24\"\n[[subnets]]\nsubnet = \"fd00:46::/64\"\ngateway = \"fd00:46::7\"\n";
    define_object(on, "networks/both", both);
    define_object(on, "networks/front.end", "# The engine's defaults.");
    on.define("db", &format!("network = [\"backend\", \"both\"]\n{PLAIN}"));
    on.define("web", &format!("network = [\"backend\", \"front.end\"]\n{PLAIN}"));
    on.ok(["systemctl", "start", "web", "db"]).unwrap();
    asks_db(on);

    assert!(subnet_of(on, "backend").contains("10.89.44.0/24 10.89.44.7"), "{}", subnet_of(on, "backend"));
    let format = "{{.Internal}} {{index .Labels \"team\"}}";
    assert_eq!(on.cli(["network", "inspect", "--format", format, "backend"]), "true store, front \"$HOME\"");
    // From the range, and from both subnets.
    let addresses = on.cli(["exec", "conductor-db", "ip", "addr"]);
    let from_range = |number: &u8| addresses.contains(&format!(" 10.89.44.{number}/24 "));
    assert!((128..=255).any(|number| from_range(&number)), "{addresses}");
    assert!(addresses.contains(" 10.89.46.") && addresses.contains(" fd00:46::"), "{addresses}");
    assert!(subnet_of(on, "both").ends_with("fd00:46::/64 fd00:46::7"), "{}", subnet_of(on, "both"));

    // A single run is in the networks as well, but is not the service: nobody is sent there.
    let run = on.ok(["conductor", "run", "web", "--", "wget", "-qO-", "http://db:8080/healthz"]).unwrap();
    assert_eq!(run, "ok");

    // What is not used may be tidied away; the next start makes it again.
    on.ok(["systemctl", "stop", "web", "db"]).unwrap();
    on.cli(["network", "prune", "--force"]);
    assert!(!on.run([on.engine.name(), "network", "inspect", "backend"]).unwrap().success());
    on.ok(["systemctl", "start", "web", "db"]).unwrap();
    asks_db(on);
}

/// Follows [`network_on`], or does what is needed of it.
fn changes_on(on: &Stage) {
    define_object(on, "networks/backend", "[[subnets]]\nsubnet = \"10.89.44.0/24\"\n");
    on.define("db", &format!("network = \"backend\"\n{PLAIN}"));
    on.define("web", &format!("network = \"backend\"\n{PLAIN}"));
    on.ok(["systemctl", "stop", "web", "db"]).unwrap();
    on.sh(&format!("{} network rm backend 2>/dev/null || true", on.engine.name())).unwrap();
    on.ok(["systemctl", "start", "web", "db"]).unwrap();
    asks_db(on);

    // Whatever is done to the network's unit and its definition, containers go on.
    let before = invocation(on, "web.service");
    on.ok(["systemctl", "restart", "backend-network.service"]).unwrap();
    on.ok(["systemctl", "stop", "backend-network.service"]).unwrap();
    on.write("/etc/conductor/networks/backend.toml", "subnets = 5\n").unwrap();
    on.ok(["systemctl", "daemon-reload"]).unwrap();
    on.ok(["systemctl", "restart", "backend-network.service"]).unwrap();
    undisturbed(on, "web.service", Duration::from_secs(2));
    assert_eq!(invocation(on, "web.service"), before);
    asks_db(on);

    // The network stays what it is, the start says so and how to change it, and doing that changes it.
    define_object(on, "networks/backend", "[[subnets]]\nsubnet = \"10.89.45.0/24\"\n");
    let mark = on.mark().unwrap();
    restart(on, "web");
    asks_db(on);
    let entries = on.entries_since(&mark).unwrap();
    let said = |entry: &&Entry| entry.get("CONDUCTOR_NETWORK") == "backend" && entry.get("PRIORITY") == "4";
    let said: Vec<&str> = entries.iter().filter(said).map(Entry::message).collect();
    let engine = on.engine.name();
    let expected = format!(
        "network backend stays as it was made, with --subnet=10.89.44.0/24. Its definition says --subnet=10.89.45.0/24 \
         now. To make it anew, stop what uses it, run '{engine} network rm backend' and start again."
    );
    assert_eq!(said, [expected]);
    assert!(subnet_of(on, "backend").contains("10.89.44.0/24"));
    on.ok(["systemctl", "stop", "web", "db"]).unwrap();
    on.cli(["network", "rm", "backend"]);
    on.ok(["systemctl", "start", "web", "db"]).unwrap();
    asks_db(on);
    assert!(subnet_of(on, "backend").contains("10.89.45.0/24"));

    // A container that ends while its network cannot be made comes back once it can.
    on.ok(["systemctl", "stop", "web", "db"]).unwrap();
    on.cli(["network", "rm", "backend"]);
    define_object(on, "networks/backend", "runtime-args = [\"--no-such-option\"]\n");
    on.run(["systemctl", "start", "web", "db"]).unwrap();
    on.wait_property("backend-network.service", "ActiveState", "failed", SOON).unwrap();
    define_object(on, "networks/backend", "# Better.");
    on.wait_active("web.service", SOON).unwrap();
    on.wait_active("db.service", SOON).unwrap();
    asks_db(on);
}

fn volumes_on(on: &mut Stage) {
    on.sh("mkdir -p /srv/bound").unwrap();
    define_object(on, "volumes/bound", "type = \"bind\"\ndevice = \"/srv/bound\"\n");
    let owned = if on.engine == Engine::Podman { "uid = 1234\n" } else { "" };
    define_object(on, "volumes/shop.data", &format!("{owned}[labels]\nbackup = \"daily\"\n"));
    let tables = r#"
[[volumes]]
source = "bound"
target = "/bound"
[[volumes]]
source = "shop.data"
target = "/data"
"#;
    on.define("web", &format!("{PLAIN}{tables}"));
    restart(on, "web");
    inside_soon(on, "echo precious > /bound/file && echo precious > /data/file");
    assert_eq!(on.read("/srv/bound/file").unwrap(), "precious\n");
    let backup = on.cli(["volume", "inspect", "--format", "{{index .Labels \"backup\"}}", "shop.data"]);
    assert_eq!(backup, "daily");
    if on.engine == Engine::Podman {
        assert_eq!(on.inside("stat -c %u /data"), "1234");
    }

    let kept = |on: &Stage| {
        on.wait_active("web.service", SOON).unwrap();
        inside_soon(on, "test \"$(cat /bound/file /data/file)\" = \"$(echo precious; echo precious)\"");
    };
    restart(on, "web");
    kept(on);
    // Another definition: said, and nothing lost.
    define_object(on, "volumes/shop.data", "[labels]\nbackup = \"never, ever\"\n");
    let mark = on.mark().unwrap();
    restart(on, "web");
    kept(on);
    let entries = on.entries_since(&mark).unwrap();
    let said = |entry: &&Entry| entry.get("CONDUCTOR_VOLUME") == "shop.data" && entry.get("PRIORITY") == "4";
    let said: Vec<&str> = entries.iter().filter(said).map(Entry::message).collect();
    assert_eq!(said.len(), 1, "{said:?}");
    assert!(
        said[0].contains("save its data") && said[0].contains("--label=backup=never; ever now"),
        "{said:?}"
    );
    // The same with stopping, removing definitions and starting the machine.
    on.sh("rm /etc/conductor/volumes/*").unwrap();
    on.ok(["systemctl", "daemon-reload"]).unwrap();
    restart(on, "web");
    kept(on);
    define_object(on, "volumes/bound", "type = \"bind\"\ndevice = \"/srv/bound\"\n");
    define_object(on, "volumes/shop.data", "[labels]\nbackup = \"daily\"\n");
    on.reboot();
    kept(on);
}

fn broken_volume_on(on: &Stage) {
    // Neither engine has such an option of `local`.
    define_object(on, "volumes/precious", "[options]\nnonsense = 1\n");
    on.define("keeper", &format!("{PLAIN}[[volumes]]\nsource = \"precious\"\ntarget = \"/data\"\n"));
    let made = || on.run([on.engine.name(), "volume", "inspect", "precious"]).unwrap().success();
    assert!(!on.run(["systemctl", "start", "keeper"]).unwrap().success());
    assert_eq!(state(on, "precious-volume.service"), "failed");
    assert!(!on.run(["conductor", "run", "keeper", "--", "true"]).unwrap().success());
    assert!(!made(), "an ordinary volume was made in its place");
    let log = on.journal("keeper.service").unwrap();
    assert!(log.contains("'systemctl status precious-volume' shows why"), "{log}");

    // A definition that does not convert, without an earlier one. (With none at all the engine would make it.)
    // The unit is stopped too: while it runs, for the attempt that was under way, it keeps its file.
    on.ok(["systemctl", "stop", "keeper", "precious-volume"]).unwrap();
    on.sh("rm /etc/conductor/volumes/precious.toml").unwrap();
    on.ok(["systemctl", "daemon-reload"]).unwrap();
    on.write("/etc/conductor/volumes/precious.toml", "devise = \"/srv\"\n").unwrap();
    on.ok(["systemctl", "daemon-reload"]).unwrap();
    assert!(!on.run(["systemctl", "start", "keeper"]).unwrap().success());
    assert!(!made());
    let status = on.run(["systemctl", "status", "precious-volume"]).unwrap().stdout;
    assert!(status.contains("precious.toml:1:1: unknown key `devise` (did you mean `device`?)"), "{status}");

    // Mended, the next attempt of systemd's succeeds.
    define_object(on, "volumes/precious", "# Better.");
    on.wait_active("keeper.service", SOON).unwrap();
    assert!(made());
    on.ok(["systemctl", "stop", "keeper"]).unwrap();
}
