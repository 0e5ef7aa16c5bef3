//! The command line `conductor`, as a library so that its manual page and the shells' completions are
//! made from the very definition that it runs with (`cargo xtask gen`).

use std::process::ExitCode;

use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{CommandFactory as _, Parser};

use whose::Whose;

mod ask;
mod check;
mod deploy;
mod diff;
mod edit;
mod enable;
mod exec;
mod generate;
mod generated;
mod json;
mod load;
mod logs;
mod program;
mod proxy;
mod report;
mod run;
mod schema;
mod services;
mod status;
mod table;
mod terminal;
mod whose;

/// Runs containers as ordinary systemd services.
///
/// Definitions in /etc/conductor/services become units at boot and at every `systemctl daemon-reload`.
/// systemctl starts and stops them; these commands look before leaping, and at what runs. With --user they are
/// about your own services, defined in ~/.config/conductor/services, as with `systemctl --user`.
#[derive(Debug, Parser)]
#[command(name = "conductor", version, arg_required_else_help = true)]
struct Cli {
    #[command(flatten)]
    whose: Whose,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    Check(check::Check),
    Generate(generate::Generate),
    Diff(diff::Diff),
    Status(status::StatusCommand),
    Logs(logs::Logs),
    Exec(exec::Exec),
    Run(run::Run),
    Deploy(deploy::Deploy),
    Rollback(deploy::Rollback),
    Promote(deploy::Promote),
    Restart(deploy::Restart),
    Abort(deploy::Abort),
    History(deploy::History),
    Guard(deploy::Guard),
    Enable(enable::Enable),
    Disable(enable::Disable),
    Proxy(proxy::Proxy),
    Schema(schema::Schema),
}

/// The whole program: reads the arguments and does what they say.
pub fn main() -> ExitCode {
    let Cli { whose, command } = Cli::try_parse().unwrap_or_else(|error| with_tip(error).exit());
    match command {
        Command::Check(check) => check.run(whose),
        Command::Generate(generate) => generate.run(whose),
        Command::Diff(diff) => diff.run(whose),
        Command::Status(status) => status.run(whose),
        Command::Logs(logs) => logs.run(whose),
        Command::Exec(exec) => exec.run(whose),
        Command::Run(run) => run.run(whose),
        Command::Deploy(deploy) => deploy.run(whose),
        Command::Rollback(rollback) => rollback.run(whose),
        Command::Promote(promote) => promote.run(whose),
        Command::Restart(restart) => restart.run(whose),
        Command::Abort(abort) => abort.run(whose),
        Command::History(history) => history.run(whose),
        Command::Guard(guard) => guard.run(whose),
        Command::Enable(enable) => enable.run(whose),
        Command::Disable(disable) => disable.run(whose),
        Command::Proxy(proxy) => proxy.run(whose),
        Command::Schema(schema) => schema.run(),
    }
}

/// `conductor run web ls` lacks two hyphens: clap only says that it did not expect `ls`.
fn with_tip(mut error: clap::Error) -> clap::Error {
    let word = match error.get(ContextKind::InvalidArg) {
        Some(ContextValue::String(word)) if !word.starts_with('-') => word.clone(),
        _ => return error,
    };
    let takes_command = matches!(
        error.get(ContextKind::Usage),
        Some(ContextValue::StyledStr(usage)) if usage.to_string().contains("[-- <")
    );
    if error.kind() == ErrorKind::UnknownArgument && takes_command {
        let tip = format!("the command comes after two hyphens: '-- {word}'");
        error.insert(ContextKind::Suggested, ContextValue::StyledStrs(vec![tip.into()]));
    }
    error
}

/// The command line's definition.
pub fn command() -> clap::Command {
    Cli::command()
}
