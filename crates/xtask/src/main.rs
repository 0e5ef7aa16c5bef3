//! Developer tasks. `cargo xtask test` checks everything, `cargo xtask package` builds the .deb, `cargo xtask demo`
//! shows what Conductor does.

use std::process::ExitCode;

use clap::{Parser, Subcommand};

mod demo;
mod package;
mod preflight;
mod shell;
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
    /// Build target/debian/conductor_VERSION_ARCH.deb and check it with lintian
    Package,
    /// Boot a machine, run a service on it, break it and watch
    Demo,
}

fn main() -> ExitCode {
    let done = match Arguments::parse().task {
        Task::Test { all, only } => test::test(all, only.as_deref()),
        Task::Package => package::task(),
        Task::Demo => demo::demo(),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            shell::say(format_args!("error: {error}"));
            ExitCode::FAILURE
        }
    }
}
