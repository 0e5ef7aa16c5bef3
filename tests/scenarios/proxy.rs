//! Traffic that moves from one server to another on a booted machine: nginx is a unit there, and reloads are jobs.

use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use conductor_tests::{Host, Image, Suite, repository};

use crate::mishap::built;

const SOON: Duration = Duration::from_secs(30);

const SITE: &str = "server { listen 127.0.0.1:8000; location / { proxy_pass http://web; } }\n";

#[test]
fn nginx_as_a_unit() {
    let program = program();
    for suite in Suite::of_our_package() {
        let host = Host::boot(&Image::base(*suite).unwrap()).unwrap();
        host.copy_in(&program, "/usr/bin/move").unwrap();
        host.ok(["chmod", "755", "/usr/bin/move"]).unwrap();
        prepare(&host);
        moves(&host);
        reload_that_fails(&host);
        nginx_that_does_not_run(&host);
    }
}

/// The tests of the crate itself, with the nginx and the HAProxy of the newer suite.
#[test]
fn newer_nginx_and_haproxy() {
    // Those inside the crate look for its sources, and start nothing.
    let sources = fs::read_dir(repository().join("crates/conductor-proxy/tests")).unwrap();
    let sources = sources.map(|entry| entry.unwrap().path()).filter(|path| path.is_file());
    let names: Vec<String> =
        sources.map(|path| path.file_stem().unwrap().to_str().unwrap().to_owned()).collect();
    let words: Vec<&str> = names.iter().flat_map(|name| ["--test", name]).collect();
    let tests = built(&words);
    assert!(tests.len() >= 4, "{tests:?}");
    let host = Host::boot(&Image::base(Suite::Trixie).unwrap().add_observers().unwrap()).unwrap();
    host.ok(["systemctl", "stop", "nginx", "haproxy"]).unwrap();
    for test in tests {
        host.copy_in(&test, "/usr/bin/test-of-proxy").unwrap();
        host.ok(["chmod", "755", "/usr/bin/test-of-proxy"]).unwrap();
        println!("{}", host.ok(["test-of-proxy", "--nocapture"]).unwrap());
    }
}

/// The example of the crate, which calls it as a deploy does.
fn program() -> PathBuf {
    let [program] = built(&["--example", "move"]).try_into().unwrap();
    program
}

fn prepare(host: &Host) {
    for (name, port) in [("old", 9001), ("new", 9002), ("holder", 9003)] {
        host.write(&format!("/srv/{name}/index.html"), &format!("{name}\n")).unwrap();
        let serve =
            format!("systemd-run --quiet --unit={name} busybox httpd -f -p 127.0.0.1:{port} -h /srv/{name}");
        host.sh(&serve).unwrap();
        host.eventually(SOON, "a server answers", || Ok(get(host, port) == format!("{name}\n"))).unwrap();
    }
    host.write("/etc/nginx/conf.d/conductor.conf", "include /run/conductor/nginx/*.conf;\n").unwrap();
    host.write("/etc/nginx/conf.d/site.conf", SITE).unwrap();
    host.ok(["systemctl", "stop", "nginx"]).unwrap();
    assert_eq!(host.ok(["move", "--before-start", "web", "127.0.0.1:9001"]).unwrap(), "written");
    host.ok(["systemctl", "start", "nginx"]).unwrap();
    assert_eq!(get(host, 8000), "old\n");
}

fn moves(host: &Host) {
    assert!(host.ok(["move", "web", "127.0.0.1:9001"]).unwrap().starts_with("unchanged"));
    for (port, name) in [(9002, "new\n"), (9001, "old\n")] {
        let said = host.ok(["move", "web", &format!("127.0.0.1:{port}")]).unwrap();
        assert!(said.starts_with("moved in ") && said.contains("drained in "), "{said}");
        assert_eq!(get(host, 8000), name);
    }
}

/// systemd calls this reload done: `nginx -s reload` has sent its signal, and that is all it knows.
fn reload_that_fails(host: &Host) {
    let other = "/etc/nginx/conf.d/other.conf";
    host.write(other, "server { listen 127.0.0.1:9003; }\n").unwrap();
    let file = host.read("/run/conductor/nginx/web.conf").unwrap();
    let output = host.run(["move", "web", "127.0.0.1:9002"]).unwrap();
    assert!(!output.success());
    let said = &output.stderr;
    assert!(said.contains("bind() to 127.0.0.1:9003 failed (98: Address already in use)"), "{said}");
    assert_eq!(host.read("/run/conductor/nginx/web.conf").unwrap(), file);
    assert_eq!(get(host, 8000), "old\n");
    assert_eq!(host.property("nginx.service", "ActiveState").unwrap(), "active");

    host.write(other, "serwer {}\n").unwrap();
    let output = host.run(["move", "web", "127.0.0.1:9002"]).unwrap();
    let said = &output.stderr;
    assert!(said.contains("\"serwer\", in /etc/nginx/conf.d/other.conf line 1. It is so without"), "{said}");
    assert_eq!(host.read("/run/conductor/nginx/web.conf").unwrap(), file);

    host.ok(["rm", other]).unwrap();
    host.ok(["move", "web", "127.0.0.1:9002"]).unwrap();
    assert_eq!(get(host, 8000), "new\n");
}

fn nginx_that_does_not_run(host: &Host) {
    host.ok(["systemctl", "stop", "nginx"]).unwrap();
    let output = host.run(["move", "web", "127.0.0.1:9001"]).unwrap();
    let said = &output.stderr;
    assert!(
        said.contains("nginx.service is not running") && said.contains("systemctl start nginx.service"),
        "{said}"
    );
}

fn get(host: &Host, port: u16) -> String {
    host.run(["curl", "-s", "-m", "5", &format!("http://127.0.0.1:{port}/")]).unwrap().stdout
}

/// The package as it is installed: nginx has its upstreams before it starts, at boot and at every restart.
#[test]
fn upstreams_are_there_before_nginx() {
    let mut host = Host::boot(&Image::with_conductor().unwrap()).unwrap();
    host.write(
        "/etc/conductor/services/web.toml",
        "image = \"localhost/web:1\"\n[[ports]]\ncontainer = 8080\nhost = 9001\n[proxy]\nupstream = \"web\"\n",
    )
    .unwrap();
    // Without the upstream nginx would not start at all.
    host.write("/etc/nginx/conf.d/site.conf", SITE).unwrap();
    host.ok(["systemctl", "restart", "nginx"]).unwrap();
    let file = "/run/conductor/nginx/web.conf";
    assert!(host.read(file).unwrap().contains("server 127.0.0.1:9001 "));

    // What a deploy left half-done is not what nginx starts with.
    host.write(file, "upstream web { server 127.0.0.1:9999; }\n").unwrap();
    host.reboot().unwrap();
    assert_eq!(host.property("nginx.service", "ActiveState").unwrap(), "active");
    assert!(host.read(file).unwrap().contains("server 127.0.0.1:9001 "));
    host.write(file, "upstream web { server 127.0.0.1:9999; }\n").unwrap();
    host.ok(["systemctl", "restart", "nginx"]).unwrap();
    assert!(host.read(file).unwrap().contains("server 127.0.0.1:9001 "));
    assert_eq!(host.ok(["systemctl", "--failed", "--no-legend"]).unwrap(), "");
    host.eventually(SOON, "the service answers through nginx", || {
        Ok(host.run(["curl", "-sf", "-m", "5", "http://127.0.0.1:8000/instance"])?.success())
    })
    .unwrap();
}
