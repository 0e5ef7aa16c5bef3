//! `cargo xtask package`: the .deb, by debhelper from packaging/debian.
//!
//! dpkg-buildpackage wants `debian/` at the top of the tree it works in, so a tree of what it needs is staged under
//! target/package; the workspace itself is compiled where it is.

use std::fs;
use std::path::{Path, PathBuf};

use conductor_tests::{Context, Error, Result, repository, stdout_of};

use crate::generate;
use crate::preflight;
use crate::shell::{cargo_path, command, run, say};

/// The command: builds, checks and says where it is.
pub(crate) fn task() -> Result<()> {
    preflight::packaging()?;
    let deb = build()?;
    say(format_args!("built {} ({} KiB)", deb.display(), deb.metadata()?.len() / 1024));
    Ok(())
}

/// Builds the package and runs lintian on it.
pub(crate) fn build() -> Result<PathBuf> {
    // A package must not describe another command line than the one it has.
    generate::task(true)?;
    let staging = repository().join("target/package");
    let tree = staging.join("conductor");
    if staging.exists() {
        fs::remove_dir_all(&staging).context(staging.display())?;
    }
    fs::create_dir_all(&tree).context(tree.display())?;
    let parts = [
        ("packaging/debian", "debian"),
        ("packaging/man", "man"),
        ("packaging/examples", "examples"),
        ("packaging/completions", "completions"),
        ("packaging/schema", "schema"),
        ("packaging/nginx", "nginx"),
        ("units", "units"),
    ];
    for (from, to) in parts {
        copy(&repository().join(from), &tree.join(to))?;
    }
    same_version(&tree)?;
    build_package(&tree)?;
    let built = find_deb(&staging)?;
    let output = repository().join("target/debian");
    fs::create_dir_all(&output)?;
    let deb = output.join(built.file_name().context("a package has a name")?);
    fs::rename(&built, &deb)?;
    // Built by root on a developer's machine too, hence the last option; warnings fail it as errors do.
    let lintian = ["--fail-on", "error,warning", "--tag-display-limit", "0", "--allow-root"];
    run(command("lintian", lintian).arg(&deb))?;
    Ok(deb)
}

fn build_package(tree: &Path) -> Result<()> {
    let mut dpkg = command("dpkg-buildpackage", ["--build=binary", "--no-sign", "--no-check-builddeps"]);
    dpkg.current_dir(tree).env("CARGO", cargo_path());
    dpkg.env("CONDUCTOR_SOURCE", repository()).env("CONDUCTOR_TARGET", target_dir());
    // The release profile strips, so there are no debug symbols to package.
    dpkg.env("DEB_BUILD_OPTIONS", "noautodbgsym");
    // debhelper gives the build an empty home directory, and cargo and rustup keep their things in the real one.
    for (variable, default) in [("CARGO_HOME", ".cargo"), ("RUSTUP_HOME", ".rustup")] {
        let home = std::env::var_os("HOME").map(|home| Path::new(&home).join(default));
        if let Some(value) = std::env::var_os(variable).map(PathBuf::from).or(home) {
            dpkg.env(variable, value);
        }
    }
    run(&mut dpkg)
}

fn target_dir() -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| repository().join("target"), PathBuf::from)
}

/// The changelog carries the version of the package and Cargo.toml that of the programs: one release, one number.
fn same_version(tree: &Path) -> Result<()> {
    let mut parse = command("dpkg-parsechangelog", ["--show-field", "Version"]);
    let packaged = stdout_of(parse.current_dir(tree))?;
    let (packaged, ours) = (packaged.trim(), env!("CARGO_PKG_VERSION"));
    if packaged == ours {
        return Ok(());
    }
    Err(Error::new(format!(
        "packaging/debian/changelog says {packaged} and Cargo.toml {ours}: make them agree"
    )))
}

fn find_deb(dir: &Path) -> Result<PathBuf> {
    for entry in fs::read_dir(dir)? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "deb") {
            return Ok(path);
        }
    }
    Err(Error::new("dpkg-buildpackage succeeded but left no .deb"))
}

fn copy(from: &Path, to: &Path) -> Result<()> {
    stdout_of(command("cp", ["-aT"]).arg(from).arg(to)).map(drop)
}
