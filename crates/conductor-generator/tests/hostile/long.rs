//! Definitions of 1 MiB in which something happens very often: they end in a few lines, soon, and with little memory.

use std::fmt::Write as _;
use std::time::{Duration, Instant};

use crate::machine::Machine;

/// As long as a definition may be.
const LONGEST: usize = 1 << 20;

/// For a build that is not optimised, on a machine that does other things besides. Before there were bounds some took
/// an hour.
const SOON: Duration = Duration::from_secs(600);

/// Bytes of what is written for one definition, at the most.
const MOST_WRITTEN: usize = 16 << 20;

/// A beginning, and as many pieces as fit.
fn many(begin: &str, piece: impl Fn(usize) -> String) -> String {
    let mut text = begin.to_owned();
    for number in 0.. {
        let piece = piece(number);
        if text.len() + piece.len() > LONGEST - 4 {
            break;
        }
        text.push_str(&piece);
    }
    text
}

fn repeated(piece: &str) -> String {
    many("", |_| piece.to_owned())
}

/// Runs it; says how many lines are said, and how much is written.
fn run(name: &str, text: &str) -> (Vec<String>, usize) {
    assert!(text.len() <= LONGEST, "{name}: {}", text.len());
    let machine = Machine::new();
    machine.define("bad", text);
    let started = Instant::now();
    let run = machine.run_beside_web();
    assert!(started.elapsed() < SOON, "{name} takes {:?}", started.elapsed());
    assert_eq!(run.status, Some(i32::from(!run.log.is_empty())), "{name}: {:?}", run.log.first());
    let written: usize = run.units.values().map(String::len).sum();
    assert!(written <= MOST_WRITTEN, "{name}: {written} bytes");
    (run.log, written)
}

#[test]
fn syntax_that_does_not_end() {
    for piece in [
        "= ",
        "[",
        "]",
        "{",
        "}",
        "\"",
        "'",
        "\"\"\"",
        "a.",
        "a=",
        "a=1\n",
        "a=[",
        "a={",
        "[a]\n",
        "[[a]]\n",
        "[[a]]\n[[a.b]]\n",
        "\\",
        "#\n",
        ",",
        "\u{feff}",
        "é",
    ] {
        let (said, _) = run(piece, &repeated(piece));
        assert!((1..=64).contains(&said.len()) || piece == "#\n", "{piece}: {} lines", said.len());
    }
}

#[test]
fn depth_that_does_not_end() {
    let half = |open: &str, close: &str| {
        let times = (LONGEST - 100) / (open.len() + close.len());
        format!("a = {}1{}", open.repeat(times), close.repeat(times))
    };
    let dotted = "a.".repeat(78) + "a";
    for (name, text) in [
        ("lists", half("[", "]")),
        ("tables", half("{a=", "}")),
        ("both", half("[{a=", "}]")),
        ("keys", format!("{}=1", "a.".repeat(LONGEST / 2 - 4) + "a")),
        ("headings", format!("[{}]", "a.".repeat(LONGEST / 2 - 4) + "a")),
        ("keys in tables", half(&format!("{{{dotted}="), "}")),
        ("keys in tables under a heading", format!("[{dotted}]\n{}", half(&format!("{{{dotted}="), "}"))),
        ("keys in tables in lists", half(&format!("[{{{dotted}="), "}]")),
        (
            "as many as there may be of either",
            format!("[{dotted}]\n{dotted} = {}'${{image}}'{}", "[".repeat(79), "]".repeat(79)),
        ),
    ] {
        let (said, _) = run(name, &text);
        assert!((1..=2).contains(&said.len()), "{name}: {said:?}");
    }
}

#[test]
fn mistakes_that_do_not_end() {
    let image = "image = \"bad:1\"\n";
    for (name, text) in [
        ("unknown keys", many(image, |n| format!("k{n} = 1\n"))),
        ("unknown tables", many(image, |n| format!("[k{n}]\n"))),
        ("names", many(&format!("{image}[environment]\n"), |n| format!("\"{n} x\" = ''\n"))),
        ("types", many(&format!("{image}[environment]\n"), |n| format!("K{n} = {n}\n"))),
        ("addresses", many(&format!("{image}[extra-hosts]\n"), |n| format!("k{n} = 'x'\n"))),
        ("limits", many(&format!("{image}[ulimits]\n"), |n| format!("k{n} = 1\n"))),
        ("inner keys", many(&format!("{image}[secrets]\n"), |n| format!("k{n} = {{ path = '/', z = 1 }}\n"))),
        ("missing keys", many(image, |_| "[[volumes]]\n".to_owned())),
        ("missing services", many(&format!("{image}requires = ["), |n| format!("'k{n}',")) + "]"),
        ("dollars", many("a = '", |_| "$ ".to_owned()) + "'"),
        ("escaped dollars", many("a = \"", |_| "\\u0024 ".to_owned()) + "\""),
        ("references", many("a = '", |n| format!("${{k{n}}}")) + "'"),
        ("references to much", format!("a = '{}'\nb = '{}'", "x".repeat(1000), "${a}".repeat(200_000))),
        (
            "slips",
            (0..64).fold(many("", |n| format!("k{n:06} = ''\n")).split_off(4096), |mut text, n| {
                writeln!(text, "z{n} = '${{k{n:05}x}}'").unwrap();
                text
            }),
        ),
        ("ports", many(image, |n| format!("[[ports]]\ncontainer = 80\nhost = {}\n", n + 1))),
    ] {
        let (said, written) = run(name, &text);
        assert!((1..=130).contains(&said.len()), "{name}: {} lines", said.len());
        assert!(written < 1 << 20, "{name}: {written} bytes of a stub");
    }
}

#[test]
fn much_of_everything() {
    let image = "image = \"bad:1\"\n";
    let ports = |instances: u32, port: &dyn Fn(usize) -> String| {
        many(&format!("{image}instances = {instances}\n"), |n| {
            format!("[[ports]]\ncontainer = {}\n", port(n))
        })
    };
    let address = |n: usize| format!("address = '127.1.{}.{}'", n / 256 % 256, n % 256);
    for (name, text) in [
        ("variables", many(&format!("{image}[environment]\n"), |n| format!("K{n} = '%'\n"))),
        ("labels", many(&format!("{image}[labels]\n"), |n| format!("k{n} = '$'\n"))),
        ("words", many(&format!("{image}command = ["), |_| "'',".to_owned()) + "]"),
        ("units", many(&format!("{image}after = ["), |n| format!("'{n}.service',")) + "]"),
        ("patterns", many(&format!("{image}hosts = ["), |_| "'*',".to_owned()) + "]"),
        ("secrets", many(&format!("{image}[secrets]\n"), |n| format!("k{n} = '/'\n"))),
        ("volumes", many(image, |n| format!("[[volumes]]\nsource = '/'\ntarget = '/{n}'\n"))),
        ("directives", many(&format!("{image}[systemd.unit]\nX = ["), |_| "1,".to_owned()) + "]"),
        ("addresses", ports(1000, &|n| format!("80\nhost = 1\n{}", address(n)))),
        ("ranges", ports(1, &|n| format!("'1-65535'\nhost = 1\n{}", address(n)))),
        ("ranges of instances", ports(1000, &|n| format!("'1-65'\nhost = 1\n{}", address(n)))),
        ("all ports", format!("{image}[[ports]]\ncontainer = '1-65535'\nhost = 1\n")),
        (
            "all ports of instances",
            format!("{image}instances = 1000\n[[ports]]\ncontainer = '1-65'\nhost = 1\n"),
        ),
        (
            "a path asked of all instances",
            format!(
                "{image}instances = 1000\n[[ports]]\ncontainer = 80\nhost = 1\n[health]\npath = '/{}'",
                "x".repeat(1023)
            ),
        ),
        (
            "a longer path",
            format!(
                "{image}instances = 1000\n[[ports]]\ncontainer = 80\nhost = 1\n[health]\npath = '/{}'",
                "x".repeat(1 << 19)
            ),
        ),
    ] {
        let (said, _) = run(name, &text);
        assert!(said.len() <= 2, "{name}: {said:?}");
    }
}
