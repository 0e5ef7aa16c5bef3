//! Further packages of Debian's on top of an image, installed from outside: a machine that is up has no network.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::overlay::Overlay;
use crate::{Context, Image, Result, apt, cache, stdout_of};

/// This file itself, for the cache key.
pub(crate) const SOURCE: &str = include_str!("added.rs");

/// Settings of the developer's machine, for as long as it takes.
const APT_CONFIG: &str = "/tmp/apt.conf";

/// Installs `packages` from the developer's mirror on top of `image`; what they bring is left in `dir`.
pub(crate) fn packages(image: &Image, packages: &[&str], dir: &Path) -> Result<()> {
    packages_and(image, packages, dir, |_| Ok(()))
}

/// The same, and then `more` is done to the whole tree.
pub(crate) fn packages_and(
    image: &Image,
    packages: &[&str],
    dir: &Path,
    more: impl Fn(&Path) -> Result<()>,
) -> Result<()> {
    let lower = image.lower_dirs();
    let lower: Vec<&Path> = lower.iter().map(PathBuf::as_path).collect();
    let overlay = Overlay::mount(&lower, dir)?;
    let inside = |path: &str| overlay.merged.join(path.trim_start_matches('/'));
    let write = |path: &str, text: &[u8]| fs::write(inside(path), text).context(path);
    let options: String = apt::options()?.iter().flat_map(|option| [option.as_str(), ";\n"]).collect();
    write(APT_CONFIG, options.as_bytes())?;
    // Names are resolved as outside for as long as it takes.
    let resolver = fs::read(inside("/etc/resolv.conf"))?;
    write("/etc/resolv.conf", &fs::read("/etc/resolv.conf").context("/etc/resolv.conf")?)?;
    let apt_get = |what: &[&str]| {
        let mut command = Command::new("chroot");
        command.arg(&overlay.merged).args(["apt-get", "--quiet", "--yes"]).args(what);
        command.env("DEBIAN_FRONTEND", "noninteractive").env("PATH", crate::exec::PATH);
        stdout_of(command.env("APT_CONFIG", APT_CONFIG)).map(drop)
    };
    apt_get(&["update"])?;
    apt_get(&[&["install", "--no-install-recommends"], packages].concat())?;
    apt_get(&["clean"])?;
    write("/etc/resolv.conf", &resolver)?;
    fs::remove_file(inside(APT_CONFIG))?;
    cache::remove_tree(&inside("/var/lib/apt/lists"))?;
    more(&overlay.merged)?;
    drop(overlay);
    cache::remove_tree(&dir.join("work"))?;
    Ok(fs::remove_dir(dir.join("merged"))?)
}
