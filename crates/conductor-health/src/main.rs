//! `conductor-health`: reads the command line, sets up, and leaves the rest to the library.

use conductor_health::cli::{Cli, Command, ProbeArgs, WaitArgs, WatchArgs};
use conductor_health::log::{Level, Log};
use conductor_health::notify::Notifier;
use conductor_health::wait::{Gate, MainProcess};
use conductor_health::{once, privileges, probe, serve, wait, watch};
use conductor_systemd::Scope;
use std::io::Write;
use std::process::ExitCode;

/// A check could not be made; of monitoring plugins.
const UNKNOWN: u8 = 3;
/// `EX_USAGE` of sysexits.h, which systemd shows by name.
const USAGE: u8 = 64;

fn main() -> ExitCode {
    let cli = match Cli::read(std::env::args_os()) {
        Ok(cli) => cli,
        Err(error) => {
            let _ = error.print();
            // A monitoring system takes 2 for "critical", but the service was not even asked.
            let is_probe = std::env::args_os().nth(1).is_some_and(|first| first == "probe");
            let failed = if is_probe { UNKNOWN } else { USAGE };
            return ExitCode::from(if error.use_stderr() { failed } else { 0 });
        }
    };
    let log = Log::stderr();
    let (done, failed) = match cli.command {
        Command::Wait(args) => (run_wait(args), 1),
        Command::Watch(args) => (run_watch(args), 1),
        Command::ServeStatus(args) => (run(serve::aggregate::run(args)).map(|()| ExitCode::SUCCESS), 1),
        Command::Probe(args) => (run_probe(&args), UNKNOWN),
    };
    done.unwrap_or_else(|error| {
        log.line(Level::Error, error);
        ExitCode::from(failed)
    })
}

fn run_wait(args: WaitArgs) -> Result<ExitCode, String> {
    // Before there is a socket or a thread.
    if let Some(user) = &args.user {
        privileges::become_user(user).map_err(|error| error.to_string())?;
    }
    let gate = Gate {
        unit: args.unit,
        scope: if args.user_manager { Scope::User } else { Scope::System },
        target: args.ask.target(args.url).map_err(|mismatch| mismatch.to_string())?,
        within: args.within,
        interval: args.interval,
        timeout: args.timeout,
        healthy_after: args.healthy_after,
    };
    run(async {
        let main = MainProcess::from_env();
        wait::wait(&gate, &main, &mut Notifier::default()).await.map_err(|failure| failure.to_string())
    })?;
    Ok(ExitCode::SUCCESS)
}

fn run_watch(args: WatchArgs) -> Result<ExitCode, String> {
    let service = args.name.as_deref().filter(|_| args.user_manager);
    let log = Log::with_fields(&args.identifier(), service);
    if let Some(unit) = args.duplicate() {
        return Err(format!("{unit} is given twice: each unit can have one URL"));
    }
    // As a task: what wakes the future that the runtime itself runs writes to an eventfd each time, even from within,
    // which costs two system calls a check (`Handle::wake_by_ref()` of tokio's current_thread scheduler).
    run(async {
        let watching = tokio::spawn(watch::watch(args, log));
        watching.await.unwrap_or_else(|died| Err(format!("watching has died: {died}")))
    })?;
    Ok(ExitCode::SUCCESS)
}

fn run_probe(args: &ProbeArgs) -> Result<ExitCode, String> {
    let target = args.ask.target(args.url.clone()).map_err(|mismatch| mismatch.to_string())?;
    let check = run(async { Ok(probe::probe(&target, args.timeout).await) })?;
    let warnings = args.limits().warnings(&check);
    let text = if args.json {
        once::json(target.url(), &check, &warnings) + "\n"
    } else {
        once::human(target.url(), &check, &warnings)
    };
    std::io::stdout()
        .write_all(text.as_bytes())
        .map_err(|error| format!("cannot print the result: {error}"))?;
    Ok(ExitCode::from(once::exit_status(&check, &warnings)))
}

/// Runs this on one thread: there is never more to do than wait for several things.
fn run<T>(what: impl Future<Output = Result<T, String>>) -> Result<T, String> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        // Resolving names is the only blocking work, and names do not wait for each other.
        .max_blocking_threads(64)
        .build()
        .map_err(|error| format!("cannot start the event loop: {error}"))?;
    let done = runtime.block_on(what);
    // A name may still be looked up, for longer than anybody wants to wait for it.
    runtime.shutdown_background();
    done
}
