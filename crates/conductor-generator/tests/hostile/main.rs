//! What nobody meant to be there, given to the program itself: it comes to an end, says what is wrong, and every
//! other definition works as if it were alone.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a panic is how a test fails")]

mod files;
mod long;
mod machine;
mod many;
mod names;
mod values;
