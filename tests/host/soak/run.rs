//! Doing what the plan says.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::time::{Duration, Instant};

use super::fleet::Fleet;
use super::judge::{Container, Ending, Finding, Rules, is_healthy, judge};
use super::plan::Plan;
use super::record::{self, Event, What};
use crate::{Context, Host, Result, announce};

/// A plan that is carried out on a machine with Conductor and the payload's image.
#[derive(Debug, Clone, Copy)]
pub struct Soak<'a> {
    /// Where.
    pub host: &'a Host,
    /// What.
    pub plan: &'a Plan,
}

/// How it went.
#[derive(Debug, Clone)]
pub struct Report {
    /// What must not be; none is what is hoped for.
    pub findings: Vec<Finding>,
    /// What happened.
    pub events: Vec<Event>,
    /// Faults that could not be done, and why: those are not to be relied on.
    pub undone: Vec<String>,
}

/// What the definitions of the fleet amount to.
const RULES: Rules = Rules {
    delay: Duration::from_secs(2),
    checker_delay: Duration::from_secs(1),
    // A container that is told to fail while it starts does so for all of start-within (30 s). Then there are three
    // checks (4 s), a busy machine as an excuse (10 s), the other instance whose turn comes first (its own
    // start, 30 s at worst), the grace (3 s), and cleaning up on that busy machine.
    reach: Duration::from_secs(90),
};

/// How long everything may take to be healthy again after the last fault.
const CALM: Duration = Duration::from_secs(240);

/// Services that are started at once, so that the start-up is no soak of its own.
const BATCH: usize = 4;

/// Packets are dropped before anything has translated their port, and for as long as the set remembers it.
const CUTTER: &str = "nft -f - <<'END'
table inet soak {
    set cut { type inet_service; flags timeout; }
    chain output { type filter hook output priority raw; tcp dport @cut drop; }
}
END";

impl Soak<'_> {
    /// Starts the services, does all that the plan has, waits until everything is healthy, and judges.
    pub fn run(self) -> Result<Report> {
        let Self { host, plan } = self;
        let Plan { seed, fleet, faults } = plan;
        announce(format_args!("soak: seed {seed}, {} faults", faults.len()));
        self.start()?;
        let mark = host.mark()?;
        let undone = self.do_all()?;
        announce("soak: all faults are done, waiting until everything is healthy");
        // In vain is what the judge says best.
        let calm = host.eventually(CALM, "all are healthy", || {
            std::thread::sleep(Duration::from_secs(1));
            let statuses = self.of_units("*-health.service", "StatusText")?;
            let healthy = statuses.values().filter(|status| is_healthy(*fleet, status));
            Ok(healthy.count() == fleet.services as usize)
        });
        let ending = self.ending()?;
        let entries = host.entries_since(&mark)?;
        let events = record::events(&entries);
        let findings = judge(*fleet, RULES, &events, &ending);
        if findings.is_empty() {
            calm?;
        }
        Ok(Report { findings, events, undone })
    }

    /// Defines and starts the fleet.
    fn start(self) -> Result<()> {
        let Self { host, plan: Plan { fleet, .. } } = self;
        let mut names = Vec::new();
        for target in fleet.targets().filter(|target| target.instance == 1) {
            let name = target.service_name();
            host.write(&format!("/etc/conductor/services/{name}.toml"), &fleet.definition(target.service))?;
            names.push(name);
        }
        host.sh(CUTTER)?;
        host.ok(["systemctl", "daemon-reload"])?;
        let started = Instant::now();
        for batch in names.chunks(BATCH) {
            let units = batch.iter().map(|name| format!("{name}.target"));
            host.ok(["systemctl", "start"].into_iter().map(str::to_owned).chain(units))?;
        }
        announce(format_args!(
            "soak: {} services run after {:.0} s",
            names.len(),
            started.elapsed().as_secs_f32()
        ));
        Ok(())
    }

    /// Each fault at its time, whether or not those before it are over.
    fn do_all(self) -> Result<Vec<String>> {
        let Self { host, plan: Plan { fleet, faults, .. } } = self;
        let begun = Instant::now();
        std::thread::scope(|scope| {
            let mut running = Vec::new();
            for (number, planned) in faults.iter().enumerate() {
                // The one thing here that is to happen at a time and not after an event.
                std::thread::sleep((begun + planned.at).saturating_duration_since(Instant::now()));
                announce(format_args!("soak: fault {number}: {}", planned.fault));
                let script = record::note(number, planned) + &planned.fault.script(*fleet);
                running.push((planned, scope.spawn(move || host.sh(&script))));
            }
            let mut undone = Vec::new();
            for (planned, thread) in running {
                let done = thread.join().ok().context("a thread of the soak has died")?;
                undone.extend(done.err().map(|error| format!("{}: {error}", planned.fault)));
            }
            Ok(undone)
        })
    }

    fn ending(self) -> Result<Ending> {
        let host = self.host;
        let listed = host.ok(["podman", "ps", "--all", "--format", "{{.Names}} {{.Status}}"])?;
        let containers = listed
            .lines()
            .filter_map(|line| line.split_once(' '))
            .map(|(name, status)| Container { name: name.to_owned(), status: status.to_owned() });
        let processes = host.sh("ps -e -o comm=")?;
        let count = |name: &str| processes.lines().filter(|line| *line == name).count();
        Ok(Ending {
            states: self.of_units("soak*.service", "ActiveState")?,
            statuses: self.of_units("*-health.service", "StatusText")?,
            containers: containers.collect(),
            programs: count("payload"),
            monitors: count("conmon"),
        })
    }

    /// A property of all units of such names.
    fn of_units(self, pattern: &str, property: &str) -> Result<BTreeMap<String, String>> {
        let properties = format!("--property=Id,{property}");
        let shown = self.host.ok(["systemctl", "show", "--all", &properties, "--", pattern])?;
        let blocks = shown.split("\n\n").map(|block| {
            let of = |key: &str| {
                let mut values = block.lines().filter_map(|line| line.strip_prefix(key)?.strip_prefix('='));
                values.next().unwrap_or_default().to_owned()
            };
            (of("Id"), of(property))
        });
        Ok(blocks.collect())
    }
}

impl Report {
    /// Faults by kind, what came of them, and what is wrong.
    pub fn summary(&self, fleet: Fleet) -> String {
        let Self { findings, events, undone } = self;
        let mut faults: BTreeMap<&str, usize> = BTreeMap::new();
        for event in events {
            if let What::Fault(word, _) = &event.what {
                *faults.entry(word).or_default() += 1;
            }
        }
        let of = |what: &What, is_checker: bool| {
            let of_it =
                |event: &&Event| event.what == *what && event.unit.ends_with("-health.service") == is_checker;
            events.iter().filter(of_it).count()
        };
        let kinds: Vec<String> = faults.iter().map(|(word, number)| format!("{word} {number}")).collect();
        let mut text = format!(
            "{} services x {} instances\n{} faults: {}\n{} restarts of instances, {} of checkers; {} SIGTERM and {} \
             SIGKILL by checkers\n",
            fleet.services,
            fleet.instances,
            faults.values().sum::<usize>(),
            kinds.join(", "),
            of(&What::Restart, false),
            of(&What::Restart, true),
            of(&What::Terminated, false),
            of(&What::Killed, false),
        );
        // Writing into a String cannot fail.
        for undone in undone {
            let _ = writeln!(text, "not done: {undone}");
        }
        for finding in findings {
            let _ = writeln!(text, "FOUND: {finding}");
        }
        if findings.is_empty() {
            text.push_str("every service is healthy, no container is left over, every restart has its fault and its delay\n");
        }
        text
    }
}
