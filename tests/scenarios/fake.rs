//! Units like those Conductor generates, for scenarios about what surrounds them: made by a generator of the test's
//! own, marked as ours are, and gone when Conductor's generator is.

use conductor_tests::{Host, Result};

/// A generator that makes `name` out of `[Unit]` and `[Service]` lines each.
const GENERATOR: &str = "#!/bin/sh
[ -z \"$NEEDS_CONDUCTOR\" ] || [ -x /usr/lib/systemd/system-generators/conductor-generator ] || exit 0
cp /etc/fake-units/* \"$1\"
mkdir -p \"$1/conductor.target.wants\"
for unit in $(grep -l '^# wanted' \"$1\"/*); do
    ln -sf \"../${unit##*/}\" \"$1/conductor.target.wants/\"
done
";

/// Installs the generator; units follow with [`unit`]. With `needs_conductor` it stops with the package's removal.
pub(crate) fn install(host: &Host, needs_conductor: bool) -> Result<()> {
    let value = if needs_conductor { "1" } else { "" };
    let script = GENERATOR.replace("$NEEDS_CONDUCTOR", value);
    host.write("/etc/systemd/system-generators/zz-fake", &script)?;
    host.sh("chmod +x /etc/systemd/system-generators/zz-fake")?;
    Ok(())
}

/// A generated unit; `marked` ones carry Conductor's section. Takes effect at the next reload.
pub(crate) fn unit(host: &Host, name: &str, marked: bool, service: &str) -> Result<()> {
    let mark = if marked { "[X-Conductor]\nService=web\n" } else { "" };
    let text = format!("[Unit]\nPartOf=conductor.target\n\n[Service]\n{service}\n{mark}");
    host.write(&format!("/etc/fake-units/{name}"), &text)
}
