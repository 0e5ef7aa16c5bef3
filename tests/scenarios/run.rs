//! `conductor run`: a command once, in a container like the service's.

use conductor_tests::{Host, Output};

use crate::common::{SOON, WEB, define, host, host_with, only_containers, undisturbed};

fn run(host: &Host, arguments: &[&str]) -> Output {
    host.run(["/usr/bin/conductor", "run"].iter().chain(arguments)).unwrap()
}

/// No unit and no container of a run is left, and the service's own goes on.
fn nothing_left(host: &Host, containers: &[&str]) {
    let units = host.ok(["systemctl", "list-units", "--all", "--plain", "--no-legend", "*-run-*"]).unwrap();
    assert_eq!(units, "");
    only_containers(host, containers);
}

#[test]
fn output_status_and_arguments_are_the_commands_own() {
    let host = host_with(WEB);
    let output = run(&host, &["web", "--", "sh", "-c", "echo out; echo err >&2; exit 7"]);
    assert_eq!((output.stdout.as_str(), output.stderr.as_str()), ("out\n", "err\n"), "{}", output.describe());
    assert_eq!(output.code, Some(7));

    // Nothing on the way expands or splits anything.
    let hostile = ["50%", "$HOME", "${HOME}", "%n %%", "a \"b\" 'c'", "\\n", ";", ""];
    let arguments: Vec<&str> = ["web", "--", "printf", "[%s]"].into_iter().chain(hostile).collect();
    assert_eq!(run(&host, &arguments).stdout, format!("[{}]", hostile.join("][")));

    let piped = host.sh("echo hello | conductor run web -- cat").unwrap();
    assert_eq!(piped, "hello");
    nothing_left(&host, &["conductor-web"]);
}

#[test]
fn environment_secrets_files_and_limits_are_the_services() {
    let host = host();
    host.sh("install -m 600 /dev/null /etc/key; echo correct-horse > /etc/key; mkdir -p /srv/data").unwrap();
    let tables = r#"
[environment]
COLOUR = "blue"
PRICE = "5 $ 50%"
[secrets]
key = "/etc/key"
[resources]
memory = "64M"
pids = 99
slice = "conductor-team"
[[volumes]]
source = "/srv/data"
target = "/data"
"#;
    define(&host, "web", &format!("user = \"1234\"\n{WEB}\n{tables}"));
    let script = "id -u; echo $COLOUR $PRICE $MORE; echo x > /data/made || echo read-only";
    let output = run(&host, &["web", "--env", "COLOUR=red", "-e", "MORE=1", "--", "sh", "-c", script]);
    assert_eq!(output.stdout, "1234\nred 5 $ 50% 1\nread-only\n", "{}", output.describe());
    let as_root = WEB.to_owned() + tables;
    define(&host, "web", &as_root);
    assert_eq!(run(&host, &["web", "--", "cat", "/run/secrets/key"]).stdout, "correct-horse\n");

    // A run that lasts, beside the service itself: other ports it has none.
    host.ok(["systemctl", "start", "web.service"]).unwrap();
    host.sh(
        "conductor run web -- sh -c 'trap exit TERM; touch /data/up; sleep 60 & wait' > /run/out 2>&1 & echo $! > /run/runner",
    )
    .unwrap();
    host.eventually(SOON, "it runs", || host.run(["test", "-e", "/srv/data/up"]).map(|o| o.success()))
        .unwrap();
    let unit = host.sh("systemctl list-units --plain --no-legend 'web-run-*' | cut -d' ' -f1").unwrap();
    for (property, value) in
        [("MemoryMax", "67108864"), ("TasksMax", "99"), ("Slice", "conductor-team.slice")]
    {
        assert_eq!(host.property(&unit, property).unwrap(), value, "{property}");
    }
    // Stopping it ends whoever waits for it.
    host.ok(["systemctl", "stop", &unit]).unwrap();
    host.sh("! test -e /proc/$(cat /run/runner) || tail --pid=$(cat /run/runner) -f /dev/null").unwrap();
    nothing_left(&host, &["conductor-web"]);
}

#[test]
fn signals_are_handed_on_and_the_second_kills() {
    let host = host_with(WEB);
    let trap = "trap 'echo asked; exit 3' INT; touch /tmp/up; while :; do sleep 0.1; done";
    let script = |trap: &str, kill: &str| {
        format!(
            "conductor run web -- sh -c \"{trap}\" > /run/out 2>&1 & runner=$!
             until podman ps --format '{{{{.Names}}}}' | grep -q web-run-; do sleep 0.1; done
             name=$(podman ps --format '{{{{.Names}}}}' | grep web-run-)
             until podman exec $name test -e /tmp/up; do sleep 0.1; done
             {kill}; wait $runner || echo status $? >> /run/out; cat /run/out"
        )
    };
    assert_eq!(host.sh(&script(trap, "kill -INT $runner")).unwrap(), "asked\nstatus 3");
    let deaf = "trap '' INT TERM; touch /tmp/up; while :; do sleep 0.1; done";
    let twice = "kill -TERM $runner; sleep 0.5; kill -TERM $runner";
    assert_eq!(host.sh(&script(deaf, twice)).unwrap(), "status 137");
    nothing_left(&host, &["conductor-web"]);
    undisturbed(&host, "web.service", std::time::Duration::from_secs(1));
}

#[test]
fn on_a_terminal_the_container_has_one() {
    let host = host_with(WEB);
    // Of a size of its own, so that it can be told apart from one that somebody made up. podman (5.4) hands the size on
    // only after the container has started, and of a terminal without a size busybox's stty says nothing and succeeds.
    let inner = "stty rows 33 cols 101; conductor run web -- sh -c 'test -t 0 && test -t 1 && until stty size 2>/dev/null | grep .; do sleep 0.1; done; read key; exit 4'";
    let script = format!(
        "mkfifo /run/keys; script --quiet --return --command \"sh -c \\\"{inner}\\\"\" /dev/null < /run/keys > /run/shown & \
         exec 3> /run/keys; until grep -q '33 101' /run/shown; do kill -0 $! || break; sleep 0.1; done; \
         echo >&3; wait $!; code=$?; cat /run/shown; exit $code"
    );
    let output = host.run(["sh", "-c", &script]).unwrap();
    assert_eq!(output.code, Some(4), "{}", output.describe());
    assert!(output.stdout.contains("33 101"), "{}", output.describe());
    nothing_left(&host, &["conductor-web"]);
}

#[test]
fn what_cannot_be_run_says_why() {
    let host = host();
    define(&host, "web", &format!("{WEB}\n[pull]\npolicy = \"never\"\n").replace("web:1", "nowhere:1"));
    let output = run(&host, &["web", "--", "true"]);
    assert_eq!(output.code, Some(125), "{}", output.describe());
    assert!(output.stderr.contains("nowhere:1"), "{}", output.describe());

    define(&host, "web", WEB);
    let output = run(&host, &["web", "--", "/no/such/program"]);
    assert_eq!(output.code, Some(127), "{}", output.describe());
    define(&host, "web", &format!("{WEB}\n[secrets]\nkey = \"/etc/nowhere\"\n"));
    let output = run(&host, &["web", "--", "true"]);
    assert_ne!(output.code, Some(0));
    assert!(output.stderr.contains("journalctl --unit=web-run-"), "{}", output.describe());

    host.write("/etc/conductor/services/web.toml", "imgae = \"x\"\n").unwrap();
    let output = run(&host, &["web", "--", "true"]);
    assert!(output.stderr.contains("`conductor check` shows them"), "{}", output.describe());
    nothing_left(&host, &[]);
}
