//! What one instance of several has of its own: its ports.

use conductor_definition::Service;

use crate::exec::Word;
use crate::quote;
use crate::unit_file::UnitFile;

/// The instance's number, in the container's environment.
pub(crate) const INSTANCE: &str = "CONDUCTOR_INSTANCE";

/// The variable that carries the host's side of port `index` (from 0) to the template's command lines.
fn variable(index: usize) -> String {
    format!("CONDUCTOR_HOST_PORT_{}", index + 1)
}

/// The host's side of port `index`: a number, or in a template the variable.
pub(crate) fn host_port(service: &Service, index: usize) -> Option<Word> {
    let port = service.ports.get(index)?;
    Some(if service.instances > 1 {
        Word::expanding(&format!("${{{}}}", variable(index)))
    } else {
        Word::literal(&port.host.to_string())
    })
}

/// systemd cannot compute `host + %i - 1`, so each instance has a drop-in with the result.
pub(crate) fn drop_in(service: &Service, number: u16) -> String {
    let ports = service
        .ports
        .iter()
        .enumerate()
        .map(|(index, port)| quote::environment(&variable(index), &port.host_port(number).to_string()));
    UnitFile::generated_from(&service.source_path)
        .section("Service")
        .list("Environment", [quote::environment(INSTANCE, &number.to_string())].into_iter().chain(ports))
        .finish_plain()
}
