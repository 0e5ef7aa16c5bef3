//! Whose services a command is about: the machine's, or the caller's own.

use std::ffi::OsString;
use std::path::Path;

use conductor_definition::{Scope, Site, UserDirectories};

/// Known to every command, before or after its name, as systemctl has it.
#[derive(Debug, Clone, Copy, clap::Args)]
pub(crate) struct Whose {
    /// Your own services, which your own systemd runs without root, instead of the machine's.
    #[arg(long, global = true)]
    user: bool,
}

impl Whose {
    /// What the command reads, below `root`.
    pub(crate) fn site(self, root: &Path) -> Result<Site, String> {
        if !root.is_dir() {
            return Err(format!(
                "{} is not a directory: give --root or CONDUCTOR_ROOT the one that holds etc and usr",
                root.display()
            ));
        }
        let user = self.user.then(|| UserDirectories::from_environment(variable)).transpose()?;
        Ok(Site { root: root.to_owned(), user })
    }
}

/// The environment, and the runtime directory that logind makes for the user where nothing says which: sudo and su
/// leave it out.
fn variable(name: &str) -> Option<OsString> {
    std::env::var_os(name).or_else(|| {
        (name == "XDG_RUNTIME_DIR").then(|| format!("/run/user/{}", nix::unistd::geteuid()).into())
    })
}

/// How people call this program about them.
pub(crate) fn conductor(scope: Scope) -> &'static str {
    match scope {
        Scope::System => "conductor",
        Scope::User => "conductor --user",
    }
}

/// Whom to ask about them.
pub(crate) fn manager(site: &Site) -> conductor_systemd::Scope {
    match site.scope() {
        Scope::System => conductor_systemd::Scope::System,
        Scope::User => conductor_systemd::Scope::User,
    }
}

/// Only root sees the machine's containers, and each user sees the user's own.
pub(crate) fn may_touch_containers(site: &Site) -> Result<(), String> {
    if site.scope() == Scope::System && !nix::unistd::geteuid().is_root() {
        return Err(
            "the machine's containers are root's: run it with sudo, or with --user for your own".to_owned()
        );
    }
    Ok(())
}
