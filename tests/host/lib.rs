//! A throwaway Debian machine for tests: real systemd as PID 1, real podman, real nginx.
//!
//! An [`Image`] is a cached root file system, made of layers; a [`Host`] is a machine booted from one in about two
//! seconds, with a disk of its own that is thrown away afterwards. Scenarios drive it with the commands an
//! administrator would type:
//!
//! ```no_run
//! use conductor_tests::{Host, Image};
//! # fn main() -> conductor_tests::Result<()> {
//! let host = Host::boot(&Image::with_conductor()?)?;
//! host.write("/etc/conductor/services/web.toml", "image = \"localhost/web:1\"\n")?;
//! host.ok(["systemctl", "daemon-reload"])?;
//! host.ok(["systemctl", "start", "web.service"])?;
//! # Ok(())
//! # }
//! ```
//!
//! Everything is kept under [`cache_root`]; nothing there is precious.

mod added;
mod ahead;
mod apt;
mod cache;
mod cgroup;
mod command;
mod docker;
mod emulated;
mod error;
mod exec;
mod host;
mod image;
mod journal;
mod machine;
mod observers;
mod overlay;
mod package;
mod payload;
mod preflight;
mod recipe;
mod registry;
mod rootless;
mod rundir;
pub mod soak;
mod storage;
mod verify;
mod wait;

pub use ahead::build_images;
pub use cache::cache_root;
pub use command::{announce, run, stdout_of};
pub use emulated::{Emulation, emulate};
pub use error::{Context, Error, Result};
pub use exec::Output;
pub use host::Host;
pub use image::{Image, Suite};
pub use journal::{Entry, Follower};
pub use package::newest_package;
pub use preflight::{Need, missing, require};
pub use verify::{Manager, verify_units};

/// The repository this was built from; scenarios read fixtures and shipped units from it.
pub fn repository() -> &'static std::path::Path {
    let manifest = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    manifest.parent().unwrap_or(manifest)
}
