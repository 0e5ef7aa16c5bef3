//! What keys of other tools are called here: those of Compose, of Quadlet and of the engines' own options. Asked before
//! it is assumed that somebody mistyped.

/// What to say of a key that is somebody else's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Hint {
    /// It is called so here, in the same table.
    Key(&'static str),
    /// It is written so here: TOML.
    Write(&'static str),
    /// There is no such key, and this is why, or what to do instead.
    Say(&'static str),
}

impl Hint {
    /// The help of a diagnostic, on one line.
    pub(super) fn help(self) -> String {
        match self {
            Self::Key(key) => format!("did you mean `{key}`?"),
            Self::Write(toml) => format!("here it is {}", in_one_line(toml)),
            Self::Say(text) => text.to_owned(),
        }
    }
}

/// The hint for a key that `table` (`""` at the top, `ports` for its entries, `secrets.*` for each of them) does not have.
pub(super) fn of_key(table: &str, key: &str) -> Option<Hint> {
    let key = normal(key)?;
    let row = SYNONYMS.iter().find(|(of, names, _)| *of == table && names.contains(&key.as_str()));
    row.map(|(.., hint)| *hint)
}

/// The one of `known` that is written in another style: `ReadOnly` and `read_only` are `read-only`.
pub(super) fn in_another_style<'a>(key: &str, known: &[&'a str]) -> Option<&'a str> {
    let key = normal(key)?;
    known.iter().copied().find(|known| normal(known).is_some_and(|known| known == key))
}

/// How the value at a path is written here, for those who write it as other tools take it.
pub(super) fn of_value(path: &str) -> Option<Hint> {
    VALUES.iter().find(|(of, _)| *of == path).map(|(_, hint)| *hint)
}

/// Without what tells the styles of Compose, Quadlet and ours apart; nothing for what is too long to be a key.
fn normal(key: &str) -> Option<String> {
    const LONGEST: usize = 32;
    let letters = key.chars().filter(|c| !matches!(c, '-' | '_')).map(|c| c.to_ascii_lowercase());
    (key.len() <= LONGEST).then(|| letters.collect())
}

/// Lines of TOML in running text: `[log], and below it driver = "k8s-file" and options = {}`.
fn in_one_line(toml: &str) -> String {
    let (header, keys) = match toml.split_once('\n') {
        Some((header, keys)) if header.starts_with('[') => (format!("{header}, and below it "), keys),
        _ => (String::new(), toml),
    };
    match keys.rsplit_once('\n') {
        Some((first, last)) => format!("{header}{} and {last}", first.replace('\n', ", ")),
        None => format!("{header}{keys}"),
    }
}

use Hint::{Key, Say, Write};

const MEMORY: Hint = Write("[resources]\nmemory = \"512M\"");
const CPUS: Hint = Write("[resources]\ncpus = 1.5");
const PIDS: Hint = Write("[resources]\npids = 256");
const SHM: Hint = Write("[resources]\nshm = \"64M\"");
const PORTS: Hint = Write("[[ports]]\ncontainer = 80\nhost = 8080");
const VOLUMES: Hint = Write("[[volumes]]\nsource = \"/srv/data\"\ntarget = \"/data\"\nread-only = true");
const TMPFS: Hint = Write("[[tmpfs]]\ntarget = \"/tmp\"\nsize = \"64M\"");
const ENVIRONMENT: Hint = Write("[environment]\nNAME = \"value\"");
const ENVIRONMENT_FILES: Hint = Write("environment-files = [\"/etc/web.env\"]");
const LABELS: Hint = Write("[labels]\n\"com.example.team\" = \"store\"");
const SECRETS: Hint = Write("[secrets]\ndatabase-url = \"/etc/credstore/database-url\"");
const EXTRA_HOSTS: Hint = Write("[extra-hosts]\ndb = \"192.0.2.7\"");
const SYSCTLS: Hint = Write("[sysctls]\n\"net.core.somaxconn\" = 1024");
const ULIMITS: Hint = Write("[ulimits]\nnofile = { soft = 1024, hard = 65536 }");
const DNS: Hint = Write("[dns]\nservers = [\"192.0.2.1\"]");
const DNS_SEARCH: Hint = Write("[dns]\nsearch = [\"example.com\"]");
const DNS_OPTIONS: Hint = Write("[dns]\noptions = [\"ndots:2\"]");
const HEALTH: Hint = Write("[health]\npath = \"/healthz\"");
const HEALTH_TIMES: Hint =
    Write("[health]\npath = \"/healthz\"\ninterval = \"5s\"\ntimeout = \"2s\"\nunhealthy-after = 3");
const START_WITHIN: Hint = Write("[health]\npath = \"/healthz\"\nstart-within = \"60s\"");
const LOG: Hint = Write("[log]\ndriver = \"k8s-file\"");
const LOG_OPTIONS: Hint = Write("[log]\noptions = { tag = \"web\" }");
const CAPABILITIES: Hint = Write("[security]\ncapabilities = { add = [\"NET_ADMIN\"], drop = [\"ALL\"] }");
const NO_NEW_PRIVILEGES: Hint = Write("[security]\nno-new-privileges = true");
const SECCOMP: Hint = Write("[security]\nseccomp = \"/etc/conductor/seccomp.json\"");
const SECURITY: Hint =
    Write("[security]\nno-new-privileges = true\nseccomp = \"/etc/conductor/seccomp.json\"");
const USER_NAMESPACE: Hint = Write("[security]\nuser-namespace = \"auto\"");
const STOP_TIMEOUT: Hint = Write("[stop]\ntimeout = \"30s\"");
const STOP_SIGNAL: Hint = Write("[stop]\nsignal = \"INT\"");
const RELOAD: Hint = Write("[reload]\ncommand = [\"bin/reload\"]");
const PULL: Hint = Write("[pull]\npolicy = \"always\"");
const PULL_RETRIES: Hint = Write("[pull]\nretries = 3\nretry-delay = \"10s\"");
const INSTANCES: Hint = Write("instances = 2");
const ENABLED: Hint = Write("enabled = true");
const REQUIRES: Hint = Write("requires = [\"postgres\"]");
const SLICE: Hint = Write("[resources]\nslice = \"team-store\"");
const UNIT: Hint = Write("[systemd.unit]\nConditionPathExists = \"/srv/data\"");
const SERVICE: Hint = Write("[systemd.service]\nNice = 5");
const RESTART: Hint = Say(
    "systemd starts it again whenever it ends, unless it was stopped: leave it out, or write [restart] and below it \
     delay = \"5s\"",
);
const TERMINAL: Hint = Say(
    "a service has no terminal: leave it out; `conductor run NAME -- COMMAND` and `conductor exec` have yours",
);
const NAMES: Hint =
    Say("leave it out: the file's name is the service's, and its container is called conductor-NAME");
const PRIVILEGED: Hint = Say(
    "name what it needs: `devices`, and [security] with `capabilities`; or give it everything, runtime-args = \
     [\"--privileged\"]",
);
const BUILD: Hint =
    Say("images are built elsewhere: name the one to run, image = \"registry.example.com/web:1.4.2\"");
const AUTO_UPDATE: Hint = Say(
    "a tag is not followed by itself: write the new one and reload, or have [pull] with policy = \"always\" fetch it \
     before each start",
);
const PODS: Hint =
    Say("there are no pods: services in one network find each other by name, network = \"backend\"");
const ONE_FILE_EACH: Hint =
    Say("each service has a file of its own, NAME.toml, with its keys at the top: image = \"...\"");
const LABELS_OF_SECURITY: Hint = Write("runtime-args = [\"--security-opt=label=disable\"]");
const APPARMOR: Hint = Write("runtime-args = [\"--security-opt=apparmor=unconfined\"]");
const ID_MAPS: Hint = Write("runtime-args = [\"--uidmap=0:100000:65536\"]");

/// Tables, the names of keys that others have (in lower case, without hyphens and underscores), and what to say.
const SYNONYMS: &[(&str, &[&str], Hint)] = &[
    // What runs.
    ("", &["exec", "cmd", "args"], Write("command = [\"bin/web\", \"--port\", \"8080\"]")),
    ("", &["containername", "servicename", "name"], NAMES),
    ("", &["services", "container"], ONE_FILE_EACH),
    ("", &["build", "rootfs", "dockerfile"], BUILD),
    ("", &["workingdir", "workdir"], Key("working-directory")),
    ("", &["domainname"], Write("hostname = \"web.example.com\"")),
    ("", &["uid", "gid", "group"], Write("user = \"1000:1000\"")),
    ("", &["groupadd"], Key("groups")),
    ("", &["runinit"], Key("init")),
    ("", &["tz"], Key("timezone")),
    ("", &["label"], LABELS),
    ("", &["annotation", "annotations"], Write("runtime-args = [\"--annotation=name=value\"]")),
    ("", &["env", "environmentvariables"], ENVIRONMENT),
    ("", &["envfile", "envfiles", "environmentfile"], ENVIRONMENT_FILES),
    (
        "",
        &["environmenthost", "httpproxy"],
        Say("name the variables that it needs: [environment] and below it NAME = \"value\""),
    ),
    ("", &["secret", "credentials", "loadcredential"], SECRETS),
    ("", &["configs", "config"], VOLUMES),
    ("", &["platform", "arch"], Write("runtime-args = [\"--platform=linux/arm64\"]")),
    ("", &["tty", "stdinopen", "interactive"], TERMINAL),
    ("", &["replicas", "scale"], INSTANCES),
    ("", &["podmanargs", "globalargs", "dockerargs", "extraargs"], Key("runtime-args")),
    ("", &["autoupdate"], AUTO_UPDATE),
    ("", &["pod", "startwithpod"], PODS),
    ("", &["profiles"], Write("hosts = [\"web-*\"]")),
    // Files.
    ("", &["volume", "mount", "mounts", "bind"], VOLUMES),
    ("", &["shmsize"], SHM),
    ("", &["readonlyrootfs", "readonlyroot"], Key("read-only")),
    ("", &["readonlytmpfs"], TMPFS),
    ("", &["device", "adddevice"], Write("devices = [\"/dev/fuse\"]")),
    // Network.
    ("", &["publishport", "publish", "port", "exposehostport"], PORTS),
    (
        "",
        &["expose"],
        Say("leave it out: in a network all ports are open; [[ports]] publishes one on the host"),
    ),
    ("", &["networks", "networkmode", "net"], Write("network = [\"backend\"]")),
    ("", &["links", "link"], PODS),
    ("", &["aliases", "alias", "networkalias", "netalias"], Key("network-aliases")),
    ("", &["ip", "ip6", "ipv4address", "ipv6address"], Key("network-addresses")),
    ("", &["addhost"], EXTRA_HOSTS),
    ("", &["dnssearch"], DNS_SEARCH),
    ("", &["dnsoption", "dnsopt", "dnsoptions"], DNS_OPTIONS),
    ("", &["sysctl"], SYSCTLS),
    // Limits.
    ("", &["memory", "memlimit", "memorymax", "memswaplimit"], MEMORY),
    ("", &["memoryhigh", "memreservation"], Write("[resources]\nmemory-high = \"384M\"")),
    ("", &["cpus", "cpuquota", "cpucount"], CPUS),
    ("", &["cpushares", "cpuweight"], Write("[resources]\ncpu-weight = 50")),
    ("", &["cpuset"], Write("[systemd.service]\nAllowedCPUs = \"0-1\"")),
    ("", &["ioweight", "blkioconfig"], Write("[resources]\nio-weight = 50")),
    ("", &["pids", "pidslimit", "tasksmax"], PIDS),
    ("", &["ulimit"], ULIMITS),
    ("", &["slice", "cgroupparent"], SLICE),
    (
        "",
        &["cgroupsmode", "cgroups"],
        Say("leave it out: the container is always in the control group of its unit"),
    ),
    // Rights.
    ("", &["privileged"], PRIVILEGED),
    ("", &["capadd", "capdrop", "addcapability", "dropcapability", "capabilities"], CAPABILITIES),
    ("", &["nonewprivileges"], NO_NEW_PRIVILEGES),
    ("", &["securityopt"], SECURITY),
    ("", &["seccompprofile", "seccomp"], SECCOMP),
    ("", &["apparmor"], APPARMOR),
    (
        "",
        &[
            "securitylabeldisable",
            "securitylabelnested",
            "securitylabeltype",
            "securitylabelfiletype",
            "securitylabellevel",
        ],
        LABELS_OF_SECURITY,
    ),
    ("", &["mask", "unmask"], Write("runtime-args = [\"--security-opt=mask=/proc/keys\"]")),
    ("", &["userns", "usernsmode", "usernamespace"], USER_NAMESPACE),
    ("", &["uidmap", "gidmap", "subuidmap", "subgidmap"], ID_MAPS),
    ("", &["ipc"], Write("runtime-args = [\"--ipc=host\"]")),
    ("", &["pid", "pidmode"], Write("runtime-args = [\"--pid=host\"]")),
    // Health.
    ("", &["healthcheck", "healthcmd", "liveness", "readiness"], HEALTH),
    ("", &["healthinterval", "healthtimeout", "healthretries"], HEALTH_TIMES),
    (
        "",
        &[
            "healthstartperiod",
            "healthstartupcmd",
            "healthstartupinterval",
            "healthstartupretries",
            "healthstartuptimeout",
        ],
        START_WITHIN,
    ),
    ("", &["healthonfailure"], Write("[health]\npath = \"/healthz\"\non-unhealthy = \"restart\"")),
    ("", &["sdnotify"], Key("notify")),
    ("", &["reloadcmd", "execreload"], RELOAD),
    ("", &["reloadsignal"], Write("[reload]\nsignal = \"HUP\"")),
    // Life.
    ("", &["dependson", "bindsto"], REQUIRES),
    ("", &["restartpolicy", "restartsec"], RESTART),
    ("", &["stoptimeout", "stopgraceperiod", "timeoutstopsec"], STOP_TIMEOUT),
    ("", &["stopsignal", "killsignal"], STOP_SIGNAL),
    ("", &["pullpolicy"], PULL),
    ("", &["retry", "retries", "retrydelay"], PULL_RETRIES),
    ("", &["logging", "logdriver"], LOG),
    ("", &["logopt", "logopts", "logoptions"], LOG_OPTIONS),
    ("", &["install", "wantedby", "autostart"], ENABLED),
    ("", &["unit"], UNIT),
    ("", &["service"], SERVICE),
    // Tables that both have.
    (
        "systemd",
        &["install"],
        Say("generated units are enabled here: enabled = true, above all tables, is the default"),
    ),
    ("systemd", &["container"], ONE_FILE_EACH),
    ("deploy", &["replicas"], Say("here it is instances = 2, above all tables")),
    ("deploy", &["resources", "limits"], MEMORY),
    ("deploy", &["restartpolicy"], RESTART),
    ("deploy", &["updateconfig", "mode"], Key("strategy")),
    ("deploy", &["labels"], LABELS),
    ("resources", &["limits", "memlimit", "memorymax"], Key("memory")),
    ("resources", &["reservations", "memreservation"], Key("memory-high")),
    ("resources", &["cpu", "cpuquota"], Key("cpus")),
    ("resources", &["cpushares"], Key("cpu-weight")),
    ("resources", &["blkioweight"], Key("io-weight")),
    ("resources", &["pidslimit", "tasksmax"], Key("pids")),
    ("resources", &["shmsize"], Key("shm")),
    ("resources", &["cgroupparent"], Key("slice")),
    ("ports", &["published", "hostport"], Key("host")),
    ("ports", &["target", "containerport"], Key("container")),
    ("ports", &["hostip", "ip"], Key("address")),
    ("volumes", &["src", "hostpath"], Key("source")),
    ("volumes", &["dst", "destination", "mountpath", "containerpath"], Key("target")),
    ("volumes", &["ro", "readonlyrootfs"], Key("read-only")),
    (
        "volumes",
        &["type", "bind", "volume"],
        Say(
            "leave it out: a source that begins with / is a path of the host, any other the name of a volume; [[tmpfs]] is in memory",
        ),
    ),
    ("tmpfs", &["destination", "dst", "path"], Key("target")),
    ("tmpfs", &["tmpfssize"], Key("size")),
    ("secrets.*", &["file", "source"], Key("path")),
    ("secrets.*", &["env", "variable", "type"], Key("environment")),
    ("secrets.*", &["destination", "mountpath"], Key("target")),
    ("dns", &["nameservers", "server"], Key("servers")),
    ("dns", &["opt", "opts", "option"], Key("options")),
    ("security", &["capadd", "capdrop", "addcapability", "dropcapability"], CAPABILITIES),
    ("security", &["privileged"], PRIVILEGED),
    ("security", &["seccompprofile"], Key("seccomp")),
    ("security", &["userns", "usernsmode"], Key("user-namespace")),
    ("security", &["apparmor"], APPARMOR),
    ("stop", &["graceperiod", "stoptimeout"], Key("timeout")),
    ("stop", &["stopsignal"], Key("signal")),
    ("reload", &["exec", "cmd", "reloadcmd"], Key("command")),
    ("reload", &["reloadsignal"], Key("signal")),
    ("pull", &["retry"], Key("retries")),
    ("log", &["opt", "opts", "logopt"], Key("options")),
    ("log", &["logdriver", "type"], Key("driver")),
    ("restart", &["policy", "condition"], RESTART),
    ("restart", &["maxattempts", "maxretries", "startlimitburst"], Key("limit")),
    ("restart", &["restartsec", "sec"], Key("delay")),
    (
        "health",
        &["test", "cmd", "command", "healthcmd"],
        Say(
            "it is asked from outside: path = \"/healthz\", or protocol = \"tcp\" for whether it takes connections",
        ),
    ),
    ("health", &["retries", "failurethreshold"], Key("unhealthy-after")),
    ("health", &["successthreshold"], Key("healthy-after")),
    ("health", &["startperiod", "startinterval", "initialdelayseconds"], Key("start-within")),
    ("health", &["onfailure"], Key("on-unhealthy")),
    ("health", &["url", "endpoint", "uri"], Key("path")),
];

/// Values that others write as a text or as a list of texts.
const VALUES: &[(&str, Hint)] = &[
    ("ports", PORTS),
    ("volumes", VOLUMES),
    ("tmpfs", TMPFS),
    ("environment", ENVIRONMENT),
    ("environment-files", ENVIRONMENT_FILES),
    ("labels", LABELS),
    ("secrets", SECRETS),
    ("extra-hosts", EXTRA_HOSTS),
    ("sysctls", SYSCTLS),
    ("ulimits", ULIMITS),
    ("dns", DNS),
    ("health", HEALTH),
    ("log", LOG),
    ("resources", MEMORY),
    ("security", SECURITY),
    ("security.capabilities", CAPABILITIES),
    ("stop", STOP_TIMEOUT),
    ("reload", RELOAD),
    ("pull", PULL),
    ("restart", RESTART),
    ("deploy", Write("[deploy]\nstrategy = \"blue-green\"")),
    ("proxy", Write("[proxy]\nupstream = \"web\"")),
];

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::{Diagnostic, Source};

    fn errors(text: &str) -> Vec<Diagnostic> {
        crate::parse(&Source::new("web.toml", text)).err().unwrap_or_default()
    }

    fn hints() -> impl Iterator<Item = Hint> {
        SYNONYMS.iter().map(|row| row.2).chain(VALUES.iter().map(|row| row.1))
    }

    #[test]
    fn what_is_proposed_is_right() {
        let port = "[[ports]]\ncontainer = 80\nhost = 8080\n";
        for hint in hints() {
            let Hint::Write(toml) = hint else { continue };
            let port = if toml.contains("[[ports]]") { "" } else { port };
            let found = errors(&format!("image = \"web:1\"\n{toml}\n{port}"));
            assert!(found.is_empty(), "{toml}: {found:?}");
        }
    }

    #[test]
    fn every_synonym_is_answered() {
        let mut seen = BTreeSet::new();
        for (table, names, hint) in SYNONYMS {
            for name in *names {
                assert!(seen.insert((table, name)), "{name} stands twice in {table:?}");
                assert_eq!(normal(name).as_deref(), Some(*name));
                let header = match *table {
                    "" => String::new(),
                    "ports" | "volumes" | "tmpfs" => format!("[[{table}]]\n"),
                    "secrets.*" => "[secrets.key]\n".to_owned(),
                    table => format!("[{table}]\n"),
                };
                // No key here is only called so in another style, so that the row would never be asked.
                let found = errors(&format!("{header}{} = 1\n", name.to_uppercase()));
                let found = found.iter().find(|error| error.code == "unknown-key");
                assert_eq!(
                    found.and_then(|found| found.help.clone()),
                    Some(hint.help()),
                    "{name} in {table:?}"
                );
                if let Hint::Key(key) = hint {
                    let found = errors(&format!("{header}{key} = 1\n"));
                    assert!(found.iter().all(|error| error.code != "unknown-key"), "{key} in {table:?}");
                }
            }
        }
    }

    #[test]
    fn every_value_is_answered() {
        for (path, hint) in VALUES {
            let found = errors(&format!("image = \"web:1\"\n{path} = 1\n"));
            let found = found.iter().find(|error| error.code == "wrong-type");
            assert_eq!(found.and_then(|found| found.help.clone()), Some(hint.help()), "{path}");
        }
    }
}
