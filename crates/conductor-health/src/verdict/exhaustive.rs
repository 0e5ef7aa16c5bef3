//! The state machines, by exhaustion: every state that any sequence of events can lead to.
//!
//! States that differ only in how often something happened, or in which of two equal members it
//! happened to, count as one, so that their number is finite.

use super::world::{ALONE, Happens, TOGETHER, World, seconds};
use super::*;
use proptest::prelude::*;
use std::collections::{HashSet, VecDeque};

/// Visits every state that any sequence of events leads to, and in each lets everything happen; with
/// `states`, the first so many, nearest to the beginning first. Returns how many there were.
fn explore(start: &World, events: &[Happens], states: usize) -> usize {
    let mut seen = HashSet::from([start.key()]);
    let mut open = VecDeque::from([start.clone()]);
    while let Some(world) = open.pop_front() {
        world.judge_liveness();
        for at in 0..world.members() {
            for happens in events {
                let mut next = world.clone();
                if next.step(at, *happens) && seen.len() < states && seen.insert(next.key()) {
                    open.push_back(next);
                }
            }
        }
    }
    seen.len()
}

const POLICY: Policy = Policy {
    unhealthy_after: 1,
    healthy_after: 1,
    start_within: Duration::ZERO,
    kill_grace: seconds(3),
    stable_for: None,
    max_hold: seconds(2),
    act: true,
};

const LIMITS: Limits = Limits {
    max_unavailable: 1,
    recover_within: seconds(12),
    burst: 100,
    every: Duration::ZERO,
    max_pressure: Pressure(8000),
};

#[test]
fn no_sequence_of_events_breaks_the_promises_about_one_target() {
    for (unhealthy_after, healthy_after, start, stable, act, most) in [
        (1, 1, 0, None, true, usize::MAX),
        (2, 2, 0, None, true, 10_000),
        (3, 1, 0, None, true, 10_000),
        (2, 1, 0, Some(3), false, 10_000),
        (1, 2, 2, Some(2), true, 10_000),
    ] {
        let policy = Policy {
            unhealthy_after,
            healthy_after,
            start_within: seconds(start),
            stable_for: stable.map(seconds),
            act,
            ..POLICY
        };
        let states = explore(&World::new(1, policy, LIMITS), ALONE, most);
        assert!(states > 100, "only {states} states: the model is broken");
        println!("{unhealthy_after}/{healthy_after}: {states} states");
    }
}

/// All states of several members are millions; nearest to the beginning are those that matter.
#[test]
fn no_sequence_of_events_ends_too_many_at_once() {
    let rare = Limits { burst: 1, every: seconds(12), ..LIMITS };
    for (members, limits, most) in [
        (2, LIMITS, 8_000),
        (2, Limits { max_unavailable: 2, ..LIMITS }, 4_000),
        (2, rare, 4_000),
        (3, LIMITS, 4_000),
        (3, Limits { max_unavailable: 2, ..LIMITS }, 4_000),
    ] {
        let states = explore(&World::new(members, POLICY, limits), TOGETHER, most);
        assert!(states > 1000, "only {states} states: the model is broken");
        println!("{members} members, {limits:?}: {states} states");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]

    /// Far from the beginning, too, where there are too many states to visit all.
    #[test]
    fn no_long_story_ends_too_many_at_once(
        most in 1_u32..4,
        story in proptest::collection::vec((0_usize..4, 0..TOGETHER.len()), 0..400),
    ) {
        let mut world = World::new(4, POLICY, Limits { max_unavailable: most, ..LIMITS });
        for (at, happens) in story {
            world.step(at, TOGETHER[happens]);
        }
        world.judge_liveness();
    }
}
