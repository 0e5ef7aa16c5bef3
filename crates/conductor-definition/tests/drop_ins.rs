//! Drop-ins and `${...}`: every message, word for word, and that it points into the right file. And an editor
//! that has the schemas underlines the same places, as far as a schema can say what is wrong.

#![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]

mod editor;

use conductor_definition::{Source, parse};
use snapbox::{assert_data_eq, str};

/// The diagnostics of `web.toml` with drop-ins, one line each.
fn messages(main: &str, drop_ins: &[&str]) -> String {
    let mut source = Source::new("web.toml", main);
    for (number, text) in drop_ins.iter().enumerate() {
        source.push(format!("web.toml.d/{number}.toml"), text);
    }
    let diagnostics = match parse(&source) {
        Ok(parsed) => parsed.warnings,
        Err(diagnostics) => diagnostics,
    };
    editor::agrees(conductor_definition::Kind::Service, &source, &diagnostics);
    diagnostics.iter().map(|diagnostic| diagnostic.one_line(&source) + "\n").collect()
}

#[test]
fn each_error_is_in_its_own_file() {
    let main = "image = \"web\"\nimgae = 1\nhealth.path = \"/\"\n";
    assert_data_eq!(
        messages(main, &["# fine", "\n[health]\ninterval = 5\n[[ports]]\nhost = 0\n", "instances = 'a'"]),
        str![[r#"
web.toml:2:1: unknown key `imgae` (did you mean `image`?)
web.toml.d/1.toml:3:12: integer `5` is not a time span in quotes, such as "5s" or "1min 30s"
web.toml.d/1.toml:4:1: `container` is missing (say which port the program listens on, such as container = 8080)
web.toml.d/1.toml:5:8: 0 is not between 1 and 65535
web.toml.d/2.toml:1:13: string "a" is not a whole number

"#]]
    );
}

#[test]
fn syntax_errors_of_all_files_at_once() {
    assert_data_eq!(
        messages("image = \"web\"\ncommand = [", &["[a\n", "b = 1", "c ="]),
        str![[r#"
web.toml:2:12: unclosed array, expected `]`
web.toml.d/0.toml:1:3: unclosed table, expected `]`
web.toml.d/2.toml:1:4: string values must be quoted, expected literal string

"#]]
    );
}

#[test]
fn what_a_drop_in_replaces_is_not_judged() {
    let main = "image = 5\ninstances = 'two'\nports = 80\n[restart]\ndelay = 'x'";
    assert_data_eq!(
        messages(main, &["image = 'web'\ninstances = 2\nports = []\nrestart.delay = '1s'"]),
        str![[r#"
web.toml: warning: it may use all of the machine's memory (set a limit, such as [resources] memory = "512M", or a slice that has one)
web.toml.d/0.toml:1:9: warning: which version runs depends on when the image was fetched (name a version, such as :1.4.2, or a digest)

"#]]
    );
}

#[test]
fn values_of_two_files_contradict() {
    let main = "image = \"web\"\n[restart]\ndelay = \"10s\"\n";
    let drop_in = "restart.max-delay = \"5s\"\n";
    assert_data_eq!(
        messages(main, &[drop_in]),
        str![[r#"
web.toml.d/0.toml:1:21: `max-delay` is shorter than `delay` (the delay grows from `delay` to `max-delay` while restarts follow each other)

"#]]
    );
}

#[test]
fn a_drop_in_may_be_of_another_type() {
    assert_data_eq!(
        messages("image = 'web'\n[health]\npath = '/'", &["health = '/healthz'", "environment.A = [\n5]"]),
        str![[r#"
web.toml.d/0.toml:1:10: string "/healthz" is not a table (here it is [health], and below it path = "/healthz")
web.toml.d/1.toml:1:17: a list is not a text in quotes

"#]]
    );
}

#[test]
fn references_that_cannot_be_filled_in() {
    let main = r#"
image = "${descripton}:${instances}-${x}"
description = "$HOME ${ and $"
instances = 2
health.path = "/${image}"
"#;
    assert_data_eq!(
        messages(main, &["[restart]\ndelay = '$5s'\nmax-delay = '${health}'"]),
        str![[r#"
web.toml:2:10: `descripton` is not a key of this definition (texts at the top level can be referred to, such as revision = "1.4.2"; a dollar is `$$`)
web.toml:2:24: `instances` is no text but of type integer (only texts can be referred to: write it out)
web.toml:2:37: `x` is not a key of this definition (texts at the top level can be referred to, such as revision = "1.4.2"; a dollar is `$$`)
web.toml:3:16: a lone `$` (write `$$` for a dollar, or `${NAME}` for the text of another key)
web.toml:3:22: `${` without `}` (write `$$` for a dollar, or `${NAME}` for the text of another key)
web.toml:5:1: a health check needs a port to ask (add [[ports]] with container = and host =)
web.toml:5:17: `image` is itself made with `$` (only texts without references can be referred to: write it out)
web.toml.d/0.toml:2:10: a lone `$` (write `$$` for a dollar, or `${NAME}` for the text of another key)
web.toml.d/0.toml:3:14: `health` is no text but of type table (only texts can be referred to: write it out)

"#]]
    );
    assert_data_eq!(
        messages("image = 'web:${descripton}'\ndescription = '1'", &[]),
        str![[r#"
web.toml:1:14: `descripton` is not a key of this definition (did you mean `${description}`?)

"#]]
    );
    assert_data_eq!(
        messages("image = 'web:${revision}'\ndescription = '1'", &[]),
        str![[r#"
web.toml:1:14: `revision` is not a key of this definition (texts at the top level can be referred to: description; a dollar is `$$`)

"#]]
    );
    let long = format!("description = '{}'\nimage = '${{description}}${{description}}'", "x".repeat(600_000));
    assert_data_eq!(
        messages(&long, &[]),
        str![[r#"
web.toml:1:15: a text of 600000 bytes is longer than a program can be given: put it into a file and mount that
web.toml:2:24: filled in, the texts of this definition are longer than 1 MiB (refer to shorter texts, or less often)

"#]]
    );
}

#[test]
fn what_is_filled_in_is_judged_where_it_stands() {
    assert_data_eq!(
        messages("image = 'web:${description}'", &["description = 'two words'"]),
        str![[r#"
web.toml:1:9: not an image reference: ` ` cannot stand in one

"#]]
    );
}
