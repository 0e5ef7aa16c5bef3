//! The state machine, by example and by exhaustion.

use super::*;
use std::collections::{HashSet, VecDeque};

const GRACE: Duration = Duration::from_secs(10);
const POLICY: Policy = Policy { unhealthy_after: 3, healthy_after: 2, kill_grace: GRACE, act: true };

fn run(number: u8) -> InvocationId {
    InvocationId::from_bytes(&[number; 16]).unwrap()
}

/// A verdict with a clock that the test moves.
struct Told {
    verdict: Verdict,
    now: Moment,
}

impl Told {
    fn new(policy: Policy) -> Self {
        Self { verdict: Verdict::new(policy), now: Duration::from_secs(1000) }
    }

    fn up(number: u8) -> Self {
        let mut told = Self::new(POLICY);
        assert_eq!(told.seen(Sighting::Up(run(number))), None);
        told
    }

    fn on(&mut self, event: Event) -> Option<(InvocationId, Act)> {
        self.verdict.on(event, self.now)
    }

    fn seen(&mut self, sighting: Sighting) -> Option<(InvocationId, Act)> {
        self.on(Event::Seen(sighting))
    }

    fn check(&mut self, finding: Finding) -> Option<(InvocationId, Act)> {
        let ticket = self.verdict.ticket().expect("checks are allowed");
        self.on(Event::Checked(ticket, finding))
    }

    fn fail(&mut self, times: u32) -> Option<(InvocationId, Act)> {
        (0..times).map(|_| self.check(Finding::Failed)).last().flatten()
    }

    fn answer(&mut self, act: Act, answer: Answer) {
        let Some(invocation) = self.verdict.invocation else { panic!("nothing ran") };
        assert_eq!(self.on(Event::Signalled(invocation, act, answer)), None);
    }

    fn wait(&mut self, time: Duration) -> Option<(InvocationId, Act)> {
        self.now += time;
        self.on(Event::Tick)
    }

    fn state(&self) -> String {
        self.verdict.state().to_string()
    }
}

#[test]
fn the_usual_life() {
    let mut told = Told::new(POLICY);
    assert_eq!(told.state(), "unknown");
    told.seen(Sighting::Away(Away::Starting));
    assert_eq!(told.state(), "starting");
    told.seen(Sighting::Up(run(1)));
    assert_eq!(told.state(), "running, not checked yet");
    told.check(Finding::Passed);
    assert_eq!(told.state(), "running, not checked yet");
    told.check(Finding::Passed);
    assert_eq!(told.state(), "healthy");
    assert_eq!(told.fail(2), None);
    assert_eq!(told.state(), "failing (2 of 3)");
    told.check(Finding::Passed);
    assert_eq!(told.state(), "healthy");
    assert_eq!(told.fail(3), Some((run(1), Act::Terminate)));
    told.answer(Act::Terminate, Answer::Sent);
    assert_eq!(told.state(), "terminating");
    assert_eq!(told.verdict.ticket(), None);
    assert_eq!(told.wait(GRACE / 2), None);
    told.seen(Sighting::Away(Away::Stopping));
    assert_eq!(told.wait(GRACE), None, "systemd's own timeouts are in charge now");
    told.seen(Sighting::Away(Away::Restarting));
    told.seen(Sighting::Up(run(2)));
    assert_eq!(told.state(), "running, not checked yet");
    assert_eq!(told.wait(GRACE), None);
}

#[test]
fn a_process_that_ignores_sigterm_is_killed_once() {
    let mut told = Told::up(1);
    told.fail(3);
    told.answer(Act::Terminate, Answer::Sent);
    let due = told.verdict.deadline().unwrap();
    assert_eq!(due, told.now + GRACE);
    assert_eq!(told.wait(GRACE), Some((run(1), Act::Kill)));
    assert_eq!(told.wait(GRACE), None);
    told.answer(Act::Kill, Answer::Sent);
    assert_eq!(told.state(), "killing");
    assert_eq!(told.wait(GRACE * 100), None);
    assert_eq!(told.verdict.deadline(), None);
}

#[test]
fn a_result_begun_before_a_change_is_discarded() {
    let mut told = Told::up(1);
    told.fail(2);
    let old = told.verdict.ticket().unwrap();
    told.seen(Sighting::Away(Away::Reloading));
    assert_eq!(told.on(Event::Checked(old, Finding::Failed)), None);
    told.seen(Sighting::Up(run(1)));
    assert_eq!(told.on(Event::Checked(old, Finding::Failed)), None);
    assert_eq!(told.state(), "running, not checked yet");
    assert_eq!(told.fail(2), None, "counts from zero");
}

#[test]
fn a_refused_signal_is_tried_again_with_fresh_failures_after_a_pause() {
    let mut told = Told::up(1);
    assert!(told.fail(3).is_some());
    told.answer(Act::Terminate, Answer::Refused);
    assert_eq!(told.state(), "unhealthy");
    assert_eq!(told.fail(1), None, "too early");
    told.wait(PAUSE.0);
    assert_eq!(told.fail(1), Some((run(1), Act::Terminate)));
    told.answer(Act::Terminate, Answer::Refused);
    told.wait(PAUSE.0);
    assert_eq!(told.fail(1), None, "the pause doubles");
    told.check(Finding::Passed);
    assert_eq!(told.state(), "unhealthy", "one pass of two");
    told.check(Finding::Passed);
    assert_eq!(told.state(), "healthy");
    told.wait(PAUSE.1);
    assert_eq!(told.fail(2), None, "recovered: three failures again");
    assert!(told.fail(1).is_some());
    told.answer(Act::Terminate, Answer::Sent);
    assert_eq!(told.wait(GRACE), Some((run(1), Act::Kill)));
    told.answer(Act::Kill, Answer::Refused);
    assert_eq!(told.state(), "terminating");
    assert_eq!(told.wait(PAUSE.0), Some((run(1), Act::Kill)));
}

#[test]
fn the_pause_after_a_refusal_ends_with_the_invocation() {
    let mut told = Told::up(1);
    told.fail(3);
    told.answer(Act::Terminate, Answer::Refused);
    told.seen(Sighting::Away(Away::Restarting));
    told.seen(Sighting::Up(run(2)));
    assert_eq!(told.fail(3), Some((run(2), Act::Terminate)));
}

#[test]
fn a_lost_bus_between_the_signals_does_not_forget_the_first() {
    let mut told = Told::up(1);
    told.fail(3);
    told.answer(Act::Terminate, Answer::Sent);
    told.seen(Sighting::Blind);
    assert_eq!(told.wait(GRACE), None);
    assert_eq!(told.seen(Sighting::Up(run(1))), Some((run(1), Act::Kill)));
}

#[test]
fn a_late_answer_about_an_old_invocation_changes_nothing() {
    let mut told = Told::up(1);
    told.fail(3);
    told.seen(Sighting::Up(run(2)));
    told.on(Event::Signalled(run(1), Act::Terminate, Answer::Sent));
    assert_eq!(told.state(), "running, not checked yet");
    assert_eq!(told.wait(GRACE), None);
}

#[test]
fn unknown_results_neither_fail_nor_pass_and_sleep_resets() {
    let mut told = Told::up(1);
    told.fail(2);
    told.check(Finding::Unknown);
    assert_eq!(told.state(), "failing (2 of 3)");
    told.on(Event::Resumed);
    assert_eq!(told.fail(2), None);
    assert!(told.fail(1).is_some());
}

#[test]
fn without_consequences_there_is_no_signal() {
    let mut told = Told::new(Policy { act: false, ..POLICY });
    told.seen(Sighting::Up(run(1)));
    assert_eq!(told.fail(10), None);
    assert_eq!(told.state(), "unhealthy");
    assert!(told.verdict.ticket().is_some(), "and the checks go on");
}

/// What the world is like, besides what the verdict believes: enough to judge every signal it asks for.
#[derive(Clone)]
struct World {
    verdict: Verdict,
    now: Moment,
    /// The unit, as last shown to the verdict.
    sighting: Sighting,
    /// The current run; each restart counts up.
    generation: u8,
    /// Failures in a row, in this run and since the last disturbance.
    failures: u32,
    in_flight: Option<(u8, Act)>,
    term_sent_at: Option<Moment>,
    kills_sent: u8,
    stale: Option<Ticket>,
}

#[derive(Clone, Copy, Debug)]
enum Happens {
    Blind,
    Away,
    Up,
    Restarted,
    Checked(Finding),
    CheckedLate,
    Answered(Answer),
    Slept,
    Passed(Duration),
}

const ALL: [Happens; 14] = [
    Happens::Blind,
    Happens::Away,
    Happens::Up,
    Happens::Restarted,
    Happens::Checked(Finding::Passed),
    Happens::Checked(Finding::Failed),
    Happens::Checked(Finding::Unknown),
    Happens::CheckedLate,
    Happens::Answered(Answer::Sent),
    Happens::Answered(Answer::Moot),
    Happens::Answered(Answer::Refused),
    Happens::Slept,
    Happens::Passed(Duration::from_secs(1)),
    Happens::Passed(Duration::from_secs(2)),
];

impl World {
    fn new(policy: Policy) -> Self {
        Self {
            verdict: Verdict::new(policy),
            now: Duration::from_secs(1000),
            sighting: Sighting::Blind,
            generation: 1,
            failures: 0,
            in_flight: None,
            term_sent_at: None,
            kills_sent: 0,
            stale: None,
        }
    }

    /// Lets it happen, if it can; false if it cannot.
    fn step(&mut self, happens: Happens) -> bool {
        let before = self.verdict.ticket();
        let event = match happens {
            Happens::Blind => self.shown(Sighting::Blind),
            Happens::Away => self.shown(Sighting::Away(Away::Restarting)),
            Happens::Up => self.shown(Sighting::Up(run(self.generation))),
            Happens::Restarted => {
                self.generation += 1;
                self.term_sent_at = None;
                self.kills_sent = 0;
                self.shown(Sighting::Up(run(self.generation)))
            }
            Happens::Checked(finding) => {
                let Some(ticket) = before else { return false };
                match finding {
                    Finding::Passed => self.failures = 0,
                    Finding::Failed => self.failures += 1,
                    Finding::Unknown => {}
                }
                Event::Checked(ticket, finding)
            }
            Happens::CheckedLate => {
                let Some(ticket) = self.stale else { return false };
                Event::Checked(ticket, Finding::Failed)
            }
            Happens::Answered(answer) => {
                let Some((generation, act)) = self.in_flight.take() else { return false };
                if answer == Answer::Sent && generation == self.generation {
                    match act {
                        Act::Terminate => {
                            assert_eq!(self.term_sent_at, None, "SIGTERM twice in one invocation");
                            self.term_sent_at = Some(self.now);
                        }
                        Act::Kill => self.kills_sent += 1,
                    }
                }
                Event::Signalled(run(generation), act, answer)
            }
            Happens::Slept => {
                self.failures = 0;
                Event::Resumed
            }
            Happens::Passed(time) => {
                self.now += time;
                Event::Tick
            }
        };
        let signal = self.verdict.on(event, self.now);
        if self.verdict.ticket() != before && before.is_some() {
            self.stale = before;
        }
        self.judge(signal);
        true
    }

    fn shown(&mut self, sighting: Sighting) -> Event {
        if sighting != self.sighting {
            self.failures = 0;
        }
        self.sighting = sighting;
        Event::Seen(sighting)
    }

    /// The invariants.
    fn judge(&mut self, signal: Option<(InvocationId, Act)>) {
        let up = self.sighting == Sighting::Up(run(self.generation));
        if let Some((invocation, act)) = signal {
            assert!(self.verdict.policy.act, "a signal without consequences wanted");
            assert!(up, "a signal to a unit that is not running steadily");
            assert_eq!(invocation, run(self.generation), "a signal to another run");
            assert!(
                self.in_flight.is_none_or(|(generation, _)| generation != self.generation),
                "a second signal before the first was answered"
            );
            match act {
                Act::Terminate => {
                    assert!(self.failures >= self.verdict.policy.unhealthy_after, "too early");
                    assert_eq!(self.term_sent_at, None, "SIGTERM twice in one invocation");
                }
                Act::Kill => {
                    let sent = self.term_sent_at.expect("SIGKILL without a SIGTERM before");
                    assert!(self.now >= sent + self.verdict.policy.kill_grace, "SIGKILL within the grace");
                    assert_eq!(self.kills_sent, 0, "SIGKILL twice in one invocation");
                }
            }
            self.in_flight = Some((self.generation, act));
        }
        assert!(self.verdict.ticket().is_none() || up, "a check of a unit that is not running steadily");
        assert!(self.verdict.deadline().is_none_or(|_| up), "a timer while nothing may be done");
        if up {
            assert!(
                self.verdict.ticket().is_some() || self.verdict.latch.is_some(),
                "a running unit that is neither checked nor being ended"
            );
        }
    }

    /// What makes two worlds behave alike from here on: times count from now, runs from the current one.
    fn key(&self) -> String {
        let age = |run: InvocationId| format!("{run}") == format!("{}", self::run(self.generation));
        let left = |moment: Moment| moment.saturating_sub(self.now).min(GRACE);
        let v = &self.verdict;
        let sighting = match v.sighting {
            Sighting::Up(run) => format!("up {}", age(run)),
            other => format!("{other:?}"),
        };
        let latch = v.latch.map(|latch| {
            let step = match latch.step {
                Step::Grace { until } => format!("grace {:?}", left(until)),
                other => format!("{other:?}"),
            };
            (age(latch.invocation), step)
        });
        format!(
            "{sighting} {:?} {:?} {} {} {latch:?} {:?} {:?} | {} {:?} {:?} {} {}",
            v.invocation.map(age),
            v.standing,
            v.passed.min(v.policy.healthy_after),
            v.failed.min(v.policy.unhealthy_after),
            v.pause.min(Duration::from_secs(4)),
            left(v.not_before),
            self.failures.min(v.policy.unhealthy_after),
            self.in_flight.map(|(generation, act)| (generation == self.generation, act)),
            self.term_sent_at.map(|at| self.now.saturating_sub(at).min(GRACE)),
            self.kills_sent,
            self.stale.is_some_and(|stale| v.ticket() != Some(stale)),
        )
    }
}

/// Every state that any sequence of events can lead to, of whatever length, and every event in it.
#[test]
fn no_sequence_of_events_breaks_the_promises() {
    for (unhealthy_after, healthy_after, act) in [(1, 1, true), (2, 2, true), (3, 1, true), (2, 1, false)] {
        let policy = Policy { unhealthy_after, healthy_after, kill_grace: Duration::from_secs(3), act };
        let mut seen = HashSet::new();
        let mut open = VecDeque::from([World::new(policy)]);
        seen.insert(World::new(policy).key());
        while let Some(world) = open.pop_front() {
            assert!(world.generation < 200, "the key must not depend on the number of restarts");
            for happens in ALL {
                let mut next = world.clone();
                if next.step(happens) && seen.insert(next.key()) {
                    open.push_back(next);
                }
            }
        }
        assert!(seen.len() > if act { 100 } else { 10 }, "only {} states: the model is broken", seen.len());
        println!("{unhealthy_after}/{healthy_after}: {} states", seen.len());
    }
}
