//! The verifier notices what `systemd-analyze verify` only mentions.

use std::fs;

use conductor_tests::{Image, Suite, verify_units};

#[test]
fn complaints_are_failures_on_every_systemd() {
    let good = "[Unit]\nDescription=Web\nPartOf=conductor.target\n\n[Service]\nSlice=conductor.slice\n\
                ExecStart=/usr/bin/podman run web\nExecStartPost=/usr/bin/conductor-health wait\n\
                \n[X-Conductor]\nService=web\n";
    let units = repository_scratch("verify");
    for suite in [Suite::Bookworm, Suite::Trixie] {
        let image = Image::base(suite).unwrap();
        fs::write(units.join("web.service"), good).unwrap();
        fs::write(units.join("web@.service"), good).unwrap();
        verify_units(&image, &units).unwrap();

        fs::write(units.join("web@.service"), good.replace("Slice=", "Slize=")).unwrap();
        let error = verify_units(&image, &units).unwrap_err().to_string();
        assert!(error.contains("Slize"), "{error}");
    }
}

/// An empty directory under the package's own scratch space.
fn repository_scratch(name: &str) -> std::path::PathBuf {
    let dir = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let _ = fs::remove_dir_all(&dir);
    fs::create_dir_all(&dir).unwrap();
    dir
}
