//! Deploys, and has something happen at moments of one's choice: for tests in which deployers are killed, machines
//! crash, and the world fails.
//!
//! ```sh
//! mishap web 2                                       # deploys revision 2, and says each moment: `freeze:begins`, …
//! mishap --dark web 2                                # leaves it in the dark first
//! mishap --promote web                               # lets it go on that waits
//! mishap web 2 switch:done='kill -9 $PPID'           # is killed when the traffic has moved, before that is told
//! mishap web 2 settle:begins='kill $PPID'            # is asked to end, as by Ctrl-C
//! mishap web 2 commit:begins='mount -o remount,ro /etc/conductor'
//! ```
//!
//! It is the whole engine: what a command does has been done when the next thing happens, because telling of a moment
//! ends when the command has.

#![allow(clippy::print_stdout, clippy::print_stderr)] // That is what it is for.

use std::path::Path;
use std::process::{Command, ExitCode};

use conductor_definition::Site;
use conductor_deploy::{Asked, Entry, Event, Failure, FailureKind, Progress, Request, deploy, promote};
use conductor_systemd::{Scope, Systemd};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;

/// What happens, by the moment.
struct Fate(Vec<(String, String)>);

impl Progress for Fate {
    fn tell(&mut self, event: &Event) {
        let Ok(state) = serde_json::to_string(&event.state) else { return };
        let moment = format!("{}:{}", event.step, state.trim_matches('"'));
        println!("{moment}");
        for (_, command) in self.0.iter().filter(|(when, _)| *when == moment) {
            match Command::new("sh").args(["-euc", command]).status() {
                Ok(status) if status.success() => {}
                status => eprintln!("{moment}: `{command}` ended with {status:?}"),
            }
        }
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    match run(std::env::args().skip(1).collect()).await {
        Ok(entry) => {
            println!("{:?}", entry.outcome);
            ExitCode::SUCCESS
        }
        Err(failure) => {
            eprintln!("{failure}");
            ExitCode::FAILURE
        }
    }
}

async fn run(words: Vec<String>) -> Result<Entry, Failure> {
    let wrong = |text: &str| Failure::new(FailureKind::Configuration, text);
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let (dark, service, revision, moments) = match words.as_slice() {
        ["--promote", service, moments @ ..] => (false, service, None, moments),
        ["--dark", service, revision, moments @ ..] => (true, service, Some(revision), moments),
        [service, revision, moments @ ..] => (false, service, Some(revision), moments),
        _ => {
            let usage = "usage: mishap [--dark] SERVICE REVISION | --promote SERVICE [STEP:STATE=COMMAND]...";
            return Err(wrong(usage));
        }
    };
    let fate = moments.iter().map(|moment| moment.split_once('=').map(|(a, b)| (a.to_owned(), b.to_owned())));
    let fate: Option<Vec<_>> = fate.collect();
    let mut fate = Fate(fate.ok_or_else(|| wrong("a moment is STEP:STATE=COMMAND"))?);
    let request = Request {
        revision: revision.map(ToString::to_string),
        stages: Asked { dark, ..Asked::default() },
        ..Request::about(*service, "a test")
    };
    let systemd = Systemd::connect(Scope::System).await?;
    let (asked, interrupt) = watch::channel(false);
    let mut term = signal(SignalKind::terminate()).map_err(|error| wrong(&error.to_string()))?;
    let site = Site::system(Path::new("/"));
    let work = async {
        match revision {
            Some(_) => deploy(&site, &systemd, &request, &mut fate, interrupt).await,
            None => promote(&site, &systemd, &request, &mut fate, interrupt).await,
        }
    };
    let mut work = std::pin::pin!(work);
    loop {
        tokio::select! {
            result = &mut work => return result,
            _ = term.recv() => asked.send_replace(true),
        };
    }
}
