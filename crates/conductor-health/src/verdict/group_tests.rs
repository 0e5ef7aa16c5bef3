//! Groups, by example.

use super::*;
use conductor_systemd::InvocationId;

const SECOND: Duration = Duration::from_secs(1);
const POLICY: Policy = Policy {
    unhealthy_after: 1,
    healthy_after: 1,
    start_within: Duration::ZERO,
    kill_grace: Duration::from_secs(10),
    stable_for: None,
    max_hold: Duration::from_secs(60),
    act: true,
};
const LIMITS: Limits = Limits {
    max_unavailable: 1,
    recover_within: Duration::from_secs(300),
    burst: 100,
    every: Duration::from_secs(1),
    max_pressure: Pressure(8000),
};

/// A group with a clock that the test moves, of members that begin healthy.
struct Told {
    group: Group,
    now: Moment,
    runs: Vec<u8>,
    pressure: Option<Pressure>,
}

impl Told {
    fn healthy(members: usize, limits: Limits) -> Self {
        let group = Group::new(members, POLICY, limits);
        let mut told = Self { group, now: SECOND * 1000, runs: vec![0; members], pressure: None };
        for at in 0..members {
            told.starts(at);
            told.passes(at);
        }
        told
    }

    fn on(&mut self, at: usize, event: Event) -> Option<Act> {
        let pressure = self.pressure;
        let order = self.group.on(at, event, self.now, || pressure);
        let recovering = self.group.members.iter().filter(|member| member.recovering.is_some()).count();
        assert_eq!(self.group.recovering, recovering, "counted as they come and go");
        let order = order?;
        assert_eq!(order.invocation, self.run(at));
        // What is asked for is done at once.
        let done = Event::Done(order.invocation, order.act, Answer::Sent);
        assert_eq!(self.group.on(at, done, self.now, || pressure), None);
        Some(order.act)
    }

    fn run(&self, at: usize) -> InvocationId {
        InvocationId::from_bytes(&[self.runs[at]; 16]).unwrap()
    }

    fn starts(&mut self, at: usize) {
        self.runs[at] += 1;
        let up = Sighting::Up { invocation: self.run(at), opened: true };
        assert_eq!(self.on(at, Event::Seen(up)), None);
    }

    fn is_away(&mut self, at: usize, away: Away) {
        assert_eq!(self.on(at, Event::Seen(Sighting::Away(away))), None);
    }

    fn checked(&mut self, at: usize, finding: Finding) -> Option<Act> {
        self.now += SECOND;
        let ticket = self.group.verdict(at).unwrap().ticket().expect("checks are allowed");
        self.on(at, Event::Checked(ticket, finding))
    }

    fn passes(&mut self, at: usize) {
        assert_eq!(self.checked(at, Finding::Passed), None);
    }

    /// Fails; whether it is terminated for that.
    fn fails(&mut self, at: usize) -> bool {
        match self.checked(at, Finding::Failed) {
            Some(act) => act == Act::Terminate,
            None => false,
        }
    }

    fn state(&self, at: usize) -> State {
        self.group.verdict(at).unwrap().state()
    }
}

#[test]
fn the_only_instance_is_restarted_when_it_fails() {
    let mut told = Told::healthy(1, LIMITS);
    for _ in 0..5 {
        assert!(told.fails(0));
        told.is_away(0, Away::Restarting);
        told.starts(0);
        assert!(told.fails(0), "never healthy in between");
        told.is_away(0, Away::Restarting);
        told.starts(0);
        told.passes(0);
    }
}

#[test]
fn one_after_the_other() {
    let mut told = Told::healthy(3, LIMITS);
    assert!(told.fails(0));
    assert!(!told.fails(1));
    assert_eq!(told.state(1), State::Held(Hold::Budget));
    for away in [Away::Stopping, Away::Failed, Away::Restarting, Away::Stopped, Away::Starting] {
        told.is_away(0, away);
        assert!(!told.fails(1), "{away}");
    }
    told.starts(0);
    assert!(!told.fails(1), "up, but not seen healthy yet");
    told.passes(0);
    assert!(told.fails(1));
    assert!(!told.fails(2));
    told.passes(2);
    assert_eq!(told.state(2), State::Healthy, "a hold ends with its reason");
}

#[test]
fn as_many_as_may_be() {
    let mut told = Told::healthy(4, Limits { max_unavailable: 2, ..LIMITS });
    assert!(told.fails(0));
    assert!(told.fails(1));
    assert!(!told.fails(2));
    // Restarted by an administrator or by itself: it is as unavailable as for a signal of ours.
    let mut told = Told::healthy(4, Limits { max_unavailable: 2, ..LIMITS });
    told.is_away(0, Away::Restarting);
    told.is_away(1, Away::Stopping);
    assert!(!told.fails(2));
    told.starts(1);
    told.passes(1);
    assert!(told.fails(2));
}

#[test]
fn if_all_fail_together_one_shows_whether_a_restart_helps() {
    let mut told = Told::healthy(3, Limits { max_unavailable: 2, ..LIMITS });
    assert!(told.fails(0), "nobody knows yet that the others fail too");
    let mut others_failing = Told::healthy(3, Limits { max_unavailable: 2, ..LIMITS });
    others_failing.group = Group::new(3, Policy { unhealthy_after: 2, ..POLICY }, LIMITS);
    for at in 0..3 {
        others_failing.starts(at);
        others_failing.passes(at);
    }
    for at in 0..3 {
        assert!(!others_failing.fails(at));
    }
    let told = &mut others_failing;
    assert!(told.fails(0));
    for _ in 0..100 {
        assert!(!told.fails(1) && !told.fails(2));
    }
    assert_eq!(told.state(1), State::Held(Hold::Together));
    // It does not help: its start never gets healthy, and in the end systemd gives up.
    told.is_away(0, Away::Restarting);
    told.is_away(0, Away::Starting);
    told.is_away(0, Away::Failed);
    told.now += SECOND * 10_000;
    assert!(!told.fails(1) && !told.fails(2));
    // The database is back.
    told.passes(2);
    assert_eq!(told.state(2), State::Healthy);
    assert!(told.fails(1), "it is the only one that is still not healthy");
}

#[test]
fn if_a_restart_helps_the_next_ones_turn_comes() {
    let mut told = Told::healthy(2, LIMITS);
    assert!(told.fails(0));
    assert!(!told.fails(1));
    assert_eq!(told.state(1), State::Held(Hold::Together));
    told.is_away(0, Away::Restarting);
    told.starts(0);
    told.passes(0);
    assert!(told.fails(1));
}

#[test]
fn what_failed_long_ago_does_not_hold_the_others() {
    let mut told = Told::healthy(2, LIMITS);
    assert!(told.fails(0));
    told.is_away(0, Away::Failed);
    told.now += SECOND * 60;
    told.passes(1);
    assert!(told.fails(1));

    // Nor does one that restarts for ever.
    let mut told = Told::healthy(3, LIMITS);
    assert!(told.fails(0));
    told.is_away(0, Away::Restarting);
    told.now += LIMITS.recover_within / 2;
    told.passes(1);
    assert!(!told.fails(2));
    told.is_away(0, Away::Starting);
    told.is_away(0, Away::Restarting);
    told.now += LIMITS.recover_within / 2;
    told.passes(1);
    assert!(told.fails(2));
    // Until it is well again.
    told.starts(0);
    told.passes(0);
    told.starts(2);
    told.passes(2);
    assert!(told.fails(0));
    assert!(!told.fails(1));

    // Nor does one that somebody stopped.
    let mut told = Told::healthy(3, LIMITS);
    assert!(told.fails(0));
    told.is_away(0, Away::Stopped);
    assert!(!told.fails(1));
    told.now += SECOND * 10;
    assert!(told.fails(1));
}

#[test]
fn a_failed_one_that_somebody_starts_again_counts_again() {
    let mut told = Told::healthy(3, LIMITS);
    assert!(told.fails(0));
    told.is_away(0, Away::Failed);
    told.now += SECOND * 60;
    told.passes(1);
    told.is_away(0, Away::Starting);
    assert!(!told.fails(1));
    assert_eq!(told.state(1), State::Held(Hold::Budget));
}

#[test]
fn signals_come_at_a_bounded_rate() {
    let mut told = Told::healthy(1, Limits { burst: 2, every: SECOND * 60, ..LIMITS });
    for _ in 0..2 {
        assert!(told.fails(0));
        told.starts(0);
    }
    assert!(!told.fails(0));
    assert_eq!(told.state(0), State::Held(Hold::Rate));
    told.now += SECOND * 60;
    assert!(told.fails(0));
}

#[test]
fn slowness_is_excused_by_pressure_for_a_while() {
    let mut told = Told::healthy(1, LIMITS);
    told.pressure = Some(Pressure(9000));
    for _ in 0..60 {
        assert_eq!(told.checked(0, Finding::Slow), None);
        assert_eq!(told.state(0), State::Held(Hold::Pressure));
    }
    assert_eq!(told.checked(0, Finding::Slow), Some(Act::Terminate), "but not for ever");

    // What refuses connections, or answers that it does not work, is not slow.
    told.starts(0);
    assert_eq!(told.checked(0, Finding::Failed), Some(Act::Terminate));
    told.starts(0);
    told.pressure = Some(Pressure(8000));
    assert_eq!(told.checked(0, Finding::Slow), Some(Act::Terminate), "the limit is not above the limit");
    told.starts(0);
    told.pressure = None;
    assert_eq!(told.checked(0, Finding::Slow), Some(Act::Terminate), "not every kernel measures it");
}
