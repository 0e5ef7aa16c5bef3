//! The line that `systemctl status` shows of a watcher.

use crate::verdict::State;
use std::fmt::Write as _;

/// What the line says of one target.
#[derive(Clone, Debug)]
pub(super) struct Line<'a> {
    pub(super) unit: &'a str,
    pub(super) state: State,
    /// Whether it runs with an older definition than the one that we have.
    pub(super) is_older: bool,
    /// Whether it comes and goes all the time.
    pub(super) is_flapping: bool,
    /// Why it is in that state, where that is known.
    pub(super) reason: Option<&'a str>,
}

/// What is the matter with a unit that was not restarted since its definition changed.
pub(super) const OLDER: &str = "still runs with an older definition";

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
    let others = lines.filter(|line| line.state != State::Healthy || line.is_older || line.is_flapping);
    for line in others.clone().take(NAMED) {
        let mut parts = Vec::new();
        if line.is_flapping {
            parts.push("flapping".to_owned());
        }
        match line.state {
            State::Healthy => {}
            State::Deferred(_) => parts.push(format!("{}, checks deferred", line.state)),
            state => parts.push(state.to_string()),
        }
        if let (Some(part), Some(reason)) = (parts.last_mut(), line.reason) {
            // Writing into a String cannot fail.
            let _ = write!(part, " ({reason})");
        }
        // Of a unit that is not checked it is not said: it may be starting anew.
        if line.is_older && !matches!(line.state, State::Deferred(_) | State::Unknown) {
            parts.push(OLDER.to_owned());
        }
        let _ = write!(text, ", {}: {}", line.unit, parts.join(", "));
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
        Line { unit, state, is_older: false, is_flapping: false, reason }
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
        let older = |line: &Line<'static>| Line { is_older: true, ..line.clone() };
        assert_eq!(
            summary([older(&healthy), older(&restarting)].into_iter(), None),
            "1/2 healthy, web@1.service: still runs with an older definition, web@2.service: restarting, checks deferred"
        );
        let failing = line("web@3.service", State::Failing(1, 3), None);
        assert_eq!(
            summary([older(&failing)].into_iter(), None),
            "0/1 healthy, web@3.service: failing (1 of 3), still runs with an older definition"
        );
        let flapping = Line { is_flapping: true, ..healthy.clone() };
        assert_eq!(summary([flapping].into_iter(), None), "1/1 healthy, web@1.service: flapping");
        let many: Vec<_> = std::iter::repeat_n(restarting, 6).collect();
        assert!(summary(many.into_iter(), None).ends_with(", and 2 more"));
        assert_eq!(
            summary([healthy].into_iter(), Some("no bus")),
            "0/1 healthy, systemd cannot be asked and nothing is checked: no bus"
        );
    }
}
