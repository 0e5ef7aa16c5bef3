//! A layer with people on it who run containers of their own, without root.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::cache::{self, Cached};
use crate::{Context, Image, Result, added, stdout_of};

/// A user's own systemd and bus, and what podman needs where it is not root: mappings of user ids, and a network made
/// by a program (passt, or slirp4netns before podman 5).
const PACKAGES: &[&str] = &["dbus-user-session", "libpam-systemd", "passt", "slirp4netns", "uidmap"];

/// Files of the layer.
const FILES: &[(&str, &str)] = &[
    // Beside root's, on a plain directory: overlayfs does not stack on itself.
    (
        "/etc/containers/storage.conf",
        "[storage]\ndriver = \"overlay\"\nrunroot = \"/run/containers/storage\"\n\
         graphroot = \"/var/lib/containers/storage\"\nrootless_storage_path = \"/var/lib/containers/users/$USER\"\n",
    ),
    // What udev does on a machine with hardware: the network of a container without root is a tun device.
    (
        "/etc/tmpfiles.d/users.conf",
        "z /dev/net/tun 0666\n\
         d /var/lib/containers/users/alice 0700 alice alice\nd /var/lib/containers/users/bob 0700 bob bob\n",
    ),
];

/// alice's services run whether or not she is logged in; bob has to log in. `loginctl enable-linger` makes the same
/// file, but only on a machine that is up.
const USERS: &str = "
useradd --create-home --shell /bin/sh --uid 1001 alice
useradd --create-home --shell /bin/sh --uid 1002 bob
mkdir -p /var/lib/systemd/linger
touch /var/lib/systemd/linger/alice
";

/// Installs the packages on top of `image`, and makes the users.
pub(crate) fn layer(image: &Image) -> Result<Cached> {
    let key = cache::key(&(image.key(), PACKAGES, FILES, USERS, added::SOURCE));
    cache::entry(&format!("users-{}", image.kind()), &key, |dir| {
        added::packages_and(image, PACKAGES, dir, users)
    })
}

fn users(root: &Path) -> Result<()> {
    let mut command = Command::new("chroot");
    command.arg(root).args(["sh", "-euc", USERS]).env("PATH", crate::exec::PATH);
    stdout_of(&mut command)?;
    for (path, text) in FILES {
        fs::write(root.join(path.trim_start_matches('/')), text).context(path)?;
    }
    Ok(())
}
