//! Values that are written by people and printed by us: what is printed reads back as the same.

use std::fmt::{Debug, Display};
use std::str::FromStr;

use conductor_definition::Memory;
use conductor_health::Url;
use conductor_timespan::TimeSpan;

use crate::text;

/// Time spans.
pub fn timespan(input: &[u8]) {
    let Some(text) = text(input) else { return };
    let Some(span) = reads_back::<TimeSpan>(text) else { return };
    assert_eq!(span.is_infinite(), text.trim() == "infinity");
    // As one word, which is how the sidecar is given it.
    let word = span.to_string().replace(' ', "");
    assert_eq!(word.parse(), Ok(span));
}

/// Sizes of memory.
pub fn memory(input: &[u8]) {
    let Some(memory) = text(input).and_then(reads_back::<Memory>) else { return };
    assert!(memory.bytes() > 0);
}

/// Addresses of health checks.
pub fn url(input: &[u8]) {
    let Some(text) = text(input) else { return };
    // A redirect may lead anywhere.
    let (base, location) = text.split_once('\n').unwrap_or((text, text));
    let base = reads_back::<Url>(base).unwrap_or_else(|| "http://127.0.0.1:20000/a/b?c".parse().unwrap());
    if let Ok(target) = base.join(location) {
        assert_eq!(target.to_string().parse(), Ok(target));
    }
}

fn reads_back<T: FromStr<Err: Display + Debug + PartialEq> + Display + Debug + PartialEq>(
    text: &str,
) -> Option<T> {
    match text.parse::<T>() {
        Ok(value) => {
            let printed = value.to_string();
            assert_eq!(printed.parse::<T>().as_ref(), Ok(&value), "{text:?} is printed as {printed:?}");
            Some(value)
        }
        Err(error) => {
            assert!(!error.to_string().is_empty());
            None
        }
    }
}
