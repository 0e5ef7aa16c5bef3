//! Installs what the tasks need, where that is possible.

use conductor_tests::{Result, require};

use crate::shell::{command, run, say};

/// What building and checking a package takes.
pub(crate) const PACKAGING: &[(&str, &str)] =
    &[("dpkg-buildpackage", "dpkg-dev"), ("dh", "debhelper"), ("lintian", "lintian")];

/// What the tests of conductor-proxy start.
const PROXIES: &[(&str, &str)] = &[("nginx", "nginx-light"), ("haproxy", "haproxy")];

/// Makes sure that machines can be booted, and with `emulation` emulated.
pub(crate) fn hosts(emulation: bool) -> Result<()> {
    let missing: Vec<&str> = conductor_tests::missing(emulation).iter().map(|need| need.package).collect();
    install(&missing);
    require(emulation)
}

/// Makes sure that packages can be built.
pub(crate) fn packaging() -> Result<()> {
    programs(PACKAGING, "building the package")
}

/// Makes sure that the tests of conductor-proxy have what they start.
pub(crate) fn proxies() -> Result<()> {
    programs(PROXIES, "testing proxies")
}

/// Makes sure that these programs, with the packages that bring them, are there.
fn programs(needed: &[(&'static str, &'static str)], what: &str) -> Result<()> {
    let absent = |program: &str| command("sh", ["-c", &format!("command -v {program} >/dev/null")]).status();
    let mut missing = Vec::new();
    for (program, package) in needed {
        if !absent(program)?.success() {
            missing.push(*package);
        }
    }
    if missing.is_empty() || install(&missing) {
        return Ok(());
    }
    let packages = missing.join(" ");
    Err(conductor_tests::Error::new(format!("{what} needs: apt-get install {packages}")))
}

/// Installs packages if it may; says what it does. Whether that was enough is checked afterwards.
fn install(packages: &[&str]) -> bool {
    if packages.is_empty() {
        return true;
    }
    say(format_args!("installing {}", packages.join(" ")));
    let apt = |args: &[&str]| run(command("apt-get", args).env("DEBIAN_FRONTEND", "noninteractive"));
    let mut args = vec!["install", "--yes", "--no-install-recommends"];
    args.extend(packages);
    // The lists may be absent or old; then once more with fresh ones.
    let done = apt(&args).or_else(|_| apt(&["update"]).and_then(|()| apt(&args)));
    if let Err(error) = &done {
        say(format_args!("{error}"));
    }
    done.is_ok()
}
