//! Deploys on docker, of a user's services, and with images from a registry.

use conductor_tests::{Host, Image, newest_package};

use crate::common::{WEB, ask, define};
use crate::deploys::{SITE, SOON, deploy, serving, status, web};
use crate::rootless::{alice, host_with_alice};
use crate::stage::{Engine, Stage};

#[test]
fn on_docker() {
    releases_on(&Stage::docker());
}

/// systemd 252, podman 4.3 and docker 20.10, and nginx 1.22.
#[test]
fn on_bookworm() {
    for engine in [Engine::Podman, Engine::Docker] {
        if let Some(on) = Stage::bookworm(engine) {
            releases_on(&on);
        }
    }
}

fn releases_on(on: &Stage) {
    on.define("web", &web(""));
    on.ok(["systemctl", "start", "web.target"]).unwrap();
    let site = format!("server {{ listen 127.0.0.1:{SITE}; location / {{ proxy_pass http://web; }} }}\n");
    on.write("/etc/nginx/conf.d/site.conf", &site).unwrap();
    on.ok(["systemctl", "restart", "nginx"]).unwrap();
    let only = |release: &str, slot: &str| {
        assert_eq!(serving(on), release);
        on.only_containers(&[&format!("conductor-web-{slot}.1")]);
    };
    only("r0", "blue");
    let foreseen = on.ok(["conductor", "deploy", "web", "--revision", "1", "--dry-run"]).unwrap();
    let said = status(&deploy(on, "1"), 0);
    assert!(said.contains("] verify: ") && said.contains("answered by 1 of 1"), "{said}");
    only("r1", "green");
    // Pinned, as it was foreseen.
    let release = on.read("/etc/conductor/releases/web/green.toml").unwrap();
    let image =
        release.lines().find_map(|line| line.strip_prefix("image = \"")).unwrap().trim_end_matches('"');
    assert!(image.len() >= 64 && foreseen.contains(image), "{image}: {foreseen}");
    status(&deploy(on, "2"), 0);
    only("r2", "blue");
    status(&on.run(["conductor", "rollback", "web"]).unwrap(), 0);
    only("r1", "green");
    status(&on.run(["conductor", "restart", "web"]).unwrap(), 0);
    only("r1", "blue");
    let broken = format!("{}[environment]\nPAYLOAD_MODE = \"500\"\n", web("").replace("20s", "3s"));
    on.define("web", &broken);
    let said = status(&deploy(on, "3"), 1);
    assert!(said.contains("payload: starting"), "{said}");
    only("r1", "blue");
    on.define("web", &web("").replace("localhost/web:1", "localhost/nothing:1"));
    let said = status(&deploy(on, "4"), 3);
    assert!(said.contains("the image localhost/nothing:1 cannot be fetched"), "{said}");
    only("r1", "blue");
}

#[test]
fn of_a_user() {
    let host = host_with_alice();
    let alice = alice(&host);
    let definition = |more: &str| {
        format!(
            "revision = \"0\"\nhostname = \"r${{revision}}\"\ninstances = 2\n{WEB}\n[deploy]\n\
             strategy = \"blue-green\"\nsettle = \"1s\"\n{more}"
        )
    };
    alice.define("web", &definition(""));
    alice.ok(&["systemctl", "--user", "start", "web.target"]);
    let conductor = |words: &[&str]| alice.run(&[&["conductor", "--user"], words].concat());
    let release = |port: u16| {
        let env = ask(&host, port, "/env").unwrap();
        env.lines().find_map(|line| line.strip_prefix("HOSTNAME=").map(str::to_owned)).unwrap()
    };
    status(&conductor(&["deploy", "web", "--revision", "1"]), 0);
    alice.only_containers(&["conductor-web-green.1", "conductor-web-green.2"]);
    assert_eq!([release(20001), release(20003)], ["r1", "r1"]);
    status(&conductor(&["deploy", "web", "--revision", "2"]), 0);
    assert_eq!([release(20000), release(20002)], ["r2", "r2"]);
    let before =
        ["web-blue@1.service", "web-blue@2.service"].map(|unit| alice.property(unit, "InvocationID"));
    status(&conductor(&["restart", "web"]), 0);
    let after = ["web-blue@1.service", "web-blue@2.service"].map(|unit| alice.property(unit, "InvocationID"));
    assert!(before.iter().zip(&after).all(|(before, after)| before != after));
    let foreseen = status(&conductor(&["rollback", "web", "--dry-run"]), 0);
    assert_eq!(foreseen, "");
    status(&conductor(&["rollback", "web"]), 0);
    alice.only_containers(&["conductor-web-green.1", "conductor-web-green.2"]);

    let broken = format!("{}[environment]\nPAYLOAD_MODE = \"500\"\n", definition("").replace("20s", "3s"));
    alice.define("web", &broken);
    let said = status(&conductor(&["deploy", "web", "--revision", "3"]), 1);
    assert!(said.contains("did not get healthy") && said.contains("payload: starting"), "{said}");
    alice.only_containers(&["conductor-web-green.1", "conductor-web-green.2"]);
    let history = conductor(&["history", "web"]).stdout;
    assert!(history.contains("restart by alice") && history.contains("undone"), "{history}");
    let said = alice.ok(&["journalctl", "--quiet", "CONDUCTOR_OUTCOME=undone", "--output=cat"]);
    assert!(said.contains("deploy of web 3 ended, undone: "), "{said}");
    // She is nobody to the machine's services.
    let said = status(&alice.run(&["conductor", "deploy", "web"]), 3);
    assert!(said.contains("with --user for your own"), "{said}");
}

const REGISTRY: &str = "version: 0.1
storage:
  filesystem:
    rootdirectory: /var/lib/registry
http:
  addr: 127.0.0.1:5000
";

/// A machine with a registry that has `web:1` to `web:6`, all different, and no image of them.
fn with_registry() -> Host {
    let image = Image::base(conductor_tests::Suite::Trixie).unwrap().add_registry().unwrap();
    let image = image.add_payload().unwrap().add_package(&newest_package().unwrap()).unwrap();
    let host = Host::boot(&image).unwrap();
    host.write("/etc/registry.yml", REGISTRY).unwrap();
    host.write(
        "/etc/containers/registries.conf.d/local.conf",
        "[[registry]]\nlocation = \"localhost:5000\"\ninsecure = true\n",
    )
    .unwrap();
    host.sh("systemd-run --quiet --unit=registry docker-registry serve /etc/registry.yml").unwrap();
    let answers = || Ok(host.run(["curl", "-sf", "http://127.0.0.1:5000/v2/"])?.success());
    host.eventually(SOON, "the registry answers", answers).unwrap();
    host.sh("container=$(podman create localhost/web:1 payload)
         for n in 1 2 3 4 5 6; do
             podman commit --quiet --change LABEL=n=$n $container localhost:5000/web:$n
             podman push --quiet localhost:5000/web:$n
             podman rmi localhost:5000/web:$n
         done >/dev/null
         podman rm $container")
        .unwrap();
    host
}

/// The images of the registry that are on the machine, by their labels.
fn images(host: &Host) -> Vec<String> {
    let script = "for id in $(podman images --quiet --no-trunc | sort -u); do \
                  podman image inspect --format '{{index .Labels \"n\"}}' $id; done | grep -x '[0-9]' | sort";
    host.sh(script).unwrap().lines().map(str::to_owned).collect()
}

#[test]
fn images_from_a_registry_are_kept_as_long_as_somebody_may_want_them() {
    let host = with_registry();
    let definition = |image: &str, more: &str| {
        web("").replace("localhost/web:1", &format!("localhost:5000/web:{image}")) + more
    };
    define(&host, "web", &definition("1", ""));
    host.ok(["systemctl", "start", "web.target"]).unwrap();
    let site = format!("server {{ listen 127.0.0.1:{SITE}; location / {{ proxy_pass http://web; }} }}\n");
    host.write("/etc/nginx/conf.d/site.conf", &site).unwrap();
    host.ok(["systemctl", "restart", "nginx"]).unwrap();

    // It would be fetched; looking ahead does not.
    define(&host, "web", &definition("${revision}", ""));
    let foreseen = host.ok(["conductor", "deploy", "web", "--revision", "2", "--dry-run"]).unwrap();
    assert!(foreseen.contains("image: localhost:5000/web:2 would be fetched, and pinned"), "{foreseen}");
    assert_eq!(images(&host), ["1"]);

    for revision in ["2", "3", "4"] {
        status(&deploy(&host, revision), 0);
    }
    // What ran before the first deploy was no release of ours to remove.
    assert_eq!(images(&host), ["1", "2", "3", "4"]);
    // One that fails is of no use when the next one is live.
    define(
        &host,
        "web",
        &definition("${revision}", "[environment]\nPAYLOAD_MODE = \"500\"\n").replace("20s", "3s"),
    );
    status(&deploy(&host, "6"), 1);
    assert_eq!(images(&host), ["1", "2", "3", "4", "6"]);
    define(&host, "web", &definition("${revision}", ""));
    let said = status(&deploy(&host, "5"), 0);
    assert!(said.contains("] prune: 2 old images"), "{said}");
    assert_eq!(images(&host), ["1", "3", "4", "5"]);
    let kept = host.sh("ls /var/lib/conductor/deploys/web/releases | wc -l").unwrap();
    assert_eq!(kept.trim(), "3");
    let release = host.read("/etc/conductor/releases/web/live").unwrap();
    assert!(release.contains("image = \"localhost:5000/web@sha256:"), "{release}");

    // Without the registry: back, again by tag, and by digest though the policy is to ask.
    host.ok(["systemctl", "stop", "registry"]).unwrap();
    status(&host.run(["conductor", "rollback", "web"]).unwrap(), 0);
    assert_eq!(serving(&host), "r4");
    status(&deploy(&host, "5"), 0);
    assert_eq!(serving(&host), "r5");
    let digest = host.sh("sed -n 's/^image = \"\\(.*\\)\"/\\1/p' /etc/conductor/releases/web/live").unwrap();
    define(&host, "web", &definition("${revision}", "[pull]\npolicy = \"always\"\n"));
    let again =
        host.run(["conductor", "deploy", "web", "--revision", "again", "--image", digest.trim()]).unwrap();
    status(&again, 0);
    assert_eq!(serving(&host), "ragain");
    status(&host.run(["conductor", "restart", "web"]).unwrap(), 0);
    let said = status(&deploy(&host, "6"), 3);
    assert!(said.contains("the image localhost:5000/web:6 cannot be fetched"), "{said}");
    assert_eq!(serving(&host), "ragain");
}
