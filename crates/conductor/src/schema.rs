//! `conductor schema`

use std::process::ExitCode;

use crate::terminal::print;

/// Print the JSON Schema of a kind of file, for editors.
///
/// An editor that has it completes and explains keys and underlines what is wrong. The package has the same in
/// /usr/share/conductor/schema; for Taplo and Even Better TOML the first line of a definition is
/// `#:schema /usr/share/conductor/schema/service.json`. It follows draft 2020-12. What needs more than one key
/// or file to be seen, only `conductor check` sees.
///
/// Exit status: 0 printed, 1 it could not be written, 2 wrong usage.
#[derive(Debug, clap::Args)]
pub(crate) struct Schema {
    /// What kind of file.
    #[arg(value_name = "KIND", default_value = "service")]
    kind: Kind,
    /// That of a drop-in, in which any key may be missing.
    #[arg(long)]
    drop_in: bool,
}

#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum Kind {
    /// The definition of a service.
    Service,
    /// The definition of a network.
    Network,
    /// The definition of a volume.
    Volume,
}

impl Schema {
    pub(crate) fn run(&self) -> ExitCode {
        print(match (self.kind, self.drop_in) {
            (Kind::Service, false) => include_str!("../../../packaging/schema/service.json"),
            (Kind::Service, true) => include_str!("../../../packaging/schema/service-drop-in.json"),
            (Kind::Network, false) => include_str!("../../../packaging/schema/network.json"),
            (Kind::Network, true) => include_str!("../../../packaging/schema/network-drop-in.json"),
            (Kind::Volume, false) => include_str!("../../../packaging/schema/volume.json"),
            (Kind::Volume, true) => include_str!("../../../packaging/schema/volume-drop-in.json"),
        })
    }
}
