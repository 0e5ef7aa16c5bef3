//! The command line on a machine where services run.

use conductor_tests::{Host, Output};

use crate::common::{SOON, WEB, ask, define, host, host_with, invocation, only_containers};

/// The answer of a command that says yes or no by its exit status.
fn conductor(host: &Host, arguments: &[&str]) -> Output {
    host.run(["/usr/bin/conductor"].iter().chain(arguments)).unwrap()
}

fn refused(host: &Host, arguments: &[&str]) -> String {
    let output = conductor(host, arguments);
    assert!(!output.success(), "{}", output.describe());
    output.stderr
}

#[test]
fn status_of_a_group_for_people_and_for_programs() {
    let host = host();
    define(&host, "web", &format!("instances = 2\n{WEB}"));
    let before = host.ok(["conductor", "status", "web"]).unwrap();
    assert!(before.contains("web      1        1         inactive"), "{before}");

    host.ok(["systemctl", "start", "web.target"]).unwrap();
    let healthy = || Ok(host.ok(["conductor", "status", "web"])?.matches(" healthy ").count() == 2);
    host.eventually(SOON, "both are shown as healthy", healthy).unwrap();
    host.write("/etc/conductor/services/broken.toml", "imgae = \"localhost/web:1\"\n").unwrap();

    host.write("/etc/conductor/services/No Name.toml", "image = \"localhost/web:1\"\n").unwrap();

    let table = host.ok(["conductor", "status"]).unwrap();
    assert!(table.contains("\nNo Name.toml  -        -         broken"), "{table}");
    host.sh("rm '/etc/conductor/services/No Name.toml'").unwrap();
    let table = host.ok(["conductor", "status"]).unwrap();
    let headings = "SERVICE  RELEASE  INSTANCE  STATE    HEALTH   SINCE";
    for expected in [
        headings,
        "web      1        2         running  healthy",
        "\nbroken   -        -         broken",
        "did you mean `image`?",
    ] {
        assert!(table.contains(expected), "{expected} is not in:\n{table}");
    }
    assert!(!table.contains('\x1b'), "no colours without a terminal:\n{table}");

    // Whoever may not do anything may look.
    let json = host
        .ok(["setpriv", "--reuid=nobody", "--clear-groups", "conductor", "status", "web", "--json"])
        .unwrap();
    let restarts = host.property("web@2.service", "NRestarts").unwrap();
    for expected in [
        r#""definition": "/etc/conductor/services/web.toml""#,
        r#""checks": "2/2 healthy""#,
        r#""unit": "web@2.service""#,
        r#""instance": 2"#,
        r#""health": "healthy""#,
        r#""active": "active""#,
        r#""daemon_reload_needed": false"#,
        &format!(r#""restarts": {restarts}"#),
    ] {
        assert!(json.contains(expected), "{expected} is not in:\n{json}");
    }

    // One of them fails for good; the checker's words tell which.
    host.ok(["systemctl", "stop", "web@1.service"]).unwrap();
    let told = || {
        let table = host.ok(["conductor", "status", "web"])?;
        Ok(table.contains("1         inactive  unchecked")
            && table.contains("web: health checks: 1/2 healthy, web@1.service"))
    };
    host.eventually(SOON, "the one that is stopped is named", told).unwrap();

    let wrong = refused(&host, &["status", "wbe"]);
    assert_eq!(wrong, "error: there is no service `wbe`: did you mean `web`?\n");
}

#[test]
fn watching_shows_changes_as_they_happen() {
    let host = host_with(WEB);
    // The stop is seen by its signal, long before the period ends; the pipe's end ends it.
    let script = "conductor status web --watch --json > /run/seen & seen=$!
        until test -s /run/seen; do sleep 0.1; done
        systemctl stop web.service && sleep 1 && kill $seen; cat /run/seen";
    let seen = host.sh(script).unwrap();
    let (first, last) = (seen.lines().next().unwrap(), seen.lines().last().unwrap());
    assert!(first.contains(r#""active":"active""#) && last.contains(r#""active":"inactive""#), "{seen}");
    let one = host.ok(["timeout", "10", "sh", "-c", "conductor status --watch | head -n 1"]).unwrap();
    assert!(one.starts_with("SERVICE"), "{one}");
}

#[test]
fn an_edit_shows_until_it_is_reloaded_and_restarted() {
    let host = host_with(WEB);
    let same = conductor(&host, &["diff"]);
    assert!(same.success() && same.stdout.is_empty(), "{}", same.describe());

    // File times are coarser than systemd's.
    host.sh("sleep 1.1").unwrap();
    let edited = format!("revision = \"2\"\n{WEB}");
    host.write("/etc/conductor/services/web.toml", &edited).unwrap();
    let changed = conductor(&host, &["diff"]);
    assert!(!changed.success() && changed.stdout.contains("\n+Release=2"), "{}", changed.describe());
    let status = || host.ok(["conductor", "status"]).unwrap();
    assert!(status().contains("web: daemon-reload needed"), "{}", status());

    host.ok(["systemctl", "daemon-reload"]).unwrap();
    assert!(conductor(&host, &["diff"]).success());
    // What is shown is the release that runs, and not what the next start would run.
    assert!(status().contains("\nweb      1        -         running"), "{}", status());
    assert!(
        status().contains("web: restart needed: the definition has changed since the start"),
        "{}",
        status()
    );
    host.ok(["systemctl", "restart", "web.service"]).unwrap();
    assert!(!status().contains("needed"), "{}", status());

    // Broken now: what runs stays, and nothing would change.
    host.write("/etc/conductor/services/web.toml", "image =\n").unwrap();
    assert!(status().contains("web: the units are those of its last good definition"), "{}", status());
    let kept = conductor(&host, &["diff"]);
    assert!(
        kept.success() && kept.stderr.contains("error: /etc/conductor/services/web.toml:1:"),
        "{}",
        kept.describe()
    );
}

#[test]
fn logs_and_exec_find_units_and_containers() {
    let host = host();
    define(&host, "web", &format!("instances = 2\n{WEB}"));
    let stopped = refused(&host, &["exec", "web", "--instance", "1"]);
    assert!(stopped.contains("web@1.service is not running (inactive)"), "{stopped}");
    host.ok(["systemctl", "start", "web.target"]).unwrap();

    let version =
        host.ok(["conductor", "exec", "web", "--instance", "2", "--", "payload", "--version"]).unwrap();
    assert!(version.starts_with("payload "), "{version}");
    // A second payload finds the port of the first one taken: it is in the same container.
    let second = conductor(&host, &["exec", "web", "-i", "1", "--", "payload"]);
    assert_eq!(second.code, Some(1), "{}", second.describe());
    assert!(second.stdout.contains("cannot listen on port 8080"), "{}", second.describe());
    let which = refused(&host, &["exec", "web"]);
    assert!(which.contains("choose one with --instance (1, 2)"), "{which}");

    let log = host.ok(["conductor", "logs", "web", "--lines", "all"]).unwrap();
    assert_eq!(log.matches("payload: listening on port 8080").count(), 2, "{log}");
    let one = host.ok(["conductor", "logs", "web", "--instance", "2", "--since=-1h"]).unwrap();
    assert_eq!(one.matches("payload: listening on port 8080").count(), 1, "{one}");
    assert!(!one.contains("web-health"), "{one}");
    assert!(host.ok(["conductor", "logs", "web", "--all"]).unwrap().contains("web-health["));
}

#[test]
fn enable_and_disable() {
    let host = host_with(&format!("# ours\n{WEB}"));
    let web = invocation(&host, "web.service");
    host.ok(["conductor", "disable", "web"]).unwrap();
    let written = host.read("/etc/conductor/services/web.toml").unwrap();
    assert!(written.starts_with("# ours\n") && written.contains("\nenabled = false\n"), "{written}");
    let diff = conductor(&host, &["diff"]);
    assert!(
        diff.stdout.contains("--- /run/systemd/generator/conductor.target.wants/web.service\n+++ /dev/null")
    );
    assert_eq!(invocation(&host, "web.service"), web, "nothing happens to what runs");

    host.ok(["conductor", "disable", "--now", "web"]).unwrap();
    only_containers(&host, &[]);
    assert!(conductor(&host, &["diff"]).success(), "it has reloaded");
    host.ok(["conductor", "enable", "--now", "web"]).unwrap();
    assert_eq!(ask(&host, 20000, "/healthz").unwrap(), "ok");
    let wants = host.property("conductor.target", "Wants").unwrap();
    assert!(wants.contains("web.service"), "{wants}");
}
