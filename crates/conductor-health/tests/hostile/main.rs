//! Servers that lie, flood, dawdle and die: what a check says of them, and what they cost it.

// The helpers below are no tests themselves, and their panics are a test's failure all the same.
#![allow(clippy::unwrap_used)]

mod frames;
mod server;
mod table;

use conductor_health::Url;
use conductor_health::probe::{Check, Options, Outcome, Prober, Profile, Target, probe};
use rustix::time::{ClockId, clock_gettime};
use std::future::poll_fn;
use std::pin::pin;
use std::str::FromStr;
use std::time::Duration;
use table::Bad;
use tokio::task::JoinSet;
use tokio::time::Instant;

const TIMEOUT: Duration = Duration::from_millis(400);

/// A target of a bad server, which is started for it.
fn target(bad: Bad) -> Target {
    let (scheme, http2) = if bad.scheme == "h2" { ("http", true) } else { (bad.scheme, false) };
    let url: Url = format!("{scheme}://{}", bad.server.start()).parse().unwrap();
    let mut options = Options { http2, ..Options::default() };
    options.tls.accept_any = scheme == "https";
    Target::new(url, &Profile::new(options)).unwrap()
}

fn words(check: &Check) -> String {
    match &check.outcome {
        Outcome::Healthy => String::new(),
        Outcome::Unhealthy(reason) => reason.to_string(),
        Outcome::Unknown(reason) => format!("UNKNOWN {reason}"),
    }
}

/// Each says what is wrong, and is done with at its deadline at the latest.
#[tokio::test]
async fn what_is_said_of_each() {
    let mut wrong = Vec::new();
    for bad in table::all() {
        let (name, scheme, said) = (bad.name, bad.scheme, bad.said);
        let check = probe(&target(bad), TIMEOUT).await;
        let words = words(&check);
        let is_right =
            if said.is_empty() { words.is_empty() } else { said.split('|').any(|said| words.contains(said)) };
        if !is_right {
            wrong.push(format!("{scheme} {name}: said {words:?}, not {said:?}"));
        }
        if check.timings.total > TIMEOUT + Duration::from_millis(300) {
            wrong.push(format!("{scheme} {name}: took {:?}", check.timings.total));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// A good server beside all bad ones, on one thread, as `watch` has them: its checks begin when they are due.
#[tokio::test]
async fn none_of_them_delays_a_good_one() {
    const EVERY: Duration = Duration::from_millis(50);
    const CHECKS: u32 = 60;
    /// Each of them, so that all together are about as many checks a second as a large machine has.
    const BAD_EVERY: Duration = Duration::from_secs(1);
    /// What blocks takes a whole timeout, several times a second.
    const TOLERATED: Duration = Duration::from_millis(150);
    /// Processor time of this thread, which others cannot take, between two chances for the good one; most of it
    /// because this is a debug build.
    const AT_ONCE: Duration = Duration::from_millis(100);

    let mut bad = JoinSet::new();
    let share = BAD_EVERY / u32::try_from(table::all().len()).unwrap();
    for (at, one) in (0..).zip(table::all()) {
        let name = format!("{} {}", one.scheme, one.name);
        let mut prober = Prober::new(target(one));
        bad.spawn(async move {
            let mut due = Instant::now() + share * at;
            loop {
                tokio::time::sleep_until(due).await;
                let longest = longest_poll(prober.probe(TIMEOUT)).await;
                assert!(longest < AT_ONCE, "{name} took the thread for {longest:?}");
                due += BAD_EVERY;
            }
        });
    }
    let good = Url::from_str(&format!("http://{}/", server::start_apart(table::good()))).unwrap();
    let mut prober = Prober::new(good.into());
    let mut late = Vec::new();
    for _ in 0..CHECKS {
        let (due, waited) = (Instant::now() + EVERY, waited_for_a_processor());
        tokio::time::sleep_until(due).await;
        late.push(due.elapsed().saturating_sub(waited_for_a_processor() - waited));
        let check = prober.probe(Duration::from_secs(10)).await;
        assert_eq!(check.outcome, Outcome::Healthy);
    }
    late.sort_unstable();
    let most = late.iter().rev().nth(late.len() / 10).copied().unwrap();
    assert!(most < TOLERATED, "began late: {late:?}");
    while let Some(ended) = bad.try_join_next() {
        ended.unwrap();
    }
    assert_eq!(bad.len(), table::all().len(), "all bad ones were there to the end");
}

/// How long this thread could have run and was not let: other programs' doing and not that of bad servers.
fn waited_for_a_processor() -> Duration {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap();
    Duration::from_nanos(text.split(' ').nth(1).unwrap().parse().unwrap())
}

/// The most processor time that a future takes before it lets others have their turn.
async fn longest_poll(future: impl Future) -> Duration {
    let now = || Duration::try_from(clock_gettime(ClockId::ThreadCPUTime)).unwrap();
    let mut future = pin!(future);
    let mut longest = Duration::ZERO;
    poll_fn(|cx| {
        let before = now();
        let polled = future.as_mut().poll(cx);
        longest = longest.max(now() - before);
        polled.map(drop)
    })
    .await;
    longest
}

/// The whole program may have 48 MiB of addresses (it needs about 20 to start), whatever is sent to it.
#[test]
fn none_of_them_costs_memory() {
    let program = snapbox::cmd::cargo_bin!("conductor-health");
    let mut waiting = table::all().into_iter().peekable();
    while waiting.peek().is_some() {
        let some = waiting.by_ref().take(8).map(|bad| {
            let name = format!("{} {}", bad.scheme, bad.name);
            let target = target(bad);
            let mut command = std::process::Command::new("sh");
            command.args(["-c", "ulimit -v 49152; exec \"$@\"", "sh"]).arg(program);
            command.args(["probe", "--timeout", "400ms"]).arg(target.url().to_string());
            command.args(target.options().words().into_iter().map(|(option, _)| option));
            (name, command.stdout(std::process::Stdio::piped()).spawn().unwrap())
        });
        for (name, child) in some.collect::<Vec<_>>() {
            let output = child.wait_with_output().unwrap();
            let said = String::from_utf8(output.stdout).unwrap();
            let is_done = match output.status.code() {
                Some(0 | 2) => true,
                // Another process had the processor.
                Some(3) => said.contains("too busy"),
                _ => false,
            };
            assert!(is_done, "{name}: {}: {said}", output.status);
        }
    }
}

/// What is compressed is neither unpacked nor looked into.
#[tokio::test]
async fn nothing_is_decompressed() {
    let bomb = || table::all().into_iter().find(|bad| bad.name == "compressed bomb").unwrap();
    let check = probe(&target(bomb()), TIMEOUT).await;
    assert_eq!(check.body_bytes, table::BOMB, "counted as it came");
    let options = Options { expect_body: Some("\0".repeat(1000)), ..Options::default() };
    let url = target(bomb()).url().clone();
    let check = probe(&Target::new(url.clone(), &Profile::new(options)).unwrap(), TIMEOUT).await;
    assert_eq!(check.outcome, Outcome::Healthy, "these zeros are the compressed ones");
    let options = Options { expect_body: Some("ok".to_owned()), ..Options::default() };
    let check = probe(&Target::new(url, &Profile::new(options)).unwrap(), TIMEOUT).await;
    assert_eq!(
        words(&check),
        "answered 200 OK, but its body lacks \"ok\" (it is compressed, and was not asked to be)"
    );
}
