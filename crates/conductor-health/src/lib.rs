//! Health checks for systemd units: HTTP, gRPC, TCP.
//!
//! systemd starts, restarts and limits services; what it cannot do is ask one whether it works. This
//! crate asks, and when a service stops answering it ends the service's main process through systemd,
//! so that the unit's own `Restart=`, `RestartSec=` and start limit decide what happens next. It works
//! for any unit and never starts, stops or restarts one itself.
//!
//! - [`mod@probe`]: one check, and a reason in words.
//! - [`verdict`]: when failures become a verdict, and what follows; pure and exhaustively tested.
//! - [`mod@watch`], [`mod@wait`], [`once`]: the three subcommands around them.
//! - [`serve`]: what they know, for Prometheus and load balancers.
//! - [`opened`]: what `wait` tells `watch` about the run that it has let through.

pub mod cli;
pub mod log;
pub mod notify;
pub mod once;
pub mod opened;
pub mod privileges;
pub mod probe;
pub mod serve;
mod url;
pub mod verdict;
pub mod wait;
pub mod watch;

pub use probe::Reason;
pub use url::{Host, InvalidUrl, Scheme, Server, Url};
