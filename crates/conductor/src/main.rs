//! `conductor`: containers on one machine, run by systemd.

use std::process::ExitCode;

use clap::Parser;

mod check;
mod generate;
mod load;
mod report;
mod terminal;

/// Runs containers as ordinary systemd services.
///
/// Definitions in /etc/conductor/services become units at boot and at every `systemctl daemon-reload`.
/// systemctl starts, stops and shows them; journalctl has their logs.
#[derive(Debug, Parser)]
#[command(name = "conductor", version, arg_required_else_help = true)]
enum Command {
    Check(check::Check),
    Generate(generate::Generate),
}

fn main() -> ExitCode {
    match Command::parse() {
        Command::Check(check) => check.run(),
        Command::Generate(generate) => generate.run(),
    }
}
