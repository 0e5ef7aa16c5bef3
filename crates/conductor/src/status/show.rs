//! The table for people.

use std::fmt::Write as _;
use std::path::Path;
use std::time::Duration;

use super::health::Health;
use super::model::{Instance, Service, Status};
use super::text::{age, bytes, cpu};
use crate::table::{Cell, table};

const HEADINGS: [&str; 9] =
    ["SERVICE", "RELEASE", "INSTANCE", "STATE", "HEALTH", "SINCE", "RESTARTS", "MEMORY", "CPU"];

/// Characters of a release that are shown.
const LONGEST_RELEASE: usize = 16;

/// The table and what is to be said below it; `directory` is where new definitions go.
pub(super) fn text(status: &Status, directory: &Path, now: Duration, colour: bool) -> String {
    if status.services.is_empty() {
        let directory = directory.display();
        return format!("no services: write a definition to {directory}, see conductor-service(5)\n");
    }
    let mut rows = Vec::new();
    let mut below = String::new();
    for service in &status.services {
        if service.instances.is_empty() {
            rows.push(without_containers(service));
        }
        rows.extend(service.instances.iter().map(|instance| row(service, instance, now)));
        for line in remarks(service) {
            // Writing to a String cannot fail.
            let _ = writeln!(below, "{}: {line}", service.name);
        }
    }
    let mut text = table(HEADINGS, &rows, colour);
    if !below.is_empty() {
        text.push('\n');
        text.push_str(&below);
    }
    text
}

fn without_containers(service: &Service) -> [Cell; 9] {
    let mut row: [Cell; 9] = std::array::from_fn(|_| Cell::from("-"));
    let [name, _, _, state, ..] = &mut row;
    *name = service.name.as_str().into();
    *state = Cell::red("broken");
    row
}

fn row(service: &Service, instance: &Instance, now: Duration) -> [Cell; 9] {
    let dash = |text: Option<String>| Cell::from(text.unwrap_or_else(|| "-".to_owned()));
    [
        service.name.as_str().into(),
        dash(instance.release.as_deref().map(short)),
        dash(instance.number.map(|number| number.to_string())),
        state(instance),
        health(instance.health),
        dash(instance.since.map(|since| age(now.saturating_sub(since)))),
        dash(instance.restarts.map(|restarts| restarts.to_string())),
        dash(instance.memory.map(bytes)),
        dash(instance.cpu.map(cpu)),
    ]
}

/// A revision may be a whole hash, or anything else, and a table has other columns too; --json has all of it.
fn short(release: &str) -> String {
    let shown: String = release.chars().map(|c| if c.is_control() { '?' } else { c }).collect();
    match shown.char_indices().nth(LONGEST_RELEASE) {
        Some((end, _)) => format!("{}…", shown.get(..end).unwrap_or_default()),
        None => shown,
    }
}

fn state(instance: &Instance) -> Cell {
    let sub = &instance.sub;
    match instance.active.as_str() {
        _ if instance.load == "not-found" => Cell::yellow("not loaded"),
        _ if instance.load == "masked" => "masked".into(),
        "active" => Cell::green(sub.as_str()),
        "failed" => match instance.result.as_deref() {
            Some(result) if result != "success" => Cell::red(format!("failed ({result})")),
            _ => Cell::red("failed"),
        },
        "inactive" => "inactive".into(),
        active => Cell::yellow(format!("{active} ({sub})")),
    }
}

fn health(health: Option<Health>) -> Cell {
    match health {
        None => "-".into(),
        Some(Health::Healthy) => Cell::green("healthy"),
        Some(Health::Partly(healthy, all)) => Cell::yellow(format!("{healthy} of {all}")),
        Some(Health::Unhealthy) => Cell::red("unhealthy"),
        Some(Health::Unchecked) => "unchecked".into(),
        Some(Health::Unknown) => Cell::yellow("unknown"),
    }
}

fn remarks(service: &Service) -> impl Iterator<Item = String> {
    let well =
        |instance: &Instance| matches!(instance.health, Some(Health::Healthy | Health::Unchecked) | None);
    let checks = service.checks.as_ref().filter(|_| !service.instances.iter().all(well));
    service
        .problem
        .iter()
        .map(|problem| format!("broken definition: {problem}"))
        .chain(service.notes.iter().cloned())
        .chain(checks.map(|text| format!("health checks: {text}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn up(number: Option<u16>) -> Instance {
        Instance {
            number,
            release: Some("3f2a1c9".to_owned()),
            load: "loaded".to_owned(),
            active: "active".to_owned(),
            sub: "running".to_owned(),
            health: Some(Health::Partly(1, 2)),
            since: Some(Duration::from_secs(1000)),
            restarts: Some(3),
            memory: Some(5 << 20),
            cpu: Some(Duration::from_millis(1500)),
            ..Instance::default()
        }
    }

    #[test]
    fn one_line_a_container_and_remarks_below() {
        let failed = Instance {
            active: "failed".to_owned(),
            result: Some("exit-code".to_owned()),
            health: Some(Health::Unchecked),
            ..Instance { memory: None, ..up(Some(2)) }
        };
        let web = Service {
            name: "web".to_owned(),
            checks: Some("1/2 healthy, web@2.service: stopped".to_owned()),
            notes: vec!["restart needed".to_owned()],
            instances: vec![up(Some(1)), failed],
            ..Service::default()
        };
        let api = Service {
            name: "api".to_owned(),
            problem: Some("api.toml:1:1: no".to_owned()),
            ..Service::default()
        };
        let shown =
            text(&Status { services: vec![api, web] }, Path::new("/"), Duration::from_secs(1065), false);
        snapbox::assert_data_eq!(
            shown,
            snapbox::str![[r#"
SERVICE  RELEASE  INSTANCE  STATE               HEALTH     SINCE    RESTARTS  MEMORY  CPU
api      -        -         broken              -          -        -         -       -
web      3f2a1c9  1         running             1 of 2     1min 5s  3         5.0M    1.5s
web      3f2a1c9  2         failed (exit-code)  unchecked  1min 5s  3         -       1.5s

api: broken definition: api.toml:1:1: no
web: restart needed
web: health checks: 1/2 healthy, web@2.service: stopped

"#]]
        );
    }

    #[test]
    fn a_release_is_one_short_word() {
        assert_eq!(short("1.4.2"), "1.4.2");
        assert_eq!(short("0123456789abcdef0"), "0123456789abcdef…");
        assert_eq!(short("a\n\u{1b}[0m"), "a??[0m");
    }

    #[test]
    fn nothing_is_not_an_empty_table() {
        assert!(
            text(&Status::default(), Path::new("/s"), Duration::ZERO, true)
                .starts_with("no services: write a definition to /s,")
        );
    }

    #[test]
    fn json_says_everything_in_one_form() {
        let service = Service { name: "web".to_owned(), instances: vec![up(None)], ..Service::default() };
        let json = serde_json::to_string(&Status { services: vec![service] }).unwrap();
        snapbox::assert_data_eq!(
            json,
            snapbox::str![[
                r#"{"services":[{"name":"web","definition":null,"problem":null,"notes":[],"checks":null,"instances":[{"instance":null,"release":"3f2a1c9","unit":"","load":"loaded","active":"active","sub":"running","result":null,"health":"partly","since":"1970-01-01T00:16:40Z","restarts":3,"memory":5242880,"cpu":1.5,"daemon_reload_needed":false,"restart_needed":false}],"deploy":null}]}"#
            ]]
        );
    }
}
