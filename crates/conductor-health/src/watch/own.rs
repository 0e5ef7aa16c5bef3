//! Noticing that the unit we were started from says something else by now.
//!
//! systemd tells no service that its definition has changed. After a daemon-reload with another
//! instance in it, we would go on without it and call that healthy.

use conductor_systemd::{Definition, Systemd};

/// What came of the comparison.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Standing {
    /// The command lines are the same, or nobody can tell: we go on.
    Current,
    /// Ours is an older one, and systemd starts the new one as soon as we end.
    Outdated,
    /// Ours is an older one, and once ended we would be gone.
    Stuck,
}

/// The command line of this process; none if it is not text, which no unit's is.
pub(super) fn command_line() -> Option<Vec<String>> {
    std::env::args_os().map(|word| word.into_string().ok()).collect()
}

/// Asks systemd for our own unit, if there is one.
pub(super) async fn standing(systemd: Systemd) -> Standing {
    // Whoever is not a service gets an error here; a connection that broke is made anew, and then
    // this is asked again.
    match (command_line(), systemd.own_definition().await) {
        (Some(own), Ok(Some(definition))) => compare(&own, &definition),
        _ => Standing::Current,
    }
}

fn compare(own: &[String], definition: &Definition) -> Standing {
    let defined = &definition.command;
    // A script or `env` runs us: its command line is not ours, and ends differ in ways that mean nothing.
    if own.first() != defined.first() {
        return Standing::Current;
    }
    let Some(expanded) = defined.iter().map(|word| expand(word)).collect::<Option<Vec<_>>>() else {
        return Standing::Current;
    };
    // As it is: `ExecStart=:` expands nothing.
    if own == expanded || own == defined {
        Standing::Current
    } else if definition.restarts_on_success {
        Standing::Outdated
    } else {
        Standing::Stuck
    }
}

/// `$$` is how a unit file writes `$`; none if there is a variable, whose value we cannot know.
fn expand(word: &str) -> Option<String> {
    let parts: Vec<&str> = word.split("$$").collect();
    parts.iter().all(|part| !part.contains('$')).then(|| parts.join("$"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn standing(own: &[&str], defined: &[&str]) -> Standing {
        let words = |words: &[&str]| words.iter().map(|&word| word.to_owned()).collect::<Vec<_>>();
        compare(&words(own), &Definition { command: words(defined), restarts_on_success: true })
    }

    #[test]
    fn another_command_line_is_noticed() {
        assert_eq!(standing(&["x", "watch", "a"], &["x", "watch", "a"]), Standing::Current);
        assert_eq!(standing(&["x", "watch", "a"], &["x", "watch", "b"]), Standing::Outdated);
        assert_eq!(standing(&["x", "watch", "a"], &["x", "watch", "a", "b"]), Standing::Outdated);
        assert_eq!(standing(&["x", "watch", "a", "b"], &["x", "watch", "a"]), Standing::Outdated);
        let ends_for_good = Definition { command: vec!["x".to_owned()], restarts_on_success: false };
        assert_eq!(compare(&["x".to_owned(), "y".to_owned()], &ends_for_good), Standing::Stuck);
    }

    #[test]
    fn a_dollar_sign_is_written_twice_in_a_unit() {
        assert_eq!(standing(&["x", "a$b$$"], &["x", "a$$b$$$$"]), Standing::Current);
        assert_eq!(standing(&["x", "a$b"], &["x", "a$$c"]), Standing::Outdated);
        // Not expanded at all.
        assert_eq!(standing(&["x", "a$b"], &["x", "a$b"]), Standing::Current);
    }

    #[test]
    fn what_cannot_be_told_changes_nothing() {
        assert_eq!(standing(&["x", "a"], &["x", "$A"]), Standing::Current);
        assert_eq!(standing(&["x", "a$b"], &["x", "$$${A}"]), Standing::Current);
        assert_eq!(standing(&["x", "a"], &["/bin/sh", "-c", "x a"]), Standing::Current);
        assert_eq!(standing(&["x", "a"], &[]), Standing::Current);
    }
}
