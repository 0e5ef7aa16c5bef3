//! What counts where a key is left out: for validation, the schema and the manual page.

use std::net::{IpAddr, Ipv4Addr};

use conductor_timespan::TimeSpan;

pub(crate) const INSTANCES: u16 = 1;
pub(crate) const ADDRESS: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

pub(crate) const INTERVAL: TimeSpan = TimeSpan::from_secs(5);
pub(crate) const TIMEOUT: TimeSpan = TimeSpan::from_secs(2);
pub(crate) const UNHEALTHY_AFTER: u32 = 3;
pub(crate) const HEALTHY_AFTER: u32 = 1;
pub(crate) const START_WITHIN: TimeSpan = TimeSpan::from_secs(60);
pub(crate) const KILL_GRACE: TimeSpan = TimeSpan::from_secs(10);
pub(crate) const MAX_UNAVAILABLE: u32 = 1;
pub(crate) const MAX_PRESSURE: u32 = 80;
pub(crate) const MAX_HOLD: TimeSpan = TimeSpan::from_secs(60);

pub(crate) const RESTART_DELAY: TimeSpan = TimeSpan::from_secs(5);
pub(crate) const RESTART_MAX_DELAY: TimeSpan = TimeSpan::from_secs(60);
pub(crate) const STARTS: u32 = 10;

pub(crate) const STOP_TIMEOUT: TimeSpan = TimeSpan::from_secs(10);

pub(crate) const PULL_RETRIES: u32 = 0;
pub(crate) const PULL_RETRY_DELAY: TimeSpan = TimeSpan::from_secs(5);

pub(crate) const SETTLE: TimeSpan = TimeSpan::from_secs(10);
pub(crate) const DRAIN: TimeSpan = TimeSpan::from_secs(10);
pub(crate) const BEFORE_TIMEOUT: TimeSpan = TimeSpan::from_secs(10 * 60);
pub(crate) const KEEP: u32 = 3;
pub(crate) const CANARY_BAKE: TimeSpan = TimeSpan::from_secs(10 * 60);
pub(crate) const BAKE: TimeSpan = TimeSpan::from_secs(0);
pub(crate) const HAPROXY_SOCKET: &str = "/run/haproxy/admin.sock";
