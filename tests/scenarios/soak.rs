//! Many services, and faults at random for a while. `cargo xtask soak` does the same for as long as one likes.

use std::time::Duration;

use conductor_tests::soak::{Fleet, Plan, Soak};

use crate::common::host;

/// As many containers as a machine of a small team runs.
const FLEET: Fleet = Fleet { services: 20, instances: 2 };

/// Always the same faults: a failure here is to be had again.
const SEED: u64 = 1;

#[test]
fn a_fleet_outlives_faults_at_random() {
    let plan = Plan::new(SEED, FLEET, Duration::from_secs(75));
    let host = host();
    let report = Soak { host: &host, plan: &plan }.run().unwrap();
    let summary = report.summary(FLEET);
    conductor_tests::announce(&summary);
    assert!(report.findings.is_empty(), "{summary}to have it again: cargo xtask soak --seed {SEED}");
}
