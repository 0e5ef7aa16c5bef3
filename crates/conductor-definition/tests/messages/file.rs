//! The file as a whole: syntax, unknown keys, types, simple values.

use conductor_definition::Source;
use snapbox::{assert_data_eq, str};

use crate::{messages, messages_of};

#[test]
fn good_practice_is_not_questioned() {
    assert_data_eq!(messages("image = \"localhost/web:1\"\n[resources]\nmemory = \"64M\"\n"), str![[""]]);
    let pinned = "image = \"web@sha256:0123\"\n[resources]\nslice = \"team\"\n";
    assert_data_eq!(messages(pinned), str![[""]]);
}

#[test]
fn empty_file() {
    assert_data_eq!(
        messages(""),
        str![[r#"
web.toml: `image` is missing (say what to run: image = "registry.example.com/web:1.4.2")

"#]]
    );
}

#[test]
fn all_unknown_keys_at_once() {
    let text = r#"
imgae = "web"
[helth]
path = "/"
[restart]
dealy = "5s"
[restart.limit]
start = 3
"#;
    assert_data_eq!(
        messages(text),
        str![[r#"
web.toml:2:1: unknown key `imgae` (did you mean `image`?)
web.toml:3:2: unknown key `helth` (did you mean `health`?)
web.toml:6:1: unknown key `dealy` (did you mean `delay`?)
web.toml:8:1: unknown key `start` (did you mean `starts`?)

"#]]
    );
}

#[test]
fn wrong_types() {
    let text = r#"
image = 5
command = "bin/web --port 80"
instances = "two"
enabled = "yes"
[environment]
PORT = 8080
[resources]
memory = 512
cpus = "one"
[health]
path = "/"
interval = 5
"#;
    assert_data_eq!(
        messages(text),
        str![[r#"
web.toml:2:9: integer `5` is not an image reference in quotes, such as "registry.example.com/web:1.4.2"
web.toml:3:11: string "bin/web --port 80" is not a list, such as ["first", "second"]
web.toml:4:13: string "two" is not a whole number
web.toml:5:11: string "yes" is not true or false
web.toml:7:8: integer `8080` is not a text in quotes
web.toml:9:10: integer `512` is not a size of memory in quotes, such as "512M"
web.toml:10:8: string "one" is not a number of CPUs, such as 1.5
web.toml:11:1: a health check needs a port to ask (add [[ports]] with container = and host =)
web.toml:13:12: integer `5` is not a time span in quotes, such as "5s" or "1min 30s"

"#]]
    );
}

#[test]
fn impossible_values() {
    let text = r#"
description = "two\nlines"
image = "--privileged"
instances = 0
after = ["postgres.unit"]
[environment]
"A B" = "x"
nul = "\u0000"
[resources]
memory = "512MB"
cpus = -1
pids = 0
[[ports]]
container = 70000
host = 0
[health]
path = "healthz"
interval = "0"
timeout = "infinity"
unhealthy-after = 0
on-unhealthy = "reboot"
max-unavailable = 0
max-pressure = 101
max-hold = "1 parsec"
[restart]
delay = "5 seconds or so"
max-delay = "1s"
limit = "never"
"#;
    assert_data_eq!(
        messages(text),
        str![[r#"
web.toml:2:15: a description is one line of text
web.toml:3:9: not an image reference: it begins with neither a letter nor a digit
web.toml:4:13: 0 is not between 1 and 1000
web.toml:5:10: `postgres.unit` names neither a unit (such as `postgresql.service`) nor a service (such as `web`)
web.toml:7:1: `A B` cannot be the name of an environment variable: use letters, digits, `_`, `.` and `-`, and begin with a letter or `_`
web.toml:8:7: a text may not contain a NUL character: no program could receive it
web.toml:10:10: `512MB` could mean base 1000 or base 1024: write `512M`, which is base 1024
web.toml:11:8: not a number of CPUs: write how many the service may use, such as 1.5
web.toml:12:8: 0 is not between 32 and 4194304
web.toml:14:13: 70000 is not between 1 and 65535
web.toml:15:8: 0 is not between 1 and 65535
web.toml:17:8: the path of a check begins with `/`, such as `/healthz`
web.toml:18:12: `0` is not between 10ms and 1w
web.toml:19:11: `infinity` is not between 10ms and 1w
web.toml:20:19: 0 is not between 1 and 10000
web.toml:21:16: `reboot` is not known here: write one of "restart", "none"
web.toml:22:19: 0 is not between 1 and 10000
web.toml:23:16: 101 is not between 0 and 100
web.toml:24:12: not a time span: write a number and a unit, such as `5s`, `1min 30s` or `500ms`
web.toml:26:9: not a time span: write a number and a unit, such as `5s`, `1min 30s` or `500ms`
web.toml:27:13: `max-delay` is shorter than `delay` (the delay grows from `delay` to `max-delay` while restarts follow each other)
web.toml:28:9: invalid value: string "never", expected a table such as { starts = 10, within = "auto" }, or "none"

"#]]
    );
}

#[test]
fn a_file_mode_that_is_a_number() {
    let text = "image = \"a\"\nsecrets.key = { path = \"/x\", mode = 0400 }\n[environment]\nMY_mode = 0400\n";
    assert_data_eq!(
        messages(text),
        str![[r#"
web.toml:2:37: unexpected leading zero, expected nothing (file modes are octal, and numbers of TOML are not: write it in quotes, such as "0400")
web.toml:4:11: unexpected leading zero, expected nothing

"#]]
    );
}

#[test]
fn syntax_errors_all_at_once() {
    assert_data_eq!(
        messages("image = web\ncommand = [\n[health\npath = \"/\"\n"),
        str![[r#"
web.toml:1:9: string values must be quoted, expected literal string
web.toml:3:2: string values must be quoted, expected literal string
web.toml:4:1: missing comma between array elements, expected `,`
web.toml:4:1: string values must be quoted, expected literal string
web.toml:4:6: unexpected `=` in array, expected value, `]`
web.toml:4:8: missing comma between array elements, expected `,`
web.toml:4:11: unclosed array, expected `]`

"#]]
    );
}

#[test]
fn duplicate_keys() {
    assert_data_eq!(
        messages("image = \"a\"\nimage = \"b\"\n"),
        str![[r#"
web.toml:2:1: duplicate key

"#]]
    );
}

#[test]
fn file_names_that_are_no_service_names() {
    let image = "image = \"web\"\n";
    assert_data_eq!(
        messages_of("/etc/conductor/services/My Web.toml", image),
        str![[r#"
/etc/conductor/services/My Web.toml: `My Web` cannot be a service's name: use lower-case letters, digits and `-`, and begin with a letter or a digit

"#]]
    );
    assert_data_eq!(
        messages_of("dbus.toml", image),
        str![[r#"
dbus.toml: `dbus` cannot be a service's name: the base system has units of this name

"#]]
    );
    assert_data_eq!(
        messages_of("web.conf", image),
        str![[r#"
web.conf: the file name web.conf does not give a service name: call it NAME.toml

"#]]
    );
}

#[test]
fn tables_and_lists_mixed_up() {
    let text = "image = [\"web\"]\nenvironment = [\"A=b\"]\nhealth = \"/healthz\"\nports = 80\ncommand = { a = 1 }\n";
    assert_data_eq!(
        messages(text),
        str![[r#"
web.toml:1:9: a list is not an image reference in quotes, such as "registry.example.com/web:1.4.2"
web.toml:2:15: a list is not a table (here it is [environment], and below it NAME = "value")
web.toml:3:10: string "/healthz" is not a table (here it is [health], and below it path = "/healthz")
web.toml:4:9: integer `80` is not a list, such as ["first", "second"] (here it is [[ports]], and below it container = 80 and host = 8080)
web.toml:5:11: a table is not a list, such as ["first", "second"]

"#]]
    );
}

#[test]
fn a_list_with_one_bad_element() {
    assert_data_eq!(
        messages("image = \"web\"\ncommand = [\"a\", 5]\nafter = [\"web\", \"a b\"]\n"),
        str![[r#"
web.toml:2:17: integer `5` is not a text in quotes
web.toml:3:17: `a b` names neither a unit (such as `postgresql.service`) nor a service (such as `web`)

"#]]
    );
}

/// A file full of mistakes is probably another file; some of them say enough.
#[test]
fn of_very_many_mistakes_some_are_named() {
    let name = |number: u32| format!("\"{number} x\" = \"y\"\n");
    let names: String = (0..100).map(name).collect();
    for text in [format!("[environment]\n{names}"), "[[volumes]]\n".repeat(100)] {
        let source = Source::new("web.toml", format!("image = \"web\"\n{text}"));
        let found = conductor_definition::parse(&source).unwrap_err();
        let places: Vec<usize> = found.iter().map(|one| one.label.as_ref().unwrap().span.start).collect();
        assert!(places.len() == 64 && places.is_sorted(), "{places:?}");
    }
}
