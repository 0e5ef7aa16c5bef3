//! The engines' storage with the payload's image already imported, made by the real engines on a booted machine.

use std::fs;
use std::path::Path;

use crate::cache::{self, Cached};
use crate::{Context, Host, Image, Result, payload, run};

/// What podman and docker keep under /var/lib. Plain directories of the developer's machine are mounted there,
/// because overlayfs, which both use, does not stack on itself.
pub(crate) const DIRECTORIES: [&str; 2] = ["containers", "docker"];

/// Builds `localhost/web:1` out of busybox and the payload, for each engine that is there. They only import what they
/// are given: no registry, no build.
const IMPORT: &str = r#"
root=$(mktemp -d)
mkdir -p "$root/bin" "$root/etc" "$root/tmp" "$root/www" "$root/ctl" "$root/cache"
chmod 1777 "$root/cache"
cp /bin/busybox "$root/bin/busybox"
for applet in $(busybox --list); do [ "$applet" = busybox ] || ln -sf busybox "$root/bin/$applet"; done
install -m 755 /payload "$root/bin/payload"
echo 'root:x:0:0:root:/:/bin/sh' > "$root/etc/passwd"
echo ok > "$root/www/index.html"
for engine in podman docker; do
    command -v $engine >/dev/null || continue
    tar -C "$root" -c . | $engine import \
        --change 'ENV PATH=/bin' --change 'CMD ["/bin/payload"]' --change 'EXPOSE 8080' - localhost/web:1
    $engine run --rm --network=none localhost/web:1 payload --version
done
rm -r "$root"
"#;

/// The storage of a machine of this image on which its engines imported the payload.
pub(crate) fn with_payload(image: &Image) -> Result<Cached> {
    let binary = payload::build()?;
    let key = cache::key(&(image.suite, image.key(), cache::file_key(&binary)?, IMPORT));
    cache::entry(&format!("storage-{}", image.kind()), &key, |dir| {
        let mut host = Host::boot(image)?;
        host.copy_in(&binary, "/payload")?;
        host.sh(IMPORT).context("importing the payload's image")?;
        host.power_off()?;
        copy(host.storage_dir(), dir)
    })
}

/// Directories for [`DIRECTORIES`] in `dir`, with what comes with the image.
pub(crate) fn prepare(image: &Image, dir: &Path) -> Result<()> {
    fs::create_dir(dir)?;
    match image.storage_dir() {
        Some(ready) => copy(ready, dir),
        None => Ok(DIRECTORIES.iter().try_for_each(|name| fs::create_dir(dir.join(name)))?),
    }
}

pub(crate) fn copy(from: &Path, to: &Path) -> Result<()> {
    run("cp", ["--archive".as_ref(), "--no-target-directory".as_ref(), from.as_os_str(), to.as_os_str()])
}
