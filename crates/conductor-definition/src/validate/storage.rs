//! `[[volumes]]`, `[[tmpfs]]`

use super::Check;
use crate::value::EngineOption;
use crate::written::{self, Spanned};
use crate::{Mount, Tmpfs};

impl Check {
    pub(super) fn mounts(&mut self, written: Vec<Spanned<written::Mount>>) -> Vec<Mount> {
        written.into_iter().enumerate().filter_map(|(index, mount)| self.mount(index, mount)).collect()
    }

    fn mount(&mut self, index: usize, written: Spanned<written::Mount>) -> Option<Mount> {
        let table = written.span();
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
                self.missing(&format!("tmpfs.{index}.target"), "target", Some(table), help);
            }
            list.extend(target.map(|target| Tmpfs { target, size }));
        }
        list
    }
}
