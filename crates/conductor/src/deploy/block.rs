//! The lines at the bottom of a terminal that show how a deploy goes on: pure text.

use std::time::Duration;

/// What is known at a moment.
#[derive(Debug, Clone, Default)]
pub(super) struct View {
    /// The step that is under way, and since when it is, from the beginning of the command on.
    pub(super) step: Option<(&'static str, Duration)>,
    /// The containers' units.
    pub(super) units: Vec<Line>,
}

/// A unit.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Line {
    pub(super) unit: String,
    /// Active state, and the state of its own type.
    pub(super) active: String,
    pub(super) sub: String,
    /// What it, or its checker, said last.
    pub(super) said: String,
}

/// How large a terminal is, in characters.
#[derive(Debug, Clone, Copy)]
pub(super) struct Size {
    pub(super) columns: usize,
    pub(super) rows: usize,
}

/// The lines, none longer than a line of the terminal, and together no more than it has; without line ends.
pub(super) fn lines(view: &View, now: Duration, size: Size, colour: bool) -> Vec<String> {
    let Some((step, since)) = view.step else { return Vec::new() };
    let took = now.saturating_sub(since).as_secs();
    let up = view.units.iter().filter(|line| line.active == "active").count();
    let count = match view.units.len() {
        0 => String::new(),
        all => format!(", {up} of {all} up"),
    };
    let mut text = vec![cut(&format!("{} {step} for {took} s{count}", clock(now)), size.columns)];
    // One line for what is under way, one for those that are left out, and one to write on.
    let most = size.rows.saturating_sub(3);
    let width = view.units.iter().map(|line| line.unit.chars().count()).max().unwrap_or_default();
    let states = view.units.iter().map(state).map(|state| state.chars().count()).max().unwrap_or_default();
    for line in view.units.iter().take(most) {
        let state = state(line);
        let plain = format!(
            "  {:<width$}  {state:<states$}  {}",
            line.unit,
            line.said.replace(char::is_control, " ")
        );
        let shown = cut(plain.trim_end(), size.columns);
        text.push(if colour { painted(&shown, &state, &line.active) } else { shown });
    }
    if view.units.len() > most {
        text.push(cut(&format!("  and {} more", view.units.len() - most), size.columns));
    }
    text
}

/// The time since the beginning, as in the lines that stay.
pub(super) fn clock(at: Duration) -> String {
    format!("[{:>3}.{} s]", at.as_secs(), at.subsec_millis() / 100)
}

/// In few words, so that there is room for what it says.
fn state(line: &Line) -> String {
    match (line.active.as_str(), line.sub.as_str()) {
        ("active", "running") => "up".to_owned(),
        ("activating", "start" | "start-pre" | "start-post") => "starting".to_owned(),
        ("inactive", "dead") => "down".to_owned(),
        (active, "") => active.to_owned(),
        (active, sub) if active == sub => active.to_owned(),
        (active, sub) => format!("{active} ({sub})"),
    }
}

/// What does not fit would go on in the next line, and nobody would clear that one away.
fn cut(text: &str, columns: usize) -> String {
    // The last column stays free: some terminals go to the next line as soon as it is written.
    let most = columns.saturating_sub(1);
    if text.chars().count() <= most {
        return text.to_owned();
    }
    text.chars().take(most.saturating_sub(1)).chain(['…']).collect()
}

fn painted(text: &str, state: &str, active: &str) -> String {
    let colour = match active {
        "active" => "32",
        "failed" => "31",
        "inactive" | "" => return text.to_owned(),
        _ => "33",
    };
    let state_painted = format!("  \x1b[{colour}m{state}\x1b[0m");
    // After two spaces, for a unit may be called so.
    match text.strip_suffix(&format!("  {state}")) {
        Some(unit) => unit.to_owned() + &state_painted,
        None => text.replacen(&format!("  {state} "), &format!("{state_painted} "), 1),
    }
}

/// What clears so many lines away that end above the cursor, and leaves the cursor where they began.
pub(super) fn cleared(lines: usize) -> String {
    match lines {
        0 => String::new(),
        // To the beginning of the line: somebody may have typed something.
        lines => format!("\r\x1b[{lines}A\x1b[J"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use snapbox::{assert_data_eq, str};

    fn view() -> View {
        let line = |unit: &str, active: &str, sub: &str, said: &str| Line {
            unit: unit.to_owned(),
            active: active.to_owned(),
            sub: sub.to_owned(),
            said: said.to_owned(),
        };
        View {
            step: Some(("start", Duration::from_millis(2_100))),
            units: vec![
                line("web-green@1.service", "active", "running", "Healthy after 1.2 s"),
                line(
                    "web-green@10.service",
                    "activating",
                    "start-post",
                    "http://127.0.0.1:20003/healthz: 503\n",
                ),
            ],
        }
    }

    const WIDE: Size = Size { columns: 120, rows: 24 };

    fn shown(size: Size, colour: bool) -> String {
        lines(&view(), Duration::from_millis(14_350), size, colour).join("\n") + "\n"
    }

    #[test]
    fn one_line_an_instance() {
        assert_data_eq!(
            shown(WIDE, false),
            str![[r#"
[ 14.3 s] start for 12 s, 1 of 2 up
  web-green@1.service   up        Healthy after 1.2 s
  web-green@10.service  starting  http://127.0.0.1:20003/healthz: 503

"#]]
        );
    }

    #[test]
    fn it_fits_into_small_terminals() {
        let narrow = shown(Size { columns: 40, rows: 24 }, false);
        assert!(narrow.lines().all(|line| line.chars().count() < 40), "{narrow}");
        assert!(narrow.contains("  web-green@1.service   up        Heal…\n"), "{narrow}");
        let low = shown(Size { columns: 80, rows: 4 }, false);
        assert!(low.ends_with("Healthy after 1.2 s\n  and 1 more\n"), "{low}");
        // Nobody knows how large it is.
        assert_eq!(shown(Size { columns: 0, rows: 0 }, false).lines().count(), 2);
    }

    #[test]
    fn colours() {
        let text = shown(WIDE, true);
        assert!(text.contains("\x1b[32mup\x1b[0m"), "{text}");
        assert!(text.contains("\x1b[33mstarting\x1b[0m"), "{text}");
    }

    #[test]
    fn nothing_is_shown_before_something_happens() {
        assert!(lines(&View::default(), Duration::ZERO, WIDE, true).is_empty());
        assert_eq!(cleared(0), "");
        assert_eq!(cleared(3), "\r\x1b[3A\x1b[J");
    }
}
