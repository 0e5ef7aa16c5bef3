//! Debian 12, the oldest supported: systemd 252, podman 4.3, docker 20.10. What other scenarios show on Debian 13 plays
//! out the same here.

use crate::stage::{Engine, Stage};
use crate::{failures, instances, keys};

#[test]
fn keys_are_in_force_on_bookworm() {
    let Some(on) = Stage::bookworm(Engine::Podman) else { return };
    keys::process_storage_and_rights_on(&on);
    keys::secrets_on(&on);
    keys::networks_on(&on);
}

#[test]
fn containers_fail_and_come_back_on_bookworm() {
    let Some(on) = Stage::bookworm(Engine::Podman) else { return };
    failures::answers_wrongly_on(&on);
    failures::monitor_killed_on(&on);
    failures::paused_on(&on);
}

#[test]
fn instances_and_slices_on_bookworm() {
    let Some(on) = Stage::bookworm(Engine::Podman) else { return };
    instances::two_instances_on(&on);
    keys::conditions_on(&on);
}

#[test]
fn encrypted_secrets_on_bookworm() {
    let Some(on) = Stage::bookworm(Engine::Podman) else { return };
    keys::encrypted_secrets_on(&on);
}

#[test]
fn docker_on_bookworm() {
    let Some(on) = Stage::bookworm(Engine::Docker) else { return };
    keys::process_storage_and_rights_on(&on);
    keys::secrets_on(&on);
    failures::monitor_killed_on(&on);
    on.ok(["systemctl", "stop", "web.service"]).unwrap();
    instances::two_instances_on(&on);
}
