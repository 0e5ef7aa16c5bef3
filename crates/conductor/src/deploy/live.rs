//! What is told while a deploy goes on: a line for each thing that has happened, and on a terminal, below those, how
//! the instances are at this moment.

use std::cell::RefCell;
use std::io::{IsTerminal as _, Write as _};
use std::rc::Rc;
use std::time::{Duration, Instant};

use conductor_deploy::{Event, Progress, State};
use conductor_systemd::{LoadState, Systemd, UnitName, UnitStatus};
use tokio::task::JoinHandle;

use super::block::{self, Line, Size, View};
use crate::json;
use crate::terminal::{colour, print, say};

/// From one look at the instances to the next.
const LOOK: Duration = Duration::from_millis(250);

/// Where nobody can say how large the terminal is.
const USUAL: Size = Size { columns: 80, rows: 24 };

/// Who runs commands whose output is the user's.
const BEFORE: &str = "before";

/// Shows how a deploy goes on, as long as it lives; what is not to stay is cleared away when it is dropped.
#[derive(Debug)]
pub(super) struct Shown {
    screen: Rc<RefCell<Screen>>,
    looking: Option<JoinHandle<()>>,
}

impl Shown {
    /// Begins. Has to be called on a runtime of one thread, in a `LocalSet`.
    pub(super) fn start(json: bool, systemd: &Systemd) -> Self {
        let live = !json && has_lines(std::io::stderr().is_terminal(), std::env::var("TERM").ok().as_deref());
        let screen = Rc::new(RefCell::new(Screen { json, live, ..Screen::new() }));
        let looking = live.then(|| tokio::task::spawn_local(look(Rc::clone(&screen), systemd.clone())));
        Self { screen, looking }
    }

    /// Who is to be told.
    pub(super) fn progress(&self) -> Teller {
        Teller(Rc::clone(&self.screen))
    }
}

impl Drop for Shown {
    fn drop(&mut self) {
        if let Some(looking) = &self.looking {
            looking.abort();
        }
        self.screen.borrow_mut().end();
    }
}

/// Whether lines on it can be replaced.
fn has_lines(terminal: bool, term: Option<&str>) -> bool {
    terminal && term.is_some_and(|term| !term.is_empty() && term != "dumb")
}

/// Is told what happens.
#[derive(Debug)]
pub(super) struct Teller(Rc<RefCell<Screen>>);

impl Progress for Teller {
    fn tell(&mut self, event: &Event) {
        self.0.borrow_mut().tell(event);
    }

    fn units(&mut self, units: &[String]) {
        let mut screen = self.0.borrow_mut();
        screen.view.units = units.iter().map(|unit| Line { unit: unit.clone(), ..Line::default() }).collect();
    }
}

#[derive(Debug)]
struct Screen {
    json: bool,
    live: bool,
    began: Instant,
    view: View,
    /// How many lines are there that do not stay.
    drawn: usize,
    /// Whether something has failed: what did first is told in full at the end, as the reason for all the rest.
    has_failed: bool,
}

impl Screen {
    fn new() -> Self {
        let (view, began) = (View::default(), Instant::now());
        Self { json: false, live: false, began, view, drawn: 0, has_failed: false }
    }

    fn tell(&mut self, event: &Event) {
        if self.json {
            print(&json::line(event));
            return;
        }
        let at = Duration::from_millis(event.at);
        let line = self.line(event);
        match event.state {
            State::Begins => self.view.step = Some((event.step, at)),
            State::Note => {}
            State::Done | State::Failed => self.view.step = None,
        }
        match line {
            Some(line) if self.live => self.draw(&format!("{line}\n")),
            Some(line) => say(&line),
            None if self.live => self.draw(""),
            None => {}
        }
    }

    /// What stays of it.
    fn line(&mut self, Event { at, step, state, text }: &Event) -> Option<String> {
        let rest = match state {
            State::Begins => return None,
            State::Done if text.is_empty() => String::new(),
            State::Note | State::Done => format!(": {text}"),
            State::Failed if std::mem::replace(&mut self.has_failed, true) => format!(" failed: {text}"),
            State::Failed => format!(" failed: {}", text.lines().next().unwrap_or_default()),
        };
        Some(format!("{} {step}{rest}", block::clock(Duration::from_millis(*at))))
    }

    /// Writes what stays, and below it what does not, in place of what was there.
    fn draw(&mut self, stays: &str) {
        let lines = match self.view.step {
            // Its output goes to the same terminal.
            Some((BEFORE, _)) => Vec::new(),
            _ => block::lines(&self.view, self.began.elapsed(), size(), colour()),
        };
        let mut text = block::cleared(self.drawn) + stays;
        for line in &lines {
            text += line;
            text.push('\n');
        }
        self.drawn = lines.len();
        if !text.is_empty() {
            // Nobody is left to tell if stderr is closed.
            drop(std::io::stderr().lock().write_all(text.as_bytes()));
        }
    }

    fn refresh(&mut self, lines: Vec<Line>) {
        let units = |lines: &[Line]| lines.iter().map(|line| line.unit.clone()).collect::<Vec<_>>();
        // Somebody may have said meanwhile that it is about others.
        if units(&self.view.units) == units(&lines) {
            self.view.units = lines;
        }
        self.draw("");
    }

    fn end(&mut self) {
        if self.live {
            self.view = View::default();
            self.draw("");
        }
    }
}

fn size() -> Size {
    let size = rustix::termios::tcgetwinsize(std::io::stderr()).ok();
    let size = size.filter(|size| size.ws_col > 0 && size.ws_row > 0);
    size.map_or(USUAL, |size| Size { columns: size.ws_col.into(), rows: size.ws_row.into() })
}

/// Looks at the instances for as long as it is let.
async fn look(screen: Rc<RefCell<Screen>>, systemd: Systemd) {
    loop {
        let units: Vec<String> = screen.borrow().view.units.iter().map(|line| line.unit.clone()).collect();
        let mut lines = Vec::new();
        for unit in units {
            lines.push(seen(&systemd, unit).await);
        }
        screen.borrow_mut().refresh(lines);
        tokio::time::sleep(LOOK).await;
    }
}

async fn seen(systemd: &Systemd, unit: String) -> Line {
    let Some(status) = status(systemd, &unit).await else { return Line { unit, ..Line::default() } };
    // Once it is up, its checker knows more.
    let checker = match unit.split_once('@') {
        Some((base, _)) => format!("{base}-health.service"),
        None => unit.replace(".service", "-health.service"),
    };
    let verdict = if status.is_active() { status_text(systemd, &checker).await } else { None };
    Line {
        unit,
        active: status.active_state.as_str().to_owned(),
        sub: status.sub_state,
        said: verdict.or(status.status_text).unwrap_or_default().trim_start_matches("Waiting: ").to_owned(),
    }
}

async fn status_text(systemd: &Systemd, unit: &str) -> Option<String> {
    status(systemd, unit).await.filter(UnitStatus::is_active)?.status_text
}

async fn status(systemd: &Systemd, unit: &str) -> Option<UnitStatus> {
    let name: UnitName = unit.parse().ok()?;
    let status = systemd.status(&name).await.ok()?;
    (status.load_state == LoadState::Loaded).then_some(status)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(at: u64, step: &'static str, state: State, text: &str) -> Event {
        Event { at, step, state, text: text.to_owned() }
    }

    #[test]
    fn only_terminals_have_lines_that_go() {
        assert!(has_lines(true, Some("xterm")));
        for (terminal, term) in [(false, Some("xterm")), (true, Some("dumb")), (true, Some("")), (true, None)]
        {
            assert!(!has_lines(terminal, term), "{term:?}");
        }
    }

    #[test]
    fn what_failed_first_is_told_in_full_at_the_end() {
        let mut screen = Screen::new();
        let mut line = |event| screen.line(&event);
        assert_eq!(line(event(0, "start", State::Begins, "")), None);
        assert_eq!(line(event(1_250, "load", State::Done, "")).unwrap(), "[  1.2 s] load");
        let failed = event(61_000, "start", State::Failed, "a\nb");
        assert_eq!(line(failed.clone()).unwrap(), "[ 61.0 s] start failed: a");
        assert_eq!(line(failed).unwrap(), "[ 61.0 s] start failed: a\nb");
    }
}
