//! Podman's storage with the payload's image already imported, made by a real podman on a booted machine.

use std::path::Path;

use crate::cache::{self, Cached};
use crate::{Context, Host, Image, Result, payload, run};

/// Builds `localhost/web:1` out of busybox and the payload. Podman only imports what it is given: no registry, no build.
const IMPORT: &str = r#"
root=$(mktemp -d)
mkdir -p "$root/bin" "$root/etc" "$root/tmp" "$root/www" "$root/ctl"
cp /bin/busybox "$root/bin/busybox"
for applet in $(busybox --list); do [ "$applet" = busybox ] || ln -sf busybox "$root/bin/$applet"; done
install -m 755 /payload "$root/bin/payload"
echo 'root:x:0:0:root:/:/bin/sh' > "$root/etc/passwd"
echo ok > "$root/www/index.html"
tar -C "$root" -c . | podman import \
    --change 'ENV PATH=/bin' --change 'CMD ["/bin/payload"]' --change 'EXPOSE 8080' - localhost/web:1
rm -r "$root"
podman run --rm --network=none localhost/web:1 payload --version
"#;

/// The storage of a machine of this image on which podman imported the payload.
pub(crate) fn with_payload(image: &Image) -> Result<Cached> {
    let binary = payload::build()?;
    let key = cache::key(&(image.suite, image.key(), cache::file_key(&binary)?, IMPORT));
    cache::entry(&format!("storage-{}", image.suite.codename()), &key, |dir| {
        let mut host = Host::boot(image)?;
        host.copy_in(&binary, "/payload")?;
        host.sh(IMPORT).context("importing the payload's image")?;
        host.power_off()?;
        copy(host.storage_dir(), dir)
    })
}

fn copy(from: &Path, to: &Path) -> Result<()> {
    run("cp", ["--archive".as_ref(), "--no-target-directory".as_ref(), from.as_os_str(), to.as_os_str()])
}
