//! A layer with people on it who run containers of their own, without root.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::cache::{self, Cached};
use crate::overlay::Overlay;
use crate::{Context, Image, Result, apt, stdout_of};

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

/// Settings of the developer's machine, for as long as it takes.
const APT_CONFIG: &str = "/tmp/apt.conf";

/// Installs the packages from the developer's mirror on top of `image`.
pub(crate) fn layer(image: &Image) -> Result<Cached> {
    let key = cache::key(&(image.key(), PACKAGES, FILES, USERS));
    cache::entry(&format!("rootless-{}", image.suite.codename()), &key, |dir| {
        let lower = image.lower_dirs();
        let lower: Vec<&Path> = lower.iter().map(std::path::PathBuf::as_path).collect();
        let overlay = Overlay::mount(&lower, dir)?;
        let inside = |path: &str| overlay.merged.join(path.trim_start_matches('/'));
        let write = |path: &str, text: &[u8]| fs::write(inside(path), text).context(path.to_owned());
        write(
            "/etc/apt/sources.list",
            format!("{}\n", apt::source_line(image.suite.codename())?).as_bytes(),
        )?;
        // Names are resolved as outside for as long as it takes.
        let resolver = fs::read(inside("/etc/resolv.conf"))?;
        write("/etc/resolv.conf", &fs::read("/etc/resolv.conf").context("/etc/resolv.conf")?)?;
        let options: String = apt::options()?.iter().map(|option| format!("{option};\n")).collect();
        write(APT_CONFIG, options.as_bytes())?;
        let apt_get = |what: &[&str]| {
            let mut command = inside_of(&overlay);
            command.env("APT_CONFIG", APT_CONFIG).args(["apt-get", "--quiet", "--yes"]).args(what);
            stdout_of(&mut command).map(drop)
        };
        apt_get(&["update"])?;
        let mut install = vec!["install", "--no-install-recommends"];
        install.extend(PACKAGES);
        apt_get(&install)?;
        apt_get(&["clean"])?;
        write("/etc/resolv.conf", &resolver)?;
        fs::remove_file(inside(APT_CONFIG))?;
        cache::remove_tree(&inside("/var/lib/apt/lists"))?;
        stdout_of(inside_of(&overlay).args(["sh", "-euc", USERS]))?;
        for (path, text) in FILES {
            write(path, text.as_bytes())?;
        }
        drop(overlay);
        cache::remove_tree(&dir.join("work"))?;
        Ok(fs::remove_dir(dir.join("merged"))?)
    })
}

fn inside_of(overlay: &Overlay) -> Command {
    let mut command = Command::new("chroot");
    command.arg(&overlay.merged).env("DEBIAN_FRONTEND", "noninteractive").env("PATH", crate::exec::PATH);
    command
}
