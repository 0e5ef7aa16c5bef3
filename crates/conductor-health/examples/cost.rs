//! What one check costs in CPU: `cost URL [CHECKS] [RATE]`.
use conductor_health::probe::{Outcome, probe};
use std::time::Duration;

fn cpu_nanos() -> u64 {
    std::fs::read_to_string("/proc/self/schedstat").unwrap().split(' ').next().unwrap().parse().unwrap()
}

fn main() {
    let words: Vec<String> = std::env::args().collect();
    let url: conductor_health::probe::Target = words[1].parse::<conductor_health::Url>().unwrap().into();
    let checks: u32 = words.get(2).map_or(5000, |n| n.parse().unwrap());
    let rate: u32 = words.get(3).map_or(1000, |n| n.parse().unwrap());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let before = cpu_nanos();
        let mut bad = 0;
        let begun = tokio::time::Instant::now();
        for n in 0..checks {
            if rate > 0 {
                tokio::time::sleep_until(begun + Duration::from_secs(1) / rate * n).await;
            }
            if probe(&url, Duration::from_secs(2)).await.outcome != Outcome::Healthy {
                bad += 1;
            }
        }
        let each = (cpu_nanos() - before) as f64 / 1e3 / f64::from(checks);
        let rss = std::fs::read_to_string("/proc/self/status").unwrap();
        let rss = rss.lines().find(|l| l.starts_with("VmRSS")).unwrap().to_owned();
        println!("probe rate={rate}: {each:.2} us/check bad={bad} {rss}");
    });
}
