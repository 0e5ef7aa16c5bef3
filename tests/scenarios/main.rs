//! Scenarios on booted machines: `cargo xtask test`, or `cargo test -p conductor-tests --features host`.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)] // This is a test.

mod admin;
mod bare;
mod bookworm;
mod boot;
mod broken;
mod budget;
mod cli;
mod common;
mod connections;
mod crowd;
mod deploy_crashes;
mod deploy_engines;
mod deploy_failures;
mod deploy_kills;
mod deploy_view;
mod deploys;
mod detection;
mod docker;
mod examples;
mod failures;
mod fake;
mod giving_up;
mod guards;
mod instances;
mod keys;
mod kinds_of_checks;
mod mishap;
mod objects;
mod package;
mod pending_edit;
mod polkit;
mod product;
mod proxy;
mod quoting;
mod races;
mod restarts;
mod rootless;
mod rootless_package;
mod run;
mod seen;
mod slots;
mod soak;
mod stage;
mod stages;
mod standing_back;
#[path = "../trees.rs"]
mod trees;
mod unit_reading;
mod verify;
