//! What differs between the machine's service manager and a user's.

use conductor_definition::Scope;

/// How people call its command.
pub fn systemctl(scope: Scope) -> &'static str {
    match scope {
        Scope::System => "systemctl",
        Scope::User => "systemctl --user",
    }
}

/// At shutdown containers stop while the network still works. A network that is *up* is not waited for: that
/// costs a minute where nothing brings it "online". A user's manager knows no units of the network; all of it
/// runs while the network is there (user@.service is ordered after systemd-user-sessions.service, which is
/// ordered after network.target).
pub(crate) fn network(scope: Scope) -> Option<&'static str> {
    match scope {
        Scope::System => Some("network.target"),
        Scope::User => None,
    }
}
