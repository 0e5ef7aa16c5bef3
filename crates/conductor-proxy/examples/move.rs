//! Moves the traffic of an upstream of this host's nginx, waits until the old servers have nothing to do any more, and
//! says what it did.
//!
//! ```sh
//! move web 127.0.0.1:8081 127.0.0.1:8083    # now
//! move --before-start web 127.0.0.1:8081    # for nginx to find when it starts
//! ```

#![allow(clippy::print_stdout, clippy::print_stderr)] // That is what it is for.

use std::error::Error;
use std::process::ExitCode;
use std::time::Duration;

use conductor_proxy::{Nginx, Others, Proxy as _, Runner, Switch, Upstream};
use conductor_systemd::{Scope, Systemd};

const DRAIN: Duration = Duration::from_secs(30);

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    match run(std::env::args().skip(1).collect()).await {
        Ok(said) => {
            println!("{said}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

async fn run(mut words: Vec<String>) -> Result<String, Box<dyn Error>> {
    let before_start = words.first().is_some_and(|word| word == "--before-start");
    if before_start {
        words.remove(0);
    }
    let [name, addresses @ ..] = words.as_slice() else {
        return Err("usage: move [--before-start] UPSTREAM ADDRESS...".into());
    };
    let addresses = addresses.iter().map(|address| address.parse()).collect::<Result<Vec<_>, _>>()?;
    let upstream = Upstream::even(name.parse()?, addresses);

    let systemd = Systemd::connect(Scope::System).await?;
    let nginx = Nginx::new(Runner::Unit { systemd, name: "nginx.service".parse()? });
    if before_start {
        nginx.write_all(&[upstream], Others::Keep).await?;
        return Ok("written".to_owned());
    }
    let moved = match nginx.switch(&upstream).await? {
        Switch::Unchanged => "unchanged".to_owned(),
        Switch::Moved { took } => format!("moved in {} ms", took.as_millis()),
    };
    let drain = nginx.drain(&upstream, DRAIN).await?;
    Ok(format!("{moved}, {drain}"))
}
