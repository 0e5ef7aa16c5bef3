//! Figures in the text format of Prometheus (prometheus.io/docs/instrumenting/exposition_formats).
//!
//! Our own writer, because the format is four kinds of lines, and the crates that know it bring registries,
//! locks and the newer OpenMetrics, which `promtool check metrics` does not read.

use std::collections::BTreeMap;
use std::fmt::{self, Write as _};

/// What kind of figure it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// It only grows, until the process ends.
    Counter,
    /// It goes up and down.
    Gauge,
    /// How many were at most how large.
    Histogram,
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Counter => "counter",
            Self::Gauge => "gauge",
            Self::Histogram => "histogram",
        })
    }
}

/// A text that grows.
#[derive(Debug, Default)]
pub struct Exposition(String);

impl Exposition {
    /// Begins a family: its samples have to follow in one piece.
    pub fn family(&mut self, name: &str, kind: Kind, help: &str) {
        // Writing into a String cannot fail.
        let _ = write!(self.0, "# HELP {name} {help}\n# TYPE {name} {kind}\n");
    }

    /// A sample of the family.
    pub fn sample(&mut self, name: &str, labels: &[(&str, &str)], value: impl fmt::Display) {
        self.0.push_str(name);
        for (at, (label, text)) in labels.iter().enumerate() {
            self.0.push(if at == 0 { '{' } else { ',' });
            let text = text.replace('\\', r"\\").replace('"', r#"\""#).replace('\n', r"\n");
            let _ = write!(self.0, "{label}=\"{text}\"");
        }
        let end = if labels.is_empty() { "" } else { "}" };
        let _ = writeln!(self.0, "{end} {value}");
    }

    /// The whole text.
    pub fn into_text(self) -> String {
        self.0
    }
}

/// Several texts as one: families come once, with the samples of all.
pub fn merged<'a>(texts: impl IntoIterator<Item = &'a str>) -> String {
    // By name, so that the result does not depend on who answered first.
    let mut families: BTreeMap<&str, Family<'_>> = BTreeMap::new();
    for text in texts {
        let mut family = None;
        for line in text.split_inclusive('\n') {
            // A line break within a label is escaped: only a family begins like this.
            if line.starts_with("# HELP ") {
                let name = line.split(' ').nth(2).unwrap_or_default();
                let entry = families.entry(name).or_default();
                entry.help = line;
                family = Some(entry);
            } else if let Some(family) = &mut family {
                if line.starts_with('#') { family.kind = line } else { family.samples.push(line) }
            }
        }
    }
    let lines =
        |family: Family<'_>| [family.help, family.kind].into_iter().chain(family.samples).collect::<String>();
    families.into_values().map(lines).collect()
}

#[derive(Default)]
struct Family<'a> {
    help: &'a str,
    kind: &'a str,
    samples: Vec<&'a str>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use snapbox::{assert_data_eq, str};

    fn text(unit: &str) -> String {
        let mut text = Exposition::default();
        text.family("checks_total", Kind::Counter, "How many.");
        text.sample("checks_total", &[("unit", unit), ("result", "passed")], 3);
        text.sample("checks_total", &[("unit", unit), ("result", "failed")], 0);
        text.family("connected", Kind::Gauge, "Whether.");
        text.sample("connected", &[], 1);
        text.into_text()
    }

    #[test]
    fn labels_are_escaped() {
        let said = text("a\\b\"c\nd");
        let line = said.lines().nth(2).unwrap();
        assert_eq!(line, r#"checks_total{unit="a\\b\"c\nd",result="passed"} 3"#);
    }

    #[test]
    fn families_of_several_come_once() {
        let (a, b) = (text("a.service"), text("b.service"));
        assert_data_eq!(
            merged([a.as_str(), "", b.as_str()]),
            str![[r##"
# HELP checks_total How many.
# TYPE checks_total counter
checks_total{unit="a.service",result="passed"} 3
checks_total{unit="a.service",result="failed"} 0
checks_total{unit="b.service",result="passed"} 3
checks_total{unit="b.service",result="failed"} 0
# HELP connected Whether.
# TYPE connected gauge
connected 1
connected 1

"##]]
        );
    }
}
