//! What measurements print.

use std::collections::BTreeMap;

use conductor_tests::{Context, Result};

/// What one measurement says, by key.
pub(super) type Figures = BTreeMap<String, f64>;

/// `NAME KEY=VALUE...`
pub(super) fn figures(line: &str) -> Result<(String, Figures)> {
    let mut words = line.split_whitespace();
    let name = words.next().context("an empty line was printed")?.to_owned();
    let figure = |word: &str| {
        let (key, value) = word.split_once('=')?;
        Some((key.to_owned(), value.parse().ok()?))
    };
    let read: Option<Figures> = words.map(figure).collect();
    Ok((name, read.context(format_args!("{line:?} was printed instead of figures"))?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_read_by_name() {
        let (name, read) = figures("ours cpu=5000000 checks=100").unwrap();
        assert_eq!((name.as_str(), read.get("checks")), ("ours", Some(&100.0)));
        assert!(figures("ours: not found").is_err());
        assert!(figures("ours cpu=").is_err());
    }
}
