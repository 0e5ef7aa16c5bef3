//! What the package's programs are linked from.

#![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]

use std::process::Command;

use conductor_tests::repository;

/// The packages that debian/rules builds.
fn shipped() -> Vec<String> {
    let rules = std::fs::read_to_string(repository().join("packaging/debian/rules")).unwrap();
    let packages: Vec<&str> =
        rules.split("--package ").skip(1).map(|rest| rest.split_whitespace().next().unwrap()).collect();
    packages.into_iter().map(str::to_owned).collect()
}

/// Features are unified over what is built together, so all of them are asked for at once, as the package does.
#[test]
fn what_only_developers_need_is_not_in_it() {
    let shipped = shipped();
    assert!(shipped.contains(&"conductor-generator".to_owned()), "{shipped:?}");
    let mut tree = Command::new(env!("CARGO"));
    tree.current_dir(repository()).args([
        "tree",
        "--locked",
        "--offline",
        "--edges",
        "normal,features",
        "--prefix",
        "none",
    ]);
    for package in &shipped {
        tree.args(["--package", package]);
    }
    let output = tree.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let tree = String::from_utf8(output.stdout).unwrap();
    assert!(tree.contains("conductor-definition v"), "{tree}");
    for unwanted in ["schemars", "jsonschema", "clap_mangen", "clap_complete", "feature \"schema\""] {
        assert!(!tree.contains(unwanted), "{unwanted} is linked into the package");
    }
}
