//! What one instance of several has of its own: its ports.

use conductor_definition::{Scope, Service};

use crate::exec::Word;
use crate::names::Names;
use crate::quote;
use crate::runtime::HostPorts;
use crate::unit_file::UnitFile;

/// The instance's number, in the container's environment.
pub(crate) const INSTANCE: &str = "CONDUCTOR_INSTANCE";

/// The variable that carries the host's side of port `index` (from 0) to the template's command lines, and
/// of a range its last.
fn variables(index: usize) -> [String; 2] {
    let first = format!("CONDUCTOR_HOST_PORT_{}", index + 1);
    [first.clone(), first + "_LAST"]
}

/// The host's side of port `index`: numbers, or in a template the variables.
pub(crate) fn host_ports(service: &Service, names: &Names<'_>, index: usize) -> Option<HostPorts> {
    let port = service.network.ports.get(index)?;
    let last = port.host.saturating_add(port.count - 1);
    let [first, last] = if names.is_group() {
        variables(index).map(|name| Word::expanding(&format!("${{{name}}}")))
    } else {
        [port.host, last].map(|port| Word::literal(&port.to_string()))
    };
    Some(HostPorts { first, last: (port.count > 1).then_some(last) })
}

/// systemd cannot compute `host + %i - 1`, so each instance has a drop-in with the result.
pub(crate) fn drop_in(service: &Service, names: &Names<'_>, number: u16, scope: Scope) -> String {
    let ports = service.network.ports.iter().enumerate().flat_map(|(index, port)| {
        let first = names.host_port(*port, number);
        let [name, name_of_last] = variables(index);
        let last = (port.count > 1).then(|| (name_of_last, first.saturating_add(port.count - 1)));
        [(name, first)]
            .into_iter()
            .chain(last)
            .map(|(name, port)| quote::environment(&name, &port.to_string()))
    });
    // Without the definition's drop-ins: there may be a hundred of them, and a thousand of these.
    UnitFile::part_of(service, scope)
        .section("Service")
        .list("Environment", [quote::environment(INSTANCE, &number.to_string())].into_iter().chain(ports))
        .finish_plain()
}
