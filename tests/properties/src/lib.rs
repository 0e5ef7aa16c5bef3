//! What must hold for every input.
//!
//! Each function here takes whatever bytes or text there are and panics if something that must hold does not. The
//! fuzz targets in `tests/fuzz` hand them what libFuzzer thinks of; the tests of this crate hand them the corpus
//! that is kept there, and random cases, so that an ordinary `cargo test` covers both.

// These are checks: a panic is how they fail.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, clippy::string_slice)]
#![allow(clippy::missing_panics_doc)]

mod definition;
mod escape;
mod interpolate;
mod object;
pub mod toml;
mod trees;
pub mod units;
mod values;

pub use conductor_health::probe::fuzzing::answer;
pub use definition::definition;
pub use escape::escape;
pub use interpolate::interpolate;
pub use object::object;
pub use trees::{tree, unit_file};
pub use values::{memory, timespan, url};

/// A check of a fuzz target's name.
pub type Check = fn(&[u8]);

/// All of them, by the names of the fuzz targets.
pub const TARGETS: &[(&str, Check)] = &[
    ("answer", answer),
    ("definition", definition),
    ("escape", escape),
    ("interpolate", interpolate),
    ("memory", memory),
    ("object", object),
    ("timespan", timespan),
    ("tree", tree),
    ("unit-file", unit_file),
    ("url", url),
];

/// Most inputs are text; bytes that are none are of no interest to those who read text.
fn text(input: &[u8]) -> Option<&str> {
    std::str::from_utf8(input).ok()
}
