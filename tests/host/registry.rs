//! A layer with a registry of images, for what only a registry shows: digests, and that it can be down.

use std::os::unix::fs::symlink;
use std::path::Path;

use crate::cache::{self, Cached};
use crate::{Context, Image, Result, added};

const PACKAGES: &[&str] = &["docker-registry"];

/// Scenarios start it with settings of their own.
const MASKED: &str = "docker-registry.service";

/// Installs it on top of `image`.
pub(crate) fn layer(image: &Image) -> Result<Cached> {
    let key = cache::key(&(image.key(), PACKAGES, MASKED, added::SOURCE));
    cache::entry(&format!("registry-{}", image.kind()), &key, |dir| {
        added::packages_and(image, PACKAGES, dir, mask)
    })
}

fn mask(root: &Path) -> Result<()> {
    let link = root.join("etc/systemd/system").join(MASKED);
    symlink("/dev/null", &link).context(link.display())
}
