//! What a unit says once systemd has read it: every value unquoted and expanded.

use conductor_unit_file::{Assignment, UnitFile, commands, names, specifiers, variables, words};

/// An assignment and what systemd understands by its value, in parts: words, or the whole.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Understood {
    /// The section's name.
    pub section: String,
    /// The directive.
    pub key: String,
    /// Its value.
    pub value: Vec<String>,
}

/// Reads a unit of ours as systemd does.
///
/// # Panics
/// If systemd would refuse or ignore anything in it, or if something expands that is not ours.
pub fn understood(unit: &str) -> Vec<Understood> {
    assert!(!unit.contains(|c: char| c != '\n' && c.is_control()), "control characters: {unit:?}");
    let file = UnitFile::parse(unit).unwrap_or_else(|error| panic!("{error}: {unit}"));
    assert_eq!(file.ignored, [], "{unit}");
    file.assignments()
        .map(|(section, Assignment { key, value, .. })| Understood {
            section: section.to_owned(),
            key: key.clone(),
            value: parts(key, value),
        })
        .collect()
}

/// The section that systemd does not read; we write it as if it did.
pub const OURS: &str = "X-Conductor";

/// Specifiers in our own texts.
const SPECIFIERS: &str = "int";

/// Variables in our own command lines; with `_` at the end, how they begin.
const VARIABLES: &[&str] = &["CREDENTIALS_DIRECTORY", "CONDUCTOR_HOST_PORT_"];

/// How the value of a directive is read (systemd's `src/core/load-fragment-gperf.gperf.in`).
fn parts(key: &str, value: &str) -> Vec<String> {
    match key {
        _ if key.starts_with("Exec") => command(value),
        "Environment" | "LogExtraFields" => {
            let words: Vec<String> = words(value).collect::<Result<_, _>>().unwrap();
            words.iter().map(|word| expanded(word)).collect()
        }
        "After" | "Wants" | "Requires" | "PartOf" | "RequiresMountsFor" => {
            let names: Vec<String> = names(value).collect::<Result<_, _>>().unwrap();
            names.iter().map(|name| expanded(name)).collect()
        }
        _ => vec![expanded(value)],
    }
}

fn command(value: &str) -> Vec<String> {
    let (commands, error) = commands(value);
    assert_eq!(error, None, "{value}");
    let [command] = commands.try_into().unwrap();
    assert!(!command.literal && command.privileges.is_empty(), "{command:?}");
    let words: Vec<String> = command.arguments.iter().map(|word| expanded(word)).collect();
    let words = variables(&words, |name| {
        let ours = |known: &&str| name == *known || known.ends_with('_') && name.starts_with(*known);
        assert!(VARIABLES.iter().any(ours), "${{{name}}} would be expanded: {value}");
        Some(format!("<{name}>"))
    });
    let mut understood: Vec<String> = Vec::with_capacity(words.len());
    for word in words {
        match understood.last() {
            Some(option) if option == "--mount" => understood.extend(fields(&word)),
            _ => understood.push(word),
        }
    }
    understood
}

/// The fields of a line of CSV (RFC 4180), as docker reads what `--mount` takes.
fn fields(line: &str) -> Vec<String> {
    let mut fields = vec![String::new()];
    let mut quoted = false;
    let mut chars = line.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            ',' if !quoted => fields.push(String::new()),
            '"' if quoted && chars.peek() == Some(&'"') => fields.last_mut().unwrap().extend(chars.next()),
            '"' if quoted || fields.last().unwrap().is_empty() => quoted = !quoted,
            c => fields.last_mut().unwrap().push(c),
        }
    }
    assert!(!quoted, "{line}");
    fields
}

/// What specifiers stand for depends on the unit; ours are marked.
fn expanded(text: &str) -> String {
    specifiers(text, |c| SPECIFIERS.contains(c).then(|| format!("<%{c}>"))).unwrap()
}
