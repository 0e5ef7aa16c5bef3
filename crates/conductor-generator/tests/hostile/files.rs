//! What is no text, and what is no file.

use std::fs;
use std::os::unix::fs::symlink;
use std::os::unix::net::UnixListener;
use std::process::Command;

use crate::machine::{Machine, said_of};

#[test]
fn whatever_bears_the_name_of_a_definition() {
    let machine = Machine::new();
    let path = |name: &str| machine.services().join(name);
    fs::create_dir(path("directory.toml")).unwrap();
    assert!(Command::new("mkfifo").arg(path("fifo.toml")).status().unwrap().success());
    let _socket = UnixListener::bind(path("socket.toml")).unwrap();
    symlink("loop.toml", path("loop.toml")).unwrap();
    symlink("nowhere", path("nowhere.toml")).unwrap();
    symlink("/etc", path("up.toml")).unwrap();
    // A file that is there and cannot be read, even by root.
    symlink("/proc/self/mem", path("device.toml")).unwrap();
    fs::create_dir(path("web.toml.d")).unwrap();
    symlink("..", path("web.toml.d/readme")).unwrap();
    let said = machine.refusal();
    let about = |name: &str| said.iter().filter(|line| line.starts_with(&format!("{name}.toml: "))).count();
    for name in ["directory", "fifo", "socket", "loop", "nowhere", "up"] {
        assert_eq!(about(name), 1, "{name}: {said:#?}");
    }
    assert_eq!(said.len(), 6 + about("device"), "{said:#?}");
}

#[test]
fn whatever_stands_where_the_directory_should_be() {
    let good = "image = \"good:1\"";
    for (what, said) in [("file", true), ("loop", true), ("fifo", true), ("nowhere", false)] {
        let machine = Machine::new();
        let run = machine.path("run/conductor");
        fs::create_dir_all(&run).unwrap();
        let usr = machine.path("usr/lib/conductor/services");
        fs::create_dir_all(&usr).unwrap();
        fs::write(usr.join("good.toml"), good).unwrap();
        let services = run.join("services");
        match what {
            "file" => fs::write(&services, "x").unwrap(),
            "loop" => symlink("services", &services).unwrap(),
            "fifo" => assert!(Command::new("mkfifo").arg(&services).status().unwrap().success()),
            _ => symlink("nowhere", &services).unwrap(),
        }
        let run = machine.run_beside_web();
        assert!(run.units.contains_key("good.service"), "{what}");
        assert_eq!(
            (run.status, run.log.len()),
            (Some(i32::from(said)), usize::from(said)),
            "{what}: {:?}",
            run.log
        );
    }
}

#[test]
fn texts_that_are_not_utf8_or_hardly() {
    let utf16: Vec<u8> = "image = \"a:1\"".encode_utf16().flat_map(u16::to_le_bytes).collect();
    assert_eq!(
        said_of(b"\xff\xfe".iter().copied().chain(utf16).collect::<Vec<u8>>())[0],
        "bad.toml: is not UTF-8: byte 1 cannot be read (save it as UTF-8)"
    );
    assert_eq!(
        said_of(b"image = \"caf\xe9\"")[0],
        "bad.toml: is not UTF-8: byte 13 cannot be read (save it as UTF-8)"
    );
    assert!(said_of("image = \"a\0b\"")[0].starts_with("bad.toml:1:"));
    assert!(said_of("\0")[0].starts_with("bad.toml:1:1: "));
    assert!(said_of("image = \"a\u{1}b\"")[0].starts_with("bad.toml:1:"));
    assert!(said_of("image = \"a:1\"\rinstances = 2")[0].starts_with("bad.toml:1:"));
    for text in [
        "\u{feff}image = \"good:1\"\r\ninstances = 1\r\n",
        "\r\n\r\nimage = 'good:1'",
        "image='good:1'#\u{2028}",
    ] {
        let machine = Machine::new();
        machine.define("good", text);
        let run = machine.run_beside_web();
        assert_eq!((run.status, run.log.len()), (Some(0), 0), "{text:?}: {:?}", run.log);
        assert!(run.units["good.service"].contains("\n[X-Conductor]\nService=good\n"), "{text:?}");
    }
}

#[test]
fn the_longest_file_and_one_that_is_longer() {
    let machine = Machine::new();
    let begin = "image = \"good:1\"\n#";
    let longest = |rest: &str| format!("{begin}{}{rest}", "x".repeat((1 << 20) - begin.len()));
    machine.define("good", longest(""));
    assert_eq!(machine.run_beside_web().status, Some(0));
    assert_eq!(
        said_of(longest("x")),
        ["bad.toml: is longer than 1 MiB (a definition that long is probably another file under this name)"]
    );
}
