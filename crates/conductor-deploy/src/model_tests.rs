//! Every way a deploy can go, in a world without systemd: whatever fails and whenever it is killed, exactly one release
//! serves afterwards, and running it again succeeds.

use std::collections::BTreeSet;
use std::future::Future;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use conductor_definition::{Promotion, Strategy};

use crate::drive::{World, drive};
use crate::{Action, Failure, Machine, Outcome, Plan, Stage, Stages, Step, Undo};

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
    /// Whether only some instances of the new release run.
    in_part: bool,
    /// Who gets requests.
    traffic: BTreeSet<Side>,
    /// Whether the proxy knows a way to the new release in the dark.
    door: bool,
    /// Whether a guard looks after it: a unit of its own, which kills do not end.
    guarded: bool,
    live: Side,
    /// Which one systemd would start, as far as it has read.
    known: Side,
    trial: bool,
    slot_has_new: bool,
    before_runs: bool,
    recorded: Option<Step>,
    /// What is recorded on disk.
    on_disk: Option<Step>,
    waits: Option<Stage>,
    /// Whether a release that waits is let go on, or taken back.
    promotes: bool,
    count: usize,
    trouble: Vec<(usize, Trouble)>,
    dead: bool,
    log: Vec<Action>,
}

impl Model {
    fn new(plan: Plan, trouble: &[(usize, Trouble)]) -> Self {
        Self {
            plan,
            running: [Side::Old].into(),
            in_part: false,
            traffic: [Side::Old].into(),
            door: false,
            guarded: false,
            live: Side::Old,
            known: Side::Old,
            trial: false,
            slot_has_new: false,
            before_runs: false,
            recorded: None,
            on_disk: None,
            waits: None,
            promotes: true,
            count: 0,
            trouble: trouble.to_vec(),
            dead: false,
            log: Vec::new(),
        }
    }

    /// It has come to its end.
    fn forget(&mut self) {
        (self.recorded, self.on_disk) = (None, None);
        self.guarded = false;
    }

    /// What the live link says comes up, and the proxy's configuration is made from it; /run is empty.
    fn reboot(&mut self) {
        self.trial = false;
        self.known = self.live;
        self.before_runs = false;
        self.running = [self.live].into();
        self.recorded = self.on_disk;
        self.in_part = false;
        self.traffic = [self.live].into();
        self.door = false;
        self.guarded = false;
        self.dead = true;
    }

    fn act(&mut self, action: Action) {
        match action {
            Action::Step(Step::Freeze) => self.slot_has_new = true,
            Action::Step(Step::Guard) => self.guarded = true,
            Action::Step(Step::Before) | Action::Undo(Undo::EndBefore) => self.before_runs = false,
            Action::Step(Step::StopOld) => {
                self.running.remove(&Side::Old);
            }
            Action::Step(Step::Trial) => {
                self.trial = true;
                self.known = Side::New;
            }
            Action::Step(step @ (Step::StartCanary | Step::Start)) => {
                assert!(self.slot_has_new, "what is started is there");
                let is_first = self.running.insert(Side::New);
                self.in_part = step == Step::StartCanary && (is_first || self.in_part);
            }
            Action::Step(Step::Dark) => {
                self.door = true;
                self.traffic = [Side::Old].into();
            }
            Action::Step(Step::Share) => {
                self.door = false;
                self.traffic = [Side::Old, Side::New].into();
            }
            Action::Step(step @ (Step::HoldDark | Step::HoldCanary)) => {
                self.waits = step.holds();
                self.on_disk = Some(step);
            }
            Action::Step(Step::Switch) => {
                self.door = false;
                self.traffic = [Side::New].into();
            }
            Action::Step(Step::Commit) => self.live = Side::New,
            Action::Step(Step::Adopt) => {
                self.trial = false;
                self.known = self.live;
                self.running.insert(Side::New);
            }
            Action::Undo(Undo::Uncommit) => self.live = Side::Old,
            Action::Undo(Undo::SwitchBack) => {
                self.door = false;
                self.traffic = [Side::Old].into();
            }
            Action::Undo(Undo::StopNew) => {
                self.running.remove(&Side::New);
                self.in_part = false;
            }
            Action::Undo(Undo::EndTrial) => {
                self.trial = false;
                self.known = self.live;
            }
            Action::Undo(Undo::StartOld) => {
                self.running.insert(Side::Old);
            }
            Action::Undo(Undo::Restore) => self.slot_has_new = false,
            Action::Step(
                Step::Load
                | Step::SettleCanary
                | Step::BakeCanary
                | Step::Settle
                | Step::Verify
                | Step::Bake
                | Step::Drain
                | Step::Prune,
            ) => {}
        }
        self.check();
    }

    /// What holds at every moment.
    fn check(&self) {
        let log = &self.log;
        if self.plan.strategy == Strategy::BlueGreen {
            if self.plan.proxy {
                assert!(self.traffic.is_subset(&self.running), "requests go to nobody: {self:?}");
                assert!(!self.door || self.running.contains(&Side::New), "a door leads nowhere: {self:?}");
                let only_new = self.traffic == [Side::New].into();
                assert!(!only_new || !self.in_part, "all requests go to a part of the release: {self:?}");
            }
            assert!(self.running.contains(&self.live), "the live release does not run: {log:?}");
        }
        let uncommitted = self.live == Side::Old && (self.door || self.traffic.contains(&Side::New));
        if self.plan.stages != Stages::default() {
            assert!(!uncommitted || self.guarded, "nobody is there if it is killed now: {self:?}");
        }
        if self.live == Side::New {
            assert!(!self.in_part, "a part of a release is live: {log:?}");
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
            self.log.push(action);
            self.recorded = reached;
            let waited = self.waits.take().is_some();
            if waited || action.outlasts_a_boot() {
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

/// Runs it, again after each kill, as whoever deploys next would. What waits is let go on or taken back, as the model
/// says.
fn run(model: &mut Model) -> Outcome {
    let mut machine = Machine::new(model.plan);
    loop {
        let reached = model.recorded;
        let (outcome, _) = block_on(drive(machine, reached, model));
        if !std::mem::replace(&mut model.dead, false) {
            if outcome == Outcome::Waiting {
                machine = model.goes_on();
                continue;
            }
            if matches!(outcome, Outcome::Released | Outcome::Undone) {
                model.forget();
            }
            return outcome;
        }
        machine = Machine::resume(model.plan, model.recorded, model.live == Side::New);
    }
}

impl Model {
    /// What becomes of a release that waits.
    fn goes_on(&mut self) -> Machine {
        let stage = self.waits.unwrap_or_else(|| panic!("it waits in no stage: {self:?}"));
        assert_eq!(self.live, Side::Old, "{self:?}");
        let (shown, door) = match stage {
            Stage::Dark => ([Side::Old].into(), true),
            Stage::Canary => ([Side::Old, Side::New].into(), false),
        };
        assert_eq!((&self.traffic, self.door), (&shown, door), "{self:?}");
        let Some(machine) = Machine::promote(self.plan, stage).filter(|_| self.promotes) else {
            return Machine::resume(self.plan, self.recorded, false);
        };
        machine
    }
}

fn plans() -> impl Iterator<Item = Plan> {
    let flags = [false, true];
    let no = Stages::default();
    let plain = [Strategy::BlueGreen, Strategy::Recreate].into_iter().flat_map(move |strategy| {
        flags.into_iter().flat_map(move |before| {
            flags.into_iter().map(move |proxy| Plan { strategy, before, proxy, stages: no })
        })
    });
    let stages = flags.into_iter().flat_map(move |dark| {
        [None, Some(Promotion::Auto), Some(Promotion::Manual)]
            .into_iter()
            .flat_map(move |canary| flags.into_iter().map(move |bake| Stages { dark, canary, bake }))
    });
    let in_steps = stages.filter(move |stages| *stages != no).map(|stages| Plan {
        strategy: Strategy::BlueGreen,
        before: false,
        proxy: true,
        stages,
    });
    plain.chain(in_steps)
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
                    || model.traffic == [Side::New].into()
                    || !model.plan.steps().contains(&Step::Switch)
            );
            return;
        }
        Outcome::Stuck => return,
        Outcome::Waiting => panic!("it waits: {model:?}"),
    };
    let proxied = model.plan.proxy && model.plan.strategy == Strategy::BlueGreen;
    assert_eq!((model.live, model.known), (side, side), "{model:?}");
    assert!(!proxied || model.traffic == [side].into(), "{model:?}");
    assert!(!model.door && !model.in_part, "{model:?}");
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
    for (plan, promotes) in plans().flat_map(|plan| [(plan, true), (plan, false)]) {
        if !promotes && !plan.steps().iter().any(|step| step.holds().is_some()) {
            continue;
        }
        // Beyond that nothing is left of the longest way there and back.
        let moments = plan.steps().len() + 8;
        for first in 0..moments {
            for second in first..moments {
                for (one, other) in TROUBLE.into_iter().flat_map(|a| TROUBLE.map(|b| (a, b))) {
                    if first == second && one == other {
                        continue;
                    }
                    let mut model = Model::new(plan, &[(first, one), (second, other)]);
                    model.promotes = promotes;
                    let outcome = run(&mut model);
                    settled(&model, outcome);
                    count += 1;
                    model.promotes = true;
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
    assert!(count > 200_000 && stuck > 0 && stuck < count / 5, "{stuck} of {count} end stuck");
}

#[test]
fn nobody_interrupts_what_cannot_be_undone() {
    for plan in plans() {
        let mut machine = Machine::new(plan);
        let mut seen = Vec::new();
        loop {
            match machine.next() {
                Ok(Action::Step(step)) => {
                    seen.push((step, machine.can_be_interrupted()));
                    machine.done(true);
                }
                Err(Outcome::Waiting) => {
                    let stage = seen.last().and_then(|(step, _)| step.holds()).unwrap();
                    machine = Machine::promote(plan, stage).unwrap();
                }
                _ => break,
            }
        }
        let (before, after): (Vec<_>, Vec<_>) = seen.into_iter().partition(|(_, may)| *may);
        assert_eq!(after.first().map(|(step, _)| *step), Some(Step::Commit));
        assert!(before.iter().any(|(step, _)| *step == Step::Settle));
    }
}

#[test]
fn stages_come_one_after_the_other() {
    let stages = |dark, canary, bake| Plan {
        strategy: Strategy::BlueGreen,
        before: false,
        proxy: true,
        stages: Stages { dark, canary, bake },
    };
    let words = |plan: Plan| plan.steps().iter().map(|step| step.word()).collect::<Vec<_>>().join(" ");
    let end = "commit drain stop-old adopt prune";
    assert_eq!(
        words(stages(true, Some(Promotion::Manual), true)),
        format!(
            "freeze load guard start-canary settle-canary dark hold-dark share hold-canary start settle switch verify bake {end}"
        )
    );
    assert_eq!(
        words(stages(false, Some(Promotion::Auto), false)),
        format!(
            "freeze load guard start-canary settle-canary share bake-canary start settle switch verify {end}"
        )
    );
    assert_eq!(words(stages(false, None, false)), format!("freeze load start settle switch verify {end}"));
    assert!(Machine::promote(stages(true, None, false), Stage::Canary).is_none(), "it was never one");
    let without = Plan { proxy: false, ..stages(true, Some(Promotion::Auto), true) };
    assert_eq!(
        words(without),
        "freeze load start settle commit stop-old adopt prune",
        "nobody could show it"
    );
}

#[test]
fn a_stage_waits_on_disk_and_is_gone_after_a_boot() {
    let stages = Stages { dark: true, canary: Some(Promotion::Manual), bake: true };
    let plan = Plan { strategy: Strategy::BlueGreen, before: true, proxy: true, stages };
    let mut model = Model::new(plan, &[]);
    let drive_on = |machine, model: &mut Model| {
        let reached = model.recorded;
        block_on(drive(machine, reached, model)).0
    };
    assert_eq!(drive_on(Machine::new(plan), &mut model), Outcome::Waiting);
    assert_eq!((model.waits, model.recorded), (Some(Stage::Dark), Some(Step::HoldDark)));
    let machine = model.goes_on();
    assert_eq!(drive_on(machine, &mut model), Outcome::Waiting);
    assert_eq!(model.waits, Some(Stage::Canary));
    model.reboot();
    model.dead = false;
    assert_eq!((model.running.clone(), model.traffic.clone()), ([Side::Old].into(), [Side::Old].into()));
    let machine = Machine::resume(plan, model.recorded, false);
    assert_eq!(drive_on(machine, &mut model), Outcome::Undone);
    settled(&model, Outcome::Undone);
}
