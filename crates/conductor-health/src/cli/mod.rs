//! The command line.

mod asking;

pub use asking::AskArgs;

use crate::Url;
use crate::once;
use crate::probe::{Mismatch, Target};
use crate::serve::Address;
use crate::verdict::{Limits, Policy, Pressure};
use clap::error::ErrorKind;
use clap::{Args, CommandFactory, Parser, Subcommand, ValueEnum};
use conductor_systemd::{Scope, UnitName};
use conductor_timespan::TimeSpan;
use std::ffi::OsString;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

/// Health checks for systemd units: HTTP, gRPC, TCP
#[derive(Debug, Parser)]
#[command(name = "conductor-health", version, about, max_term_width = 100)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

impl Cli {
    /// Reads a command line, and whether its parts go together.
    pub fn read(words: impl IntoIterator<Item = impl Into<OsString> + Clone>) -> Result<Self, clap::Error> {
        let cli = Self::try_parse_from(words)?;
        let fit = match &cli.command {
            Command::Wait(args) => args.ask.target(args.url.clone()).map(drop),
            Command::Watch(args) => args.targets().map(drop),
            Command::Probe(args) => args.ask.target(args.url.clone()).map(drop),
            Command::ServeStatus(_) => Ok(()),
        };
        match fit {
            Ok(()) => Ok(cli),
            Err(mismatch) => Err(Self::command().error(ErrorKind::ArgumentConflict, mismatch)),
        }
    }
}

/// The subcommands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Wait until a service answers; for ExecStartPost= of its unit
    Wait(WaitArgs),
    /// Check units for as long as they run, and have systemd restart those that fail
    Watch(WatchArgs),
    /// Answer for all checkers of this machine: for Prometheus and load balancers
    ServeStatus(ServeArgs),
    /// Check once and say what was seen; exits 0 if healthy, 1 with a warning, 2 if not, 3 if unknown
    Probe(ProbeArgs),
}

/// `conductor-health wait`.
#[derive(Debug, Args)]
pub struct WaitArgs {
    /// The unit to name in messages
    #[arg(long, value_name = "UNIT")]
    pub unit: Option<UnitName>,
    /// How long to wait
    #[arg(long, value_name = "TIME", value_parser = duration, default_value = "1min")]
    pub within: Duration,
    /// The time from the start of one check to the start of the next
    #[arg(long, value_name = "TIME", value_parser = duration, default_value = "1s")]
    pub interval: Duration,
    /// How long one check may take
    #[arg(long, value_name = "TIME", value_parser = duration, default_value = "2s")]
    pub timeout: Duration,
    /// So many healthy answers in a row are enough
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..), default_value_t = 1)]
    pub healthy_after: u32,
    /// Become this user before anything else
    #[arg(long, value_name = "USER")]
    pub user: Option<String>,
    /// The unit is one of the user's own systemd, as messages then say
    #[arg(long)]
    pub user_manager: bool,
    /// How to ask.
    #[command(flatten)]
    pub ask: AskArgs,
    /// What to ask: http://, https://, tcp:// or grpc://, such as http://127.0.0.1:8080/healthz
    pub url: Url,
}

/// `conductor-health watch`.
#[derive(Debug, Args)]
pub struct WatchArgs {
    /// A unit and what to ask; may be given several times
    #[arg(long = "unit", value_name = "UNIT=URL", required = true)]
    pub units: Vec<UnitUrl>,
    /// The time from one check of a unit to the next
    #[arg(long, value_name = "TIME", value_parser = duration, default_value = "5s")]
    pub interval: Duration,
    /// How long one check may take
    #[arg(long, value_name = "TIME", value_parser = duration, default_value = "2s")]
    pub timeout: Duration,
    /// So many failures in a row make a unit unhealthy
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..), default_value_t = 3)]
    pub unhealthy_after: u32,
    /// So many healthy answers in a row make it healthy
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..), default_value_t = 1)]
    pub healthy_after: u32,
    /// How long a unit may fail that was never seen healthy since it was started
    #[arg(long, value_name = "TIME", value_parser = duration, default_value = "1min")]
    pub start_within: Duration,
    /// The time from one check to the next until a unit is healthy for the first time, if that is shorter
    #[arg(long, value_name = "TIME", value_parser = duration, default_value = "1s")]
    pub start_interval: Duration,
    /// How long an unhealthy unit has between SIGTERM and SIGKILL
    #[arg(long, value_name = "TIME", value_parser = duration, default_value = "10s")]
    pub kill_grace: Duration,
    /// What to do about an unhealthy unit
    #[arg(long, value_enum, default_value_t = OnUnhealthy::Restart)]
    pub on_unhealthy: OnUnhealthy,
    /// Terminate none while so many others are being restarted or started
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..), default_value_t = 1)]
    pub max_unavailable: u32,
    /// Do not wait for one that takes longer than this to be healthy again, while others are healthy
    #[arg(long, value_name = "TIME", value_parser = duration, default_value = "5min")]
    pub recover_within: Duration,
    /// Terminate so many units at the most, and then as many every five minutes; five of each if left out
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub max_signals: Option<u32>,
    /// Do not terminate a unit for not answering in time while the machine's pressure is above this
    #[arg(long, value_name = "PERCENT", value_parser = clap::value_parser!(u32).range(0..=100), default_value_t = 80)]
    pub max_pressure: u32,
    /// The longest time for which a busy machine is an excuse for not answering
    #[arg(long, value_name = "TIME", value_parser = duration, default_value = "1min")]
    pub max_hold: Duration,
    /// Have systemd forget the past restarts of a unit that was healthy for so long
    #[arg(long, value_name = "TIME", value_parser = duration)]
    pub stable_for: Option<Duration>,
    /// What the units are together, such as the name of their service: for metrics and the journal
    #[arg(long, value_name = "NAME")]
    pub name: Option<String>,
    /// Which of several releases of the service they are: for metrics
    #[arg(long, value_name = "NAME", requires = "name")]
    pub slot: Option<String>,
    /// Answer questions about health and figures here: ADDRESS:PORT or the path of a socket; may be given several times
    #[arg(long, value_name = "ADDRESS")]
    pub listen: Vec<Address>,
    /// Talk to the user's own systemd instead of the machine's
    #[arg(long)]
    pub user_manager: bool,
    /// How to ask.
    #[command(flatten)]
    pub ask: AskArgs,
}

/// The time in which `--max-signals` count.
const SIGNALS_WITHIN: Duration = Duration::from_secs(5 * 60);
/// How many of them there may be for each unit, by default.
const SIGNALS_PER_UNIT: u32 = 5;

impl WatchArgs {
    /// Whose units they are.
    pub fn scope(&self) -> Scope {
        if self.user_manager { Scope::User } else { Scope::System }
    }

    /// What the journal shows in front of each line.
    pub fn identifier(&self) -> String {
        self.name.as_ref().map_or_else(|| "conductor-health".to_owned(), |name| format!("{name}-health"))
    }

    /// What is asked for each unit; the error is why the options do not fit one of the URLs.
    pub fn targets(&self) -> Result<Vec<(UnitName, Target)>, Mismatch> {
        let profile = self.ask.profile();
        let target =
            |watched: &UnitUrl| Ok((watched.unit.clone(), Target::new(watched.url.clone(), &profile)?));
        self.units.iter().map(target).collect()
    }

    /// The part of the options that the verdict needs.
    pub fn policy(&self) -> Policy {
        Policy {
            unhealthy_after: self.unhealthy_after,
            healthy_after: self.healthy_after,
            start_within: self.start_within,
            kill_grace: self.kill_grace,
            stable_for: self.stable_for,
            max_hold: self.max_hold,
            act: self.on_unhealthy == OnUnhealthy::Restart,
        }
    }

    /// The part of the options that says how much may be done at once.
    pub fn limits(&self) -> Limits {
        let targets = u32::try_from(self.units.len()).unwrap_or(u32::MAX);
        let burst = self.max_signals.unwrap_or_else(|| targets.saturating_mul(SIGNALS_PER_UNIT)).max(1);
        Limits {
            max_unavailable: self.max_unavailable,
            recover_within: self.recover_within,
            burst,
            every: SIGNALS_WITHIN / burst,
            max_pressure: Pressure(self.max_pressure.saturating_mul(100)),
        }
    }

    /// The first unit that is named twice: two verdicts about one unit would count its failures apart.
    pub fn duplicate(&self) -> Option<&UnitName> {
        let mut seen = std::collections::BTreeSet::new();
        self.units.iter().map(|watched| &watched.unit).find(|unit| !seen.insert(*unit))
    }
}

/// `conductor-health serve-status`.
#[derive(Debug, Args)]
pub struct ServeArgs {
    /// Where to listen if systemd has opened no socket for it; may be given several times
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:9580")]
    pub listen: Vec<Address>,
    /// Where the checkers have their sockets, each in a directory of its service's name, or of NAME@SLOT
    #[arg(long, value_name = "DIRECTORY", default_value = "/run/conductor/health")]
    pub checkers: PathBuf,
    /// A file in this directory takes the service of its name out of the load balancer; _all takes all
    #[arg(long, value_name = "DIRECTORY", default_value = "/run/conductor/drain")]
    pub drain: PathBuf,
}

/// `conductor-health probe`.
#[derive(Debug, Args)]
pub struct ProbeArgs {
    /// How long the check may take
    #[arg(long, value_name = "TIME", value_parser = duration, default_value = "2s")]
    pub timeout: Duration,
    /// Print everything that was seen as one JSON object
    #[arg(long)]
    pub json: bool,
    /// Warn of a healthy answer that took longer
    #[arg(long, value_name = "TIME", value_parser = duration)]
    pub warn_after: Option<Duration>,
    /// Warn of a certificate that expires within this time
    #[arg(long, value_name = "TIME", value_parser = duration)]
    pub warn_expiry: Option<Duration>,
    /// How to ask.
    #[command(flatten)]
    pub ask: AskArgs,
    /// What to ask: http://, https://, tcp:// or grpc://, such as http://127.0.0.1:8080/healthz
    pub url: Url,
}

impl ProbeArgs {
    /// What is worth a warning.
    pub fn limits(&self) -> once::Limits {
        once::Limits { slow: self.warn_after, expiry: self.warn_expiry }
    }
}

/// What to do about an unhealthy unit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum OnUnhealthy {
    /// End its main process, so that its own Restart= rules apply
    Restart,
    /// Only say so
    None,
}

/// A unit and the URL that tells its health.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnitUrl {
    /// The unit to follow and, if need be, to end.
    pub unit: UnitName,
    /// What to ask.
    pub url: Url,
}

impl FromStr for UnitUrl {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (unit, url) = text.split_once('=').ok_or_else(|| {
            format!("`{text}` lacks the URL: write it like `web.service=http://127.0.0.1:8080/healthz`")
        })?;
        Ok(Self {
            unit: unit.parse().map_err(|error| format!("{error}"))?,
            url: url.parse().map_err(|error| format!("{error}"))?,
        })
    }
}

/// A time span that a timer can be set to.
fn duration(text: &str) -> Result<Duration, String> {
    let span: TimeSpan = text.parse().map_err(|error| format!("{error}"))?;
    match span.as_duration() {
        // A year is as good as for ever to a health check, and no sum of years overflows a timer.
        Some(time) if time > Duration::from_secs(366 * 86400) => {
            Err("longer than a year: no health check waits that long".to_owned())
        }
        Some(time) if time.is_zero() => Err("must be longer than nothing".to_owned()),
        Some(time) => Ok(time),
        None => Err("must have an end: `infinity` is not possible here".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(arguments: &[&'static str]) -> String {
        Cli::read(arguments).unwrap_err().to_string()
    }

    #[test]
    fn the_command_line_is_consistent() {
        <Cli as clap::CommandFactory>::command().debug_assert();
    }

    #[test]
    fn what_units_call() {
        let line = "conductor-health wait --unit web.service --within 1min --interval 1s --timeout 2s \
                    --healthy-after 1 --user conductor-health http://127.0.0.1:20000/healthz";
        assert!(Cli::try_parse_from(line.split_whitespace()).is_ok());
        let line = "conductor-health wait --user-manager --unit web.service http://127.0.0.1:20000/healthz";
        assert!(Cli::try_parse_from(line.split_whitespace()).is_ok());
        let line = "conductor-health watch --unit web@1.service=http://127.0.0.1:20000/healthz \
                    --unit web@2.service=http://127.0.0.1:20001/healthz?a=b --interval 5s --timeout 2s \
                    --unhealthy-after 3 --healthy-after 1 --start-within 1min --kill-grace 10s --on-unhealthy none \
                    --max-unavailable 2 --recover-within 3min --max-pressure 60 --max-hold 2min --stable-for 20min \
                    --user-manager";
        let Command::Watch(watch) = Cli::try_parse_from(line.split_whitespace()).unwrap().command else {
            panic!("not watch");
        };
        assert_eq!(watch.units[1].url.path_and_query(), "/healthz?a=b");
        assert!(!watch.policy().act);
        assert_eq!((watch.limits().burst, watch.limits().every), (10, Duration::from_secs(30)));
        assert_eq!(watch.duplicate(), None);
    }

    #[test]
    fn mistakes_are_explained() {
        for (arguments, said) in [
            (["watch", "--unit", "web.service"], "lacks the URL"),
            (["watch", "--unit", "web=http://a/"], "such as `web.service`"),
            (["watch", "--unit", "web.service=ftp://a/"], "or with https://"),
            (["probe", "--timeout=infinity", "http://a/"], "must have an end"),
            (["probe", "--timeout=0", "http://a/"], "longer than nothing"),
            (["probe", "--timeout=5 parsecs", "http://a/"], "not a time span"),
            (["wait", "--healthy-after=0", "http://a/"], "not in 1.."),
        ] {
            let all: Vec<&str> = std::iter::once("conductor-health").chain(arguments).collect();
            let error = error(&all);
            assert!(error.contains(said), "{arguments:?}: {error}");
        }
    }
}
