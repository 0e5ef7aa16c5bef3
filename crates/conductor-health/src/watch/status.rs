//! The line that `systemctl status` shows of a watcher.

use crate::verdict::State;
use std::fmt::Write as _;

/// What the line says of one target.
#[derive(Clone, Debug)]
pub(super) struct Line<'a> {
    pub(super) unit: &'a str,
    pub(super) state: State,
    /// Why it is in that state, where that is known.
    pub(super) reason: Option<&'a str>,
}

/// More than this many exceptions are counted, not named.
const NAMED: usize = 4;

/// `2/2 healthy`, and what is the matter with the others. `trouble` is why nothing is known.
pub(super) fn summary<'a>(lines: impl Iterator<Item = Line<'a>> + Clone, trouble: Option<&str>) -> String {
    let total = lines.clone().count();
    let healthy = lines.clone().filter(|line| line.state == State::Healthy).count();
    if let Some(trouble) = trouble {
        return format!("0/{total} healthy, systemd cannot be asked and nothing is checked: {trouble}");
    }
    let mut text = format!("{healthy}/{total} healthy");
    let others = lines.filter(|line| line.state != State::Healthy);
    for line in others.clone().take(NAMED) {
        // Writing into a String cannot fail.
        let _ = write!(text, ", {}: {}", line.unit, line.state);
        if let State::Deferred(_) = line.state {
            text.push_str(", checks deferred");
        }
        if let Some(reason) = line.reason {
            let _ = write!(text, " ({reason})");
        }
    }
    let unnamed = others.count().saturating_sub(NAMED);
    if unnamed > 0 {
        let _ = write!(text, ", and {unnamed} more");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::verdict::Away;

    fn line(unit: &'static str, state: State, reason: Option<&'static str>) -> Line<'static> {
        Line { unit, state, reason }
    }

    #[test]
    fn names_the_exceptions() {
        let healthy = line("web@1.service", State::Healthy, None);
        assert_eq!(summary([healthy.clone()].into_iter(), None), "1/1 healthy");
        let restarting = line("web@2.service", State::Deferred(Away::Restarting), None);
        assert_eq!(
            summary([healthy.clone(), restarting.clone()].into_iter(), None),
            "1/2 healthy, web@2.service: restarting, checks deferred"
        );
        let failing = line("web@3.service", State::Failing(1, 3), Some("connection refused"));
        assert_eq!(
            summary([healthy.clone(), failing].into_iter(), None),
            "1/2 healthy, web@3.service: failing (1 of 3) (connection refused)"
        );
        let many: Vec<_> = std::iter::repeat_n(restarting, 6).collect();
        assert!(summary(many.into_iter(), None).ends_with(", and 2 more"));
        assert_eq!(
            summary([healthy].into_iter(), Some("no bus")),
            "0/1 healthy, systemd cannot be asked and nothing is checked: no bus"
        );
    }
}
