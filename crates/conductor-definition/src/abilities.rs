//! What a definition may ask for where it is going to run.

/// What those who run the service are able to do. Asking for more is an error, and for what may work after a change
/// to the machine a warning.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Abilities {
    /// docker, whose daemon belongs to root.
    pub docker: bool,
    /// Secrets that systemd decrypts.
    pub encrypted_secrets: bool,
    /// Host ports from this one on (`net.ipv4.ip_unprivileged_port_start`, ip(7)).
    pub lowest_port: u16,
}

impl Abilities {
    /// Root may do everything.
    pub const ROOT: Self = Self { docker: true, encrypted_secrets: true, lowest_port: 0 };
}

impl Default for Abilities {
    fn default() -> Self {
        Self::ROOT
    }
}
