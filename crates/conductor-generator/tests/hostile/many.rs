//! Very many files.

use std::fs;
use std::time::{Duration, Instant};

use crate::machine::Machine;

/// For a build that is not optimised, on a machine that does other things besides.
const SOON: Duration = Duration::from_secs(120);

/// More than are read at once, so that they are shared out among threads.
const MANY: usize = 2_000;

fn soon<T>(what: &str, work: impl FnOnce() -> T) -> T {
    let started = Instant::now();
    let result = work();
    assert!(started.elapsed() < SOON, "{what} takes {:?}", started.elapsed());
    result
}

#[test]
fn drop_ins_of_nothing() {
    let machine = Machine::new();
    for number in 0..MANY {
        machine.define(&format!("number-{number:05}"), "image = 'a:1'");
        let directory = machine.services().join(format!("numbex-{number:05}.toml.d"));
        fs::create_dir(&directory).unwrap();
        fs::write(directory.join("10.toml"), "#").unwrap();
    }
    let run = soon("comparing names", || machine.run_beside_web());
    assert_eq!((run.status, run.log.len()), (Some(0), 0), "{:?}", run.log.first());
}

#[test]
fn circles() {
    for (name, others) in [
        ("own", (|number| vec![number]) as fn(usize) -> Vec<usize>),
        ("pairs", |number| vec![number ^ 1]),
        ("ring", |number| vec![(number + 1) % MANY]),
        ("web of them", |number| (0..50).map(|more| (number * 7 + more * 31) % MANY).collect()),
    ] {
        let machine = Machine::new();
        for number in 0..MANY {
            let others: Vec<String> = others(number).iter().map(|other| format!("\"k{other}\"")).collect();
            machine.define(&format!("k{number}"), format!("image = 'a:1'\nafter = [{}]", others.join(", ")));
        }
        let said = soon(name, || machine.refusal());
        assert!(said.len() <= 1001, "{name}: {}", said.len());
        assert!(said[0].contains("services wait for each other: "), "{name}: {}", said[0]);
    }
}

#[test]
fn broken_ones() {
    let machine = Machine::new();
    let key = |number| format!("k{number} = 1\n");
    let text: String = (0..100).map(key).collect();
    for number in 0..200 {
        machine.define(&format!("k{number}"), &text);
    }
    let said = soon("broken definitions", || machine.refusal());
    assert_eq!(said.len(), 1001);
    assert_eq!(
        said[1000],
        format!("{} more errors are not shown here: run `conductor check`", 200 * 64 - 1000)
    );
}

#[test]
fn deep_ones_in_threads() {
    let machine = Machine::new();
    let dotted = "a.".repeat(78) + "a";
    let deep = format!("[{dotted}]\na = {}'${{image}}'{}", format!("{{{dotted}=").repeat(78), "}".repeat(78));
    for number in 0..300 {
        machine.define(&format!("k{number}"), &deep);
    }
    assert_eq!(machine.refusal().len(), 300);
}

#[test]
fn drop_ins_that_are_long() {
    let machine = Machine::new();
    machine.define("bad", "image = 'bad:1'");
    let directory = machine.services().join("bad.toml.d");
    fs::create_dir(&directory).unwrap();
    let variable = |number| format!("K{number} = 'x'\n");
    let text: String = (0..30_000).map(variable).collect();
    for number in 0..100 {
        fs::write(directory.join(format!("{number:02}.toml")), format!("[environment]\n{text}")).unwrap();
    }
    let said = soon("long drop-ins", || machine.refusal());
    assert!(
        said[0].starts_with("bad.toml.d/02.toml: with this drop-in the definition is longer than 1 MiB"),
        "{}",
        said[0]
    );
    assert_eq!(said.len(), 98);
}
