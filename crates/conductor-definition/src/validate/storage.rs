//! `[[volumes]]`, `[[tmpfs]]`

use toml::Spanned;

use super::Check;
use crate::value::{InvalidValue, Text};
use crate::{Diagnostic, Mount, MountSource, Tmpfs, written};

impl Check {
    pub(super) fn mounts(&mut self, written: Vec<Spanned<written::Mount>>) -> Vec<Mount> {
        written.into_iter().filter_map(|mount| self.mount(mount)).collect()
    }

    fn mount(&mut self, written: Spanned<written::Mount>) -> Option<Mount> {
        let table = written.span();
        let written::Mount { source, target, read_only, options } = written.into_inner();
        if source.is_none() {
            let help = "say what to mount: a directory of the host, or the name of a volume";
            self.missing("volumes.source", "source", Some(table.clone()), help);
        }
        if target.is_none() {
            self.missing(
                "volumes.target",
                "target",
                Some(table),
                "say where it is in the container: target = \"/data\"",
            );
        }
        let source = source.and_then(|source| self.mount_source(&source));
        let options =
            options.unwrap_or_default().into_iter().filter_map(|option| self.option(&option)).collect();
        Some(Mount { source: source?, target: target?, read_only: read_only.unwrap_or(false), options })
    }

    /// A path begins with `/`; everything else is a volume's name, as with both engines.
    fn mount_source(&mut self, written: &Spanned<Text>) -> Option<MountSource> {
        let Text(text) = written.get_ref();
        let source = if text.starts_with(['/', '.', '~']) {
            text.parse().map(MountSource::Path)
        } else {
            text.parse().map(MountSource::Volume)
        };
        source
            .map_err(|InvalidValue(message)| {
                self.report(
                    Diagnostic::error("invalid-value", message).at(written.span(), "not possible here"),
                );
            })
            .ok()
    }

    /// Options are put between commas.
    pub(super) fn option(&mut self, written: &Spanned<Text>) -> Option<String> {
        let Text(text) = written.get_ref();
        if text.is_empty() || text.contains([',', ' ']) || text.chars().any(char::is_control) {
            self.report(
                Diagnostic::error("invalid-value", format!("`{}` is not one option", text.escape_debug()))
                    .at(written.span(), "one option for each element"),
            );
            return None;
        }
        Some(text.clone())
    }

    pub(super) fn tmpfs(&mut self, written: Vec<Spanned<written::Tmpfs>>) -> Vec<Tmpfs> {
        let mut list = Vec::new();
        for entry in written {
            let table = entry.span();
            let written::Tmpfs { target, size } = entry.into_inner();
            if target.is_none() {
                let help = "say where it is in the container: target = \"/tmp\"";
                self.missing("tmpfs.target", "target", Some(table), help);
            }
            list.extend(target.map(|target| Tmpfs { target, size }));
        }
        list
    }
}
