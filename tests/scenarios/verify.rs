//! Every generated unit is one that systemd understands, and the verifier notices when it does not.

use std::fs;

use conductor_generator::{Log, Priority, Roots, run};
use conductor_tests::{Image, Manager, Suite, verify_units};

use crate::trees::{cases, copy, site};

struct Silent;

impl Log for Silent {
    fn log(&mut self, _: Priority, _: &str) {}
}

#[test]
fn every_fixture_is_understood_by_every_systemd() {
    for (suite, version) in [(Suite::Bookworm, 252), (Suite::Trixie, 257)] {
        let image = Image::base(suite).unwrap();
        for case in cases() {
            let root = repository_scratch("fixture-root");
            let output = repository_scratch("fixture-units");
            copy(&case.join("root"), &root);
            // What systemd would find for itself. A fixture that says for which version its tree is keeps that where
            // the verifier is as new: it is the tree that is expected which is verified, and for 254 there is no image.
            let settings = root.join("etc/conductor/conductor.toml");
            let of_its_own = |text: &str| written_version(text).is_some_and(|own| own <= version);
            if !fs::read_to_string(&settings).is_ok_and(|text| of_its_own(&text)) {
                fs::create_dir_all(root.join("etc/conductor")).unwrap();
                fs::write(&settings, format!("systemd-version = {version}\n")).unwrap();
            }
            let site = site(&case, &root);
            let manager = if site.user.is_some() { Manager::User } else { Manager::System };
            run(&Roots { site, output: output.clone() }, &mut Silent);
            // Masked, or in the way of a package's unit.
            if fs::read_dir(&output).unwrap().next().is_none() {
                continue;
            }
            if let Err(error) = verify_units(&image, manager, &output) {
                panic!("{} on systemd {version}: {error}", case.display());
            }
        }
    }
}

/// The version that a fixture's settings name.
fn written_version(settings: &str) -> Option<u32> {
    settings.lines().find_map(|line| line.strip_prefix("systemd-version = ")?.parse().ok())
}

#[test]
fn complaints_are_failures_on_every_systemd() {
    let good = "[Unit]\nDescription=Web\nPartOf=conductor.target\n\n[Service]\nSlice=conductor.slice\n\
                ExecStart=/usr/bin/podman run web\nExecStartPost=/usr/bin/conductor-health wait\n\
                \n[X-Conductor]\nService=web\n";
    let units = repository_scratch("verify");
    for suite in [Suite::Bookworm, Suite::Trixie] {
        let image = Image::base(suite).unwrap();
        for manager in [Manager::System, Manager::User] {
            fs::write(units.join("web.service"), good).unwrap();
            fs::write(units.join("web@.service"), good).unwrap();
            verify_units(&image, manager, &units).unwrap();

            fs::write(units.join("web@.service"), good.replace("Slice=", "Slize=")).unwrap();
            let error = verify_units(&image, manager, &units).unwrap_err().to_string();
            assert!(error.contains("Slize"), "{manager:?}: {error}");
        }
    }
}

/// An empty directory under the package's own scratch space.
fn repository_scratch(name: &str) -> std::path::PathBuf {
    let dir = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let _ = fs::remove_dir_all(&dir);
    fs::create_dir_all(&dir).unwrap();
    dir
}
