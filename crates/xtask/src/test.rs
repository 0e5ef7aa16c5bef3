//! `cargo xtask test`: everything, in one go.

use conductor_tests::Result;

use crate::shell::cargo;
use crate::steps::Steps;
use crate::{generate, package, preflight};

/// Of the whole workspace, with whose features the unit tests were built: for one package alone, cargo would compile
/// half of the dependencies anew.
const SCENARIOS: [&str; 4] = ["test", "--workspace", "--test", "scenarios"];
const EMULATED: [&str; 4] = ["test", "--workspace", "--test", "emulated"];

/// Of the random values of property tests (proptest).
const SEED: &str = "PROPTEST_RNG_SEED";

/// Runs all steps, or with `only` just the scenarios of that name.
pub(crate) fn test(all: bool, only: Option<&str>) -> Result<()> {
    preflight::hosts(all)?;
    preflight::packaging()?;
    let mut steps = Steps::default();
    if only.is_none() {
        preflight::proxies()?;
        steps.command("format", &mut cargo(["fmt", "--all", "--check"]));
        let features = "conductor-tests/emulated";
        let lints = [
            "clippy",
            "--workspace",
            "--all-targets",
            "--features",
            features,
            "--quiet",
            "--",
            "-D",
            "warnings",
        ];
        steps.command("lints", &mut cargo(lints));
        steps.step("generated files", || (Vec::new(), generate::task(true)));
        let mut unit_tests = cargo(["test", "--workspace"]);
        if std::env::var_os(SEED).is_none() {
            // What passes here passes everywhere; `cargo test` and `cargo xtask fuzz` look further each time.
            unit_tests.env(SEED, "1");
        }
        steps.command("unit tests", &mut unit_tests);
    }
    let packaged = steps.step("package", || (Vec::new(), package::build().map(drop)));
    if packaged {
        // Images are built by the first scenario that needs them; --nocapture shows that, and the times of boots.
        let filter = only.unwrap_or_default();
        let rest = ["--features", "conductor-tests/host", "--", "--nocapture", filter];
        steps.command("scenarios", &mut cargo(SCENARIOS.iter().copied().chain(rest)));
        if all {
            let rest = ["--features", "conductor-tests/emulated", "--", "--nocapture"];
            steps.command("emulated boot", &mut cargo(EMULATED.iter().copied().chain(rest)));
        }
    }
    steps.finish()
}
