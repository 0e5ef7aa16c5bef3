//! The state machine, by example.

use super::*;

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
    assert_eq!(told.state(), "running, not checked yet");
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
