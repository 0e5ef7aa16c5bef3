//! `conductor`: containers on one machine, run by systemd.

use std::process::ExitCode;

fn main() -> ExitCode {
    conductor::main()
}
