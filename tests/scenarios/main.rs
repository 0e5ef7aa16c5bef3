//! Scenarios on booted machines: `cargo xtask test`, or `cargo test -p conductor-tests --features host`.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)] // This is a test.

mod bare;
mod fake;
mod package;
mod polkit;
mod verify;
