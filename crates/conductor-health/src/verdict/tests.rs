//! The state machine, by example.

use super::machine::{PAUSE, Wish};
use super::*;
use conductor_systemd::InvocationId;

const GRACE: Duration = Duration::from_secs(10);
const START: Duration = Duration::from_secs(60);
const STABLE: Duration = Duration::from_secs(600);
const POLICY: Policy = Policy {
    unhealthy_after: 3,
    healthy_after: 2,
    start_within: START,
    kill_grace: GRACE,
    stable_for: Some(STABLE),
    max_hold: Duration::from_secs(30),
    act: true,
};

fn run(number: u8) -> InvocationId {
    InvocationId::from_bytes(&[number; 16]).unwrap()
}

/// A run whose start has waited for it.
fn up(number: u8) -> Sighting {
    Sighting::Up { invocation: run(number), opened: true }
}

/// A verdict with a clock that the test moves, in a group that can always spare it.
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
        assert_eq!(told.seen(up(number)), None);
        told
    }

    fn on(&mut self, event: Event) -> Option<(InvocationId, Act)> {
        let order = match self.verdict.on(event, self.now)? {
            Wish::Do(order) => order,
            Wish::Terminate(invocation) => self.verdict.grant(invocation),
        };
        Some((order.invocation, order.act))
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
        assert_eq!(self.on(Event::Done(invocation, act, answer)), None);
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
    told.seen(up(1));
    assert_eq!(told.state(), "running, not healthy yet");
    told.check(Finding::Passed);
    assert_eq!(told.state(), "running, not healthy yet");
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
    told.seen(up(2));
    assert_eq!(told.state(), "running, not healthy yet");
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
    told.seen(up(1));
    assert_eq!(told.on(Event::Checked(old, Finding::Failed)), None);
    assert_eq!(told.state(), "running, not healthy yet");
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
    told.seen(up(2));
    assert_eq!(told.fail(3), Some((run(2), Act::Terminate)));
}

#[test]
fn a_lost_bus_between_the_signals_does_not_forget_the_first() {
    let mut told = Told::up(1);
    told.fail(3);
    told.answer(Act::Terminate, Answer::Sent);
    told.seen(Sighting::Blind);
    assert_eq!(told.wait(GRACE), None);
    assert_eq!(told.seen(up(1)), Some((run(1), Act::Kill)));
}

#[test]
fn a_late_answer_about_an_old_invocation_changes_nothing() {
    let mut told = Told::up(1);
    told.fail(3);
    told.seen(up(2));
    told.on(Event::Done(run(1), Act::Terminate, Answer::Sent));
    assert_eq!(told.state(), "running, not healthy yet");
    assert_eq!(told.wait(GRACE), None);
}

#[test]
fn unknown_results_neither_fail_nor_pass_and_sleep_resets() {
    let mut told = Told::up(1);
    told.fail(2);
    told.check(Finding::Unknown);
    assert_eq!(told.state(), "failing (2 of 3)");
    told.on(Event::Resumed);
    assert_eq!(told.state(), "running, not healthy yet");
    assert_eq!(told.fail(2), None);
    assert!(told.fail(1).is_some());
}

#[test]
fn without_consequences_there_is_no_signal() {
    let mut told = Told::new(Policy { act: false, ..POLICY });
    told.seen(up(1));
    assert_eq!(told.fail(10), None);
    assert_eq!(told.state(), "unhealthy");
    assert!(told.verdict.ticket().is_some(), "and the checks go on");
}

#[test]
fn a_run_that_nobody_waited_for_has_time_to_start() {
    let mut told = Told::new(POLICY);
    let unattended = Sighting::Up { invocation: run(1), opened: false };
    told.seen(unattended);
    assert_eq!(told.fail(10), None);
    assert_eq!(told.state(), "running, not healthy yet");
    told.now += START / 2;
    told.on(Event::Resumed);
    told.now += START / 2;
    assert_eq!(told.fail(10), None, "after a suspend it gets its time again");
    told.now += START / 2;
    assert_eq!(told.fail(2), None, "only what fails from now on counts");
    assert_eq!(told.fail(1), Some((run(1), Act::Terminate)));

    let mut told = Told::new(POLICY);
    told.seen(unattended);
    told.check(Finding::Passed);
    told.check(Finding::Passed);
    assert_eq!(told.state(), "healthy");
    assert_eq!(told.fail(3), Some((run(1), Act::Terminate)), "who was healthy has started");

    let mut told = Told::new(POLICY);
    told.seen(unattended);
    told.seen(Sighting::Away(Away::Reloading));
    told.seen(up(1));
    assert_eq!(told.fail(3), Some((run(1), Act::Terminate)), "its start did wait for it");
}

#[test]
fn what_its_status_says_changes_nothing_in_the_middle_of_a_run() {
    let mut told = Told::up(1);
    told.fail(2);
    told.seen(Sighting::Up { invocation: run(1), opened: false });
    assert_eq!(told.state(), "failing (2 of 3)");
}

#[test]
fn being_late_ourselves_excuses_a_service_only_for_so_long() {
    let mut told = Told::up(1);
    for _ in 0..29 {
        assert_eq!(told.check(Finding::Late), None);
        told.now += Duration::from_secs(1);
    }
    assert_eq!(told.state(), "running, not healthy yet");
    told.now += Duration::from_secs(1);
    assert_eq!(told.check(Finding::Late), None);
    assert_eq!(told.state(), "failing (1 of 3)");
    assert_eq!(told.check(Finding::Late), None);
    assert_eq!(told.check(Finding::Late), Some((run(1), Act::Terminate)));

    let mut told = Told::up(1);
    for _ in 0..100 {
        told.check(Finding::Late);
        told.now += Duration::from_secs(1);
        told.check(Finding::Passed);
    }
    assert_eq!(told.state(), "healthy", "an answer now and then proves that it lives");
}

#[test]
fn a_run_that_holds_is_forgiven_once() {
    let mut told = Told::up(1);
    assert_eq!(told.verdict.deadline(), None);
    told.check(Finding::Passed);
    told.check(Finding::Passed);
    assert_eq!(told.wait(STABLE / 2), None);
    told.fail(2);
    assert_eq!(told.wait(STABLE / 2), Some((run(1), Act::Forgive)), "that was no verdict");
    told.answer(Act::Forgive, Answer::Sent);
    assert_eq!(told.wait(STABLE * 10), None);
    assert_eq!(told.verdict.deadline(), None);

    let mut told = Told::new(Policy { act: false, ..POLICY });
    told.seen(up(1));
    told.check(Finding::Passed);
    told.check(Finding::Passed);
    told.now += STABLE / 2;
    told.fail(3);
    told.check(Finding::Passed);
    told.check(Finding::Passed);
    assert_eq!(told.wait(STABLE / 2), None, "it was unhealthy meanwhile");
    assert_eq!(told.wait(STABLE / 2), Some((run(1), Act::Forgive)));
}

#[test]
fn after_a_suspend_the_grace_begins_anew() {
    let mut told = Told::up(1);
    told.fail(3);
    told.answer(Act::Terminate, Answer::Sent);
    told.now += GRACE * 2;
    assert_eq!(told.on(Event::Resumed), None);
    assert_eq!(told.wait(GRACE / 2), None);
    assert_eq!(told.wait(GRACE / 2), Some((run(1), Act::Kill)));
}

#[test]
fn what_answers_is_what_was_healthy_and_has_not_failed_too_often() {
    let mut told = Told::up(1);
    assert!(told.verdict.serves(), "its start has waited for it");
    told.fail(2);
    assert!(told.verdict.serves());
    told.fail(1);
    assert!(!told.verdict.serves());
    told.seen(Sighting::Away(Away::Stopping));
    assert!(!told.verdict.serves());
    told.seen(Sighting::Up { invocation: run(2), opened: false });
    assert!(!told.verdict.serves(), "nobody knows yet");
    told.check(Finding::Passed);
    told.check(Finding::Passed);
    assert!(told.verdict.serves());
}
