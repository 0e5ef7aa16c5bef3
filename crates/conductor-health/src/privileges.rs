//! Becoming somebody with fewer rights.

use nix::unistd::{Gid, Uid, User, getgroups, setgid, setgroups, setresgid, setresuid};
use std::fmt;

/// Becomes this user for good: its user and group, no other groups, and no way back through a
/// set-user-ID program.
///
/// To be called before any thread or socket exists: the rights of a thread that is already running
/// are its own, and a socket keeps the owner that it was opened by.
pub fn become_user(name: &str) -> Result<(), Error> {
    let fail = |why| Error { user: name.to_owned(), why };
    let user = match User::from_name(name) {
        Ok(Some(user)) => user,
        Ok(None) => return Err(fail(Why::Missing)),
        Err(errno) => return Err(fail(Why::System("looking it up", errno))),
    };
    if Uid::effective() == user.uid && Uid::current() == user.uid {
        return no_new_privileges().map_err(|errno| fail(Why::System("giving up new privileges", errno)));
    }
    if !Uid::effective().is_root() {
        return Err(fail(Why::NotRoot));
    }
    drop_to(user.uid, user.gid).map_err(|(doing, errno)| fail(Why::System(doing, errno)))?;
    no_new_privileges().map_err(|errno| fail(Why::System("giving up new privileges", errno)))?;
    if is_dropped(user.uid, user.gid) { Ok(()) } else { Err(fail(Why::Kept)) }
}

/// Groups first: once the user is changed, there is no right left to change them.
fn drop_to(uid: Uid, gid: Gid) -> Result<(), (&'static str, nix::Error)> {
    setgroups(&[]).map_err(|errno| ("dropping its groups", errno))?;
    setresgid(gid, gid, gid).map_err(|errno| ("changing the group", errno))?;
    setresuid(uid, uid, uid).map_err(|errno| ("changing the user", errno))
}

fn no_new_privileges() -> Result<(), nix::Error> {
    nix::sys::prctl::set_no_new_privs()
}

/// Trust, and verify: a kernel module or sandbox that pretends success has happened before.
fn is_dropped(uid: Uid, gid: Gid) -> bool {
    let root = Uid::from_raw(0);
    Uid::current() == uid
        && Uid::effective() == uid
        && Gid::effective() == gid
        && getgroups().is_ok_and(|groups| groups.iter().all(|group| *group == gid))
        && (uid == root || (setresuid(root, root, root).is_err() && setgid(Gid::from_raw(0)).is_err()))
}

/// Why the user could not be changed.
#[derive(Debug)]
pub struct Error {
    user: String,
    why: Why,
}

#[derive(Debug)]
enum Why {
    Missing,
    NotRoot,
    System(&'static str, nix::Error),
    Kept,
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let user = &self.user;
        match &self.why {
            Why::Missing => write!(
                f,
                "there is no user `{user}` to run the checks as: run systemd-sysusers, or name another one with --user"
            ),
            Why::NotRoot => write!(f, "only root can become `{user}`: leave out --user"),
            Why::System(doing, errno) => write!(f, "cannot become `{user}`: {doing}: {}", errno.desc()),
            Why::Kept => {
                write!(f, "cannot become `{user}`: the change did not take, and so nothing was started")
            }
        }
    }
}

impl std::error::Error for Error {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn says_which_user_is_missing_and_what_to_do() {
        let error = become_user("no-such-user-here").unwrap_err().to_string();
        assert!(
            error.contains("no user `no-such-user-here`") && error.contains("systemd-sysusers"),
            "{error}"
        );
    }
}
