//! What is wrong between definitions, and where each of them says its part of it.
//!
//! The generator holds no texts of definitions that are right by themselves; of those few that turn out to be in each
//! other's way the files are read once more.

use std::collections::BTreeMap;
use std::ops::Range;

use conductor_definition::{Candidate, Clash, Diagnostic, Places, Site, Source, claims_in, clashes};

use crate::convert::{Converter, contained};
use crate::draft::Draft;

/// Bytes of definitions that are read again, and shown beside others, at the most: findings beyond have no place.
pub(crate) const MOST_SHOWN: usize = 8 << 20;

/// A finding about one definition that has to do with others.
#[derive(Debug)]
pub(crate) struct Complaint {
    /// Whose it is, by its place among all.
    pub(crate) about: usize,
    pub(crate) diagnostic: Diagnostic,
    /// Where it says so.
    pub(crate) at: Option<Mark>,
    /// Where another one says the other part.
    pub(crate) related: Option<(usize, Mark)>,
}

/// A claim of a definition, and what is to be said under it.
#[derive(Debug)]
pub(crate) struct Mark {
    pub(crate) claim: Claim,
    pub(crate) text: String,
}

/// One of the [`Claims`](conductor_definition::Claims), by its index.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Claim {
    Port(usize),
    Reference(usize),
}

impl Mark {
    fn span(&self, places: &Places) -> Option<Range<usize>> {
        match self.claim {
            Claim::Port(at) => places.ports.get(at),
            Claim::Reference(at) => places.references.get(at),
        }
        .cloned()
    }
}

/// Services that claim host ports which an earlier one has.
pub(crate) fn clashing(drafts: &[Box<Draft>]) -> Vec<Complaint> {
    let claims = drafts.iter().enumerate().filter_map(|(at, draft)| Some((at, draft.claims.as_ref()?)));
    let complaint = |clash: Clash| {
        let Clash { first, second, port } = clash;
        let path = drafts.get(first).map(|draft| draft.source.path().display().to_string());
        let said = format!("host port {port} is taken by {}", path.unwrap_or_default());
        let mark = |at: usize, text: &str| {
            let claim = Claim::Port(drafts.get(at)?.claims.as_ref()?.position_of(port)?);
            Some(Mark { claim, text: text.to_owned() })
        };
        Complaint {
            about: second,
            diagnostic: Diagnostic::error("port-clash", said)
                .help("give one of the two other ports: host = …"),
            at: mark(second, "claimed here"),
            related: mark(first, "taken here").map(|mark| (first, mark)),
        }
    };
    clashes(claims).into_iter().map(complaint).collect()
}

/// Reports what was found, with the places in the texts.
pub(crate) fn report(converter: &Converter<'_>, drafts: &mut [Box<Draft>], mut complaints: Vec<Complaint>) {
    complaints.retain(|complaint| converter.gives_advice() || complaint.diagnostic.is_error());
    // All are located before the first is reported: who is wrong claims nothing any more.
    let mut texts = Texts { converter, left: MOST_SHOWN, located: BTreeMap::new() };
    for Complaint { about, diagnostic: _, at, related } in &complaints {
        let others = related.as_ref().map(|(other, _)| *other);
        for one in at.iter().map(|_| *about).chain(others) {
            texts.locate(one, drafts);
        }
    }
    for Complaint { about, mut diagnostic, at, related } in complaints {
        let Some(draft) = drafts.get_mut(about) else { continue };
        if let Some((mark, here, span)) = at.and_then(|mark| texts.find(about, mark)) {
            if draft.source.is_empty() {
                draft.source = here.source.clone();
            }
            diagnostic = diagnostic.at(span, mark.text);
            if let Some((mark, there, span)) = related.and_then(|(other, mark)| texts.find(other, mark)) {
                let part = there.source.part_at(span.start);
                if let Some(left) = texts.left.checked_sub(part.text.len()) {
                    let start = draft.source.quote(part.path, part.text);
                    let moved = |offset: usize| start + offset.saturating_sub(part.start);
                    diagnostic = diagnostic.and(moved(span.start)..moved(span.end), mark.text);
                    texts.left = left;
                }
            }
        }
        draft.report(diagnostic);
    }
}

/// A definition's text, and where in it its claims are.
#[derive(Debug)]
struct Located {
    source: Source,
    places: Places,
}

struct Texts<'a> {
    converter: &'a Converter<'a>,
    /// Bytes that may still be read.
    left: usize,
    /// By the place among all; nothing where none can be found.
    located: BTreeMap<usize, Option<Located>>,
}

impl Texts<'_> {
    fn locate(&mut self, at: usize, drafts: &[Box<Draft>]) {
        if self.left == 0 || self.located.contains_key(&at) {
            return;
        }
        let located = drafts.get(at).and_then(|draft| {
            let source = text_of(draft, self.converter.site())?;
            // What is too long now leaves nothing for others either, so that no more is read.
            self.left = self.left.saturating_sub(source.len());
            let abilities = self.converter.host().abilities();
            let (claims, places) =
                if self.left > 0 { contained(|| claims_in(&source, abilities)).ok()?? } else { return None };
            // It may have been changed meanwhile, or what runs is a release that says something else.
            (Some(&claims) == draft.claims.as_ref()).then_some(Located { source, places })
        });
        self.located.insert(at, located);
    }

    fn find(&self, at: usize, mark: Mark) -> Option<(Mark, &Located, Range<usize>)> {
        let located = self.located.get(&at)?.as_ref()?;
        let span = mark.span(&located.places)?;
        Some((mark, located, span))
    }
}

/// The text of a definition's files, read again if it was not kept.
fn text_of(draft: &Draft, site: Option<&Site>) -> Option<Source> {
    if !draft.source.is_empty() {
        return Some(draft.source.clone());
    }
    let (source, problems) = Candidate::again(site?, draft.kind, draft.source.path()).read()?;
    problems.is_empty().then_some(source)
}
