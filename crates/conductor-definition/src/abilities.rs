//! What a definition may ask for where it is going to run.

/// What those who run the service are able to do. Asking for more is an error, and for what may work after a change
/// to the machine a warning.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Abilities {
    /// docker, whose daemon belongs to root.
    pub docker: bool,
    /// A proxy whose configuration is root's.
    pub proxy: bool,
    /// Secrets that systemd decrypts.
    pub encrypted_secrets: bool,
    /// Host ports from this one on (`net.ipv4.ip_unprivileged_port_start`, ip(7)).
    pub lowest_port: u16,
    /// Limits of control groups.
    pub controllers: Controllers,
}

/// Controllers of control groups (cgroups(7)): without one, its limits are ignored, and nothing says so.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "each is there or not, by itself")]
pub struct Controllers {
    /// Processor time.
    pub cpu: bool,
    /// Input and output.
    pub io: bool,
    /// Memory.
    pub memory: bool,
    /// Processes.
    pub pids: bool,
}

impl Controllers {
    /// Whatever the kernel has.
    pub const ALL: Self = Self { cpu: true, io: true, memory: true, pids: true };

    /// From their names, as in `cgroup.controllers`.
    pub fn named(names: &str) -> Self {
        let has = |wanted| names.split_whitespace().any(|name| name == wanted);
        Self { cpu: has("cpu"), io: has("io"), memory: has("memory"), pids: has("pids") }
    }
}

impl Abilities {
    /// Root may do everything.
    pub const ROOT: Self = Self {
        docker: true,
        proxy: true,
        encrypted_secrets: true,
        lowest_port: 0,
        controllers: Controllers::ALL,
    };
}

impl Default for Abilities {
    fn default() -> Self {
        Self::ROOT
    }
}
