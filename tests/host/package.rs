//! The .deb under test, as a layer installed by real dpkg.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::cache::{self, Cached};
use crate::overlay::Overlay;
use crate::{Context, Image, Result, repository, stdout_of};

/// The package under test: `CONDUCTOR_DEB`, or the newest that `cargo xtask package` left behind.
pub fn newest_package() -> Result<PathBuf> {
    if let Some(given) = std::env::var_os("CONDUCTOR_DEB") {
        return Ok(given.into());
    }
    let dir = repository().join("target/debian");
    let mut packages = Vec::new();
    for entry in fs::read_dir(&dir).into_iter().flatten() {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "deb") {
            packages.push((path.metadata()?.modified()?, path));
        }
    }
    let newest = packages.into_iter().max().map(|(_, path)| path);
    newest.context(format!("no package in {}: run `cargo xtask package` first", dir.display()))
}

/// Installs `deb` on top of `image`. The image has the package's dependencies, so no network is needed.
pub(crate) fn layer(image: &Image, deb: &Path) -> Result<Cached> {
    let key = cache::key(&(image.key(), cache::file_key(deb)?));
    cache::entry(&format!("package-{}", image.kind()), &key, |dir| {
        let lower = image.lower_dirs();
        let lower: Vec<&Path> = lower.iter().map(PathBuf::as_path).collect();
        let overlay = Overlay::mount(&lower, dir)?;
        fs::copy(deb, overlay.merged.join("conductor.deb")).context(deb.display())?;
        let mut install = Command::new("chroot");
        install.arg(&overlay.merged).args(["dpkg", "--install", "/conductor.deb"]);
        install.env("DEBIAN_FRONTEND", "noninteractive").env("PATH", crate::exec::PATH);
        stdout_of(&mut install)?;
        fs::remove_file(overlay.merged.join("conductor.deb"))?;
        drop(overlay);
        cache::remove_tree(&dir.join("work"))?;
        Ok(fs::remove_dir(dir.join("merged"))?)
    })
}
