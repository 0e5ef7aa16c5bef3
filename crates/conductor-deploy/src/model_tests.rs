//! Every way a deploy can go, in a world without systemd: whatever fails and whenever it is killed, exactly one release
//! serves afterwards, and running it again succeeds.

use std::collections::BTreeSet;
use std::future::Future;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use conductor_definition::Strategy;

use crate::drive::{World, drive};
use crate::{Action, Failure, Machine, Outcome, Plan, Step, Undo};

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Side {
    Old,
    New,
}

/// What happens at one action.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Trouble {
    FailsBefore,
    FailsAfter,
    KilledBefore,
    KilledAfter,
    RebootBefore,
    RebootAfter,
}

const TROUBLE: [Trouble; 6] = [
    Trouble::FailsBefore,
    Trouble::FailsAfter,
    Trouble::KilledBefore,
    Trouble::KilledAfter,
    Trouble::RebootBefore,
    Trouble::RebootAfter,
];

#[derive(Debug, Clone)]
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
struct Model {
    plan: Plan,
    running: BTreeSet<Side>,
    traffic: Side,
    live: Side,
    trial: bool,
    slot_has_new: bool,
    before_runs: bool,
    recorded: Option<Step>,
    /// What is recorded on disk.
    on_disk: Option<Step>,
    count: usize,
    trouble: Vec<(usize, Trouble)>,
    dead: bool,
    log: Vec<String>,
}

impl Model {
    fn new(plan: Plan, trouble: &[(usize, Trouble)]) -> Self {
        Self {
            plan,
            running: [Side::Old].into(),
            traffic: Side::Old,
            live: Side::Old,
            trial: false,
            slot_has_new: false,
            before_runs: false,
            recorded: None,
            on_disk: None,
            count: 0,
            trouble: trouble.to_vec(),
            dead: false,
            log: Vec::new(),
        }
    }

    /// It has come to its end.
    fn forget(&mut self) {
        (self.recorded, self.on_disk) = (None, None);
    }

    /// What the live link says comes up, and the proxy's configuration is made from it; /run is empty.
    fn reboot(&mut self) {
        self.trial = false;
        self.before_runs = false;
        self.running = [self.live].into();
        self.traffic = self.live;
        self.recorded = self.on_disk;
        self.dead = true;
    }

    fn act(&mut self, action: Action) {
        match action {
            Action::Step(Step::Freeze) => self.slot_has_new = true,
            Action::Step(Step::Before) | Action::Undo(Undo::EndBefore) => self.before_runs = false,
            Action::Step(Step::StopOld) => {
                self.running.remove(&Side::Old);
            }
            Action::Step(Step::Trial) => self.trial = true,
            Action::Step(Step::Start) => {
                assert!(self.slot_has_new, "what is started is there");
                self.running.insert(Side::New);
            }
            Action::Step(Step::Switch) => self.traffic = Side::New,
            Action::Step(Step::Commit) => self.live = Side::New,
            Action::Step(Step::Adopt) => {
                self.trial = false;
                self.running.insert(Side::New);
            }
            Action::Undo(Undo::Uncommit) => self.live = Side::Old,
            Action::Undo(Undo::SwitchBack) => self.traffic = Side::Old,
            Action::Undo(Undo::StopNew) => {
                self.running.remove(&Side::New);
            }
            Action::Undo(Undo::EndTrial) => self.trial = false,
            Action::Undo(Undo::StartOld) => {
                self.running.insert(Side::Old);
            }
            Action::Undo(Undo::Restore) => self.slot_has_new = false,
            Action::Step(Step::Load | Step::Settle | Step::Drain | Step::Prune) => {}
        }
        self.check();
    }

    /// What holds at every moment.
    fn check(&self) {
        let log = &self.log;
        if self.plan.strategy == Strategy::BlueGreen {
            if self.plan.proxy {
                assert!(self.running.contains(&self.traffic), "requests go to nobody: {self:?}");
            }
            assert!(self.running.contains(&self.live), "the live release does not run: {log:?}");
        }
        if self.live == Side::New {
            assert!(self.slot_has_new, "the live release was taken out of its slot: {log:?}");
        }
    }

    fn happened(&mut self, when: [Trouble; 3]) -> Result<(), Failure> {
        let now = self.trouble.iter().find(|(at, what)| *at == self.count && when.contains(what));
        match now.map(|(_, what)| *what) {
            None => Ok(()),
            Some(Trouble::KilledBefore | Trouble::KilledAfter) => {
                self.dead = true;
                Err(Failure::gate("killed"))
            }
            Some(Trouble::RebootBefore | Trouble::RebootAfter) => {
                self.reboot();
                Err(Failure::gate("rebooted"))
            }
            Some(Trouble::FailsBefore | Trouble::FailsAfter) => Err(Failure::gate("failed")),
        }
    }
}

impl World for Model {
    fn record(&mut self, action: Action, reached: Option<Step>) -> Result<(), Failure> {
        if !self.dead {
            self.log.push(format!("{action:?}"));
            self.recorded = reached;
            if action.outlasts_a_boot() {
                self.on_disk = reached;
            }
        }
        Ok(())
    }

    async fn perform(&mut self, action: Action, _: bool) -> Result<(), Failure> {
        // A dead process does nothing; the loop that goes on here is no part of the world.
        if self.dead {
            return Err(Failure::gate("dead"));
        }
        self.happened([Trouble::FailsBefore, Trouble::KilledBefore, Trouble::RebootBefore])?;
        if action == Action::Step(Step::Before) {
            self.before_runs = true;
        }
        // What fails after its effect has had only a part of it, as a command that goes on running.
        if action != Action::Step(Step::Before) || !self.trouble.contains(&(self.count, Trouble::FailsAfter))
        {
            self.act(action);
        }
        self.happened([Trouble::FailsAfter, Trouble::KilledAfter, Trouble::RebootAfter])?;
        self.count += 1;
        Ok(())
    }

    fn failed(&mut self, _: Action, _: &Failure) {
        self.count += 1;
    }
}

fn block_on<T>(future: impl Future<Output = T>) -> T {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => value,
        Poll::Pending => panic!("the model waits for nothing"),
    }
}

/// Runs it, again after each kill, as whoever deploys next would.
fn run(model: &mut Model) -> Outcome {
    let mut machine = Machine::new(model.plan);
    loop {
        let reached = model.recorded;
        let (outcome, _) = block_on(drive(machine, reached, model));
        if !std::mem::replace(&mut model.dead, false) {
            if matches!(outcome, Outcome::Released | Outcome::Undone) {
                model.forget();
            }
            return outcome;
        }
        machine = Machine::resume(model.plan, model.recorded, model.live == Side::New);
    }
}

fn plans() -> impl Iterator<Item = Plan> {
    let flags = [false, true];
    [Strategy::BlueGreen, Strategy::Recreate].into_iter().flat_map(move |strategy| {
        flags
            .into_iter()
            .flat_map(move |before| flags.into_iter().map(move |proxy| Plan { strategy, before, proxy }))
    })
}

/// Exactly one release serves, and nothing of the other is left.
fn settled(model: &Model, outcome: Outcome) {
    let side = match outcome {
        Outcome::Released => Side::New,
        Outcome::Undone => Side::Old,
        Outcome::Leftovers => {
            assert!(model.live == Side::New && model.running.contains(&Side::New), "{model:?}");
            assert!(
                !model.plan.proxy
                    || model.traffic == Side::New
                    || !model.plan.steps().contains(&Step::Switch)
            );
            return;
        }
        Outcome::Stuck => return,
    };
    let proxied = model.plan.proxy && model.plan.strategy == Strategy::BlueGreen;
    assert_eq!(model.live, side, "{model:?}");
    assert!(!proxied || model.traffic == side, "{model:?}");
    assert!(!model.trial && !model.before_runs, "{model:?}");
    assert_eq!(model.slot_has_new, side == Side::New, "{model:?}");
    assert!(model.running.contains(&side), "{model:?}");
}

#[test]
fn without_trouble_it_is_released() {
    for plan in plans() {
        let mut model = Model::new(plan, &[]);
        assert_eq!(run(&mut model), Outcome::Released);
        settled(&model, Outcome::Released);
        assert_eq!(model.running, [Side::New].into(), "{plan:?}");
    }
}

#[test]
fn whatever_happens_at_any_two_moments_one_release_serves_and_the_next_attempt_succeeds() {
    let mut stuck = 0;
    let mut count = 0;
    for plan in plans() {
        for first in 0..24 {
            for second in first..24 {
                for (one, other) in TROUBLE.into_iter().flat_map(|a| TROUBLE.map(|b| (a, b))) {
                    if first == second && one == other {
                        continue;
                    }
                    let mut model = Model::new(plan, &[(first, one), (second, other)]);
                    let outcome = run(&mut model);
                    settled(&model, outcome);
                    count += 1;
                    // Without further trouble a second attempt cleans up, and a third releases.
                    model.trouble.clear();
                    if matches!(outcome, Outcome::Stuck | Outcome::Leftovers) {
                        stuck += usize::from(outcome == Outcome::Stuck);
                        let machine = Machine::resume(plan, model.recorded, model.live == Side::New);
                        let reached = model.recorded;
                        let (outcome, _) = block_on(drive(machine, reached, &mut model));
                        assert!(matches!(outcome, Outcome::Released | Outcome::Undone), "{model:?}");
                        settled(&model, outcome);
                        model.forget();
                    }
                    if model.live == Side::Old {
                        assert_eq!(run(&mut model), Outcome::Released, "{model:?}");
                        settled(&model, Outcome::Released);
                    }
                }
            }
        }
    }
    assert!(count > 50_000 && stuck > 0 && stuck < count / 5, "{stuck} of {count} end stuck");
}

#[test]
fn nobody_interrupts_what_cannot_be_undone() {
    for plan in plans() {
        let mut machine = Machine::new(plan);
        let mut seen = Vec::new();
        while let Ok(Action::Step(step)) = machine.next() {
            seen.push((step, machine.can_be_interrupted()));
            machine.done(true);
        }
        let (before, after): (Vec<_>, Vec<_>) = seen.into_iter().partition(|(_, may)| *may);
        assert_eq!(after.first().map(|(step, _)| *step), Some(Step::Commit));
        assert!(before.iter().any(|(step, _)| *step == Step::Settle));
    }
}
