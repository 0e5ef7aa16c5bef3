//! What people see of deploys: before them, while they go on, when they fail, and afterwards.

use std::time::{Duration, Instant};

use conductor_tests::{Host, Output, announce};

use crate::common::{WEB, ask, define, state};
use crate::deploys::{SOON, behind_nginx, deploy, only, status, web};

/// Everything that a deploy would change. Whoever checks nginx's files writes his name into their lock.
fn files(host: &Host) -> String {
    host.sh(
        "cd /; find etc/conductor run/conductor run/systemd/generator var/lib/conductor etc/nginx \
         -printf '%p %y %m %l %s\\n' 2>/dev/null | grep -v '^run/conductor d\\|\\.sock s \\|nginx.lock f ' | sort; \
         find etc/conductor run/conductor run/systemd/generator var/lib/conductor -type f ! -name nginx.lock -exec sha256sum {} + | sort -k2; \
         podman ps --all --format '{{.Names}} {{.ID}}'; podman images --quiet",
    )
    .unwrap()
}

#[test]
fn a_dry_run_shows_everything_and_changes_nothing() {
    let host = behind_nginx();
    let before = files(&host);
    let dry = |words: &[&str]| {
        let output = host.run(["conductor"].iter().chain(words).chain(&["--dry-run"])).unwrap();
        assert_eq!(files(&host), before, "{words:?}");
        output
    };
    let output = dry(&["deploy", "web", "--revision", "1"]);
    status(&output, 0);
    let said = &output.stdout;
    for expected in [
        "1 would come in, blue-green, in green; nothing was deployed yet\nimage: ",
        " is on this machine\n",
        "   1. freeze   write the release to /etc/conductor/releases/web/green.toml\n",
        "start    start web-green@1.service, and wait until it is healthy\n",
        "verify   ask it through the proxy\n",
        "stop-old stop web-blue@1.service\n",
        "+++ /run/systemd/generator/web-green@.service\n",
        "-    server 127.0.0.1:20000 weight=1 max_fails=0;\n+    server 127.0.0.1:20001 weight=1 max_fails=0;\n",
        "\nNothing was changed.\n",
    ] {
        assert!(said.contains(expected), "{expected}: {said}");
    }
    let json = dry(&["deploy", "web", "--revision", "1", "--json"]);
    let json: serde_json::Value = serde_json::from_str(&json.stdout).unwrap();
    assert_eq!(
        (&json["slot"], &json["fetch"], &json["live_slot"]),
        (&"green".into(), &"no".into(), &().into())
    );
    assert_eq!(json["steps"][0]["step"], "freeze");
    assert!(
        json["units"].as_str().unwrap().contains("+++ ") && json["proxy"].as_str().unwrap().contains("+++ ")
    );

    let said = status(&dry(&["rollback", "web"]), 3);
    assert!(said.contains("there is no earlier release: deploy one"), "{said}");
    // What would be refused is refused, and said in the same words.
    let said = status(&dry(&["deploy", "web", "--image", "localhost/x:1\n"]), 3);
    assert!(said.contains("--image:1:"), "{said}");
    host.write("/etc/nginx/conf.d/broken.conf", "nonsense;\n").unwrap();
    let said = status(&host.run(["conductor", "deploy", "web", "--dry-run"]).unwrap(), 3);
    assert!(said.contains("broken.conf"), "{said}");
    host.ok(["rm", "/etc/nginx/conf.d/broken.conf"]).unwrap();
    assert_eq!(files(&host), before);

    // And then it is done as it was said.
    status(&deploy(&host, "1"), 0);
    let foreseen: Vec<&str> =
        json["steps"].as_array().unwrap().iter().map(|step| step["step"].as_str().unwrap()).collect();
    let done = host.run(["conductor", "deploy", "web", "--revision", "2", "--json"]).unwrap();
    let done: Vec<serde_json::Value> =
        done.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let done =
        done.iter().filter(|event| event["state"] == "done").map(|event| event["step"].as_str().unwrap());
    assert_eq!(done.skip(1).collect::<Vec<_>>(), foreseen);
    let output = host.run(["conductor", "rollback", "web", "--dry-run"]).unwrap();
    assert!(
        output.stdout.starts_with("1 would come in, blue-green, in green; blue is live\n"),
        "{}",
        output.stdout
    );
}

/// Runs it on a terminal; what was written to that.
fn on_a_terminal(host: &Host, environment: &str, command: &str) -> String {
    let script = format!("{environment} script --quiet --return --command '{command}' /tmp/seen >/dev/null");
    let output = host.run(["sh", "-c", &format!("stty size >/dev/null 2>&1; {script}; echo $?")]).unwrap();
    assert!(output.success(), "{}", output.describe());
    host.read("/tmp/seen").unwrap()
}

/// What stays on a terminal that was told this: of all its sequences we use two, and colours.
fn stays(written: &str) -> Vec<String> {
    let mut lines = vec![String::new()];
    let mut letters = written.chars();
    while let Some(letter) = letters.next() {
        match letter {
            '\x1b' => {
                assert_eq!(letters.next(), Some('['));
                let number: String = letters.by_ref().take_while(char::is_ascii_digit).collect();
                // What ended the number is gone; of those that we write, only upwards has another number than of a colour.
                match number.as_str() {
                    "" | "0" | "31" | "32" | "33" => {}
                    up => {
                        let left = lines.len().saturating_sub(up.parse().unwrap());
                        lines.truncate(left);
                        lines.last_mut().unwrap().clear();
                    }
                }
            }
            '\n' => lines.push(String::new()),
            '\r' => {}
            letter => lines.last_mut().unwrap().push(letter),
        }
    }
    lines.retain(|line| !line.is_empty() && !line.starts_with("Script "));
    lines
}

#[test]
fn on_a_terminal_the_instances_are_shown_as_they_come_up() {
    let host = behind_nginx();
    let slow = format!("instances = 2\n{}[environment]\nPAYLOAD_START_DELAY = \"2\"\n", web(""));
    define(&host, "web", &slow);
    let seen = on_a_terminal(&host, "TERM=xterm", "conductor deploy web --revision 1");
    assert!(seen.contains("\x1b[J") && seen.contains("\x1b[33mstarting\x1b[0m"), "{seen}");
    assert!(seen.contains(" start for 1 s, 0 of 2 up"), "{seen}");
    assert!(seen.contains("  http://127.0.0.1:2000"), "what the last check said: {seen}");
    let left = stays(&seen);
    let steps: Vec<&str> =
        left.iter().filter_map(|line| line.split_once("s] ")).map(|(_, step)| step).collect();
    assert_eq!(
        steps.first().copied().map(|step| step.starts_with("prepare: 1 is ")),
        Some(true),
        "{left:#?}"
    );
    assert!(
        left.iter().all(|line| line.starts_with('[') || line == "1 is live"),
        "nothing else stays: {left:#?}"
    );
    assert!(steps.contains(&"start: 2 instances up"), "{left:#?}");

    // Cleared away when it fails, too, and the story is told below.
    define(&host, "web", &format!("{slow}PAYLOAD_MODE = \"500\"\n").replace("20s", "3s"));
    let seen = on_a_terminal(&host, "TERM=xterm NO_COLOR=1", "conductor deploy web --revision 2");
    assert!(
        seen.contains("\x1b[J") && !["31m", "32m", "33m"].iter().any(|colour| seen.contains(colour)),
        "{seen}"
    );
    let left = stays(&seen);
    assert!(!left.iter().any(|line| line.contains(" up") && line.contains(" for ")), "{left:#?}");
    assert!(left.iter().any(|line| line.starts_with("error: start: web-blue@")), "{left:#?}");

    define(&host, "web", &web(""));
    let seen = on_a_terminal(&host, "TERM=dumb", "conductor deploy web --revision 3");
    assert!(!seen.contains('\x1b') && seen.contains("] start: 1 instance up"), "{seen}");
    let piped = deploy(&host, "4");
    assert!(!status(&piped, 0).contains('\x1b'));
}

#[test]
fn who_deploys_and_what_came_of_it_is_seen_by_everybody() {
    let host = behind_nginx();
    define(&host, "web", &web("").replace("settle = \"1s\"", "settle = \"1h\""));
    host.sh("systemd-run --quiet --unit=deployer --property=SuccessExitStatus=4 conductor deploy web --revision 1").unwrap();
    let settles = || Ok(host.journal("deployer.service")?.contains("] start"));
    host.eventually(SOON, "it settles", settles).unwrap();
    let shown = host.ok(["conductor", "status", "web"]).unwrap();
    assert!(
        shown.contains("web: deploy of 1 by root since 20")
            && shown.contains("Z, at step settle, is under way (root, process "),
        "{shown}"
    );
    // Whatever others lock, it is not what a deploy needs.
    let lock = "for file in /run/conductor/deploy/*; do flock --nonblock \"$file\" true && echo \"$file\"; done; true";
    let locked = host.ok(["runuser", "-u", "nobody", "--", "sh", "-c", lock]).unwrap();
    assert_eq!(locked, "/run/conductor/deploy/web.holder", "which says only who it is");
    // Who may not read what is written down sees as much.
    let output = host.run(["runuser", "-u", "nobody", "--", "conductor", "status", "web"]).unwrap();
    assert!(output.stdout.contains("web: deploy, is under way (root, process "), "{}", output.describe());
    let foreseen = host.ok(["conductor", "deploy", "web", "--dry-run"]).unwrap();
    assert!(
        foreseen.contains("first: wait for the end of a deploy that is under way (root, process "),
        "{foreseen}"
    );
    host.ok(["systemctl", "kill", "--signal=KILL", "deployer"]).unwrap();
    let ended = || Ok(state(&host, "deployer.service") != "active");
    host.eventually(SOON, "it is dead", ended).unwrap();
    let shown = host.ok(["conductor", "status", "web"]).unwrap();
    assert!(shown.contains(", at step settle, was interrupted: `conductor abort web` cleans up"), "{shown}");
    let foreseen = host.ok(["conductor", "deploy", "web", "--dry-run"]).unwrap();
    assert!(foreseen.contains("first: clean up after the deploy of 1, which was interrupted"), "{foreseen}");
    let json: serde_json::Value =
        serde_json::from_str(&host.ok(["conductor", "status", "web", "--json"]).unwrap()).unwrap();
    let deploy_json = &json["services"][0]["deploy"];
    assert_eq!((&deploy_json["step"], &deploy_json["running"]), (&"settle".into(), &().into()));
    define(&host, "web", &web(""));
    status(&deploy(&host, "2"), 0);
    status(&host.run(["conductor", "restart", "web"]).unwrap(), 0);
    status(&host.run(["conductor", "deploy", "web", "--image", "localhost/no:1"]).unwrap(), 3);

    // The journal has it all, with fields of its own.
    let entries = host
        .ok(["journalctl", "CONDUCTOR_SERVICE=web", "SYSLOG_IDENTIFIER=conductor", "--output=json"])
        .unwrap();
    let entries: Vec<serde_json::Value> =
        entries.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let told: Vec<String> = entries
        .iter()
        .map(|entry| {
            let word = |field: &str| entry[field].as_str().unwrap_or("-").to_owned();
            ["CONDUCTOR_ACTION", "CONDUCTOR_RELEASE", "CONDUCTOR_OUTCOME"].map(word).join(" ")
        })
        .collect();
    assert_eq!(
        told,
        [
            "deploy 1 -",
            "deploy 1 undone",
            "deploy 2 -",
            "deploy 2 released",
            "restart 2 -",
            "restart 2 released",
            "deploy - refused"
        ]
    );
    let released = &entries[3];
    assert_eq!(released["MESSAGE"], "deploy of web 2 ended, released");
    assert_eq!(released["CONDUCTOR_BY"], "root");
    assert_eq!(released["CONDUCTOR_DEPLOY"], entries[2]["CONDUCTOR_DEPLOY"]);
    assert!(released["CONDUCTOR_IMAGE"].as_str().unwrap().len() >= 64, "{released}");
    let manual = host
        .ok(["sh", "-c", "man conductor 2>/dev/null || zcat /usr/share/man/man1/conductor.1.gz"])
        .unwrap();
    for id in [&entries[2]["MESSAGE_ID"], &entries[3]["MESSAGE_ID"]] {
        assert!(manual.contains(id.as_str().unwrap()), "{id} is described");
    }
    assert!(entries[6]["CONDUCTOR_FAILURE"].as_str().unwrap().contains("cannot be fetched"));
}

/// A deploy that has to fail, how long it took, and what was said.
fn fails(host: &Host, definition: &str, revision: &str) -> (Duration, String) {
    define(host, "web", definition);
    let begun = Instant::now();
    let output: Output = deploy(host, revision);
    let took = begun.elapsed();
    let said = status(&output, 1);
    announce(format!("{revision}, after {:.1} s:\n{said}", took.as_secs_f64()));
    only(host, "r1", "green");
    (took, said)
}

/// None of them waits for the time that a release has to get healthy, which is ten minutes here.
#[test]
fn what_cannot_get_healthy_any_more_fails_at_once_and_says_why() {
    let host = behind_nginx();
    status(&deploy(&host, "1"), 0);
    let patient = web("").replace("20s", "10min").replace("settle = \"1s\"", "settle = \"5min\"");
    let soon = |took: Duration| assert!(took < Duration::from_secs(60), "{took:?}");
    let command = |script: &str| patient.replace("[\"payload\"]", &format!("[\"sh\", \"-c\", \"{script}\"]"));

    let (took, said) = fails(&host, &command("echo dying; exit 3"), "dies");
    soon(took);
    assert!(said.contains("error: start: web-blue@1.service did not get healthy: "), "{said}");
    assert!(said.contains("\n    dying\n"), "{said}");

    let (took, said) = fails(&host, &command("echo leaving; exit 0"), "ends");
    soon(took);
    assert!(said.contains("error: start: web-blue@1.service did not get healthy: "), "{said}");
    assert!(said.contains("\n    leaving\n"), "{said}");

    // systemd gives it up at its first start.
    let limited = command("exit 1")
        .replace("max-delay = \"2s\"", "max-delay = \"2s\"\nlimit = { starts = 1, within = \"1h\" }");
    let (took, said) = fails(&host, &limited, "limited");
    soon(took);
    assert!(said.contains("error: start: web-blue@1.service did not get healthy: "), "{said}");

    // Healthy, and then it ends: with an error, and without one.
    for status_of_it in ["0", "1"] {
        let script = format!("payload & sleep 4; echo enough; exit {status_of_it}");
        let (took, said) = fails(&host, &command(&script), &format!("ends-with-{status_of_it}"));
        soon(took);
        assert!(
            said.contains("error: settle: web-blue@1.service ended while it was watched")
                && said.contains("\n    enough\n"),
            "{said}"
        );
    }

    // The hook.
    let (took, said) =
        fails(&host, &web("before = { command = [\"sh\", \"-c\", \"echo no table; exit 4\"] }"), "hook");
    soon(took);
    assert!(said.contains("no table\n") && said.contains("error: before: it ended with status 4"), "{said}");
    let (_, said) =
        fails(&host, &web("before = { command = [\"sleep\", \"1h\"], timeout = \"1s\" }"), "slow-hook");
    assert!(said.contains("error: before: it took longer than its timeout"), "{said}");

    // Only time tells that it never gets healthy.
    let never = format!("{}[environment]\nPAYLOAD_MODE = \"500\"\n", web("").replace("20s", "3s"));
    let (_, said) = fails(&host, &never, "never");
    assert!(
        said.contains("error: start: web-blue@1.service did not get healthy within 3s: ")
            && said.contains("500"),
        "{said}"
    );
}

#[test]
fn a_switch_that_does_not_reach_the_release_is_taken_back() {
    let host = behind_nginx();
    status(&deploy(&host, "1"), 0);
    // Another administrator's, which counts from the next reload on: nginx reaches nobody any more.
    host.write("/etc/nginx/conf.d/other.conf", "proxy_bind 203.0.113.1;\n").unwrap();
    let said = status(&deploy(&host, "2"), 1);
    assert!(said.contains("error: verify: after the switch, "), "{said}");
    assert!(said.contains("] switch-back"), "{said}");
    host.ok(["rm", "/etc/nginx/conf.d/other.conf"]).unwrap();
    host.ok(["systemctl", "reload", "nginx"]).unwrap();
    let again = || Ok(ask(&host, 8000, "/healthz").is_ok());
    host.eventually(SOON, "nginx reaches it again", again).unwrap();
    only(&host, "r1", "green");

    // An nginx that is killed starts again: no file names a socket that it may have left.
    host.ok(["systemctl", "kill", "--signal=KILL", "nginx"]).unwrap();
    let dead = || Ok(state(&host, "nginx.service") == "failed");
    host.eventually(SOON, "nginx is dead", dead).unwrap();
    assert!(!host.read("/run/conductor/nginx/web.conf").unwrap().contains(".sock"), "no file names one");
    host.ok(["systemctl", "start", "nginx"]).unwrap();
    only(&host, "r1", "green");
    let said = status(&deploy(&host, "2"), 0);
    assert!(said.contains("] verify: ") && said.contains("answered by 1 of 1"), "{said}");
    assert_eq!(host.ok(["stat", "--format=%a %U", "/run/conductor/nginx.doors"]).unwrap(), "700 root");

    // Without a health check of HTTP nothing is asked.
    define(
        &host,
        "tcp",
        &format!(
            "{}[proxy]\nupstream = \"tcp\"\n",
            WEB.replace("path = \"/healthz\"", "protocol = \"tcp\"").replace("20000", "21000")
        ),
    );
    host.ok(["systemctl", "start", "tcp.target"]).unwrap();
    let said = status(&host.run(["conductor", "deploy", "tcp", "--revision", "1"]).unwrap(), 0);
    assert!(
        said.contains("] verify: not asked through the proxy: the health check is none of HTTP"),
        "{said}"
    );
}
