//! `[restart]`

use super::Check;
use crate::written::{self, Limit, Spanned, Timer, Within, default};
use crate::{Diagnostic, Restart, StartLimit};

impl Check {
    pub(super) fn restart(&mut self, written: written::Restart) -> Restart {
        let written::Restart { delay, max_delay, limit } = written;
        let delay_span = delay.as_ref().map(Spanned::span);
        let max_span = max_delay.as_ref().map(Spanned::span);
        let delay = self.timer(delay, default::RESTART_DELAY);
        let mut max_delay = self.timer(max_delay, delay.max(default::RESTART_MAX_DELAY));
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

    fn limit(&mut self, written: Option<Spanned<Limit>>) -> Option<StartLimit> {
        let starts = match written.map(Spanned::into_inner) {
            Some(Limit::None) => return None,
            Some(Limit::Starts(starts)) => starts,
            None => written::Starts::default(),
        };
        let written::Starts { starts, within } = starts;
        let within = match within {
            Some(within) => match *within.get_ref() {
                Within::Auto => None,
                Within::Span(timer) => {
                    let Timer(span) = timer;
                    Some(self.timer(Some(Spanned::new(within.span(), timer)), span))
                }
            },
            None => None,
        };
        Some(StartLimit { starts: starts.and_then(|n| self.number(&n)).unwrap_or(default::STARTS), within })
    }
}
