//! A layer with Debian's docker on it.

use crate::cache::{self, Cached};
use crate::{Image, Result, added};

/// From bookworm to trixie the client became a package of its own, which the daemon only recommends.
fn packages(image: &Image) -> &'static [&'static str] {
    match image.suite {
        crate::Suite::Bookworm => &["docker.io"],
        crate::Suite::Trixie | crate::Suite::Forky => &["docker.io", "docker-cli"],
    }
}

/// Installs docker on top of `image`.
pub(crate) fn layer(image: &Image) -> Result<Cached> {
    let packages = packages(image);
    let key = cache::key(&(image.key(), packages, added::SOURCE));
    cache::entry(&format!("docker-{}", image.kind()), &key, |dir| added::packages(image, packages, dir))
}
