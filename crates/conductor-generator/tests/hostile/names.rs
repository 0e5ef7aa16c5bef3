//! File names that give no service a name.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;

use crate::machine::Machine;

#[test]
fn none_becomes_a_unit() {
    let machine = Machine::new();
    let names: &[&[u8]] = &[
        b"%n.toml",
        b"$HOME.toml",
        b"a b.toml",
        b"\"quote.toml",
        b"back\\slash.toml",
        b"new\nline.toml",
        b"esc\x1b[31m.toml",
        b"caf\xe9.toml",
        b"c\xc3\xa9.toml",
        b"-rf.toml",
        b"a@b.toml",
        b"a.b.toml",
        b"A.toml",
        b"dbus.toml",
        b"systemd-x.toml",
        &[&[b'x'; 65][..], b".toml"].concat(),
        &[&[b'x'; 250][..], b".toml"].concat(),
    ];
    for name in names {
        fs::write(machine.services().join(OsStr::from_bytes(name)), "image = \"a:1\"").unwrap();
    }
    // These are no definitions at all.
    for name in [".toml", ".hidden.toml", "readme", "a.toml~", "a.toml.bak", "a.TOML"] {
        fs::write(machine.services().join(name), "image = \"a:1\"").unwrap();
    }
    let said = machine.refusal();
    assert_eq!(said.len(), names.len(), "{said:#?}");
    for line in &said {
        assert!(line.contains("service's name") || line.contains("service name"), "{line}");
    }
    let units = machine.run().units;
    assert!(units.keys().all(|path| path.contains("web")), "{:?}", units.keys());
}

/// What stands in a name stays in a name: in comments, in paths, in the log.
#[test]
fn directories_may_be_called_anything() {
    let machine = Machine::new();
    let target = "%n\n[Service]\nExecStart=\u{1b}$HOME \"\\";
    fs::create_dir(machine.path(target)).unwrap();
    fs::write(machine.path(target).join("good.toml"), "image = \"good:1\"").unwrap();
    std::os::unix::fs::symlink(format!("/{target}/good.toml"), machine.services().join("good.toml")).unwrap();
    let drop_ins = machine.services().join("good.toml.d");
    fs::create_dir(&drop_ins).unwrap();
    for name in ["10 %n\n[Install]\n.toml", "20 \u{1b}[31m\\.toml"] {
        fs::write(drop_ins.join(name), "").unwrap();
        fs::write(drop_ins.join(format!("x{name}")), "description = \"%n\"").unwrap();
    }
    let run = machine.run_beside_web();
    assert_eq!((run.status, run.log.len()), (Some(0), 0), "{:?}", run.log);
    let unit = &run.units["good.service"];
    assert!(!unit.contains(|c: char| c.is_control() && c != '\n'), "{unit}");
    let headings: Vec<&str> = unit.lines().filter(|line| line.starts_with('[')).collect();
    assert_eq!(headings, ["[Unit]", "[Service]", "[X-Conductor]"]);
    assert!(unit.contains("\nDescription=%%n\n"), "{unit}");
}
