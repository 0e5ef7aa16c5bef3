//! TODO
#![allow(missing_docs)]
pub mod probe;
mod url;
pub mod verdict;
pub use url::{Host, HttpUrl, InvalidUrl};
