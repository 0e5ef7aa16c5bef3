//! A group and, beside it, what is really the case: enough to judge every order that the group gives.

use super::group::SETTLED;
use super::machine::{Standing, Step};
use super::*;
use conductor_systemd::InvocationId;
use std::fmt;
use std::rc::Rc;

/// Times are compared up to this; it is longer than any that the policies below have.
const HORIZON: Duration = Duration::from_secs(30);

pub(super) const fn seconds(number: u64) -> Duration {
    Duration::from_secs(number)
}

fn run(number: u8) -> InvocationId {
    InvocationId::from_bytes(&[number; 16]).unwrap()
}

/// The world as a single member's unit is concerned.
#[derive(Clone)]
struct Unit {
    /// As last shown to the group.
    sighting: Sighting,
    /// The current run; each restart counts up.
    generation: u8,
    /// Since when it has run.
    up_since: Moment,
    /// Whether this run was shown as one that its start waited for, or was seen healthy.
    vouched: bool,
    /// Failures in a row, in this run and since the last disturbance.
    failures: u32,
    passes: u32,
    /// Since when no check has told anything.
    late_since: Option<Moment>,
    healthy_since: Option<Moment>,
    in_flight: Option<(u8, Act)>,
    term_sent_at: Option<Moment>,
    kills_sent: u8,
    forgiven: u8,
    stale: Option<Ticket>,
    /// When a SIGTERM was asked for, after which it was not seen healthy or unhealthy.
    ended_at: Option<Moment>,
    /// When it was last seen to change.
    changed_at: Moment,
}

#[derive(Clone)]
pub(super) struct World {
    group: Group,
    policy: Policy,
    now: Moment,
    pressed: bool,
    units: Vec<Unit>,
    /// How it came to this, for whoever has to find out why a promise was broken.
    trail: Trail,
}

/// What happened, the last first.
#[derive(Clone, Default)]
struct Trail(Option<Rc<(usize, Happens, Trail)>>);

impl Trail {
    fn then(&self, at: usize, happens: Happens) -> Self {
        Self(Some(Rc::new((at, happens, self.clone()))))
    }
}

impl fmt::Display for Trail {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(node) = &self.0 else { return Ok(()) };
        let (at, happens, before) = &**node;
        write!(f, "{before}\n  {at}: {happens:?}")
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Happens {
    Blind,
    Away(Away),
    Up,
    UpUnattended,
    Restarted,
    Checked(Finding),
    CheckedLate,
    Answered(Answer),
    Slept,
    Pressed(bool),
    Passed(Duration),
}

/// All there is for one target.
pub(super) const ALONE: &[Happens] = &[
    Happens::Blind,
    Happens::Away(Away::Restarting),
    Happens::Up,
    Happens::UpUnattended,
    Happens::Restarted,
    Happens::Checked(Finding::Passed),
    Happens::Checked(Finding::Failed),
    Happens::Checked(Finding::Slow),
    Happens::Checked(Finding::Late),
    Happens::Checked(Finding::Unknown),
    Happens::CheckedLate,
    Happens::Answered(Answer::Sent),
    Happens::Answered(Answer::Moot),
    Happens::Answered(Answer::Refused),
    Happens::Slept,
    Happens::Pressed(true),
    Happens::Pressed(false),
    Happens::Passed(seconds(1)),
    Happens::Passed(seconds(2)),
];

/// What matters between several.
pub(super) const TOGETHER: &[Happens] = &[
    Happens::Blind,
    Happens::Away(Away::Restarting),
    Happens::Away(Away::Stopped),
    Happens::Away(Away::Failed),
    Happens::Up,
    Happens::Restarted,
    Happens::Checked(Finding::Passed),
    Happens::Checked(Finding::Failed),
    Happens::Answered(Answer::Sent),
    Happens::Answered(Answer::Refused),
    Happens::Passed(seconds(6)),
];

impl World {
    pub(super) fn new(members: usize, policy: Policy, limits: Limits) -> Self {
        let now = seconds(1000);
        let unit = Unit {
            sighting: Sighting::Blind,
            generation: 1,
            up_since: now,
            vouched: false,
            failures: 0,
            passes: 0,
            late_since: None,
            healthy_since: None,
            in_flight: None,
            term_sent_at: None,
            kills_sent: 0,
            forgiven: 0,
            stale: None,
            ended_at: None,
            changed_at: now,
        };
        let group = Group::new(members, policy, limits);
        Self { group, policy, now, pressed: false, units: vec![unit; members], trail: Trail::default() }
    }

    pub(super) fn members(&self) -> usize {
        self.units.len()
    }

    /// Lets it happen, if it can; false if it cannot.
    pub(super) fn step(&mut self, at: usize, happens: Happens) -> bool {
        self.trail = self.trail.then(at, happens);
        let before = self.group.members[at].verdict.ticket();
        let up = |world: &Self, opened| Sighting::Up { invocation: run(world.units[at].generation), opened };
        let event = match happens {
            Happens::Blind => self.shown(at, Sighting::Blind),
            Happens::Away(away) => self.shown(at, Sighting::Away(away)),
            Happens::Up => self.shown(at, up(self, true)),
            Happens::UpUnattended => self.shown(at, up(self, false)),
            Happens::Restarted => {
                let unit = &mut self.units[at];
                unit.generation += 1;
                assert!(unit.generation < 200, "the key must not depend on the number of restarts");
                unit.up_since = self.now;
                unit.vouched = false;
                unit.term_sent_at = None;
                unit.kills_sent = 0;
                unit.forgiven = 0;
                self.shown(at, up(self, self.policy.start_within.is_zero()))
            }
            Happens::Checked(finding) => {
                let Some(ticket) = before else { return false };
                self.found(at, finding);
                Event::Checked(ticket, finding)
            }
            Happens::CheckedLate => {
                let Some(ticket) = self.units[at].stale else { return false };
                Event::Checked(ticket, Finding::Failed)
            }
            Happens::Answered(answer) => {
                let unit = &mut self.units[at];
                let Some((generation, act)) = unit.in_flight.take() else { return false };
                match (answer, act) {
                    (Answer::Sent, Act::Terminate) if generation == unit.generation => {
                        assert_eq!(unit.term_sent_at, None, "SIGTERM twice in one invocation");
                        unit.term_sent_at = Some(self.now);
                    }
                    (Answer::Sent, Act::Kill) if generation == unit.generation => unit.kills_sent += 1,
                    (Answer::Moot | Answer::Refused, Act::Terminate) if generation == unit.generation => {
                        unit.ended_at = None;
                    }
                    _ => {}
                }
                Event::Done(run(generation), act, answer)
            }
            Happens::Slept => {
                let now = self.now;
                let unit = &mut self.units[at];
                if unit.failures > 0 {
                    unit.healthy_since = None;
                }
                (unit.failures, unit.passes, unit.late_since) = (0, 0, None);
                unit.healthy_since = unit.healthy_since.map(|_| now);
                if now_within(unit.up_since, self.policy.start_within, now) {
                    unit.up_since = now;
                }
                Event::Resumed
            }
            Happens::Pressed(pressed) => {
                let changes = pressed != self.pressed;
                self.pressed = pressed;
                return changes;
            }
            Happens::Passed(time) => {
                self.now += time;
                // The clock is everybody's.
                for at in 0..self.units.len() {
                    self.tell(at, Event::Tick);
                }
                return true;
            }
        };
        self.tell(at, event);
        let ticket = self.group.members[at].verdict.ticket();
        if ticket != before && before.is_some() {
            self.units[at].stale = before;
        }
        true
    }

    fn tell(&mut self, at: usize, event: Event) {
        let pressure = Pressure(if self.pressed { 9000 } else { 100 });
        let order = self.group.on(at, event, self.now, || Some(pressure));
        self.judge(at, order);
        if self.units[at].is_healthy() {
            // Whoever is gone or overdue by now says nothing about the others.
            let (now, within) = (self.now, self.group.limits.recover_within);
            for unit in &mut self.units {
                let is_over = unit.is_over(now) || !now_within(unit.ended_at.unwrap_or(now), within, now);
                unit.ended_at = unit.ended_at.filter(|_| !is_over);
            }
        }
    }

    fn shown(&mut self, at: usize, sighting: Sighting) -> Event {
        let unit = &mut self.units[at];
        if !sighting.is_same(unit.sighting) {
            (unit.failures, unit.passes, unit.late_since, unit.healthy_since) = (0, 0, None, None);
            if unit.is_over(self.now) && sighting != Sighting::Blind {
                unit.ended_at = None;
            }
            unit.changed_at = self.now;
            if let Sighting::Up { opened, .. } = sighting {
                unit.vouched |= opened;
            }
        }
        unit.sighting = sighting;
        Event::Seen(sighting)
    }

    fn found(&mut self, at: usize, finding: Finding) {
        let unit = &mut self.units[at];
        let excused = now_within(unit.late_since.unwrap_or(self.now), self.policy.max_hold, self.now);
        match finding {
            Finding::Passed => {
                (unit.failures, unit.late_since) = (0, None);
                unit.passes += 1;
                if unit.passes >= self.policy.healthy_after {
                    unit.vouched = true;
                    unit.healthy_since.get_or_insert(self.now);
                    unit.ended_at = None;
                }
                return;
            }
            Finding::Unknown => return,
            Finding::Late => {
                unit.late_since.get_or_insert(self.now);
                if excused {
                    return;
                }
            }
            Finding::Failed | Finding::Slow => {}
        }
        unit.passes = 0;
        if unit.vouched || !now_within(unit.up_since, self.policy.start_within, self.now) {
            unit.failures += 1;
            if unit.failures >= self.policy.unhealthy_after {
                unit.healthy_since = None;
                unit.ended_at = None;
            }
        }
    }

    /// The invariants.
    fn judge(&mut self, at: usize, order: Option<Order>) {
        let up = self.units[at].is_up();
        if let Some(Order { invocation, act }) = order {
            if act == Act::Terminate {
                self.judge_budget(at);
            }
            let (policy, now, trail) = (self.policy, self.now, &self.trail);
            let unit = &mut self.units[at];
            assert!(up, "{act:?} for a unit that is not running steadily:{trail}");
            assert_eq!(invocation, run(unit.generation), "{act:?} for another run:{trail}");
            assert!(
                unit.in_flight
                    .is_none_or(|(generation, act)| generation != unit.generation || act == Act::Forgive),
                "a second act before the first was answered:{trail}"
            );
            match act {
                Act::Terminate => {
                    assert!(policy.act, "a signal without consequences wanted");
                    assert!(unit.failures >= policy.unhealthy_after, "too early:{trail}");
                    assert_eq!(unit.term_sent_at, None, "SIGTERM twice in one invocation:{trail}");
                    unit.ended_at = Some(now);
                }
                Act::Kill => {
                    let sent = unit.term_sent_at.expect("SIGKILL without a SIGTERM before");
                    assert!(now >= sent + policy.kill_grace, "SIGKILL within the grace:{trail}");
                    assert_eq!(unit.kills_sent, 0, "SIGKILL twice in one invocation:{trail}");
                }
                Act::Forgive => {
                    let since = unit.healthy_since.expect("forgiven without being healthy");
                    assert!(
                        now >= since + policy.stable_for.expect("it is wanted"),
                        "forgiven too early:{trail}"
                    );
                    assert_eq!(unit.forgiven, 0, "forgiven twice:{trail}");
                    unit.forgiven += 1;
                }
            }
            unit.in_flight = Some((unit.generation, act));
        }
        let verdict = &self.group.members[at].verdict;
        assert!(verdict.ticket().is_none() || up, "a check of a unit that is not running steadily");
        assert!(verdict.deadline().is_none() || up, "a timer while nothing may be done");
        if up {
            assert!(
                verdict.ticket().is_some() || verdict.latch.is_some(),
                "a running unit that is neither checked nor being ended"
            );
        }
        if let State::Held(hold) = verdict.state() {
            assert!(up && self.units[at].ended_at.is_none());
            assert!(hold != Hold::Budget || self.units.len() > 1, "one alone is held for the others' sake");
            assert!(hold != Hold::Together || self.units.len() > 1, "one alone is \"all together\"");
        }
    }

    /// Never more than may be at once: of the others so many were ended by us and are not back yet.
    fn judge_budget(&self, at: usize) {
        let others = || self.units.iter().enumerate().filter(|(other, _)| *other != at).map(|(_, unit)| unit);
        let any_healthy = others().any(Unit::is_healthy);
        let is_stopped =
            |unit: &Unit| unit.sighting == Sighting::Away(Away::Stopped) && unit.is_over(self.now);
        let unavailable = others().filter(|unit| unit.ended_at.is_some() && !is_stopped(unit)).count();
        let unavailable = u32::try_from(unavailable).unwrap();
        let allowed = if any_healthy { self.group.limits.max_unavailable } else { 1 };
        assert!(unavailable < allowed, "{unavailable} others are unavailable already:{}", self.trail);
    }

    /// While the others are healthy, one that fails and fails is ended at some time; and one that is well
    /// again is left alone.
    pub(super) fn judge_liveness(&self) {
        for at in 0..self.units.len() {
            for finding in [Finding::Failed, Finding::Passed] {
                let mut world = self.clone();
                assert!(
                    (0..40).any(|_| world.goes_well_but_for(at, finding)),
                    "member {at} is stuck as {:?} though it has {finding:?} for ever:{}",
                    world.group.members[at].verdict.state(),
                    self.trail
                );
            }
        }
    }

    /// One round of this; whether it has come to what it should.
    fn goes_well_but_for(&mut self, at: usize, finding: Finding) -> bool {
        self.step(at, Happens::Passed(seconds(6)));
        let mut ended = false;
        for one in 0..self.units.len() {
            self.step(one, Happens::Up);
            while self.step(one, Happens::Answered(Answer::Sent)) {}
            if self.units[one].term_sent_at.is_some() {
                ended |= one == at;
                self.step(one, Happens::Restarted);
            }
            self.step(one, Happens::Checked(if one == at { finding } else { Finding::Passed }));
        }
        match finding {
            Finding::Failed => ended || !self.policy.act,
            _ => self.group.members[at].verdict.state() == State::Healthy,
        }
    }

    /// What makes two worlds behave alike from here on: times count from now, runs from the current one,
    /// and members are interchangeable.
    pub(super) fn key(&self) -> String {
        let mut members: Vec<String> = (0..self.units.len()).map(|at| self.member_key(at)).collect();
        members.sort();
        format!("{} {:?} {members:?}", self.pressed, self.group.bucket.until_full(self.now))
    }

    fn member_key(&self, at: usize) -> String {
        let unit = &self.units[at];
        let member = &self.group.members[at];
        let v = &member.verdict;
        let is_current = |run: InvocationId| run == self::run(unit.generation);
        let left = |moment: Moment| moment.saturating_sub(self.now).min(HORIZON);
        let left_of = |since: Option<Moment>, time: Duration| since.map(|since| left(since + time));
        let sighting = match v.sighting {
            Sighting::Up { invocation, .. } => format!("up {}", is_current(invocation)),
            other => format!("{other:?}"),
        };
        let latch = v.latch.map(|latch| {
            let step = match latch.step {
                Step::Grace { until } => format!("grace {:?}", left(until)),
                other => format!("{other:?}"),
            };
            (is_current(latch.invocation), step)
        });
        let stable = self.policy.stable_for.unwrap_or_default();
        let within = self.group.limits.recover_within;
        format!(
            "{sighting} {:?} {:?} {} {} {:?} {:?} {} {:?} {:?} {:?} {} {latch:?} {:?} {:?} {} {:?} {:?} | \
             {:?} {} {:?} {} {:?} {:?} {:?} {} {} {:?} {:?} {}",
            v.invocation.map(is_current),
            v.standing,
            v.passed.min(v.policy.healthy_after),
            v.failed.min(v.policy.unhealthy_after),
            left(v.armed_from),
            left_of(v.late_since, self.policy.max_hold),
            v.is_slow && v.standing == Standing::Unhealthy,
            v.held,
            left_of(v.strained_since, self.policy.max_hold),
            left_of(v.healthy_since, stable),
            v.forgiven,
            v.pause.min(seconds(4)),
            left(v.not_before),
            member.lost,
            left_of(member.recovering, within),
            left(member.since + SETTLED),
            left(unit.up_since + self.policy.start_within),
            unit.vouched,
            unit.failures.min(v.policy.unhealthy_after),
            unit.passes.min(v.policy.healthy_after),
            left_of(unit.late_since, self.policy.max_hold),
            left_of(unit.healthy_since, stable),
            unit.in_flight.map(|(generation, act)| (generation == unit.generation, act)),
            unit.kills_sent,
            unit.forgiven,
            left_of(unit.term_sent_at, self.policy.kill_grace),
            left_of(unit.ended_at, within),
            unit.stale.is_some_and(|stale| v.ticket() != Some(stale)),
        )
    }
}

impl Unit {
    fn is_up(&self) -> bool {
        matches!(self.sighting, Sighting::Up { invocation, .. } if invocation == run(self.generation))
    }

    fn is_healthy(&self) -> bool {
        let is_asked = |(generation, act)| generation == self.generation && act != Act::Forgive;
        let is_ending = self.in_flight.is_some_and(is_asked) || self.term_sent_at.is_some();
        self.is_up() && self.healthy_since.is_some() && self.failures == 0 && !is_ending
    }

    /// Whether it is stopped or failed, and not only on its way to another run.
    fn is_over(&self, now: Moment) -> bool {
        matches!(self.sighting, Sighting::Away(Away::Stopped | Away::Failed))
            && !now_within(self.changed_at, SETTLED, now)
    }
}

/// Whether `now` is less than `time` after `since`.
fn now_within(since: Moment, time: Duration, now: Moment) -> bool {
    now < since + time
}
