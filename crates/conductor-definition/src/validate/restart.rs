//! `[restart]`

use conductor_timespan::TimeSpan;
use toml::Spanned;

use super::{COUNTS, Check};
use crate::written::{self, Limit, Within};
use crate::{Diagnostic, Restart, StartLimit};

impl Check {
    pub(super) fn restart(&mut self, written: written::Restart) -> Restart {
        let written::Restart { delay, max_delay, limit } = written;
        let delay_span = delay.as_ref().map(Spanned::span);
        let max_span = max_delay.as_ref().map(Spanned::span);
        let delay = self.timer(delay, TimeSpan::from_secs(5));
        let mut max_delay = self.timer(max_delay, delay.max(TimeSpan::from_secs(60)));
        if max_delay < delay {
            if let Some(span) = max_span {
                let shorter = Diagnostic::error("contradiction", "`max-delay` is shorter than `delay`")
                    .at(span, format!("shorter than {delay}"))
                    .help("the delay grows from `delay` to `max-delay` while restarts follow each other");
                self.report(match delay_span {
                    Some(delay) => shorter.and(delay, "the delay"),
                    None => shorter,
                });
            }
            max_delay = delay;
        }
        Restart { delay, max_delay, limit: self.limit(limit) }
    }

    fn limit(&mut self, written: Option<Limit>) -> Option<StartLimit> {
        let starts = match written {
            Some(Limit::None) => return None,
            Some(Limit::Starts(starts)) => starts,
            None => written::Starts::default(),
        };
        let written::Starts { starts, within } = starts;
        let within = match within {
            Some(within) => match *within.get_ref() {
                Within::Auto => None,
                Within::Span(span) => {
                    let spanned = Spanned::new(within.span(), span);
                    Some(self.timer(Some(spanned), span))
                }
            },
            None => None,
        };
        Some(StartLimit { starts: starts.and_then(|n| self.number(&n, COUNTS)).unwrap_or(10), within })
    }
}
