//! Builds the payload statically, so that it runs in a container image that has no libraries.

use std::path::PathBuf;
use std::process::Command;

use crate::{Result, repository, stdout_of};

/// `target/payload/...`, a directory of its own: its flags are not those of an ordinary build, and cargo would
/// rebuild back and forth otherwise.
pub(crate) fn build() -> Result<PathBuf> {
    let target = repository().join("target/payload");
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.current_dir(repository());
    cargo.args([
        "rustc",
        "--quiet",
        "--locked",
        "--package",
        "conductor-tests",
        "--bin",
        "payload",
        "--target-dir",
    ]);
    // glibc's static variant comes with libc6-dev, which every Rust installation on Debian needs for linking anyway.
    cargo.arg(&target).args(["--", "-Ctarget-feature=+crt-static", "-Cstrip=symbols"]);
    // Set by the cargo that runs the tests, and none of this build's business.
    cargo.env_remove("CARGO_TARGET_DIR").env_remove("RUSTFLAGS");
    stdout_of(&mut cargo)?;
    Ok(target.join("debug/payload"))
}
