//! A container that runs once, for somebody who waits for it: what systemd is told over D-Bus.

use std::collections::{BTreeMap, BTreeSet};

use conductor_definition::{
    Cpus, DefinitionName, EnvironmentName, Memory, Resources, Scope, Secret, SecretName, Service,
};

use crate::container::slice;
use crate::exec::{Exec, Word};
use crate::object::Used;
use crate::runtime::{Container, REMOVE, SCRIPT, engine, in_order_to_remove};
use crate::secrets;

/// What is different from the service itself.
#[derive(Debug, Clone, Default)]
pub struct Once {
    /// Tells this run from others of the service: a part of its unit's and its container's name.
    pub id: String,
    /// In place of the definition's entry point.
    pub entrypoint: Option<Vec<String>>,
    /// In place of the definition's command.
    pub command: Option<Vec<String>>,
    /// Besides the definition's environment; wins over it.
    pub environment: BTreeMap<EnvironmentName, String>,
    /// Whether input and output are a terminal.
    pub terminal: bool,
}

/// A transient unit (`StartTransientUnit`, org.freedesktop.systemd1(5)).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Transient {
    /// The unit's name.
    pub unit: String,
    /// Its properties, by the names that D-Bus has for them.
    pub properties: Vec<(&'static str, Setting)>,
}

/// The value of a property.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Setting {
    /// `s`
    Text(String),
    /// `b`
    Flag(bool),
    /// `t`
    Number(u64),
    /// `as`
    Names(Vec<String>),
    /// `a(ss)`
    Pairs(Vec<(String, String)>),
    /// `u`
    Mode(u32),
    /// `a(sasb)`: commands one after the other, whose failure may not matter.
    Commands {
        /// Program and arguments of each.
        commands: Vec<Vec<String>>,
        /// Whether they may fail.
        may_fail: bool,
    },
}

/// A run of a command, or of the service's own, in the image, environment and limits of the service.
///
/// What belongs to the service alone it does not get: published ports, the health check, restarts. Nor
/// the user's own directives, which D-Bus knows under other names and in other types than unit files do.
/// `objects` are the networks and volumes that have units.
pub fn once(service: &Service, run: &Once, objects: &BTreeSet<DefinitionName>, scope: Scope) -> Transient {
    let Once { id, entrypoint, command, environment, terminal } = run;
    let mut service = service.clone();
    if let Some(entrypoint) = entrypoint {
        service.process.entrypoint = Some(entrypoint.clone());
    }
    if let Some(command) = command {
        service.process.command.clone_from(command);
    }
    service.process.environment.extend(environment.clone());
    let engine = engine(service.runtime);
    let name = format!("conductor-{}-run-{id}", service.name);
    let remove = in_order_to_remove(Exec::in_words(REMOVE), engine, name.as_str());
    let container = Container {
        name: Word::literal(&name),
        service: &service,
        own_environment: Vec::new(),
        ports: Vec::new(),
        secrets: Word::expanding("${RUNTIME_DIRECTORY}"),
        once: true,
    };
    let text = |value: &str| Setting::Text(value.to_owned());
    let used = Used::by(&service, objects);
    let needs =
        || Setting::Names(engine.needs().iter().map(ToString::to_string).chain(used.units()).collect());
    let command = |words: Vec<String>, may_fail| Setting::Commands { commands: vec![words], may_fail };
    let mut properties = vec![
        ("Description", Setting::Text(format!("One run of {}", service.name))),
        // Nobody asks how it ended but who waits for it.
        ("CollectMode", text("inactive-or-failed")),
        ("Wants", needs()),
        ("After", needs()),
        ("Type", text("exec")),
        // The engine's client is the main process; it hands signals on to the container.
        ("KillMode", text("mixed")),
        // There is no ExecStop= before it, so this is the container's own time; the removal has as much again.
        ("TimeoutStopUSec", Setting::Number(service.stop.timeout.as_micros())),
        ("ExecStart", command(engine.run_once(&container, *terminal).into_words(), false)),
        ("ExecStopPost", command(remove.into_words(), true)),
        ("Slice", Setting::Text(slice(&service))),
    ];
    let volumes = used.volumes();
    let mut before = secrets::copies(&service, &container.secrets, Exec::in_words, scope);
    if !volumes.is_empty() {
        before.push(engine.check_volumes(Exec::in_words(SCRIPT), &volumes));
    }
    if !before.is_empty() {
        let commands = before.into_iter().map(Exec::into_words).collect();
        properties.push(("ExecStartPre", Setting::Commands { commands, may_fail: false }));
    }
    if secrets::are_copied(&service) {
        let directory = secrets::directory(&format!("{}-run-{id}", service.name));
        properties.push(("RuntimeDirectory", Setting::Names(vec![directory])));
        properties.push(("RuntimeDirectoryMode", Setting::Mode(secrets::DIRECTORY_MODE)));
    }
    if engine.is_in_unit() {
        properties.push(("Delegate", Setting::Flag(true)));
        properties.extend(limits(&service.resources));
    }
    properties.extend(credentials(&service));
    Transient { unit: format!("{}-run-{id}.service", service.name), properties }
}

fn limits(resources: &Resources) -> impl Iterator<Item = (&'static str, Setting)> {
    // The slice is everybody's, and shm the container's.
    let Resources { memory, memory_high, cpus, cpu_weight, io_weight, pids, slice: _ } = resources;
    [
        ("MemoryMax", memory.map(Memory::bytes)),
        ("MemoryHigh", memory_high.map(Memory::bytes)),
        ("CPUQuotaPerSecUSec", cpus.map(Cpus::micros_per_second)),
        ("CPUWeight", cpu_weight.map(u64::from)),
        ("IOWeight", io_weight.map(u64::from)),
        ("TasksMax", pids.map(u64::from)),
    ]
    .into_iter()
    .filter_map(|(name, limit)| Some((name, Setting::Number(limit?))))
}

/// Empty lists are left out: systemd would read an empty one as "forget what was said before".
fn credentials(service: &Service) -> impl Iterator<Item = (&'static str, Setting)> {
    let (encrypted, plain): (Vec<_>, Vec<_>) =
        service.secrets.iter().partition(|(_, secret)| secret.encrypted);
    [("LoadCredential", plain), ("LoadCredentialEncrypted", encrypted)]
        .into_iter()
        .filter(|(_, secrets)| !secrets.is_empty())
        .map(|(name, secrets)| {
            let pair = |(name, secret): (&SecretName, &Secret)| (name.to_string(), secret.path.to_string());
            (name, Setting::Pairs(secrets.into_iter().map(pair).collect()))
        })
}

#[cfg(test)]
mod tests {
    use super::*;
    use conductor_definition::{Source, parse};

    fn transient(text: &str, run: &Once) -> Transient {
        once(&parse(&Source::new("web.toml", text)).unwrap().service, run, &BTreeSet::new(), Scope::System)
    }

    fn words(transient: &Transient, wanted: &str) -> String {
        let found = transient.properties.iter().find(|(name, _)| *name == wanted).unwrap();
        let Setting::Commands { commands, .. } = &found.1 else { panic!("{found:?}") };
        commands.iter().map(|words| words.join("|")).collect::<Vec<_>>().join("\n")
    }

    #[test]
    fn what_belongs_to_the_service_alone_is_left_out() {
        let text = "image = \"web:1\"\ninstances = 2\ncommand = [\"serve\"]\n[[ports]]\ncontainer = 80\nhost = 2000\n\
                    [health]\npath = \"/\"\n[environment]\nA = \"$1 50%\"\nB = \"b\"\n[secrets]\nkey = \"/etc/key\"\n\
                    root = { path = \"/etc/root\", mode = \"0400\" }";
        let run = Once {
            id: "7".into(),
            command: Some(vec!["rake".into(), "db:migrate".into()]),
            environment: [("B".parse().unwrap(), "other".into())].into(),
            terminal: true,
            ..Once::default()
        };
        let transient = transient(text, &run);
        assert_eq!(transient.unit, "web-run-7.service");
        assert_eq!(
            words(&transient, "ExecStart"),
            "/usr/bin/podman|run|--name|conductor-web-run-7|--rm|--interactive|--cgroups=split|--tty|--pull=missing|\
             --label|conductor.service=web|--env|A=$$1 50%|--env|B=other|\
             --volume|${RUNTIME_DIRECTORY}/key:/run/secrets/key:ro|\
             --volume|${CREDENTIALS_DIRECTORY}/root:/run/secrets/root:ro|--log-driver=none|web:1|rake|db:migrate"
        );
        assert_eq!(
            words(&transient, "ExecStartPre"),
            "/usr/bin/install|--mode|0444|--target-directory|${RUNTIME_DIRECTORY}|${CREDENTIALS_DIRECTORY}/key"
        );
        assert!(transient.properties.contains(&("RuntimeDirectoryMode", Setting::Mode(0o700))));
        let pairs =
            Setting::Pairs(vec![("key".into(), "/etc/key".into()), ("root".into(), "/etc/root".into())]);
        assert!(transient.properties.contains(&("LoadCredential", pairs)));
    }

    #[test]
    fn limits_are_the_units_with_podman_and_the_containers_with_docker() {
        let text = "image = \"web:1\"\n[resources]\nmemory = \"1M\"\ncpus = 1.5\npids = 64\nslice = \"team\"";
        let podman = transient(text, &Once::default());
        for expected in [
            ("MemoryMax", Setting::Number(1 << 20)),
            ("CPUQuotaPerSecUSec", Setting::Number(1_500_000)),
            ("TasksMax", Setting::Number(64)),
            ("Slice", Setting::Text("team.slice".into())),
        ] {
            assert!(podman.properties.contains(&expected), "{expected:?}");
        }
        let docker = transient(&format!("runtime = \"docker\"\n{text}"), &Once::default());
        assert!(!docker.properties.iter().any(|(name, _)| *name == "MemoryMax"));
        assert!(words(&docker, "ExecStart").contains("|--memory=1048576b|"));
        assert!(words(&docker, "ExecStart").contains("|--cgroup-parent=team.slice|"));
        let removal = words(&docker, "ExecStopPost");
        assert_eq!(removal, "/usr/libexec/conductor/remove|docker|conductor-web-run-");
    }
}
