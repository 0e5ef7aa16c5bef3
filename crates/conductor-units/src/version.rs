//! Which systemd will read the units.

use std::fmt;

/// A version of systemd; the default is the oldest that is supported (Debian 12, RHEL 9).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct SystemdVersion(pub u32);

impl SystemdVersion {
    /// The oldest version that generated units work with.
    pub const BASELINE: Self = Self(252);

    /// `RestartSteps=` and `RestartMaxDelaySec=` (NEWS of 254). Older ones warn and ignore them.
    pub(crate) fn has_restart_steps(self) -> bool {
        self >= Self(254)
    }

    /// `LoadCredentialEncrypted=` in users' services: before, the user's manager looked for the machine's key
    /// itself, which it may not read (systemd issue 33796; seen on 257).
    pub fn decrypts_for_users(self) -> bool {
        self >= Self(258)
    }
}

impl Default for SystemdVersion {
    fn default() -> Self {
        Self::BASELINE
    }
}

impl fmt::Display for SystemdVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}
