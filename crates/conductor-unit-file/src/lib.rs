//! Unit files exactly as systemd reads them.
//!
//! Whoever writes units has to know what becomes of them, and whoever takes units over from others has to
//! understand them. Both need more than a reader of INI files: lines continue past comments, a carriage
//! return ends a line, words are unquoted and unescaped, and what is left is expanded twice. This crate
//! follows systemd's sources and is compared with systemd itself in the host scenarios:
//!
//! - [`UnitFile`]: lines, sections and assignments (`config_parse()` in `src/shared/conf-parser.c`);
//! - [`words`], [`paths`], [`names`]: lists, as of `Environment=`, `RequiresMountsFor=` and `After=` (`src/basic/extract-word.c`);
//! - [`commands`]: what `ExecStart=` and its kin hold (`config_parse_exec()` in `src/core/load-fragment.c`);
//! - [`specifiers`]: `%i` and the like (`src/shared/specifier.c`);
//! - [`variables`]: `${NAME}` in command lines (`replace_env_argv()` in `src/basic/env-util.c`).
//!
//! What a directive means, and which there are, it does not know.

mod command;
mod escape;
mod file;
mod line;
mod specifiers;
mod variables;
mod words;

pub use command::{Command, CommandError, commands};
pub use file::{Assignment, FileError, Ignored, Section, UnitFile};
pub use specifiers::{UnknownSpecifier, specifiers};
pub use variables::variables;
pub use words::{WordError, Words, names, paths, words};

/// What separates words and is stripped from both ends of a line: systemd's `WHITESPACE`.
const WHITESPACE: &[char] = &[' ', '\t', '\n', '\r'];
