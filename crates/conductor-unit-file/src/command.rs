//! Command lines: `config_parse_exec()` of systemd's `src/core/load-fragment.c`.

use std::fmt;

use crate::WHITESPACE;
use crate::file::is_safe;
use crate::words::{Escapes, WordError, first_word};

/// One command of `ExecStart=` and its kin, its words unquoted; neither specifiers nor variables are expanded.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Command {
    /// `-`: its failure does not count, and if it cannot be read it is left out.
    pub may_fail: bool,
    /// `:`: variables stay as they are.
    pub literal: bool,
    /// `+`, `!` or `!!`: with more rights than the unit has otherwise.
    pub privileges: &'static str,
    /// The program.
    pub path: String,
    /// What the program is told, its own name (`argv[0]`) included.
    pub arguments: Vec<String>,
}

/// Why a command line is not read; without `-` before it systemd does not load the unit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CommandError {
    /// A word cannot be read.
    Word(WordError),
    /// The program is neither an absolute path nor a plain name.
    Program(String),
    /// After `@` there is no name for the program.
    NoName,
}

impl fmt::Display for CommandError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Word(error) => error.fmt(f),
            Self::Program(path) => write!(f, "`{}` is not the path of a program", path.escape_debug()),
            Self::NoName => f.write_str("behind `@` and the path stands the name that the program is given"),
        }
    }
}

impl std::error::Error for CommandError {}

/// The commands of one value: several if a lone `;` stands between them; and why the rest is not read. Commands
/// before a mistake are read nevertheless, and if the one with the mistake may fail, that is no error.
pub fn commands(value: &str) -> (Vec<Command>, Option<CommandError>) {
    let mut found = Vec::new();
    let mut rest = Some(value);
    loop {
        let mut command = Command::default();
        match read(&mut rest, &mut command) {
            Ok(Next::Command) => found.push(command),
            Ok(Next::Separator) => {}
            Ok(Next::Last) => {
                found.push(command);
                return (found, None);
            }
            Ok(Next::Nothing) => return (found, None),
            Err(_) if command.may_fail => return (found, None),
            Err(error) => return (found, Some(error)),
        }
    }
}

/// What stood at the beginning.
enum Next {
    /// A command, and a separator behind it.
    Command,
    /// A command and nothing else.
    Last,
    /// A separator.
    Separator,
    /// Nothing.
    Nothing,
}

fn read(rest: &mut Option<&str>, command: &mut Command) -> Result<Next, CommandError> {
    let Some(first) = word(rest)? else { return Ok(Next::Nothing) };
    if first == ";" {
        return Ok(Next::Separator);
    }
    let (path, names_itself) = prefixes(&first, command);
    if !is_program(path) {
        return Err(CommandError::Program(path.to_owned()));
    }
    path.clone_into(&mut command.path);
    if !names_itself {
        command.arguments.push(path.to_owned());
    }
    let mut next = Next::Last;
    while let Some(text) = rest.filter(|text| !text.is_empty()) {
        if let Some(after) = lone(text, ";") {
            *rest = Some(after);
            next = Next::Command;
            break;
        }
        if let Some(after) = lone(text, "\\;") {
            *rest = Some(after);
            command.arguments.push(";".to_owned());
            continue;
        }
        match word(rest)? {
            Some(word) => command.arguments.push(word),
            None => break,
        }
    }
    if command.arguments.first().is_none_or(String::is_empty) {
        return Err(CommandError::NoName);
    }
    Ok(next)
}

/// A word; an escape that is none is kept (`extract_first_word_and_warn()`).
fn word(rest: &mut Option<&str>) -> Result<Option<String>, CommandError> {
    let before = *rest;
    match first_word(rest, Escapes::Read) {
        Err(WordError::Escape | WordError::Unbalanced) => {
            *rest = before;
            first_word(rest, Escapes::ReadOrKeep).map_err(CommandError::Word)
        }
        result => result.map_err(CommandError::Word),
    }
}

/// What follows `wanted` if that is a word of its own without quotes.
fn lone<'a>(text: &'a str, wanted: &str) -> Option<&'a str> {
    let after = text.strip_prefix(wanted)?;
    (after.is_empty() || after.starts_with(WHITESPACE)).then(|| after.trim_start_matches(WHITESPACE))
}

/// Takes the prefixes off the first word; the program, and whether its name follows.
fn prefixes<'a>(first: &'a str, command: &mut Command) -> (&'a str, bool) {
    let mut path = first;
    let mut names_itself = false;
    while let Some(c) = path.chars().next() {
        match c {
            '-' if !command.may_fail => command.may_fail = true,
            '@' if !names_itself => names_itself = true,
            ':' if !command.literal => command.literal = true,
            '+' if command.privileges.is_empty() => command.privileges = "+",
            '!' if command.privileges.is_empty() => command.privileges = "!",
            '!' if command.privileges == "!" => command.privileges = "!!",
            _ => break,
        }
        path = path.get(c.len_utf8()..).unwrap_or_default();
    }
    (path, names_itself)
}

fn is_program(path: &str) -> bool {
    let plain_name = !path.contains('/') && !matches!(path, "." | "..") && path.len() <= 255;
    !path.is_empty() && is_safe(path) && !path.ends_with('/') && (path.starts_with('/') || plain_name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn arguments(value: &str) -> Vec<Vec<String>> {
        let (commands, error) = commands(value);
        assert_eq!(error, None, "{value}");
        commands.into_iter().map(|command| command.arguments).collect()
    }

    #[test]
    fn words_and_separators() {
        assert_eq!(arguments(r#"/bin/a "b c" ";" \; '\;' d;"#), [["/bin/a", "b c", ";", ";", "\\;", "d;"]]);
        assert_eq!(arguments("/bin/a x ; /bin/b ;"), [vec!["/bin/a", "x"], vec!["/bin/b"]]);
        assert_eq!(arguments("; ; /bin/a"), [["/bin/a"]]);
        assert_eq!(arguments("/bin/a \\q \\$ \"\\z\" \\"), [["/bin/a", "\\q", "\\$", "\\z", "\\"]]);
        assert_eq!(arguments(""), [[""; 0]; 0]);
    }

    #[test]
    fn prefixes_are_taken_off_once() {
        let (found, _) = commands("-:!!/bin/a x");
        let expected = Command {
            may_fail: true,
            literal: true,
            privileges: "!!",
            path: "/bin/a".to_owned(),
            arguments: vec!["/bin/a".to_owned(), "x".to_owned()],
        };
        assert_eq!(found, [expected]);
        assert_eq!(arguments("@/bin/a name"), [["name"]]);
        assert_eq!(commands("--/bin/a").1, None, "the second is part of the name, and may fail");
        assert_eq!(commands("++/bin/a").1, Some(CommandError::Program("+/bin/a".to_owned())));
    }

    #[test]
    fn what_cannot_be_read() {
        let error = |value: &str| commands(value).1;
        assert_eq!(error("/bin/a \"b"), Some(CommandError::Word(WordError::Unbalanced)));
        assert_eq!(error("-/bin/a \"b"), None);
        assert_eq!(error("@/bin/a"), Some(CommandError::NoName));
        assert!(matches!(error("bin/a"), Some(CommandError::Program(_))));
        assert!(matches!(error("\"/bin/a\\n\""), Some(CommandError::Program(_))));
        let (found, error) = commands("/bin/a ; /bin/b '");
        assert_eq!((found.len(), error.is_some()), (1, true));
    }
}
