//! The state machine, by exhaustion: every state that any sequence of events can lead to.

use super::*;
use std::collections::{HashSet, VecDeque};

/// Times are compared up to this; it is longer than any that the policies below have.
const HORIZON: Duration = Duration::from_secs(10);

fn run(number: u8) -> InvocationId {
    InvocationId::from_bytes(&[number; 16]).unwrap()
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
        let age = |run: InvocationId| run == self::run(self.generation);
        let left = |moment: Moment| moment.saturating_sub(self.now).min(HORIZON);
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
            self.term_sent_at.map(|at| self.now.saturating_sub(at).min(HORIZON)),
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
