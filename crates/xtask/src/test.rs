//! `cargo xtask test`: everything, in one go.

use std::num::NonZeroUsize;
use std::process::Command;

use conductor_tests::{Result, repository};

use crate::aside::Aside;
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
    if only.is_some() {
        if steps.step("package", || (Vec::new(), package::build().map(drop))) {
            scenarios(all, only, &mut steps);
        }
        return steps.finish();
    }
    preflight::proxies()?;
    // Made aside: they are downloaded, unpacked and linked by one process at a time, while the rest compiles.
    let package = Aside::begin("package", this(&["package"])?);
    let images = Aside::begin("images", this(if all { &["images", "--all"] } else { &["images"] })?);
    checks(&mut steps);
    if steps.wait(package) {
        scenarios(all, only, &mut steps);
    }
    // Nobody has waited for those before: a scenario waits for the one that it boots from, or builds it itself.
    steps.wait(images);
    steps.finish()
}

/// Everything that boots no machine.
fn checks(steps: &mut Steps) {
    steps.command("format", &mut cargo(["fmt", "--all", "--check"]));
    let features = "conductor-tests/emulated";
    let lints =
        ["clippy", "--workspace", "--all-targets", "--features", features, "--quiet", "--", "-D", "warnings"];
    steps.command("lints", &mut cargo(lints));
    steps.step("generated files", || (Vec::new(), generate::task(true)));
    let mut unit_tests = cargo(["test", "--workspace"]);
    if std::env::var_os(SEED).is_none() {
        // What passes here passes everywhere; `cargo test` and `cargo xtask fuzz` look further each time.
        unit_tests.env(SEED, "1");
    }
    steps.command("unit tests", &mut unit_tests);
}

/// Another task of this program.
fn this(task: &[&str]) -> Result<Command> {
    let mut command = Command::new(std::env::current_exe()?);
    command.args(task).current_dir(repository());
    Ok(command)
}

fn scenarios(all: bool, only: Option<&str>, steps: &mut Steps) {
    let rest = ["--features", "conductor-tests/emulated", "--", "--nocapture"];
    let emulated = all.then(|| {
        let words = EMULATED.iter().copied().chain(rest);
        Aside::begin("emulated boot", cargo(words))
    });
    // Images are built by the first scenario that needs them; --nocapture shows that, and the times of boots.
    let filter = only.unwrap_or_default();
    let threads = format!("--test-threads={}", at_once());
    let words = SCENARIOS.iter().copied().chain(rest).chain([threads.as_str(), filter]);
    steps.command("scenarios", &mut cargo(words));
    if let Some(emulated) = emulated {
        steps.wait(emulated);
    }
}

/// How many scenarios at once. Half of the time they wait for timers, checks and containers that end.
fn at_once() -> usize {
    std::thread::available_parallelism().map_or(2, NonZeroUsize::get) * 2
}
