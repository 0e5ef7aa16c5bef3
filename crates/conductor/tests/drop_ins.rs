//! What `conductor check` says about definitions of several files: whole outputs.

#![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]

use snapbox::cmd::{Command, cargo_bin};
use snapbox::str;

fn conductor(files: &[(&str, &str)], arguments: &[&str]) -> snapbox::cmd::OutputAssert {
    let root = tempfile::tempdir().unwrap();
    for (path, text) in files {
        let path = root.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
    Command::new(cargo_bin!("conductor"))
        .current_dir(root.path())
        .env("CONDUCTOR_ROOT", root.path())
        .args(arguments)
        .assert()
}

const WEB: (&str, &str) =
    ("usr/lib/conductor/services/web.toml", "image = \"localhost/web:1\"\n\n[restart]\ndelay = \"10s\"\n");

#[test]
fn each_snippet_is_from_its_own_file() {
    let drop_in = "[restart]\nmax-delay = \"5s\"\ndealy = \"1s\"\n";
    let files = [WEB, ("etc/conductor/services/web.toml.d/10-slow.toml", drop_in)];
    conductor(&files, &["check"]).code(1).stderr_eq(str![[r#"
error[contradiction]: `max-delay` is shorter than `delay`
 --> /etc/conductor/services/web.toml.d/10-slow.toml:2:13
  |
2 | max-delay = "5s"
  |             ^^^^ shorter than 10s
  |
 ::: /usr/lib/conductor/services/web.toml:4:9
  |
4 | delay = "10s"
  |         ----- the delay
  |
  = help: the delay grows from `delay` to `max-delay` while restarts follow each other

error[unknown-key]: unknown key `dealy`
 --> /etc/conductor/services/web.toml.d/10-slow.toml:3:1
  |
3 | dealy = "1s"
  | ^^^^^ not known here
  |
  = help: did you mean `delay`?

1 definition checked: 2 errors

"#]]);
}

#[test]
fn a_file_is_checked_with_the_drop_ins_that_would_apply_to_it() {
    let files = [
        ("etc/conductor/services/web.toml.d/10-local.toml", "instances = 0\n"),
        ("repo/web.toml", "image = \"web\"\n"),
        ("repo/web.toml.d/20-beside.toml", "enabled = 5\n"),
    ];
    conductor(&files, &["check", "repo/web.toml"]).code(1).stderr_eq(str![[r#"
error[out-of-range]: 0 is not between 1 and 1000
 --> /etc/conductor/services/web.toml.d/10-local.toml:1:13
  |
1 | instances = 0
  |             ^ out of range

error[wrong-type]: integer `5` is not true or false
 --> repo/web.toml.d/20-beside.toml:1:11
  |
1 | enabled = 5
  |           ^ of the wrong type

1 definition checked: 2 errors

"#]]);
}

#[test]
fn drop_ins_without_a_definition_and_empty_files() {
    let files = [
        WEB,
        ("etc/conductor/services/wbe.toml.d/10.toml", "instances = 2\n"),
        ("etc/conductor/services/api.toml", ""),
    ];
    conductor(&files, &["check"]).success().stderr_eq(str![[r#"
note: /etc/conductor/services/api.toml is empty, and so masks the service
warning[no-definition]: drop-ins without a definition: there is no wbe.toml
--> /etc/conductor/services/wbe.toml.d
 = help: did you mean web.toml.d?

warning[no-memory-limit]: it may use all of the machine's memory
--> /usr/lib/conductor/services/web.toml
 = help: set a limit, such as [resources] memory = "512M", or a slice that has one

1 definition checked: 2 warnings

"#]]);
}

#[test]
fn a_drop_in_that_cannot_be_read() {
    let files = [WEB, ("etc/conductor/services/web.toml.d/10.toml/file", "")];
    conductor(&files, &["check"]).code(1).stderr_eq(str![[r#"
error[unreadable]: is not a regular file
--> /etc/conductor/services/web.toml.d/10.toml
 = help: move it out of the way

1 definition checked: 1 error

"#]]);
}
