//! A service is restarted, one instance at a time, and nobody notices who asks through the proxy.

use conductor_tests::{Host, Image, Output, Suite, newest_package};

use crate::common::{HAPROXY, WEB, ask, define, host, invocation, only_containers, state};
use crate::deploys::{SOON, behind_nginx, deploy, only, status, web};

fn restart(host: &Host) -> Output {
    host.run(["conductor", "restart", "web"]).unwrap()
}

fn invocations(host: &Host, units: &[&str]) -> Vec<String> {
    units.iter().map(|unit| invocation(host, unit)).collect()
}

/// Asks through nginx all the time until it is stopped, over a new connection each time, and counts.
struct Customers<'a>(&'a Host);

impl<'a> Customers<'a> {
    fn come(host: &'a Host) -> Self {
        host.sh("rm -f /run/enough; systemd-run --quiet --unit=customers sh -c 'all=0; failed=0; \
             until test -e /run/enough; do all=$((all + 1)); \
             curl -sf -m 20 -o /dev/null http://127.0.0.1:8000/ || failed=$((failed + 1)); done; \
             echo \"asked $all times, $failed failed\" > /run/said'")
            .unwrap();
        Self(host)
    }

    /// How many requests there were; none may have failed.
    fn content(self) -> u32 {
        self.0.sh("touch /run/enough").unwrap();
        let gone = || Ok(self.0.run(["test", "-s", "/run/said"])?.success());
        self.0.eventually(SOON, "the customers have gone", gone).unwrap();
        let said = self.0.read("/run/said").unwrap();
        self.0.ok(["rm", "/run/said"]).unwrap();
        assert!(said.trim_end().ends_with(" times, 0 failed"), "{said}");
        said.split(' ').nth(1).unwrap().parse().unwrap()
    }
}

const BOTH: [&str; 2] = ["web-green@1.service", "web-green@2.service"];

#[test]
fn behind_a_proxy_no_request_is_lost() {
    let host = behind_nginx();
    // One instance has no other to serve meanwhile: the same release comes up in the other slot.
    status(&deploy(&host, "1"), 0);
    let customers = Customers::come(&host);
    let said = status(&restart(&host), 0);
    assert!(said.contains("1 is restarted") && said.contains("] switch"), "{said}");
    only(&host, "r1", "blue");
    assert!(customers.content() > 10);
    status(&restart(&host), 0);
    only(&host, "r1", "green");
    // It was no release: what came before is what is gone back to.
    let history = host.ok(["conductor", "history", "web"]).unwrap();
    assert_eq!(history.matches("restart by root").count(), 2, "{history}");
    let said = status(&host.run(["conductor", "rollback", "web"]).unwrap(), 3);
    assert!(said.contains("no earlier release"), "{said}");

    // Several take turns, and stay where they are.
    define(&host, "web", &format!("instances = 2\n{}", web("")));
    status(&deploy(&host, "2"), 0);
    status(&deploy(&host, "3"), 0);
    let before = invocations(&host, &BOTH);
    let customers = Customers::come(&host);
    let output = host.run(["conductor", "restart", "web", "--json"]).unwrap();
    status(&output, 0);
    let asked = customers.content();
    assert!(asked > 10, "{asked}");
    let words = ["leave", "drain", "restart", "leave", "drain", "restart", "return"];
    let done: Vec<&str> = output.stdout.lines().filter(|line| line.contains("\"state\":\"done\"")).collect();
    assert_eq!(done.len(), words.len(), "{done:#?}");
    for (line, word) in done.iter().zip(words) {
        assert!(line.contains(&format!("\"step\":\"{word}\"")), "{line}");
    }
    let after = invocations(&host, &BOTH);
    assert!(before.iter().zip(&after).all(|(before, after)| before != after), "each was restarted");
    only_containers(&host, &["conductor-web-green.1", "conductor-web-green.2"]);
    let upstream = host.read("/run/conductor/nginx/web.conf").unwrap();
    assert!(upstream.contains("127.0.0.1:20001 ") && upstream.contains("127.0.0.1:20003 "), "{upstream}");
    println!("{asked} requests while two instances were restarted");
}

#[test]
fn behind_haproxy_no_request_is_lost_either() {
    let image = Image::base(Suite::Trixie).unwrap().add_observers().unwrap();
    let image = image.add_payload().unwrap().add_package(&newest_package().unwrap()).unwrap();
    let host = Host::boot(&image).unwrap();
    define(&host, "web", &format!("instances = 2\n{}driver = \"haproxy\"\n", web("")));
    host.ok(["systemctl", "start", "web.target"]).unwrap();
    host.write("/etc/haproxy/haproxy.cfg", HAPROXY).unwrap();
    host.write("/etc/default/haproxy", "EXTRAOPTS=\"-f /run/conductor/haproxy\"\n").unwrap();
    host.sh("systemctl stop nginx; systemctl unmask haproxy; systemctl start haproxy").unwrap();
    let customers = Customers::come(&host);
    // Before the first release what runs is the definition.
    let units = ["web-blue@1.service", "web-blue@2.service"];
    let before = invocations(&host, &units);
    status(&restart(&host), 0);
    let after = invocations(&host, &units);
    assert!(before.iter().zip(&after).all(|(before, after)| before != after));
    let said = status(&deploy(&host, "1"), 0);
    assert!(said.contains("] verify: the proxy says that it passes requests on to all of them"), "{said}");
    let asked = customers.content();
    println!("{asked} requests while two instances were restarted and a release came in");
}

/// Two instances, each of which ends as it starts if a file says so.
fn obedient(definition: &str) -> String {
    let command = "command = [\"sh\", \"-c\", \"test ! -e /ctl/dies.$CONDUCTOR_INSTANCE || { echo dying; exit 3; }; \
                   exec payload\"]";
    let definition = definition.replace("command = [\"payload\"]", command).replace("20s", "3s");
    format!("instances = 2\n{definition}\n[[volumes]]\nsource = \"/ctl\"\ntarget = \"/ctl\"\n")
}

#[test]
fn one_that_does_not_come_back_gets_no_requests_and_the_others_go_on() {
    let host = behind_nginx();
    host.sh("mkdir -p /ctl").unwrap();
    define(&host, "web", &obedient(&web("")));
    status(&deploy(&host, "1"), 0);
    host.write("/ctl/dies.1", "").unwrap();
    let second = invocation(&host, BOTH[1]);
    let customers = Customers::come(&host);
    let said = status(&restart(&host), 1);
    assert!(
        said.contains("error: restart: web-green@1.service did not get healthy: its main process ended")
            && said.contains("It gets no requests, and the others were not touched any more"),
        "{said}"
    );
    assert!(said.contains("\n    dying"), "the last lines of its log: {said}");
    let shown = host.ok(["conductor", "status", "web"]).unwrap();
    assert!(
        shown.contains("restart of 1 by root since ")
            && shown.contains(", at step restart, was interrupted: `conductor abort web` cleans up"),
        "{shown}"
    );
    let upstream = host.read("/run/conductor/nginx/web.conf").unwrap();
    assert!(!upstream.contains("127.0.0.1:20001 ") && upstream.contains("127.0.0.1:20003 "), "{upstream}");
    assert_eq!(invocation(&host, BOTH[1]), second, "it was not touched");

    // Nothing is mended yet: the same once more.
    let said = status(&restart(&host), 1);
    assert!(
        said.contains("a restart was interrupted, and web-green@1.service did not get healthy"),
        "{said}"
    );
    host.ok(["rm", "/ctl/dies.1"]).unwrap();
    status(&restart(&host), 0);
    let upstream = host.read("/run/conductor/nginx/web.conf").unwrap();
    assert!(upstream.contains("127.0.0.1:20001 ") && upstream.contains("127.0.0.1:20003 "), "{upstream}");
    assert!(customers.content() > 10);

    // Another release is a way out as well.
    host.write("/ctl/dies.1", "").unwrap();
    status(&restart(&host), 1);
    define(&host, "web", &format!("instances = 2\n{}", web("")));
    status(&deploy(&host, "2"), 0);
    only_containers(&host, &["conductor-web-blue.1", "conductor-web-blue.2"]);
    let shown = host.ok(["conductor", "status", "web"]).unwrap();
    assert!(!shown.contains("interrupted"), "{shown}");
}

/// Runs a restart that is killed as it begins its turn with the second instance, or with all.
fn killed(host: &Host, step: &str, times: u32) {
    let script = format!(
        "rm -f /tmp/said; mkfifo /tmp/said; conductor restart web --json > /tmp/said 2>/tmp/err & \
         pid=$!; n=0; while read -r line; do case \"$line\" in \
         *'\"step\":\"{step}\",\"state\":\"begins\"'*) n=$((n + 1)); test $n -lt {times} || {{ kill -9 $pid; break; }};; \
         esac; done < /tmp/said; wait $pid; test $? = 137"
    );
    let output = host.run(["sh", "-c", &script]).unwrap();
    assert!(output.success(), "killed as it begins to {step}: {}", output.describe());
}

#[test]
fn whoever_is_killed_leaves_nothing_half_done() {
    let host = behind_nginx();
    define(&host, "web", &format!("instances = 2\n{}", web("")));
    status(&deploy(&host, "1"), 0);
    let customers = Customers::come(&host);
    for (step, times) in [("leave", 2), ("drain", 1), ("restart", 1), ("restart", 2), ("return", 1)] {
        killed(&host, step, times);
        let shown = host.ok(["conductor", "status", "web", "--json"]).unwrap();
        assert!(
            shown.contains("\"what\": \"restart\"") && shown.contains(&format!("\"step\": \"{step}\"")),
            "{shown}"
        );
        status(&host.run(["conductor", "abort", "web"]).unwrap(), 0);
        only_containers(&host, &["conductor-web-green.1", "conductor-web-green.2"]);
        for unit in BOTH {
            assert_eq!(state(&host, unit), "active", "{step}");
        }
        let upstream = host.read("/run/conductor/nginx/web.conf").unwrap();
        assert_eq!(upstream.matches(" max_fails=0;").count(), 2, "{step}: {upstream}");
    }
    let asked = customers.content();
    println!("{asked} requests while five restarts were killed");
    let said = status(&host.run(["conductor", "abort", "web"]).unwrap(), 0);
    assert!(said.contains("nothing was interrupted"), "{said}");
}

#[test]
fn without_a_proxy_each_waits_for_the_one_before() {
    let host = host();
    define(&host, "web", &format!("instances = 2\n{WEB}").replace("20s", "3s"));
    let units = ["web@1.service", "web@2.service"];
    host.ok(["systemctl", "start", "web.target"]).unwrap();
    let before = invocations(&host, &units);
    let said = status(&restart(&host), 0);
    let place = |text: &str| said.find(text).unwrap_or_else(|| panic!("no {text:?}: {said}"));
    assert!(place("restart: web@1.service is back after") < place("restart: web@2.service is back after"));
    let after = invocations(&host, &units);
    assert!(before.iter().zip(&after).all(|(before, after)| before != after));

    // One that was given up by systemd is started first.
    host.sh("mkdir -p /ctl").unwrap();
    define(&host, "web", &obedient(WEB));
    host.write("/ctl/dies.1", "").unwrap();
    let second = invocation(&host, units[1]);
    let said = status(&restart(&host), 1);
    assert!(
        said.contains("web@1.service did not get healthy")
            && said.contains("The others were not touched any more: mend"),
        "{said}"
    );
    assert_eq!(invocation(&host, units[1]), second);
    host.ok(["rm", "/ctl/dies.1"]).unwrap();
    host.ok(["systemctl", "stop", "web@2.service"]).unwrap();
    let said = status(&restart(&host), 0);
    assert!(said.contains("web@2.service is back after"), "{said}");
    assert_eq!(ask(&host, 20001, "/instance").unwrap(), "2");

    // A single one without slots.
    define(&host, "solo", &WEB.replace("20000", "21000"));
    host.ok(["systemctl", "start", "solo.service"]).unwrap();
    let before = invocation(&host, "solo.service");
    let said = status(&host.run(["conductor", "restart", "solo"]).unwrap(), 0);
    assert!(said.contains("solo.service is back after") && said.ends_with("solo 1 is restarted\n"), "{said}");
    assert_ne!(invocation(&host, "solo.service"), before);
    let said = status(&host.run(["conductor", "restart", "sollo"]).unwrap(), 3);
    assert!(said.contains("did you mean `solo`?"), "{said}");
}

#[test]
fn a_request_to_end_is_followed_before_the_next_instance() {
    let host = host();
    let slow = format!("instances = 3\n{WEB}[environment]\nPAYLOAD_START_DELAY = \"3\"\n");
    define(&host, "web", &slow);
    host.ok(["systemctl", "start", "web.target"]).unwrap();
    let units = ["web@1.service", "web@2.service", "web@3.service"];
    let before = invocations(&host, &units);
    host.sh("systemd-run --quiet --unit=restarter --property=SuccessExitStatus=4 conductor restart web")
        .unwrap();
    let away = || Ok(state(&host, units[0]) != "active");
    host.eventually(SOON, "the first one is being restarted", away).unwrap();
    host.ok(["systemctl", "stop", "restarter"]).unwrap();
    let journal = host.journal("restarter.service").unwrap();
    assert!(
        journal.contains("ended on request: the instances that are left were not restarted"),
        "{journal}"
    );
    let after = invocations(&host, &units);
    assert_ne!(after[0], before[0]);
    assert_eq!(after[1..], before[1..]);
    assert_eq!(state(&host, units[0]), "active", "it was waited for");
    assert!(host.ok(["conductor", "history", "web"]).unwrap().contains("ended early: ended on request"));
}
