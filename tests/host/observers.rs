//! A layer with those who ask about health: HAProxy, and the `promtool` that comes with Prometheus.

use std::os::unix::fs::symlink;
use std::path::Path;

use crate::cache::{self, Cached};
use crate::{Context, Image, Result, added};

const PACKAGES: &[&str] = &["haproxy", "prometheus", "strace"];

/// They are run by scenarios, not at boot.
const MASKED: &[&str] = &["haproxy.service", "prometheus.service"];

/// Installs them on top of `image`.
pub(crate) fn layer(image: &Image) -> Result<Cached> {
    let key = cache::key(&(image.key(), PACKAGES, MASKED, added::SOURCE));
    cache::entry(&format!("observers-{}", image.kind()), &key, |dir| {
        added::packages_and(image, PACKAGES, dir, mask)
    })
}

fn mask(root: &Path) -> Result<()> {
    for unit in MASKED {
        let link = root.join("etc/systemd/system").join(unit);
        symlink("/dev/null", &link).context(link.display())?;
    }
    Ok(())
}
