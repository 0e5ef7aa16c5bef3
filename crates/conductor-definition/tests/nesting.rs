//! Deep definitions: whatever is done with them, the stack of a thread is enough. A stack that overflows would take
//! all other definitions along.

#![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]

use conductor_definition::{Source, parse};

/// A quarter of what Rust gives a thread, for a build that is not optimised.
const STACK: usize = 512 << 10;

/// As deep as the parser, and we, let it be.
const DEEPEST: usize = 79;

fn messages(main: &str, drop_in: &str) -> Vec<String> {
    let (main, drop_in) = (main.to_owned(), drop_in.to_owned());
    let read = move || {
        let mut source = Source::new("web.toml", main);
        source.push("web.toml.d/10.toml", &drop_in);
        let found = parse(&source).unwrap_err();
        found.iter().map(|diagnostic| diagnostic.one_line(&source)).collect()
    };
    std::thread::Builder::new().stack_size(STACK).spawn(read).unwrap().join().unwrap()
}

#[test]
fn as_deep_as_it_goes() {
    let dotted = "a.".repeat(DEEPEST - 1) + "a";
    // A reference, so that everything is looked at.
    let value = |open: &str, close: &str, times: usize| {
        format!("{} '${{image}}' {}", open.repeat(times), close.repeat(times))
    };
    for text in [
        format!("{dotted} = '${{image}}'"),
        format!("[{dotted}]\n{dotted} = '${{image}}'"),
        format!("[{dotted}]\na = {}", value("{ a =", "}", DEEPEST)),
        format!("[[{dotted}]]\na = {}", value("{ a.a.a =", "}", DEEPEST / 3)),
        format!("[[{dotted}]]\na = {}", value("[", "]", DEEPEST)),
        format!("[{dotted}]\na = {}", value("[ { a =", "} ]", DEEPEST / 2)),
    ] {
        assert!(!messages(&text, "").is_empty());
        assert!(!messages("image = 'web'", &text).is_empty());
        assert!(!messages(&text, &text).is_empty());
    }
}

#[test]
fn deeper_is_refused_before_it_is_built() {
    let dotted = "a.".repeat(DEEPEST - 1) + "a";
    for (open, close, times) in [
        (format!("{{ {dotted} ="), "}", DEEPEST),
        (format!("[ {{ {dotted} ="), "} ]", DEEPEST / 2),
        (format!("{{ {dotted} ="), "", 10_000),
        ("{ a =".to_owned(), "}", 10_000),
        ("[{ a.a =".to_owned(), "}]", 10_000),
    ] {
        let text = format!("image = 'web'\n[{dotted}]\na = {} 1 {}", open.repeat(times), close.repeat(times));
        let said = messages(&text, &text);
        assert_eq!(said.len(), 2, "{said:?}");
        for (line, file) in said.iter().zip(["web.toml:3:", "web.toml.d/10.toml:3:"]) {
            assert!(line.starts_with(file), "{line}");
            assert!(
                line.ends_with("nested too deep (this is probably another file under this name)"),
                "{line}"
            );
        }
    }
    // These the parser refuses itself, before it builds anything.
    for text in [
        "[".repeat(100_000),
        format!("a = {}", "[".repeat(100_000)),
        format!("a = {}1{}", "[".repeat(100_000), "]".repeat(100_000)),
        format!("{}a = 1", "a.".repeat(100_000)),
        format!("[{}a]", "a.".repeat(100_000)),
        format!("[[{}a]]", "a.".repeat(100_000)),
    ] {
        assert!(!messages(&text, &text).is_empty());
    }
}
