//! What networks and volumes have in common.

use std::collections::BTreeMap;
use std::ops::Range;
use std::path::Path;

use super::{Check, texts, values};
use crate::value::{Description, DriverName, LabelName, ObjectName, OptionName, Text};
use crate::written::{self, OptionValue, Read, Spanned};
use crate::{Abilities, Diagnostic, Kind, Object, Runtime, Source, VolumeSettings, What};

/// Bytes that the settings of an object have in all: they become arguments of one command, and a label
/// of the object.
const MOST_SETTINGS: usize = 16 << 10;

/// `[options]`, and where it stands.
pub(super) type Options = Option<Spanned<BTreeMap<OptionName, OptionValue>>>;

/// What is written about either.
struct Common {
    name: Result<ObjectName, Diagnostic>,
    description: Option<Description>,
    runtime_args: Option<Vec<Text>>,
    driver: Option<DriverName>,
    options: Options,
    labels: Option<BTreeMap<LabelName, Text>>,
}

/// A network, and where its subnets stand.
type Network = (Object, Vec<Range<usize>>);

/// A network with the places of its subnets, and all diagnostics: those of reading included.
pub(crate) fn network(
    name: Result<ObjectName, Diagnostic>,
    source: &Source,
    read: Read<written::Network>,
    abilities: Abilities,
) -> (Option<Network>, Vec<Diagnostic>) {
    let Read { written, removed, diagnostics } = read;
    let mut check = Check::new(diagnostics, removed, abilities);
    let written::Network {
        description,
        runtime,
        runtime_args,
        driver,
        subnets,
        ipv6,
        internal,
        dns,
        interface,
        options,
        labels,
    } = written;
    let runtime = runtime.map(|runtime| check.runtime(&runtime)).unwrap_or_default();
    let (settings, places) = check.network_settings(
        super::subnets::Written {
            driver: driver.as_ref(),
            subnets: subnets.unwrap_or_default(),
            ipv6,
            internal: internal.unwrap_or(false),
            dns: dns.unwrap_or_default(),
            interface,
            options: &options,
        },
        runtime,
    );
    let common = Common { name, description, runtime_args, driver, options, labels };
    let object = check.object(source, runtime, common, What::Network(settings));
    if let Some(object) = object.as_ref().filter(|_| check.diagnostics.is_empty()) {
        check.lint_network_name(object);
    }
    (object.map(|object| (object, places)), check.diagnostics)
}

/// A volume, and all diagnostics: those of reading included.
pub(crate) fn volume(
    name: Result<ObjectName, Diagnostic>,
    source: &Source,
    read: Read<written::Volume>,
    abilities: Abilities,
) -> (Option<Object>, Vec<Diagnostic>) {
    let Read { written, removed, diagnostics } = read;
    let mut check = Check::new(diagnostics, removed, abilities);
    let written::Volume {
        description,
        runtime,
        runtime_args,
        driver,
        device,
        file_system,
        mount_options,
        uid,
        gid,
        options,
        labels,
    } = written;
    let runtime = runtime.map(|runtime| check.runtime(&runtime)).unwrap_or_default();
    let settings = check.volume_settings(
        super::volume::Written {
            driver: driver.as_ref(),
            device,
            file_system,
            mount_options,
            uid,
            gid,
            options: &options,
        },
        runtime,
    );
    let driver = driver.map(Spanned::into_inner);
    let common = Common { name, description, runtime_args, driver, options, labels };
    let object = check.object(source, runtime, common, What::Volume(settings));
    (object, check.diagnostics)
}

impl Check {
    fn object(&mut self, source: &Source, runtime: Runtime, common: Common, what: What) -> Option<Object> {
        let kind = match what {
            What::Network(_) => Kind::Network,
            What::Volume(_) => Kind::Volume,
        };
        let Common { name, description, runtime_args, driver, options, labels } = common;
        let options = options.map(Spanned::into_inner).unwrap_or_default();
        let options: BTreeMap<OptionName, String> =
            options.into_iter().map(|(name, OptionValue(value))| (name, value)).collect();
        let labels = values(labels);
        let runtime_args = texts(runtime_args.unwrap_or_default());
        let pairs = options.iter().map(|(name, value)| name.as_str().len() + value.len());
        let pairs = pairs.chain(labels.iter().map(|(name, value)| name.as_str().len() + value.len()));
        let size = pairs.chain(runtime_args.iter().map(String::len)).sum::<usize>() + size_of(&what);
        if size > MOST_SETTINGS {
            self.report(
                Diagnostic::error("too-long", format!("the settings of this {kind} are longer than 16 KiB"))
                    .help("they become arguments of one command: leave out what is not needed"),
            );
        }
        let name = name.map_err(|error| self.report(error)).ok()?;
        Some(Object {
            what,
            name,
            source_path: source.path().to_owned(),
            drop_ins: source.drop_ins().map(Path::to_owned).collect(),
            description: description.map(|Description(text)| text).filter(|text| !text.trim().is_empty()),
            runtime,
            runtime_args,
            driver,
            options,
            labels,
        })
    }

    /// podman looks a network up by the beginning of its ID too (`podman network inspect`, `create` and `run
    /// --network`, 4.3 and 5.4), and IDs are random.
    fn lint_network_name(&mut self, object: &Object) {
        let name = object.name.as_str();
        let hexadecimal = name.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
        if object.runtime == Runtime::Podman && hexadecimal && name.len() <= 4 {
            self.report(
                Diagnostic::warning(
                    "ambiguous-name",
                    format!("podman may take `{name}` for the beginning of another network's ID"),
                )
                .help(format!("call it {name}-net, or anything with a letter after f")),
            );
        }
    }
}

/// About as many bytes as its settings are in the command.
fn size_of(what: &What) -> usize {
    match what {
        What::Network(network) => 64 * network.subnets.len() + 32 * network.dns_servers.len(),
        What::Volume(VolumeSettings { device, mount_options, file_system, uid: _, gid: _ }) => {
            device.as_ref().map_or(0, String::len)
                + file_system.as_ref().map_or(0, |name| name.as_str().len())
                + mount_options.iter().map(String::len).sum::<usize>()
        }
    }
}

/// Where an option stands in `[options]`, if it does: somewhere in that table.
pub(super) fn place_of(name: &str, options: &Options) -> Option<std::ops::Range<usize>> {
    let table = options.as_ref()?;
    table.get_ref().keys().any(|key| key.as_str() == name).then(|| table.span())
}
