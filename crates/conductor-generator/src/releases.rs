//! Services that were deployed: their units are made from the releases, and the definition is the next one's.

use std::collections::BTreeSet;
use std::path::Path;

use conductor_definition::{
    Finding, Kind, Live, Parsed, ReleaseFile, Releases, Service, ServiceName, Site, Slot, Source,
    parse_release,
};

use crate::attach;
use crate::convert::{Converter, contained};
use crate::draft::Draft;

/// Which services were deployed.
#[derive(Debug)]
pub(crate) struct Released<'a> {
    site: &'a Site,
    names: BTreeSet<String>,
}

impl<'a> Released<'a> {
    pub(crate) fn look(site: &'a Site) -> Self {
        Self { site, names: site.released() }
    }

    /// The releases of the service that is defined in a file.
    pub(crate) fn of(&self, definition: &Path) -> Option<Releases> {
        let name = definition.file_stem()?.to_str()?;
        if self.names.contains(name) { Releases::read(self.site, name) } else { None }
    }
}

/// The releases of a service of which there are to be units.
#[derive(Debug)]
pub(crate) struct LineUp {
    pub(crate) live: Service,
    slot: Slot,
    other: Option<Service>,
}

impl LineUp {
    /// A service that was never deployed: its definition is what runs.
    pub(crate) fn only(service: Service) -> Self {
        Self { live: service, slot: Slot::Blue, other: None }
    }

    pub(crate) fn releases(&self) -> conductor_units::Releases<'_> {
        let Self { live, slot, other } = self;
        conductor_units::Releases { live, slot: *slot, other: other.as_ref() }
    }
}

impl Converter<'_> {
    /// Makes units of what was deployed. A mistake in the definition is none of theirs, and one in a release that is
    /// not live is not the live one's.
    pub(crate) fn line_up(&self, definition: Option<Service>, mut releases: Releases, draft: &mut Draft) {
        for Finding { path, diagnostic } in std::mem::take(&mut releases.problems) {
            draft.findings_mut().releases.push((Source::new(path, ""), vec![diagnostic]));
        }
        let Ok(name) = ServiceName::from_path(draft.source.path()) else { return };
        // Whether it is started at boot is the administrator's to say, at any time.
        let enabled = definition.as_ref().map(|definition| definition.enabled);
        let (mut blue, mut green) = (None, None);
        for file in std::mem::take(&mut releases.files) {
            match file.slot {
                Slot::Blue => blue = self.release(file, &name, draft),
                Slot::Green => green = self.release(file, &name, draft),
            }
        }
        let readable = |slot| match slot {
            Slot::Blue => blue.is_some(),
            Slot::Green => green.is_some(),
        };
        let (slot, here, other) = match releases.counting(readable) {
            Live::In(Slot::Blue) => (Slot::Blue, blue, green),
            Live::In(Slot::Green) => (Slot::Green, green, blue),
            // The definition itself is in the first slot, or in none, and the first deploy goes to the second.
            Live::Never => (Slot::Blue, definition.filter(|_| !draft.is_broken()), green),
            Live::Unknown => return,
        };
        let Some(mut here) = here else { return };
        here.enabled = enabled.unwrap_or(here.enabled);
        if !here.is_release || self.attached(&here, draft) {
            self.take(LineUp { live: here, slot, other }, draft);
        }
    }

    fn release(&self, file: ReleaseFile, name: &ServiceName, draft: &mut Draft) -> Option<Service> {
        let ReleaseFile { slot: _, source, problem } = file;
        let parse = || parse_release(&source, name, self.host().abilities());
        let result = match problem {
            Some(problem) => Err(vec![problem]),
            None => contained(parse).unwrap_or_else(|bug| Err(vec![bug])),
        };
        match result {
            Ok(Parsed { service, warnings: _ }) => Some(service),
            Err(diagnostics) => {
                draft.findings_mut().releases.push((source, diagnostics));
                None
            }
        }
    }

    /// Whether the networks and volumes of the live release are what it takes them for. Advice is about the definition,
    /// of which the same was asked before.
    fn attached(&self, live: &Service, draft: &mut Draft) -> bool {
        if self.known().is_empty() {
            return true;
        }
        let mut found = Draft::new(Kind::Service, Source::new(&live.source_path, ""), Vec::new());
        attach::check(live, self.known(), self.host().scope, &mut found);
        let misused = std::mem::take(&mut found.findings_mut().misused);
        let (source, errors) = found.into_errors();
        if misused.is_empty() && errors.is_empty() {
            return true;
        }
        let findings = draft.findings_mut();
        findings.misused.extend(misused);
        if errors.is_empty() {
            return true;
        }
        findings.releases.push((source, errors));
        false
    }
}
