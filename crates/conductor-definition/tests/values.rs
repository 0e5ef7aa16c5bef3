//! Single values at every key: the reader and the schema accept and refuse the same.

#![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]

mod definition;
mod editor;

use std::collections::BTreeSet;
use std::sync::LazyLock;

use conductor_definition::{Diagnostic, Kind, Source};
use definition::{Path, base_of, places, pointer, set, toml_of};
use editor::{is_beyond_a_schema, read, schemas};
use proptest::prelude::*;
use serde_json::{Value, json};

/// Everywhere that something can be written, the names in tables of names included.
static SPOTS: LazyLock<Vec<Spot>> = LazyLock::new(|| {
    let mut spots = BTreeSet::new();
    for kind in Kind::ALL {
        let [main, _] = schemas(kind);
        for place in places(&main.json).into_iter().filter(|place| !place.path.is_empty()) {
            if place.free {
                let (_, table) = place.path.split_last().unwrap();
                spots.insert((kind, table.to_vec(), true));
            }
            spots.insert((kind, place.path, false));
        }
    }
    spots.into_iter().map(|(kind, path, name)| Spot { kind, path, name }).collect()
});

#[derive(Debug, Clone)]
struct Spot {
    kind: Kind,
    path: Path,
    /// Whether the value is the name of something in the table at `path`.
    name: bool,
}

impl Spot {
    fn definition(&self, value: &Value) -> Value {
        // Only what has to be there, and not what has nothing to do with it: it is read very often.
        let around = |key: &str| {
            key == "image"
                || self
                    .path
                    .first()
                    .is_some_and(|first| first == key || (first == "health" && key == "ports"))
        };
        let mut definition = base_of(self.kind);
        definition.as_object_mut().unwrap().retain(|key, _| around(key));
        match value {
            Value::String(name) if self.name => {
                // What has the name is right for one table or another; it need not be for this one.
                let right = definition
                    .pointer(&pointer(&self.path))
                    .and_then(|table| table.as_object()?.values().next().cloned());
                let right =
                    right.unwrap_or(if self.path == ["extra-hosts"] { json!("::1") } else { json!("1") });
                set(&mut definition, &self.path, json!({ name: right }));
            }
            _ => set(&mut definition, &self.path, value.clone()),
        }
        definition
    }
}

fn agree(spot: &Spot, value: &Value) {
    let definition = spot.definition(value);
    let text = toml_of(&definition);
    let [main, _] = schemas(spot.kind);
    let schema = main.accepts(&definition);
    let source = Source::new("web.toml", text.as_str());
    let errors = read(spot.kind, &source).map_or_else(|errors| errors, |_| Vec::new());
    if schema {
        let beyond = |error: &&Diagnostic| is_beyond_a_schema(error) || beyond_a_pattern(error, value);
        let left: Vec<_> = errors.iter().filter(|error| !beyond(error)).collect();
        assert!(left.is_empty(), "the schema accepts {value} at {spot:?}, but {left:?}");
    } else {
        assert!(
            !errors.is_empty() || is_word_by_reference(value),
            "only the schema refuses {value} at {spot:?}"
        );
    }
}

/// What the reader computes, and a regular expression cannot.
fn beyond_a_pattern(error: &Diagnostic, value: &Value) -> bool {
    let text = value.as_str().unwrap_or_default();
    let says = |message: &str| error.message.contains(message);
    // The sum of a time span, and a number of bytes that has more than 64 bits.
    (error.code == "out-of-range" && (says("is not between 10ms and 1w") || says("is not between 0 and 1w")))
        || says("a time span may be neither negative nor that long")
        || (says("not a size of memory") && text.ends_with(['K', 'M', 'G', 'T', 'P', 'E', 'B']))
        // The ends of a range of ports.
        || (error.code == "out-of-range" && text.contains('-'))
        // The grammar of addresses of version 6.
        || (text.contains(':') && (says("is not an IP address") || says("is not an address") || says("is not a subnet:") || says("is not where a proxy can listen")))
        // What comes of a reference.
        || text.contains('$')
        // A number of JSON can be whole and have a point.
        || value.is_f64()
}

/// Words of a list are offered by editors, and nobody composes them.
fn is_word_by_reference(value: &Value) -> bool {
    value.as_str().is_some_and(|text| text.contains('$'))
}

/// Of every kind of value some that are right, some that are nearly right and some that are not.
const TEXTS: &[&str] = &[
    "",
    " ",
    "a",
    "A",
    "0",
    "1",
    "-",
    ".",
    "..",
    "/",
    ":",
    "$",
    "$$",
    "${image}",
    "é",
    "\u{7f}",
    "\0",
    "\n",
    "a\nb",
    "\\",
    // Times.
    "5s",
    "1min 30s",
    "5 s",
    "5",
    "5.5s",
    ".5s",
    "1.",
    "0",
    "0s",
    "infinity",
    " 5s ",
    "5 6",
    "5s6",
    "12.34.56",
    "-5s",
    "5x",
    "5mins",
    "1y",
    "1M",
    "5m",
    "5ms",
    "5us",
    "5\u{b5}s",
    "5\u{3bc}s",
    "1w",
    "8d",
    "1e3",
    "auto",
    "none",
    "s",
    "\t5s\n",
    // Memory.
    "512M",
    "512MB",
    "512MiB",
    "512Mi",
    "512m",
    "0M",
    "64K",
    "63K",
    "65536",
    "65535",
    "065536",
    "65536B",
    "512 M",
    "1.5G",
    "1E",
    "15E",
    "16E",
    "1KK",
    "M",
    // Names.
    "web",
    "web-1",
    "-web",
    "web-",
    "web.",
    "web_1",
    "web.example.com",
    "a..b",
    "a b",
    "a,b",
    "a:b",
    "a/b",
    "a=b",
    "_a",
    "9a",
    "team-web",
    "a--b",
    "team.slice",
    ".slice",
    "net.core.somaxconn",
    "somaxconn",
    ".a",
    "a.",
    "LimitNOFILE",
    "limitNOFILE",
    "web-*",
    "web[12]?",
    "web;1",
    "NAME",
    "1NAME",
    "spring.profiles.active",
    // Units.
    "postgresql.service",
    "dev-sda\\x2d1.mount",
    ".service",
    "a@b.timer",
    "web.toml",
    "%n.service",
    // Images.
    "localhost/web:1",
    "r.example.com:5000/a/b@sha256:0123",
    "--privileged",
    "web:1 ",
    // Paths.
    "/a",
    "/a/b",
    "/a/../b",
    "/..",
    "/...",
    "/..a",
    "/a/.",
    "/.",
    "//",
    "/a:b",
    "/a,b",
    "/a b",
    "/a\n",
    "/ü",
    "a/b",
    "./a",
    "~/a",
    "/healthz?full=1&x=%20",
    "/a#b",
    "unconfined",
    // Devices.
    "/dev/fuse",
    "/dev/",
    "/dev/a:/dev/b",
    "/dev/a:rw",
    "/dev/a:/dev/b:rwm",
    "/dev/a:x",
    "/dev/a:/dev/b:rwmr",
    "/dev/..",
    "/dev/.",
    "/dev/a.b",
    "/dev/a..b",
    "/etc/passwd",
    // Users.
    "1000",
    "1000:1000",
    "app:www-data",
    "app:",
    ":1000",
    "a:b:c",
    // Addresses.
    "127.0.0.1",
    "127.0.0.01",
    "256.0.0.1",
    "1.2.3",
    "::1",
    "::",
    "fe80::1",
    "::ffff:1.2.3.4",
    "localhost",
    "host-gateway",
    "10.0.0.0/8",
    "10.0.0.0/08",
    "10.0.0.0/7",
    "10.0.0.0/31",
    "10.0.0.1/8",
    "fd00::/64",
    "fd00::/7",
    "fd00::/126",
    "fd00::/127",
    "::/128",
    "10.0.0.0/",
    "/8",
    "nas:/export",
    "0123456789abcdef",
    // Words.
    "podman",
    "docker",
    "Docker",
    "tcp",
    "udp",
    "sctp",
    "missing",
    "always",
    "never",
    "bridge",
    "host",
    "SIGTERM",
    "TERM",
    "sigterm",
    "SigTerm",
    "SIGSIGTERM",
    "SIGTREM",
    "SIG",
    "CAP_NET_ADMIN",
    "net_admin",
    "Cap_Chown",
    "ALL",
    "all",
    "CAP_ALL",
    "nofile",
    "NOFILE",
    "files",
    "auto:size=1",
    "keep-id",
    "journald",
    "8000-8009",
    "8009-8000",
    "0-5",
    "5-70000",
    "123456-123457",
    "+1-+2",
    "80-",
    "z",
    "z,ro",
];

fn plain_values() -> Vec<Value> {
    let texts = TEXTS.iter().map(|text| json!(text));
    let numbers = [
        i64::MIN,
        -2,
        -1,
        0,
        1,
        2,
        31,
        32,
        100,
        101,
        1000,
        1001,
        10_000,
        10_001,
        65_535,
        65_536,
        4_194_304,
        4_194_305,
        4_294_967_294,
        4_294_967_295,
        i64::MAX,
    ];
    let numbers = numbers.into_iter().map(|number| json!(number));
    let fractions =
        [-1.0, 0.0, 0.000_04, 0.000_09, 0.000_1, 0.5, 1.5, 10_000.0, 10_000.5].map(|number| json!(number));
    let others = [
        json!(true),
        json!(false),
        json!([]),
        json!(["a"]),
        json!(["host"]),
        json!([1]),
        json!({}),
        json!({ "a": 1 }),
    ];
    texts.chain(numbers).chain(fractions).chain(others).collect()
}

#[test]
fn of_every_kind_at_every_key() {
    let values = plain_values();
    assert!(SPOTS.len() >= 100, "{}", SPOTS.len());
    for spot in SPOTS.iter() {
        for value in values.iter().filter(|value| !spot.name || value.is_string()) {
            agree(spot, value);
        }
    }
}

/// Texts that are close to something.
fn near() -> impl Strategy<Value = String> {
    prop_oneof![
        "[0-9. \t]{0,3}[0-9smhdwyMuin.]{1,4}( ?[0-9]{1,2}(s|min|month|ms|us|y|w|)?){0,2}",
        "[0-9]{0,6}[KMGTPEB]{0,1}(iB)?[ mi]?",
        "[A-Za-z0-9_.:/@+ -]{0,8}",
        "(/[a.]{0,3}){0,4}[:, \n~]?",
        "/dev/[a.]{1,3}(:/dev/[a./]{0,3})?(:[rwmx]{0,4})?",
        "[a-zA-Z.\\\\@%]{0,4}(\\.service|\\.slice|-|)[a-z]?",
        "[0-9]{1,3}(\\.[0-9]{1,3}){2,4}|[0-9a-f:]{2,6}",
        "([0-9]{1,3}(\\.[0-9]{1,2}){3}|[0-9a-f:]{2,6})/[0-9]{1,3}",
        "[0-9]{0,6}-[0-9]{0,6}",
        "(SIG|sig|CAP_|)(TERM|int|CHOWN|sys_admin|nofile|Core)",
        "[\\[\\]^\\-$*?a\\\\\"'`{}]{1,6}",
        "\\PC{0,4}",
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, ..ProptestConfig::default() })]

    #[test]
    fn of_texts_that_are_nearly_right(text in near()) {
        let value = json!(text);
        for spot in SPOTS.iter() {
            agree(spot, &value);
        }
    }
}
