//! Moves traffic from one release of a service to another without losing a request.
//!
//! [`Proxy`] is the small trait that a deploy works with; [`Driver`] is either of its two implementations:
//!
//! - [`Nginx`] writes a file for each upstream, has nginx check its *whole* configuration with the candidate in place
//!   before anybody else can see it, swaps the file in one rename, reloads through systemd, and proves by the worker
//!   processes that the reload took: neither `nginx -t` nor the exit status of a reload is a proof.
//! - [`Haproxy`] tells a running HAProxy through its runtime API, and writes down what it told it, so that a restart
//!   comes back with the same servers.
//!
//! What is lost, stated for each driver: with nginx no request over a fresh connection, if the old release is stopped
//! only after [`Proxy::drain`]; requests over kept connections none either from nginx 1.27.4 on
//! (`keepalive_min_timeout`), and a few for each reload before. With HAProxy none on any version.
//!
//! The crate knows nothing of definitions or releases: addresses in, traffic moved.

mod address;
mod dark;
mod driver;
mod error;
mod files;
mod haproxy;
mod lock;
mod name;
mod nginx;
mod process;
mod proxy;
mod share;
mod upstream;
mod verify;

pub use address::{Address, InvalidAddress};
pub use dark::{Dark, Door, InvalidWord, Word};
pub use driver::Driver;
pub use error::{Error, Kind};
pub use haproxy::Haproxy;
pub use name::{InvalidName, UpstreamName};
pub use nginx::{Nginx, Runner, Version};
pub use proxy::{Difference, Drain, Others, Proxy, Switch};
pub use share::{Share, shared};
pub use upstream::{Server, Upstream, Weight};
pub use verify::{Ask, Verified};
