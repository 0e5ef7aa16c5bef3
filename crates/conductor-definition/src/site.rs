//! Where definitions are looked for: in which tree of files, and whose they are.
//!
//! Everything below `main` takes a [`Site`]; nothing else asks the environment.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

/// Whose services they are, and so which service manager runs them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Scope {
    /// The machine's.
    #[default]
    System,
    /// One user's, run by the user's own service manager and without root.
    User,
}

/// A tree of files, and whose services in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Site {
    /// Prefix of every path: `/`, or the tree of an image that is being built.
    pub root: PathBuf,
    /// Where the user keeps things; the services are the machine's if there is none.
    pub user: Option<UserDirectories>,
}

impl Site {
    /// The machine's services below `root`.
    pub fn system(root: impl Into<PathBuf>) -> Self {
        Self { root: root.into(), user: None }
    }

    /// Whose services they are.
    pub fn scope(&self) -> Scope {
        if self.user.is_some() { Scope::User } else { Scope::System }
    }

    /// Directories of services' definitions; the first that has a file name wins, as with systemd's own units.
    /// A user's own come before those that the administrator wrote for all users.
    pub fn search_path(&self) -> Vec<PathBuf> {
        let bases = match &self.user {
            None => ["/etc/conductor", "/run/conductor", "/usr/lib/conductor"].map(PathBuf::from).to_vec(),
            Some(user) => vec![user.config.join("conductor"), PathBuf::from("/etc/conductor/users")],
        };
        bases.into_iter().map(|base| base.join("services")).collect()
    }

    /// What lasts until the machine is switched off, or until the user's manager has ended.
    pub fn runtime(&self) -> &Path {
        self.user.as_ref().map_or(Path::new("/run"), |user| &user.runtime)
    }

    /// A path as it is opened: below the root.
    pub fn real(&self, path: &Path) -> PathBuf {
        self.root.join(path.strip_prefix("/").unwrap_or(path))
    }
}

/// A user's directories, as the XDG Base Directory Specification has them, and systemd with it
/// (systemd.unit(5), Load path when running in user mode). All paths are absolute.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UserDirectories {
    /// `$XDG_CONFIG_HOME`, or `.config` in the home directory.
    pub config: PathBuf,
    /// `$XDG_CONFIG_DIRS`, or `/etc/xdg`.
    pub config_dirs: Vec<PathBuf>,
    /// `$XDG_DATA_HOME`, or `.local/share` in the home directory.
    pub data: PathBuf,
    /// `$XDG_DATA_DIRS`, or those of the machine.
    pub data_dirs: Vec<PathBuf>,
    /// `$XDG_RUNTIME_DIR`
    pub runtime: PathBuf,
}

impl UserDirectories {
    /// Reads them from an environment. As the specification asks, empty values and relative paths count as
    /// not set.
    ///
    /// # Errors
    /// Which variable is missing, and what sets it.
    pub fn from_environment(variable: impl Fn(&str) -> Option<OsString>) -> Result<Self, String> {
        let path = |name: &str| variable(name).map(PathBuf::from).filter(|path| path.is_absolute());
        let home = |name: &str, below: &str| {
            path(name)
                .or_else(|| Some(path("HOME")?.join(below)))
                .ok_or_else(|| format!("neither {name} nor HOME is set: log in as the user, or set HOME"))
        };
        let list = |name: &str, default: &[&str]| -> Vec<PathBuf> {
            let set = variable(name).filter(|value| !value.is_empty());
            match &set {
                Some(value) => std::env::split_paths(value).filter(|path| path.is_absolute()).collect(),
                None => default.iter().map(PathBuf::from).collect(),
            }
        };
        Ok(Self {
            config: home("XDG_CONFIG_HOME", ".config")?,
            config_dirs: list("XDG_CONFIG_DIRS", &["/etc/xdg"]),
            data: home("XDG_DATA_HOME", ".local/share")?,
            data_dirs: list("XDG_DATA_DIRS", &["/usr/local/share", "/usr/share"]),
            runtime: path("XDG_RUNTIME_DIR").ok_or(
                "XDG_RUNTIME_DIR is not set: log in as the user (sudo and su do not), or set it to /run/user/UID",
            )?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn directories(environment: &[(&str, &str)]) -> Result<UserDirectories, String> {
        UserDirectories::from_environment(|name| {
            environment.iter().find(|(known, _)| *known == name).map(|(_, value)| value.into())
        })
    }

    #[test]
    fn a_users_directories_are_in_the_home_directory() {
        let user = directories(&[("HOME", "/home/a"), ("XDG_RUNTIME_DIR", "/run/user/7")]).unwrap();
        let site = Site { root: "/image".into(), user: Some(user.clone()) };
        assert_eq!(
            site.search_path(),
            ["/home/a/.config/conductor/services", "/etc/conductor/users/services"].map(PathBuf::from)
        );
        assert_eq!(site.real(site.runtime()), Path::new("/image/run/user/7"));
        assert_eq!(user.data, Path::new("/home/a/.local/share"));
        assert_eq!(user.data_dirs, ["/usr/local/share", "/usr/share"].map(PathBuf::from));
    }

    #[test]
    fn the_environment_moves_them() {
        let set = [
            ("XDG_CONFIG_HOME", "/c"),
            ("XDG_CONFIG_DIRS", "/x:relative:/y"),
            ("XDG_DATA_HOME", "/d"),
            ("XDG_DATA_DIRS", ""),
            ("XDG_RUNTIME_DIR", "/r"),
        ];
        let user = directories(&set).unwrap();
        assert_eq!((user.config, user.data), (PathBuf::from("/c"), PathBuf::from("/d")));
        assert_eq!(user.config_dirs, ["/x", "/y"].map(PathBuf::from));
        assert_eq!(user.data_dirs.len(), 2);
    }

    #[test]
    fn what_is_missing_is_named() {
        assert!(
            directories(&[("XDG_CONFIG_HOME", "c")])
                .unwrap_err()
                .starts_with("neither XDG_CONFIG_HOME nor HOME")
        );
        let error = directories(&[("HOME", "/home/a"), ("XDG_RUNTIME_DIR", "")]).unwrap_err();
        assert!(error.starts_with("XDG_RUNTIME_DIR is not set: log in"), "{error}");
    }
}
