//! Options of `run` that podman and docker write alike.

use std::fmt::Display;
use std::net::IpAddr;

use conductor_definition::{
    Group, Log, Mount, MountSource, NetworkMode, Protocol, Reload, Seccomp, Service, Ulimit,
};

use super::{Container, Engine, HostPorts};
use crate::exec::{Argument, Exec, Shown, Word};
use crate::secrets;

/// Everything of the definition between the engine's own options and the image.
pub(super) fn options(exec: Exec, container: &Container<'_>, engine: &dyn Engine) -> Exec {
    let service = container.service;
    let exec = option(exec, "--label", ["conductor.service=", service.name.as_str()]);
    let exec = labels(exec, service);
    let exec = network(exec, container, engine);
    let exec = process(exec, container, engine);
    let exec = storage(exec, container, engine);
    let exec = rights(exec, service);
    let exec = if container.once {
        // What runs once writes to whoever started it, and to nobody else: that may be a session with passwords.
        exec.arg("--log-driver=none").line()
    } else {
        engine.log(exec, &service.log)
    };
    if service.runtime_args.is_empty() {
        return exec;
    }
    exec.args(service.runtime_args.iter().map(String::as_str)).line()
}

/// The image and what is started in it. Only the first word of an entry point is one to docker; the rest
/// goes before the arguments, which is the same to both.
pub(super) fn image_and_command(exec: Exec, service: &Service) -> Exec {
    let process = &service.process;
    let (exec, rest) = match process.entrypoint.as_deref() {
        None => (exec, &[][..]),
        Some([]) => (exec.arg("--entrypoint").arg("").line(), &[][..]),
        Some([first, rest @ ..]) => (exec.arg("--entrypoint").arg(first.as_str()).line(), rest),
    };
    let arguments = rest.iter().chain(&process.command).map(String::as_str);
    exec.arg(process.image.as_str()).line().args(arguments)
}

fn option(exec: Exec, name: &'static str, value: impl Argument) -> Exec {
    exec.arg(name).arg(value).line()
}

fn some<T: Display>(exec: Exec, name: &'static str, value: Option<T>) -> Exec {
    match value {
        Some(value) => option(exec, name, Shown(value)),
        None => exec,
    }
}

fn each<T: Display>(exec: Exec, name: &'static str, values: impl IntoIterator<Item = T>) -> Exec {
    values.into_iter().fold(exec, |exec, value| option(exec, name, Shown(value)))
}

/// An option for each pair, written `NAME=VALUE`.
fn pairs<'a>(exec: Exec, name: &'static str, pairs: impl IntoIterator<Item = (&'a str, &'a String)>) -> Exec {
    pairs.into_iter().fold(exec, |exec, (key, value)| option(exec, name, [key, "=", value]))
}

fn labels(exec: Exec, service: &Service) -> Exec {
    pairs(exec, "--label", service.process.labels.iter().map(|(name, value)| (name.as_str(), value)))
}

fn network(exec: Exec, container: &Container<'_>, engine: &dyn Engine) -> Exec {
    let network = &container.service.network;
    let exec = match &network.mode {
        NetworkMode::Bridge => exec,
        NetworkMode::Host => exec.arg("--network=host").line(),
        NetworkMode::None => exec.arg("--network=none").line(),
        // Who else is in them finds the service by its name; all of its instances, if there are several. What runs
        // once is not the service.
        NetworkMode::Named(names) if container.once => each(exec, "--network", names),
        NetworkMode::Named(names) => {
            let own = [("alias", container.service.name.to_string())];
            let aliases = network.aliases.iter().map(|alias| ("alias", alias.to_string()));
            let addresses = network.addresses.iter().map(|address| engine.address(*address));
            let options: Vec<_> = own.into_iter().chain(aliases).chain(addresses).collect();
            each(exec, "--network", names.iter().map(|name| engine.network(name.as_str(), &options)))
        }
    };
    let exec = some(exec, "--hostname", network.hostname.as_ref());
    let exec = if network.mode == NetworkMode::Host {
        exec
    } else {
        container
            .ports
            .iter()
            .fold(exec, |exec, (host, port)| option(exec, "--publish", published(host, *port)))
    };
    let exec = each(exec, "--dns", &network.dns_servers);
    let exec = each(exec, "--dns-search", &network.dns_search);
    let exec = each(exec, "--dns-option", &network.dns_options);
    let exec = each(
        exec,
        "--add-host",
        network.extra_hosts.iter().map(|(name, address)| format!("{name}:{address}")),
    );
    pairs(exec, "--sysctl", network.sysctls.iter().map(|(name, value)| (name.as_str(), value)))
}

/// `KEY=VALUE,…`
pub(super) fn comma_separated(options: &[(&'static str, String)]) -> String {
    let pairs: Vec<String> = options.iter().map(|(key, value)| format!("{key}={value}")).collect();
    pairs.join(",")
}

/// `ADDRESS:HOST:CONTAINER/PROTOCOL`
fn published(host: &HostPorts, port: conductor_definition::Port) -> Word {
    let address = match port.address {
        IpAddr::V4(address) => Word::default().then_literal(address),
        IpAddr::V6(address) => Word::default().then_literal(format_args!("[{address}]")),
    };
    let last = port.container + (port.count - 1);
    let protocol = match port.protocol {
        Protocol::Tcp => "",
        Protocol::Udp => "/udp",
    };
    let word = address.then_literal(":").then(&host.first);
    let word = match &host.last {
        Some(last) => word.then(&"-".into()).then(last),
        None => word,
    };
    let word = word.then_literal(":").then_literal(port.container);
    let word = if port.count > 1 { word.then_literal(format_args!("-{last}")) } else { word };
    word.then_literal(protocol)
}

fn process(exec: Exec, container: &Container<'_>, engine: &dyn Engine) -> Exec {
    let process = &container.service.process;
    let exec = some(exec, "--user", process.user.as_ref());
    let exec = each(exec, "--group-add", process.groups.iter().map(Group::as_str));
    let exec = some(exec, "--workdir", process.working_directory.as_ref());
    let exec = match &process.timezone {
        Some(zone) => engine.timezone(exec, zone),
        None => exec,
    };
    let exec = if process.init { exec.arg("--init").line() } else { exec };
    let exec = container.own_environment.iter().fold(exec, |exec, (name, value)| {
        option(exec, "--env", Word::literal(name).then_literal("=").then(value))
    });
    // Before the variables, so that those win over the files.
    let exec = each(exec, "--env-file", &process.environment_files);
    let exec = match secrets::environment_file(container.service, &container.secrets) {
        Some(file) => option(exec, "--env-file", file),
        None => exec,
    };
    let exec = pairs(exec, "--env", process.environment.iter().map(|(name, value)| (name.as_str(), value)));
    each(
        exec,
        "--ulimit",
        process.ulimits.iter().map(|(name, Ulimit { soft, hard })| format!("{name}={soft}:{hard}")),
    )
}

fn storage(exec: Exec, container: &Container<'_>, engine: &dyn Engine) -> Exec {
    let service = container.service;
    let storage = &service.storage;
    let exec = if storage.read_only { exec.arg("--read-only").line() } else { exec };
    let exec = service.secrets.iter().fold(exec, |exec, (name, secret)| {
        match secrets::file(name, secret, &container.secrets) {
            Some(volume) => option(exec, "--volume", volume),
            None => exec,
        }
    });
    let exec = storage.mounts.iter().fold(exec, |exec, mount| engine.mount(exec, mount));
    let exec = each(
        exec,
        "--tmpfs",
        storage.tmpfs.iter().map(|tmpfs| match tmpfs.size {
            Some(size) => format!("{}:size={}", tmpfs.target, size.bytes()),
            None => tmpfs.target.to_string(),
        }),
    );
    let exec = some(exec, "--shm-size", storage.shm.map(|size| format!("{}b", size.bytes())));
    each(exec, "--device", &storage.devices)
}

/// What both engines take for a directory and for a volume of theirs.
pub(super) fn volume(exec: Exec, mount: &Mount) -> Exec {
    let Mount { source, target, read_only, options } = mount;
    let source = match source {
        MountSource::Path(path) => path.as_str(),
        MountSource::Volume(name) => name.as_str(),
    };
    let read_only = read_only.then_some("ro");
    let options: Vec<&str> = read_only.into_iter().chain(options.iter().map(String::as_str)).collect();
    let options = if options.is_empty() { String::new() } else { format!(":{}", options.join(",")) };
    option(exec, "--volume", format!("{source}:{target}{options}"))
}

/// What both engines take for a command in the container, and for a signal.
pub(super) fn reload(exec: Exec, container: &Container<'_>, reload: &Reload) -> Exec {
    match reload {
        Reload::Command(words) => {
            exec.arg("exec").arg(container.name.clone()).args(words.iter().map(String::as_str))
        }
        Reload::Signal(signal) => {
            exec.arg("kill").arg(Shown(format_args!("--signal={signal}"))).arg(container.name.clone())
        }
    }
}

/// The driver and its options.
pub(super) fn log(exec: Exec, log: &Log) -> Exec {
    let Log { driver, options } = log;
    let exec = exec.arg(format!("--log-driver={driver}")).line();
    pairs(exec, "--log-opt", options.iter().map(|(name, value)| (name.as_str(), value)))
}

fn rights(exec: Exec, service: &Service) -> Exec {
    let security = &service.security;
    let exec = each(exec, "--cap-drop", &security.drop_capabilities);
    let exec = each(exec, "--cap-add", &security.add_capabilities);
    let exec = if security.no_new_privileges {
        exec.arg("--security-opt").arg("no-new-privileges").line()
    } else {
        exec
    };
    let exec = match &security.seccomp {
        None => exec,
        Some(Seccomp::Unconfined) => option(exec, "--security-opt", "seccomp=unconfined"),
        Some(Seccomp::Profile(path)) => option(exec, "--security-opt", format!("seccomp={path}")),
    };
    let exec = some(exec, "--userns", security.user_namespace.as_ref());
    some(exec, "--stop-signal", service.stop.signal)
}
