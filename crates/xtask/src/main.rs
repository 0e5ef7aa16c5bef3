//! Developer tasks. `cargo xtask test` checks everything, `cargo xtask package` builds the .deb, `cargo xtask demo`
//! shows what Conductor does.

use std::process::ExitCode;

use clap::{Parser, Subcommand};
use conductor_tests::{Context, Host, Image, Result, Suite, newest_package};

mod aside;
mod bench;
mod demo;
mod fuzz;
mod generate;
mod package;
mod preflight;
mod shell;
mod soak;
mod steps;
mod test;

#[derive(Parser)]
#[command(name = "cargo xtask", about = "Developer tasks for Conductor")]
struct Arguments {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Format, lints, unit tests, package and the scenarios on booted machines (as root, on Debian)
    Test {
        /// With the boot under full-system emulation, which takes minutes
        #[arg(long)]
        all: bool,
        /// Only the scenarios whose name contains this
        #[arg(long, value_name = "NAME", conflicts_with = "all")]
        only: Option<String>,
    },
    /// Build what scenarios boot their machines from, as far as the package is not on it
    Images {
        /// And what the emulated machine boots from
        #[arg(long)]
        all: bool,
    },
    /// Build target/debian/conductor_VERSION_ARCH.deb and check it with lintian
    Package,
    /// Write shell completions and conductor(1) from the command line's definition
    Gen {
        /// Only say whether they are up to date
        #[arg(long)]
        check: bool,
    },
    /// Boot a machine, run a service on it, break it and watch
    Demo,
    /// Measure speed and memory beside a peer, on a machine of their own
    Bench {
        #[command(subcommand)]
        what: bench::Bench,
    },
    /// Break many services at random on one machine for minutes, and judge what came of it
    Soak(soak::Options),
    /// Feed readers and writers with what libFuzzer thinks of, and check what must hold (needs a C++ compiler)
    Fuzz {
        /// One of tests/fuzz/corpus; all if left out
        target: Option<String>,
        /// For each target
        #[arg(long, value_name = "N", default_value_t = 60)]
        seconds: u32,
    },
    /// A shell on a throwaway machine, for trying things out
    Host {
        /// Debian release: trixie, bookworm or forky
        #[arg(default_value = "trixie")]
        suite: String,
        /// With Debian's docker beside podman
        #[arg(long)]
        docker: bool,
        /// With the newest package that was built, and the image localhost/web:1 of the test server
        #[arg(long)]
        conductor: bool,
    },
}

fn main() -> ExitCode {
    let done = match Arguments::parse().task {
        Task::Test { all, only } => test::test(all, only.as_deref()),
        Task::Images { all } => preflight::hosts(all).and_then(|()| conductor_tests::build_images(all)),
        Task::Package => package::task(),
        Task::Gen { check } => generate::task(check),
        Task::Demo => demo::demo(),
        Task::Bench { what } => bench::bench(&what),
        Task::Soak(options) => soak::soak(&options),
        Task::Fuzz { target, seconds } => fuzz::fuzz(target.as_deref(), seconds),
        Task::Host { suite, docker, conductor } => shell_on(&suite, docker, conductor),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            shell::say(format_args!("error: {error}"));
            ExitCode::FAILURE
        }
    }
}

fn shell_on(suite: &str, docker: bool, conductor: bool) -> Result<()> {
    preflight::hosts(false)?;
    let suite = Suite::of_codename(suite).context(format_args!("there is no test host for {suite:?}"))?;
    let mut image = Image::base(suite)?;
    if docker {
        image = image.add_docker()?;
    }
    if conductor {
        image = image.add_payload()?.add_package(&newest_package()?)?;
    }
    Host::boot(&image)?.shell()
}
