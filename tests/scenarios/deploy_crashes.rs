//! The plug is pulled, or the machine is rebooted, while deploys are on their way: a service for each step at which
//! that may happen, all on one machine. Half of them meet with a crash and half with a reboot, unless
//! `CONDUCTOR_EVERY_MOMENT=1`: then each meets with both.

use std::fmt::Write as _;
use std::thread;

use conductor_tests::Host;

use crate::common::{WEB, host, only_containers};
use crate::deploy_kills::every_moment;
use crate::deploys::SOON;
use crate::mishap::{install, mishap, moments};

/// A service whose deploy is caught at this moment.
struct Service {
    name: String,
    moment: String,
    port: u16,
    recreate: bool,
    /// What serves if nothing else is said.
    revision: String,
}

impl Service {
    fn definition(&self) -> String {
        let Self { name, port, recreate, .. } = self;
        let web = WEB.replace("20000", &port.to_string());
        let strategy = if *recreate { "recreate" } else { "blue-green" };
        let proxy = if *recreate { String::new() } else { format!("[proxy]\nupstream = \"{name}\"\n") };
        format!(
            "revision = \"0\"\nhostname = \"r${{revision}}\"\n{web}\n[deploy]\nstrategy = \"{strategy}\"\n\
             settle = \"100ms\"\nbefore = {{ command = [\"true\"] }}\n{proxy}"
        )
    }

    fn unit(&self) -> String {
        format!("{}.{}", self.name, if self.recreate { "service" } else { "target" })
    }

    /// The port on which everybody finds it: nginx's, or its own.
    fn door(&self) -> u16 {
        if self.recreate { self.port } else { self.port + 1000 }
    }

    fn slot(&self, host: &Host) -> String {
        let live = host.sh(&format!("readlink /etc/conductor/releases/{}/live || echo blue.toml", self.name));
        live.unwrap().trim_end_matches(".toml").to_owned()
    }

    fn container(&self, host: &Host) -> String {
        let Self { name, .. } = self;
        if self.recreate {
            format!("conductor-{name}")
        } else {
            format!("conductor-{name}-{}.1", self.slot(host))
        }
    }
}

/// Two at a time: there is no more than that to be gained.
fn each(services: &[Service], work: impl Fn(&Service) + Sync) {
    let half = services.len().div_ceil(2);
    thread::scope(|scope| {
        for part in services.chunks(half.max(1)) {
            let work = &work;
            scope.spawn(move || part.iter().for_each(work));
        }
    });
}

/// Exactly what is expected serves, everywhere, and nothing else runs.
fn all_serve(host: &Host, services: &[Service]) {
    for service in services {
        let url = format!("http://127.0.0.1:{}/hostname", service.door());
        let expected = format!("r{}", service.revision);
        let answers = || Ok(host.run(["curl", "-sf", "-m", "3", &url])?.stdout == expected);
        let what = format!("{}, caught at {}, serves {expected}", service.name, service.moment);
        host.eventually(SOON, &what, answers).unwrap();
    }
    let mut containers: Vec<String> = services.iter().map(|service| service.container(host)).collect();
    containers.sort();
    only_containers(host, &containers.iter().map(String::as_str).collect::<Vec<_>>());
    host.ok(["nginx", "-t"]).unwrap();
    assert_eq!(host.ok(["systemctl", "--failed", "--no-legend"]).unwrap(), "");
}

/// A machine with one service for each moment of a deploy, and the moments of both ways to take over.
fn machine() -> (Host, Vec<Service>, [Vec<String>; 2]) {
    let host = host();
    install(&host);
    let moments = [false, true].map(|recreate| moments_of(&host, recreate));
    let mut services = Vec::new();
    for (recreate, moments) in [false, true].into_iter().zip(&moments) {
        for moment in moments.iter().filter(|moment| moment.ends_with(":done")) {
            let number = u16::try_from(services.len()).unwrap();
            let name = format!("s{number}");
            let port = 20_000 + 10 * number;
            services.push(Service { name, moment: moment.clone(), port, recreate, revision: "0".to_owned() });
        }
    }
    // Neighbours meet with different things.
    services.sort_by_key(|service| service.port / 10 % 2);
    let mut site = String::new();
    for service in &services {
        host.write(&format!("/etc/conductor/services/{}.toml", service.name), &service.definition()).unwrap();
        if !service.recreate {
            let (door, name) = (service.door(), &service.name);
            writeln!(
                site,
                "server {{ listen 127.0.0.1:{door}; location / {{ proxy_pass http://{name}; }} }}"
            )
            .unwrap();
        }
    }
    host.write("/etc/nginx/conf.d/site.conf", &site).unwrap();
    host.ok(["systemctl", "daemon-reload"]).unwrap();
    host.ok(["systemctl", "start"].map(str::to_owned).into_iter().chain(services.iter().map(Service::unit)))
        .unwrap();
    host.ok(["systemctl", "restart", "nginx"]).unwrap();
    (host, services, moments)
}

/// What a deploy goes through that goes well.
fn moments_of(host: &Host, recreate: bool) -> Vec<String> {
    let name = "probe".to_owned();
    let probe = Service { name, moment: String::new(), port: 19_000, recreate, revision: String::new() };
    host.write("/etc/conductor/services/probe.toml", &probe.definition()).unwrap();
    let site = "server { listen 127.0.0.1:8000; location / { proxy_pass http://probe; } }\n";
    host.write("/etc/nginx/conf.d/site.conf", if recreate { "" } else { site }).unwrap();
    host.ok(["systemctl", "daemon-reload"]).unwrap();
    host.ok(["systemctl", "restart", "nginx"]).unwrap();
    let output = mishap(host, "probe", "1", &[]);
    assert!(output.success(), "{}", output.describe());
    host.sh(&format!(
        "systemctl stop {}; rm -r /etc/conductor/services/probe.toml /etc/conductor/releases/probe \
         /var/lib/conductor/deploys/probe; rm /etc/nginx/conf.d/site.conf; systemctl daemon-reload",
        probe.unit()
    ))
    .unwrap();
    moments(&output)
}

/// Each service's deploy comes to its moment, and stays there.
fn caught(host: &Host, services: &[Service], revision: &str) {
    each(services, |Service { name, moment, .. }| {
        // Of the machine's own systemd: that is who ends it when the machine is shut down.
        let unit = format!("--unit=deployer-{name}");
        let hold = format!("{moment}=touch /run/caught-{name}; sleep infinity");
        host.ok(["systemd-run", "--quiet", &unit, "mishap", name, revision, &hold]).unwrap();
        let file = format!("/run/caught-{name}");
        let is_caught = || Ok(host.run(["test", "-e", &file])?.success());
        host.eventually(SOON, &format!("{name} comes to {moment}"), is_caught).unwrap();
    });
}

/// What is live now: the new release if its deploy had come to the commit.
fn committed(
    host: &Host,
    services: &mut [Service],
    [blue_green, recreate]: &[Vec<String>; 2],
    revision: &str,
) {
    for service in services {
        let all = if service.recreate { recreate } else { blue_green };
        let file = format!("/etc/conductor/releases/{}/live", service.name);
        let live = host.run(["cat", &file]).unwrap().stdout.contains(&format!("revision = \"{revision}\""));
        let at = |moment: &str| all.iter().position(|other| other == moment).unwrap();
        // Caught right before the commit, and asked to end: that may come too late.
        if at(&service.moment) + 1 != at("commit:begins") {
            assert_eq!(live, at(&service.moment) >= at("commit:done"), "caught at {}", service.moment);
        }
        if live {
            revision.clone_into(&mut service.revision);
        }
    }
}

/// Whatever was left is cleaned up by the next deploy.
fn deployed(host: &Host, services: &mut [Service], revision: &str) {
    each(services, |service| {
        let output = host.run(["conductor", "deploy", &service.name, "--revision", revision]).unwrap();
        assert!(output.success(), "caught at {}: {}", service.moment, output.describe());
    });
    for service in services.iter_mut() {
        revision.clone_into(&mut service.revision);
    }
    all_serve(host, services);
    assert_eq!(host.sh("find /var/lib/conductor/deploys -name current").unwrap(), "");
}

#[test]
fn crashes_and_reboots_in_the_middle_of_every_step() {
    let (mut host, mut services, moments) = machine();
    all_serve(&host, &services);
    if every_moment() {
        crashed(&mut host, &mut services, &moments, "1");
        all_serve(&host, &services);
        deployed(&host, &mut services, "2");
        rebooted(&mut host, &mut services, &moments, "3");
    } else {
        let half = services.len() / 2;
        let (crash, reboot) = services.split_at_mut(half);
        crashed(&mut host, crash, &moments, "1");
        rebooted(&mut host, reboot, &moments, "3");
    }
    all_serve(&host, &services);
    deployed(&host, &mut services, "4");
}

/// The plug is pulled while all of these are caught.
fn crashed(host: &mut Host, services: &mut [Service], moments: &[Vec<String>; 2], revision: &str) {
    caught(host, services, revision);
    host.crash();
    host.power_on().unwrap();
    committed(host, services, moments, revision);
}

/// The machine is shut down in good order, and boots again.
fn rebooted(host: &mut Host, services: &mut [Service], moments: &[Vec<String>; 2], revision: &str) {
    caught(host, services, revision);
    host.reboot().unwrap();
    committed(host, services, moments, revision);
}
