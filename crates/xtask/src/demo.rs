//! `cargo xtask demo`: what Conductor does, on a machine of its own, told step by step.

use std::time::Instant;

use conductor_tests::{Host, Image, Result};

use crate::shell::say;
use crate::{package, preflight};

/// Builds and boots; the story itself is told once the binaries can play it.
pub(crate) fn demo() -> Result<()> {
    preflight::hosts(false)?;
    preflight::packaging()?;
    let story = Story(Instant::now());
    story.tell("building the package");
    package::build()?;
    story.tell("booting a Debian machine with it: real systemd, real podman");
    let host = Host::boot(&Image::with_conductor()?)?;
    say(host.ok(["systemctl", "list-units", "--no-legend", "conductor*"])?);
    story.tell("done; the machine is thrown away");
    Ok(())
}

/// Lines with the time since the start.
struct Story(Instant);

impl Story {
    fn tell(&self, text: &str) {
        say(format_args!("[{:5.1} s] {text}", self.0.elapsed().as_secs_f32()));
    }
}
