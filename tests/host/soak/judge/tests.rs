use super::*;
use crate::soak::Target;

const FLEET: Fleet = Fleet { services: 1, instances: 2 };
const RULES: Rules = Rules {
    delay: Duration::from_secs(2),
    checker_delay: Duration::from_secs(1),
    reach: Duration::from_secs(20),
};
const ONE: Target = Target { service: 1, instance: 1 };

fn at(seconds: f64, unit: &str, what: What) -> Event {
    Event { at: Duration::from_secs_f64(seconds), unit: unit.to_owned(), what }
}

fn fault(seconds: f64, unit: &str, span: u64) -> Event {
    at(seconds, unit, What::Fault("kill".to_owned(), Duration::from_secs(span)))
}

/// An end, and another start after so long.
fn restart(seconds: f64, unit: &str, pause: f64) -> Vec<Event> {
    vec![
        at(seconds, unit, What::Ended),
        at(seconds + pause, unit, What::Restart),
        at(seconds + pause, unit, What::Starting),
        at(seconds + pause + 1.0, unit, What::Started),
    ]
}

/// All is well.
fn well() -> Ending {
    let mut ending = Ending { programs: 2, monitors: 2, ..Ending::default() };
    for target in FLEET.targets() {
        ending.states.insert(target.unit(), "active".to_owned());
        ending.states.insert(target.checker(), "active".to_owned());
        ending.statuses.insert(target.checker(), "2/2 healthy".to_owned());
        ending.containers.push(Container { name: target.container(), status: "Up 3 minutes".to_owned() });
    }
    ending
}

fn findings(events: &[Vec<Event>]) -> Vec<Finding> {
    let mut events = events.concat();
    events.sort_by_key(|event| event.at);
    judge(FLEET, RULES, &events, &well())
}

#[test]
fn a_restart_that_a_fault_explains_is_none() {
    let one = ONE.unit();
    assert_eq!(findings(&[]), []);
    assert_eq!(findings(&[vec![fault(10.0, &one, 0)], restart(10.5, &one, 2.0)]), []);
    // Two of each; a restart of each unit; and a fault that came to nothing.
    let checker = ONE.checker();
    assert_eq!(
        findings(&[
            vec![fault(10.0, &one, 0), fault(13.0, &one, 0), fault(11.0, &checker, 0), fault(50.0, &one, 1)],
            restart(10.5, &one, 2.0),
            restart(13.5, &one, 2.1),
            restart(11.1, &checker, 1.0),
        ]),
        []
    );
    // The span of a fault counts.
    assert_eq!(findings(&[vec![fault(10.0, &one, 8)], restart(35.0, &one, 2.0)]), []);
}

#[test]
fn a_restart_without_a_fault_is_found() {
    let (one, two) = (ONE.unit(), Target { instance: 2, ..ONE }.unit());
    let unexplained =
        |unit: &str, seconds| vec![Finding::Unexplained(unit.to_owned(), Duration::from_secs_f64(seconds))];
    // None at all, one of another unit, one that came later, one long ago.
    assert_eq!(findings(&[restart(10.5, &one, 2.0)]), unexplained(&one, 12.5));
    assert_eq!(findings(&[vec![fault(10.0, &two, 0)], restart(10.5, &one, 2.0)]), unexplained(&one, 12.5));
    assert_eq!(findings(&[vec![fault(13.0, &one, 0)], restart(10.5, &one, 2.0)]), unexplained(&one, 12.5));
    assert_eq!(findings(&[vec![fault(10.0, &one, 0)], restart(30.0, &one, 2.0)]), unexplained(&one, 32.0));
    // One fault does not explain two restarts, and one of the whole machine none.
    assert_eq!(
        findings(&[vec![fault(10.0, &one, 0)], restart(10.5, &one, 2.0), restart(14.0, &one, 2.0)]),
        unexplained(&one, 16.0)
    );
    assert_eq!(findings(&[vec![fault(10.0, "", 0)], restart(10.5, &one, 2.0)]), unexplained(&one, 12.5));
    // A checker's too.
    let checker = ONE.checker();
    assert_eq!(findings(&[restart(10.0, &checker, 1.0)]), unexplained(&checker, 11.0));
}

#[test]
fn restarts_that_are_too_close_are_found() {
    let one = ONE.unit();
    let events = |pause| findings(&[vec![fault(10.0, &one, 0)], restart(10.0, &one, pause)]);
    assert_eq!(events(1.995), []);
    let found = events(1.5);
    let (start, pause) = (Duration::from_secs_f64(11.5), Duration::from_secs_f64(1.5));
    assert_eq!(found, [Finding::TooClose(one.clone(), start, pause)]);
    assert_eq!(
        found[0].to_string(),
        "soak01@1.service: the start at 11.500 s came 1.500 s after the end before it"
    );
}

#[test]
fn a_start_by_somebody_else_is_found() {
    let one = ONE.unit();
    let mut events = restart(10.0, &one, 3.0);
    events.retain(|event| event.what != What::Restart);
    // Such as by RestartUnit, which knows no delay and no limit.
    let found = findings(&[vec![fault(9.0, &one, 0)], restart(2.0, &one, 2.0), events]);
    assert!(found.contains(&Finding::NotByItself(one, Duration::from_secs(13))), "{found:?}");
}

#[test]
fn faults_that_do_nothing_are_found() {
    assert_eq!(findings(&[vec![fault(10.0, &ONE.unit(), 0)]]), [Finding::NothingHappened]);
}

#[test]
fn what_is_left_over_is_found() {
    let change = |change: &dyn Fn(&mut Ending)| {
        let mut ending = well();
        change(&mut ending);
        judge(FLEET, RULES, &[], &ending)
    };
    assert_eq!(change(&|_| ()), []);
    let stale =
        Container { name: "conductor-soak01.3".to_owned(), status: "Exited (137) 2 minutes ago".to_owned() };
    assert_eq!(change(&|ending| ending.containers.push(stale.clone())), [Finding::Stale(stale.clone())]);
    let exited = Container { name: ONE.container(), status: "Created".to_owned() };
    assert_eq!(change(&|ending| ending.containers[0] = exited.clone()), [Finding::Stale(exited.clone())]);
    let paused = Container { name: ONE.container(), status: "Up 2 minutes (Paused)".to_owned() };
    assert_eq!(change(&|ending| ending.containers[0] = paused.clone()), [Finding::Stale(paused.clone())]);
    assert_eq!(
        change(&|ending| drop(ending.containers.remove(0))),
        [Finding::Missing("conductor-soak01.1".to_owned())]
    );
    // A process that its engine knows nothing of.
    assert_eq!(change(&|ending| ending.programs = 3), [Finding::Processes("of the program", 3, 2)]);
    assert_eq!(change(&|ending| ending.monitors = 1), [Finding::Processes("of the monitor", 1, 2)]);
    let flapping = "2/2 healthy, soak01@1.service: flapping";
    assert_eq!(change(&|ending| drop(ending.statuses.insert(ONE.checker(), flapping.to_owned()))), []);
    let status = "1/2 healthy, soak01@1.service: unhealthy";
    assert_eq!(
        change(&|ending| drop(ending.statuses.insert(ONE.checker(), status.to_owned()))),
        [Finding::NotHealthy(ONE.checker(), status.to_owned())]
    );
    assert_eq!(
        change(&|ending| drop(ending.states.insert(ONE.unit(), "failed".to_owned()))),
        [Finding::NotUp(ONE.unit(), "failed".to_owned())]
    );
}
