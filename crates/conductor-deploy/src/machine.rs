//! What a deploy does next: a pure state machine.
//!
//! Steps follow each other up to the commit, which is one rename. Whatever goes wrong before it is undone, in reverse
//! order and beginning with the step that failed, because that may be half done. After it there is no way back but
//! another deploy: what goes wrong then is told, and the rest is done all the same.
//!
//! A release may come in by stages ([`Stages`]): in the dark, then as a canary, then as a whole. Where somebody has to
//! say that it goes on, the machine ends as [`Outcome::Waiting`], and [`Machine::promote`] is where it goes on.
//!
//! Before each action the machine's place is recorded, so that whoever comes after a kill or a power cut finishes what
//! was begun: forward if the commit has happened, and back otherwise. So every action must be one that may be repeated.

use conductor_definition::{Promotion, Strategy};
use serde::{Deserialize, Serialize};

use crate::stage::{Stage, Stages};

/// A step towards the new release.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Step {
    /// Writes the release into the free slot.
    Freeze,
    /// Has systemd read its units.
    Load,
    /// Has a unit of its own stand by, which finishes what is begun should its command be killed.
    Guard,
    /// Runs the command that comes before a release.
    Before,
    /// Stops the release that is live.
    StopOld,
    /// Lets the new release stand in for the live one until the next boot.
    Trial,
    /// Starts the instances of the first stage; ends when all of them are healthy.
    StartCanary,
    /// Watches those for a time.
    SettleCanary,
    /// Has the proxy pass on to them what asks for them, and nothing else.
    Dark,
    /// Leaves the release in the dark, until somebody says that it goes on.
    HoldDark,
    /// Has the proxy pass a share of the requests on to them.
    Share,
    /// Watches them while they have their share.
    BakeCanary,
    /// Leaves them their share, until somebody says that it goes on.
    HoldCanary,
    /// Starts the instances; ends when all of them are healthy.
    Start,
    /// Watches them for a time.
    Settle,
    /// Has the proxy pass requests on to them.
    Switch,
    /// Shows that they reach its instances through the proxy.
    Verify,
    /// Watches them while the old release could still take over again.
    Bake,
    /// Makes the new release the live one.
    Commit,
    /// Has systemd learn which one is live.
    Adopt,
    /// Waits until nobody uses the old release any more.
    Drain,
    /// Removes releases that are too old to be kept.
    Prune,
}

/// Takes a step back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Undo {
    /// Makes the old release the live one: a commit that failed may have happened.
    Uncommit,
    /// Has the proxy pass requests on to the old release, and waits until nobody uses the new one.
    SwitchBack,
    /// Stops the new release.
    StopNew,
    /// Lets the live release be the live one.
    EndTrial,
    /// Starts the old release.
    StartOld,
    /// Ends the command that comes before.
    EndBefore,
    /// Puts what was in the slot back, and has systemd read its units.
    Restore,
}

/// Something to be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// Forward.
    Step(Step),
    /// Back.
    Undo(Undo),
}

impl Action {
    /// Whether a power cut leaves something of it: files that are read at boot. Everything else, such as what runs and
    /// where requests go, is gone with `/run`, and so nobody has to know that it was begun.
    pub fn outlasts_a_boot(self) -> bool {
        match self {
            Self::Step(step) => matches!(step, Step::Freeze | Step::Commit | Step::Prune),
            Self::Undo(undo) => matches!(undo, Undo::Uncommit | Undo::Restore),
        }
    }
}

/// How a deploy ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// The new release is live.
    Released,
    /// It is live, and something of the old one is left: a further attempt clears it away first.
    Leftovers,
    /// The new release is in a stage, and somebody has to say whether it goes on.
    Waiting,
    /// Everything is as it was.
    Undone,
    /// Not everything could be undone: somebody has to look, and a further attempt goes on from here.
    Stuck,
}

impl Outcome {
    /// Whether the new release is live.
    pub fn is_live(self) -> bool {
        matches!(self, Self::Released | Self::Leftovers)
    }

    /// Whether nothing is left to be done.
    pub fn is_clean(self) -> bool {
        matches!(self, Self::Released | Self::Undone)
    }
}

/// What kind of deploy it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Plan {
    /// How the new release takes over.
    pub strategy: Strategy,
    /// Whether a command comes before it.
    pub before: bool,
    /// Whether there is a proxy.
    pub proxy: bool,
    /// By which stages the release comes in; only blue-green and with a proxy.
    pub stages: Stages,
}

impl Plan {
    /// The steps, in their order.
    pub fn steps(self) -> Vec<Step> {
        let Self { strategy, before, proxy, stages: Stages { dark, canary, bake } } = self;
        let all: &[Step] = match strategy {
            Strategy::BlueGreen => &[
                Step::Freeze,
                Step::Load,
                Step::Guard,
                Step::Before,
                Step::StartCanary,
                Step::SettleCanary,
                Step::Dark,
                Step::HoldDark,
                Step::Share,
                Step::BakeCanary,
                Step::HoldCanary,
                Step::Start,
                Step::Settle,
                Step::Switch,
                Step::Verify,
                Step::Bake,
                Step::Commit,
                Step::Drain,
                Step::StopOld,
                Step::Adopt,
                Step::Prune,
            ],
            Strategy::Recreate => &[
                Step::Freeze,
                Step::Before,
                Step::StopOld,
                Step::Trial,
                Step::Start,
                Step::Settle,
                Step::Commit,
                Step::Adopt,
                Step::Prune,
            ],
        };
        let wanted = |step: &Step| match step {
            Step::Guard => proxy && (dark || canary.is_some() || bake),
            Step::Before => before,
            Step::Switch | Step::Verify | Step::Drain => proxy,
            Step::StartCanary | Step::SettleCanary => proxy && (dark || canary.is_some()),
            Step::Dark | Step::HoldDark => proxy && dark,
            Step::Share => proxy && canary.is_some(),
            Step::BakeCanary => proxy && canary == Some(Promotion::Auto),
            Step::HoldCanary => proxy && canary == Some(Promotion::Manual),
            Step::Bake => proxy && bake,
            _ => true,
        };
        all.iter().copied().filter(wanted).collect()
    }
}

impl Step {
    fn undo(self) -> Option<Undo> {
        match self {
            Self::Freeze => Some(Undo::Restore),
            Self::Before => Some(Undo::EndBefore),
            Self::StopOld => Some(Undo::StartOld),
            Self::Trial => Some(Undo::EndTrial),
            Self::StartCanary | Self::Start => Some(Undo::StopNew),
            Self::Dark | Self::Share | Self::Switch => Some(Undo::SwitchBack),
            Self::Commit => Some(Undo::Uncommit),
            Self::Load
            | Self::Guard
            | Self::SettleCanary
            | Self::HoldDark
            | Self::BakeCanary
            | Self::HoldCanary
            | Self::Settle
            | Self::Verify
            | Self::Bake
            | Self::Adopt
            | Self::Drain
            | Self::Prune => None,
        }
    }

    /// The stage in which a release waits after this.
    pub fn holds(self) -> Option<Stage> {
        match self {
            Self::HoldDark => Some(Stage::Dark),
            Self::HoldCanary => Some(Stage::Canary),
            _ => None,
        }
    }
}

/// Where a deploy is.
#[derive(Debug, Clone)]
pub struct Machine {
    steps: Vec<Step>,
    /// How many steps were begun.
    begun: usize,
    state: State,
}

#[derive(Debug, Clone)]
enum State {
    /// Whether all went well since the commit.
    Forward {
        clean: bool,
    },
    /// What is still to be undone, the next one last; and whether all of it could be so far.
    Back {
        left: Vec<Undo>,
        clean: bool,
    },
    Ended(Outcome),
}

impl Machine {
    /// At the beginning.
    pub fn new(plan: Plan) -> Self {
        Self { steps: plan.steps(), begun: 0, state: State::Forward { clean: true } }
    }

    /// Where a deploy was interrupted that had begun `reached`. `committed` is whether its release is live.
    pub fn resume(plan: Plan, reached: Option<Step>, committed: bool) -> Self {
        let steps = plan.steps();
        let place = |wanted: Step| steps.iter().position(|step| *step == wanted);
        let after = |step| place(step).map_or(0, |at| at + 1);
        if committed {
            return Self { begun: after(Step::Commit), steps, state: State::Forward { clean: true } };
        }
        let begun = reached.map_or(0, after);
        let mut machine = Self { steps, begun, state: State::Forward { clean: true } };
        machine.go_back();
        machine
    }

    /// Where a release goes on that waits in a stage; nothing if the plan has no such stage.
    pub fn promote(plan: Plan, stage: Stage) -> Option<Self> {
        let steps = plan.steps();
        let held = steps.iter().position(|step| step.holds() == Some(stage))?;
        Some(Self { steps, begun: held + 1, state: State::Forward { clean: true } })
    }

    /// What is to be done now, or how it ended.
    pub fn next(&self) -> Result<Action, Outcome> {
        match &self.state {
            State::Ended(outcome) => Err(*outcome),
            State::Forward { clean } => match (self.steps.get(self.begun), clean) {
                (Some(step), _) => Ok(Action::Step(*step)),
                (None, true) => Err(Outcome::Released),
                (None, false) => Err(Outcome::Leftovers),
            },
            State::Back { left, clean } => match (left.last(), clean) {
                (Some(undo), _) => Ok(Action::Undo(*undo)),
                (None, true) => Err(Outcome::Undone),
                (None, false) => Err(Outcome::Stuck),
            },
        }
    }

    /// Whether a request to end is followed now: then as if the step had failed.
    pub fn can_be_interrupted(&self) -> bool {
        matches!(self.next(), Ok(Action::Step(step)) if step != Step::Commit) && !self.is_committed()
    }

    /// Whether the commit is behind us.
    pub fn is_committed(&self) -> bool {
        let commit = self.steps.iter().position(|step| *step == Step::Commit);
        matches!(self.state, State::Forward { .. }) && commit.is_some_and(|at| self.begun > at)
    }

    /// Takes down how [`Self::next`] went.
    pub fn done(&mut self, success: bool) {
        match self.next() {
            Err(_) => {}
            Ok(Action::Step(step)) => {
                let committed = self.is_committed();
                self.begun += 1;
                match &mut self.state {
                    State::Forward { clean } if committed => *clean &= success,
                    _ if !success => self.go_back(),
                    state if step.holds().is_some() => *state = State::Ended(Outcome::Waiting),
                    _ => {}
                }
            }
            Ok(Action::Undo(undo)) => {
                if let State::Back { left, clean } = &mut self.state {
                    left.pop();
                    *clean &= success;
                }
                // Nobody knows which one is live, or who gets the requests: both releases go on.
                if !success && matches!(undo, Undo::Uncommit | Undo::SwitchBack) {
                    self.state = State::Ended(Outcome::Stuck);
                }
            }
        }
    }

    /// Several stages have one way back, which is gone once and as late as the first of them says: what they started is
    /// stopped only when the last of them has given its requests back.
    fn go_back(&mut self) {
        let mut left = Vec::new();
        for undo in self.steps.iter().take(self.begun).filter_map(|step| step.undo()) {
            if !left.contains(&undo) {
                left.push(undo);
            }
        }
        self.state = State::Back { left, clean: true };
    }
}
