//! `[[volumes]]`, `[[tmpfs]]`

use std::ops::Range;

use super::Check;
use crate::value::EngineOption;
use crate::written::{self, Spanned};
use crate::{Diagnostic, Mount, Tmpfs};

impl Check {
    pub(super) fn mounts(&mut self, written: Vec<Spanned<written::Mount>>) -> Vec<Mount> {
        written.into_iter().enumerate().filter_map(|(index, mount)| self.mount(index, mount)).collect()
    }

    fn mount(&mut self, index: usize, written: Spanned<written::Mount>) -> Option<Mount> {
        let (table, place) = (written.span(), written.span());
        let written::Mount { source, target, read_only, options } = written.into_inner();
        if source.is_none() {
            let help = "say what to mount: a directory of the host, or the name of a volume";
            self.missing(&format!("volumes.{index}.source"), "source", Some(table.clone()), help);
        }
        if target.is_none() {
            self.missing(
                &format!("volumes.{index}.target"),
                "target",
                Some(table),
                "say where it is in the container: target = \"/data\"",
            );
        }
        if let Some(target) = &target {
            self.target(target.as_str(), place);
        }
        let options = options.unwrap_or_default().into_iter().map(|EngineOption(option)| option).collect();
        Some(Mount { source: source?, target: target?, read_only: read_only.unwrap_or(false), options })
    }

    pub(super) fn tmpfs(&mut self, written: Vec<Spanned<written::Tmpfs>>) -> Vec<Tmpfs> {
        let mut list = Vec::new();
        for (index, entry) in written.into_iter().enumerate() {
            let table = entry.span();
            let written::Tmpfs { target, size } = entry.into_inner();
            if target.is_none() {
                let help = "say where it is in the container: target = \"/tmp\"";
                self.missing(&format!("tmpfs.{index}.target"), "target", Some(table.clone()), help);
            }
            if let Some(target) = &target {
                self.target(target.as_str(), table);
            }
            list.extend(target.map(|target| Tmpfs { target, size }));
        }
        list
    }

    /// Engines refuse to start a container with two mounts in one place.
    fn target(&mut self, target: &str, place: Range<usize>) {
        let plain = target.trim_end_matches('/').to_owned();
        if let Some(first) = self.targets.get(&plain).cloned() {
            self.report(
                Diagnostic::error(
                    "contradiction",
                    format!("two things are mounted at `{}`", target.escape_debug()),
                )
                .at(place, "the second")
                .and(first, "the first")
                .help("give one of them another target"),
            );
            return;
        }
        self.targets.insert(plain, place);
    }
}
