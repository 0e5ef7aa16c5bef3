//! `cargo xtask demo`: what Conductor does, on a machine of its own, told step by step.

use std::time::{Duration, Instant};

use conductor_tests::{Entry, Follower, Host, Image, Result, Suite, newest_package};

use crate::shell::say;
use crate::{package, preflight};

/// A service as somebody would write it, with checks that are quick enough for a story.
const DEFINITION: &str = r#"image   = "localhost/web:1"
command = ["payload"]

[[ports]]
container = 8080
host      = 20000

[health]
path            = "/healthz"
interval        = "1s"
timeout         = "1s"
unhealthy-after = 3

[restart]
delay = "5s"
"#;

/// A service that gets new releases, behind nginx.
const SHOP: &str = r#"image    = "localhost/web:1"
revision = "1"
hostname = "r${revision}"
command  = ["payload"]

[[ports]]
container = 8080
host      = 20010

[health]
path         = "/healthz"
interval     = "1s"
timeout      = "1s"
start-within = "5s"

[deploy]
settle = "2s"

[proxy]
upstream = "shop"
"#;

/// What the administrator has written for it; the upstream comes from Conductor.
const SITE: &str = "server { listen 127.0.0.1:8000; location / { proxy_pass http://shop; } }\n";

/// Asks through nginx, each time over a new connection and never twice, until there is a file.
const CUSTOMERS: &str = "systemd-run --quiet --unit=customers sh -c 'all=0; failed=0; until test -e /run/enough; do \
     all=$((all + 1)); curl -sf -o /dev/null http://127.0.0.1:8000/ || failed=$((failed + 1)); done; \
     echo \"$all requests, $failed of them failed\"'";

const SOON: Duration = Duration::from_secs(60);

/// The whole story.
pub(crate) fn demo() -> Result<()> {
    preflight::hosts(false)?;
    preflight::packaging()?;
    let story = Story(Instant::now());
    story.tell("Building the Debian package");
    package::build()?;

    story.tell("Booting a throwaway Debian machine: real systemd as PID 1, real podman");
    let mut host = Host::boot(&Image::base(Suite::Trixie)?.add_payload()?)?;
    let deb = newest_package()?;
    host.copy_in(&deb, "/root/conductor.deb")?;
    story.tell("Installing the package on it");
    show(&host, "dpkg --install /root/conductor.deb 2>&1 | tail -n 3")?;

    story.tell("A service is one file");
    host.write("/etc/conductor/services/web.toml", DEFINITION)?;
    show(&host, "cat /etc/conductor/services/web.toml")?;
    show(&host, "conductor check 2>&1")?;

    story.tell("The start returns when the container answers its health check, and not before");
    show(&host, "systemctl daemon-reload; systemctl start web && curl -sS localhost:20000/healthz")?;
    host.wait_active("web-health.service", SOON)?;
    host.eventually(SOON, "the checker counts it as healthy", || {
        Ok(host.property("web-health.service", "StatusText")?.contains("1/1 healthy"))
    })?;
    show(&host, "systemctl status --no-pager --lines=0 web web-health | grep -vE 'Process:|Docs:'")?;

    story.tell("Now it gets sick: it runs on, but answers 500. The checks notice, systemd restarts it");
    let mut journal = host.follow(&host.mark()?)?;
    host.sh("curl -sS localhost:20000/mode/500")?;
    show_until(&mut journal, "Scheduled restart job")?;
    story.tell(
        "Between the end and the restart lie the five seconds of `delay`: nobody asked anything meanwhile",
    );
    show_until(&mut journal, "Started web.service")?;
    show(&host, "curl -sS localhost:20000/healthz && podman ps --all --format '{{.Names}} {{.Status}}'")?;

    story.tell("The machine reboots, and nobody types anything");
    host.reboot()?;
    show(&host, "systemctl is-system-running; systemctl is-active web; curl -sS localhost:20000/healthz")?;

    deploys(&host, &story)?;
    story.tell("Done; the machine is thrown away");
    Ok(())
}

/// New releases, while somebody asks all the time.
fn deploys(host: &Host, story: &Story) -> Result<()> {
    story.tell(
        "Another service, in two slots behind nginx, so that new releases take over without a lost request",
    );
    host.write("/etc/conductor/services/shop.toml", SHOP)?;
    host.write("/etc/nginx/conf.d/shop.conf", SITE)?;
    show(host, "sed -n '/deploy/,$p' /etc/conductor/services/shop.toml")?;
    show(host, "systemctl daemon-reload; systemctl start shop.target && systemctl restart nginx")?;
    host.sh(CUSTOMERS)?;
    story.tell("A release, while customers ask all the time");
    show(host, "conductor deploy shop --revision 2 2>&1; curl -sS localhost:8000/env | grep HOSTNAME")?;
    story.tell("One that never gets healthy: nothing changes for anybody");
    host.sh("printf 'environment.PAYLOAD_MODE = \"500\"\\n' | install -D /dev/stdin /etc/conductor/services/shop.toml.d/bad.toml")?;
    show(
        host,
        "conductor deploy shop --revision 3 2>&1 || echo \"exit status $?\"; curl -sS localhost:8000/env | grep HOSTNAME",
    )?;
    show(host, "conductor history shop")?;
    story.tell("What the customers saw of all that");
    host.sh("touch /run/enough")?;
    host.eventually(SOON, "the customers have gone", || {
        Ok(host.property("customers.service", "ActiveState")? == "inactive")
    })?;
    show(host, "journalctl --quiet --unit=customers --output=cat SYSLOG_IDENTIFIER=sh")
}

/// Prints what systemd and the checker say about the service, up to a message of systemd's.
fn show_until(journal: &mut Follower, last: &str) -> Result<()> {
    let told = |entry: &Entry| {
        let ours = entry.unit() == "web-health.service" && !entry.message().contains("systemd");
        let systemd = entry.unit() == "web.service" && entry.get("SYSLOG_IDENTIFIER") == "systemd";
        if ours || systemd {
            say(format_args!("          {:>11}  {}", entry.get("SYSLOG_IDENTIFIER"), entry.message()));
        }
        systemd && entry.message().contains(last)
    };
    journal.until(SOON, last, told).map(drop)
}

/// Lines with the time since the start.
struct Story(Instant);

impl Story {
    fn tell(&self, text: &str) {
        say(format_args!("\n[{:5.1} s] {text}", self.0.elapsed().as_secs_f32()));
    }
}

/// Shows a command and what it prints. A command that fails is the end of the story.
fn show(host: &Host, script: &str) -> Result<()> {
    say(format_args!("          # {script}"));
    for line in host.sh(script)?.lines() {
        say(format_args!("          {line}"));
    }
    Ok(())
}
