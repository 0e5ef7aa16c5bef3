//! What is asked, and how: checked once, used for every check.

use super::options::{Mismatch, Options};
use super::request::Prepared;
use super::tls;
use crate::url::Url;
use std::fmt;
use std::sync::Arc;

/// A URL with the options that it is asked with. Cheap to copy.
#[derive(Clone)]
pub struct Target(Arc<Inner>);

struct Inner {
    url: Url,
    profile: Arc<Profile>,
    prepared: Prepared,
}

/// Options that several targets share, with what was loaded for them.
#[derive(Debug, Default)]
pub struct Profile {
    options: Options,
    tls: tls::Source,
}

impl Profile {
    /// To be shared between targets.
    pub fn new(options: Options) -> Arc<Self> {
        let tls = tls::Source::new(options.tls.clone());
        Arc::new(Self { options, tls })
    }
}

impl Target {
    /// Puts both together; the error is why they do not fit.
    pub fn new(url: Url, profile: &Arc<Profile>) -> Result<Self, Mismatch> {
        profile.options.fit(&url)?;
        let prepared = Prepared::new(&url, &profile.options)?;
        Ok(Self(Arc::new(Inner { url, profile: Arc::clone(profile), prepared })))
    }

    /// The same service at another address. Options that mean nothing there are left out.
    #[must_use]
    pub fn moved(&self, url: Url) -> Self {
        if url == self.0.url {
            return self.clone();
        }
        let profile = &self.0.profile;
        match Prepared::new(&url, &profile.options) {
            Ok(prepared) => Self(Arc::new(Inner { url, profile: Arc::clone(profile), prepared })),
            // What was a host once still is.
            Err(_) => Self::from(url),
        }
    }

    /// What is asked.
    pub fn url(&self) -> &Url {
        &self.0.url
    }

    /// How.
    pub fn options(&self) -> &Options {
        &self.0.profile.options
    }

    pub(super) fn tls(&self) -> &tls::Source {
        &self.0.profile.tls
    }

    pub(super) fn prepared(&self) -> &Prepared {
        &self.0.prepared
    }
}

/// With the default options, which fit every URL.
impl From<Url> for Target {
    fn from(url: Url) -> Self {
        let profile = Profile::new(Options::default());
        let prepared = Prepared::usual(&url);
        Self(Arc::new(Inner { url, profile, prepared }))
    }
}

/// The same question; what was loaded for it does not matter.
impl PartialEq for Target {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0) || (self.url() == other.url() && self.options() == other.options())
    }
}

impl Eq for Target {}

impl fmt::Debug for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Target")
            .field("url", self.url())
            .field("options", self.options())
            .finish_non_exhaustive()
    }
}
