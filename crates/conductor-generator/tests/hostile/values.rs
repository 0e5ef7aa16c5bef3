//! Values that are nearly what they should be.

use crate::machine::said_of;

/// Keys for numbers.
const NUMBERS: &[&str] = &[
    "instances",
    "resources.pids",
    "resources.cpu-weight",
    "resources.io-weight",
    "pull.retries",
    "restart.limit.starts",
    "health.port",
    "health.unhealthy-after",
];

/// Keys for texts.
const TEXTS: &[&str] = &[
    "image",
    "description",
    "revision",
    "user",
    "working-directory",
    "hostname",
    "resources.memory",
    "stop.timeout",
    "stop.signal",
    "health.interval",
    "environment.A",
    "labels.a",
];

/// The definition, and what is said of it; the key has the second line for itself.
fn said(key: &str, value: &str) -> Vec<String> {
    let image = if key == "image" { "" } else { "image = \"bad:1\"" };
    said_of(format!("{image}\n{key} = {value}\n"))
}

#[test]
fn numbers_at_their_ends() {
    for key in NUMBERS {
        for value in [
            "-1",
            "9223372036854775807",
            "-9223372036854775808",
            "9223372036854775808",
            "0x7fffffffffffffff",
            "0o777777777777777777777",
            "1e3",
            "1.0",
            "nan",
            "-inf",
            "1979-05-27",
            "\"1\"",
            "true",
            "[1]",
            "{ a = 1 }",
        ] {
            let said = said(key, value);
            assert!(said.iter().any(|line| line.starts_with("bad.toml:2:")), "{key} = {value}: {said:?}");
        }
    }
}

#[test]
fn cpus_are_any_number_that_makes_sense() {
    for value in ["0", "-0.0", "1e-9", "1e309", "nan", "-nan", "inf", "99999999", "9223372036854775807"] {
        let said = said("resources.cpus", value);
        assert!(said[0].starts_with("bad.toml:2:"), "{value}: {said:?}");
    }
}

#[test]
fn texts_that_are_none() {
    for key in TEXTS {
        for value in [
            "1",
            "1.5",
            "nan",
            "true",
            "1979-05-27",
            "07:32:00",
            "1979-05-27T07:32:00.999999-07:00",
            "[\"a\"]",
            "{}",
        ] {
            let said = said(key, value);
            assert!(said.iter().any(|line| line.starts_with("bad.toml:2:")), "{key} = {value}: {said:?}");
        }
        let nul = said(key, "\"a\\u0000\"");
        assert!(nul.iter().any(|line| line.starts_with("bad.toml:2:")), "{key}: {nul:?}");
    }
}

/// Longer than any program can be given; more often than systemd reads in one line.
#[test]
fn texts_that_are_too_long() {
    let text = format!("\"{}\"", "x".repeat(130 << 10));
    for key in ["description", "revision", "environment.A", "labels.a"] {
        assert!(said(key, &text)[0].contains("longer than a program can be given"), "{key}");
    }
    let list = format!("[{}]", format!("\"{}\",", "%\t".repeat(50 << 10)).repeat(8));
    for key in ["command", "entrypoint", "runtime-args"] {
        let said = said(key, &list);
        let expected = "and systemd reads 1048575 of one (put long values into files, and fewer of a kind into one service)";
        assert!(
            said[0].starts_with("bad.toml: bad.service would have a line of ") && said[0].ends_with(expected),
            "{said:?}"
        );
    }
}
