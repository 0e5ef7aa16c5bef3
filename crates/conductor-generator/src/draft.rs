//! What is held of a definition while others are read, and until it is decided who gets what.

use std::path::Path;

use conductor_definition::{Claims, DefinitionName, Diagnostic, Kind, Runtime, Source};

use crate::plan::Units;
use crate::releases::LineUp;

/// Definitions while others are read.
#[allow(clippy::vec_box, reason = "lists of thousands are put together from parts, and so copied")]
pub(crate) type Drafts = Vec<Box<Draft>>;

/// A definition while others are read.
#[derive(Debug)]
pub(crate) struct Draft {
    pub(crate) kind: Kind,
    pub(crate) source: Source,
    pub(crate) name: Option<DefinitionName>,
    /// Of thousands of definitions hardly any has these: hence the box.
    found: Option<Box<Findings>>,
    /// What it claims; nothing if it is not converted, or is not a service's.
    pub(crate) claims: Option<Claims>,
    pub(crate) state: State,
}

/// What is wrong or questionable about a definition.
#[derive(Debug, Default)]
pub(crate) struct Findings {
    pub(crate) diagnostics: Vec<Diagnostic>,
    /// Errors in its releases.
    pub(crate) releases: Vec<(Source, Vec<Diagnostic>)>,
    /// Networks and volumes that it names and that are another engine's than this, its own.
    pub(crate) misused: Vec<(DefinitionName, Runtime)>,
}

/// Of a definition about which nothing was found.
static NOTHING: Findings = Findings { diagnostics: Vec::new(), releases: Vec::new(), misused: Vec::new() };

/// How far it is.
#[derive(Debug)]
pub(crate) enum State {
    /// Not converted.
    Broken,
    /// Its units depend on other definitions.
    Waiting(Box<LineUp>),
    /// Its units are made, or could not be. That it counts only later: who loses something to another is told that alone.
    Rendered(Result<Rendered, Box<Diagnostic>>),
}

/// What it becomes.
#[derive(Debug)]
pub(crate) struct Rendered {
    pub(crate) units: Units,
    pub(crate) advice: Option<Box<Diagnostic>>,
}

impl Draft {
    /// One that is not converted, or not yet.
    pub(crate) fn new(kind: Kind, source: Source, diagnostics: Vec<Diagnostic>) -> Self {
        let name = DefinitionName::from_path(kind, source.path()).ok();
        let found = Findings { diagnostics, ..Findings::default() };
        let found = (!found.diagnostics.is_empty()).then(|| Box::new(found));
        Self { kind, source, name, found, claims: None, state: State::Broken }
    }

    /// What was found so far.
    pub(crate) fn findings(&self) -> &Findings {
        self.found.as_deref().unwrap_or(&NOTHING)
    }

    /// The same, to add something; a finding about the definition itself is [`Self::report`]ed.
    pub(crate) fn findings_mut(&mut self) -> &mut Findings {
        self.found.get_or_insert_default()
    }

    /// Notes what was found; after an error the definition is not converted, and claims nothing.
    pub(crate) fn report(&mut self, diagnostic: Diagnostic) {
        if diagnostic.is_error() {
            self.claims = None;
            self.state = State::Broken;
        }
        self.findings_mut().diagnostics.push(diagnostic);
    }

    /// The units, if they could be made.
    pub(crate) fn units(&self) -> Option<&Units> {
        match &self.state {
            State::Rendered(Ok(rendered)) => Some(&rendered.units),
            _ => None,
        }
    }

    /// Whether anything is wrong with it.
    pub(crate) fn is_broken(&self) -> bool {
        self.findings().diagnostics.iter().any(Diagnostic::is_error)
    }

    /// The errors and warnings, each on one line.
    pub(crate) fn lines(&self) -> impl Iterator<Item = (&Diagnostic, String)> {
        let Findings { diagnostics, releases, misused: _ } = self.findings();
        let own = diagnostics.iter().map(|diagnostic| (diagnostic, diagnostic.one_line(&self.source)));
        own.chain(releases.iter().flat_map(|(source, found)| {
            found.iter().map(move |diagnostic| (diagnostic, diagnostic.one_line(source)))
        }))
    }

    /// The errors, and the files that they are about.
    pub(crate) fn into_errors(self) -> (Source, Vec<Diagnostic>) {
        let found = self.found.unwrap_or_default();
        (self.source, found.diagnostics.into_iter().filter(Diagnostic::is_error).collect())
    }

    pub(crate) fn into_parts(self) -> (Parts, Option<Units>) {
        let Self { kind: _, source, name, found, claims: _, state } = self;
        let Findings { diagnostics, releases, misused: _ } =
            found.map_or_else(Findings::default, |found| *found);
        let units = match state {
            State::Rendered(Ok(rendered)) => Some(rendered.units),
            _ => None,
        };
        (Parts { source, name, diagnostics, releases }, units)
    }
}

impl Parts {
    /// The file to look at first.
    pub(crate) fn path(&self) -> &Path {
        let broken = self.diagnostics.iter().any(Diagnostic::is_error);
        let release = self.releases.first().filter(|_| !broken);
        release.map_or(self.source.path(), |(source, _)| source.path())
    }
}

/// What is known of a definition besides its units.
#[derive(Debug)]
pub(crate) struct Parts {
    pub(crate) source: Source,
    pub(crate) name: Option<DefinitionName>,
    pub(crate) diagnostics: Vec<Diagnostic>,
    pub(crate) releases: Vec<(Source, Vec<Diagnostic>)>,
}
