//! Definitions that use every key with a text, twice over: with hostile values, and with stand-ins.

use conductor_properties::toml;
use proptest::prelude::*;

/// A definition as pieces of TOML and values.
#[derive(Debug, Clone)]
pub(crate) struct Draft(Vec<Piece>);

#[derive(Debug, Clone)]
enum Piece {
    Toml(String),
    Value(Value),
}

/// A value of which only the middle is hostile: what is around it makes it a path, a unit and so on.
#[derive(Debug, Clone)]
struct Value {
    before: &'static str,
    middle: String,
    after: &'static str,
    /// Whether `${…}` counts in this key.
    interpolated: bool,
}

impl Draft {
    /// With the hostile values.
    pub(crate) fn hostile(&self) -> String {
        self.write(|_, value| value.middle.clone())
    }

    /// With stand-ins; `number` is the draft's own.
    pub(crate) fn harmless(&self, number: usize) -> String {
        self.write(|index, _| stand_in(number, index))
    }

    /// Puts the hostile values back in the places of their stand-ins.
    pub(crate) fn fill_in(&self, text: &str, number: usize) -> String {
        let mut text = text.to_owned();
        for (index, piece) in self.0.iter().enumerate() {
            if let Piece::Value(value) = piece {
                text = text.replace(&stand_in(number, index), &value.middle);
            }
        }
        text
    }

    fn write(&self, middle: impl Fn(usize, &Value) -> String) -> String {
        let write = |(index, piece): (usize, &Piece)| match piece {
            Piece::Toml(text) => text.clone(),
            Piece::Value(value) => {
                let text = format!("{}{}{}", value.before, middle(index, value), value.after);
                if value.interpolated { toml::interpolated(&text) } else { toml::string(&text) }
            }
        };
        self.0.iter().enumerate().map(write).collect()
    }
}

fn stand_in(draft: usize, index: usize) -> String {
    format!("q{draft}-{index}q")
}

/// What texts are made of that somebody wants to get out of, or that break naive programs.
const PIECES: &[&str] = &[
    "a",
    " ",
    "  ",
    "\t",
    "\n",
    "\r",
    "\r\n",
    "\"",
    "'",
    "\\",
    "\\\\",
    "\\n",
    "\\x41",
    "\\\n",
    "$",
    "$$",
    "${A}",
    "$A",
    "${CREDENTIALS_DIRECTORY}",
    "%",
    "%%",
    "%n",
    "%i",
    "%z",
    "#",
    ";",
    " ; ",
    "=",
    "[Service]",
    "[Install]",
    "\n[Service]\nExecStartPre=/bin/false\n",
    "\nExecStart=",
    "==> a <==\n",
    "-",
    "--env",
    "@",
    "+",
    "!",
    "|",
    "&",
    "`",
    "*",
    "{}",
    "\u{1}",
    "\u{1b}[31m",
    "\u{7f}",
    "\u{85}",
    "\u{9b}",
    "\u{2028}",
    "\u{202e}",
    "\u{feff}",
    "é",
    "\u{1F980}",
];

/// Any text that a program can be given.
fn text() -> BoxedStrategy<String> {
    let pieces = prop::collection::vec(prop::sample::select(PIECES), 0..6).prop_map(|pieces| pieces.concat());
    let any = any::<String>().prop_map(|text| text.replace('\0', ""));
    // Stand-ins must be told from values.
    prop_oneof![4 => pieces, 1 => any].prop_map(|text| text.replace('q', "Q")).boxed()
}

fn without(text: BoxedStrategy<String>, refused: &'static str) -> BoxedStrategy<String> {
    text.prop_map(move |text| text.replace(|c: char| c.is_control() || refused.contains(c), "")).boxed()
}

/// The rest of a directory's name, which may be anything that the kernel takes.
pub(crate) fn directory() -> BoxedStrategy<String> {
    text().prop_map(|text| text.replace('/', "")).boxed()
}

/// What may stand in a path that a container engine is given.
fn path_text() -> BoxedStrategy<String> {
    without(text(), "/:,").prop_map(|text| format!("{}x", text.trim_matches('.'))).boxed()
}

fn line() -> BoxedStrategy<String> {
    // Not `%`, which the user's own directives expand.
    without(text(), "%").prop_map(|text| format!("{}x", text.replace('"', "'"))).boxed()
}

fn url_path() -> BoxedStrategy<String> {
    "[a-z0-9._~!$&'()*+,;=:@/?%-]{0,12}".prop_map(|text| text.replace('q', "Q")).boxed()
}

fn option() -> BoxedStrategy<String> {
    without(text(), ", ").prop_map(|text| format!("x{text}")).boxed()
}

fn unit_name() -> BoxedStrategy<String> {
    "[a-zA-Z0-9:_.\\\\-]{1,8}".prop_map(|text| format!("u{}", text.replace('q', "Q"))).boxed()
}

/// A key with one value, or a list with some.
fn value(
    before: &'static str,
    middle: BoxedStrategy<String>,
    after: &'static str,
    interpolated: bool,
) -> BoxedStrategy<Vec<Piece>> {
    middle.prop_map(move |middle| vec![Piece::Value(Value { before, middle, after, interpolated })]).boxed()
}

fn toml(text: impl Into<String>) -> BoxedStrategy<Vec<Piece>> {
    Just(vec![Piece::Toml(text.into())]).boxed()
}

fn list(one: BoxedStrategy<Vec<Piece>>) -> BoxedStrategy<Vec<Piece>> {
    let items = prop::collection::vec(one, 0..4);
    items
        .prop_map(|items| {
            let items = items.into_iter().flat_map(|item| item.into_iter().chain([Piece::Toml(", ".into())]));
            std::iter::once(Piece::Toml("[".into())).chain(items).chain([Piece::Toml("]".into())]).collect()
        })
        .boxed()
}

/// Some of the keys, in their order.
fn some(keys: Vec<(&'static str, BoxedStrategy<Vec<Piece>>)>) -> BoxedStrategy<Vec<Piece>> {
    keys.into_iter().fold(nothing(), |before, (key, value)| {
        let key = toml(format!("{key} = "));
        let whole = (key, value, toml("\n")).prop_map(|(key, value, end)| [key, value, end].concat());
        (before, prop::option::of(whole))
            .prop_map(|(before, more)| [before, more.unwrap_or_default()].concat())
            .boxed()
    })
}

fn nothing() -> BoxedStrategy<Vec<Piece>> {
    Just(Vec::new()).boxed()
}

/// A whole definition, or with `main` false a drop-in.
pub(crate) fn draft(main: bool) -> impl Strategy<Value = Draft> {
    let free = || value("", text(), "", false);
    let file = |interpolated| value("/", path_text(), "", interpolated);
    // Two mounts in one place are an error.
    let target = |directory| value(directory, path_text(), "", true);
    let top = some(vec![
        ("description", value("x", without(text(), ""), "", true)),
        ("revision", value("", text(), "", true)),
        ("entrypoint", list(free())),
        ("command", list(free())),
        ("runtime-args", list(free())),
        ("environment-files", list(file(false))),
        ("working-directory", file(true)),
        ("after", list(value("", unit_name(), ".service", false))),
        ("requires", list(value("", unit_name(), ".mount", false))),
        ("devices", list(value("/dev/", without(path_text(), "."), "", false))),
        ("instances", prop_oneof![toml("1"), toml("3")].boxed()),
        ("runtime", prop_oneof![toml("\"podman\""), toml("\"docker\"")].boxed()),
        ("init", toml("true")),
        ("security.seccomp", file(true)),
        ("labels.\"com.example.a\"", free()),
        ("labels.b", free()),
        ("environment.A", free()),
        ("environment.\"b.c-d\"", free()),
        ("sysctls.\"net.a\"", free()),
        ("log.driver = \"json-file\"\nlog.options.tag", free()),
        ("dns.options", list(value("", option(), "", false))),
        ("secrets.key", file(false)),
        ("systemd.unit.RawUnit", list(value("", line(), "", false))),
        ("systemd.service.RawService", value("", line(), "", false)),
    ]);
    let image = if main { "image = \"web:1\"\n" } else { "\n" };
    let tables = [
        (toml("[[volumes]]\nsource = "), file(true), toml("\ntarget = "), target("/v/"), toml("\n"))
            .prop_map(|(a, b, c, d, e)| [a, b, c, d, e].concat())
            .boxed(),
        (toml("[[tmpfs]]\ntarget = "), target("/t/"), toml("\n"))
            .prop_map(|(a, b, c)| [a, b, c].concat())
            .boxed(),
        (
            toml("[[ports]]\ncontainer = 80\nhost = 2000\n[health]\npath = "),
            value("/", url_path(), "", true),
            toml("\nbody = "),
            value("", text(), "", true),
            toml("\nexpect-body = "),
            value("x", text(), "", true),
            toml("\nheaders.X-A = "),
            value("x", without(text(), ""), "x", false),
            toml("\n"),
        )
            .prop_map(|(a, b, c, d, e, f, g, h, i)| [a, b, c, d, e, f, g, h, i].concat())
            .boxed(),
    ];
    let tables = tables.into_iter().fold(nothing(), |before, table| {
        (before, prop::option::of(table))
            .prop_map(|(before, more)| [before, more.unwrap_or_default()].concat())
            .boxed()
    });
    (toml(image), top, tables).prop_map(|(image, top, tables)| Draft([image, top, tables].concat()))
}
