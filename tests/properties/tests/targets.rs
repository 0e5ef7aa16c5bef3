//! Each check of a fuzz target on its corpus, and on random input that is nearly right.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a panic is how a test fails")]

use std::fs;
use std::path::{Path, PathBuf};

use conductor_properties::{Check, TARGETS};
use proptest::prelude::*;
use proptest::test_runner::{TestCaseError, TestRunner};

/// Pieces of every language that is read, so that many inputs are nearly right.
fn pieces(target: &str) -> &'static [&'static str] {
    match target {
        // The first two say how it is asked, and how the answer comes.
        "answer" => &[
            "\0\0",
            "\u{8}\u{2}",
            "\u{4}\u{c}",
            "\u{10}\u{3}",
            "\u{2}\0",
            "\u{3}\u{6}",
            "HTTP/1.1 200 OK\r\n",
            "HTTP/1.0 204 \r\n",
            "HTTP/1.1 100 Continue\r\n\r\n",
            "HTTP/1.1 302 Found\r\n",
            "HTTP/1.1 503 x\r\n",
            "HTTP/1.1 101 x\r\n",
            "HTTP/1.1 2",
            "Content-Length: 2\r\n",
            "Content-Length: 99999999999\r\n",
            "Transfer-Encoding: chunked\r\n",
            "Connection: close\r\n",
            "Location: /x\r\n",
            "Location: http://\u{1b}[31m/\r\n",
            "Content-Encoding: gzip\r\n",
            "\r\n",
            "\n",
            "ok",
            "2\r\nok\r\n",
            "0\r\n\r\n",
            "ffffffffffffffff\r\n",
            "\0",
            "A: b\r\n",
            " folded\r\n",
            "\0\0\0\u{4}\0\0\0\0\0",
            "\0\0\u{1}\u{1}\u{4}\0\0\0\u{1}",
            "\0\0\u{2}\0\u{1}\0\0\0\u{1}ok",
            "\0\0\u{4}\u{3}\0\0\0\0\u{1}\0\0\0\u{7}",
            "\0\0\u{8}\u{6}\0\0\0\0\0abcdefgh",
        ],
        "definition" => &[
            "image",
            " = ",
            "\"",
            "'",
            "\"\"\"",
            "\n",
            "[",
            "]",
            "[[",
            "]]",
            "{",
            "}",
            ", ",
            ".",
            "#",
            "\\u0024",
            "\\",
            "$",
            "${image}",
            "${",
            "$$",
            "web",
            "é",
            "\u{1F980}",
            "\r\n",
            "\t",
            "\0",
            "\u{feff}",
            "0x",
            "1_0",
            "nan",
            "-9223372036854775809",
            "a.b.c.d = 1979-05-27\n",
            "image = \"web:1\"\n",
            "image = \"web:1\"\n",
            "description = \"${image}\"\n",
            "description = \" % \\\\\"\n",
            "revision = \"%n $$\"\n",
            "command = [\"%n\", \"$X\", \"a\\nb\"]\n",
            "entrypoint = [\"a\", ';']\n",
            "runtime-args = ['--env', '\"']\n",
            "instances = 3\n",
            "runtime = \"docker\"\n",
            "user = \"1:2\"\n",
            "after = [\"a.service\", \"b\"]\n",
            "[environment]\nA = \"%n\\u0001\"\n",
            "[labels]\n\"a.b\" = \"'\"\n",
            "[secrets]\nkey = '/a%n b'\n",
            "[secrets]\nkey = { path = '/c', encrypted = true }\n",
            "[health]\npath = \"/$%25\"\n",
            "[[ports]]\ncontainer = 80\nhost = 2000\n",
            "[[ports]]\ncontainer = \"1-9\"\nhost = 3000\naddress = \"::1\"\n",
            "[[volumes]]\nsource = \"/a $\"\ntarget = '/b'\noptions = ['Z']\n",
            "[[tmpfs]]\ntarget = '/t'\n",
            "[resources]\nmemory = \"64M\"\ncpus = 1e2\n",
            "restart.limit = { starts = 3, within = \"auto\" }\n",
            "[systemd.service]\nLimitNOFILE = 7\nX = ['%n', ' a ']\n",
            "[systemd.unit]\nOnFailure = \"x\"\n",
            "pull.policy = \"never\"\n",
            "devices = [\"/dev/a b\"]\n",
            "hosts = [\"w*\"]\n",
        ],
        "escape" => &[
            "a",
            " ",
            "\t",
            "\n",
            "\r",
            "\"",
            "'",
            "\\",
            "\\n",
            "$",
            "${A}",
            "%",
            "%n",
            "#",
            ";",
            "=",
            "\0",
            "\u{1}",
            "\u{1b}",
            "\u{7f}",
            "\u{85}",
            "\u{2028}",
            "é",
            "\u{1F980}",
            "[Service]",
            "\n[Service]\nExecStart=/bin/false\n",
        ],
        "interpolate" => {
            &["a", "$", "$$", "${", "}", "${image}", "${description}", "${revision}", "${instances}", "é"]
        }
        "memory" => &["0", "1", "64", "512", "9999999999", "K", "M", "G", "T", "E", "B", "iB", " ", "-", "."],
        "object" => &[
            "subnet = \"10.1.0.0/24\"\n",
            "gateway = \"10.1.0.1\"\n",
            "description = \" %n $$ \\\\\"\n",
            "driver = \"bridge\"\n",
            "internal = true\n",
            "ipv6 = true\n",
            "runtime = \"docker\"\n",
            "runtime-args = ['--x', '$A \"%n', '']\n",
            "[labels]\na = '$X %n'\nb = \"\\u0001\"\n",
            "[options]\nmtu = \"1\\n2\"\n",
            "[options]\n",
            "type = 'none'\no = 'bind'\ndevice = '/a %\"'\n",
            "\0",
            "\n",
            "x",
            "=",
            "'",
            "${",
            "copy = false\n",
            "user = 1\n",
            "device = '/a b'\n",
            "type = 'tmpfs'\n",
        ],
        "timespan" => &[
            "0",
            "1",
            "90",
            "5",
            ".",
            "s",
            "ms",
            "us",
            "µs",
            "min",
            "m",
            "M",
            "month",
            "h",
            "hr",
            "d",
            "w",
            "y",
            " ",
            "\t",
            "infinity",
            "-",
            "99999999999",
        ],
        "tree" => &[
            "==> ",
            " <==",
            " -> ",
            "a",
            "web.service",
            "/",
            "..",
            "\n",
            "\n",
            "\r",
            " ",
            "==> a <==\n",
            "==> b <==\n",
        ],
        "unit-file" => &[
            "[A]\n",
            "[Service]\n",
            "ExecStart=",
            "/bin/a",
            "-",
            "@",
            "a",
            " ",
            "=",
            "\n",
            "\r",
            "\\\n",
            "\\",
            "#",
            ";",
            "\"",
            "'",
            "$",
            "${A}",
            "%n",
            "%",
            "\\x41",
            "\\x",
            "\u{feff}",
            "é",
        ],
        "url" => &[
            "http://",
            "https://",
            "a",
            "127.0.0.1",
            "[::1]",
            ":80",
            ":",
            "/",
            "?",
            "#",
            "%20",
            "@",
            "..",
            "\n",
            "é",
            "//",
        ],
        other => panic!("say what {other} is made of"),
    }
}

fn corpus(target: &str) -> Vec<PathBuf> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz/corpus").join(target);
    fs::read_dir(&directory).unwrap().map(|entry| entry.unwrap().path()).collect()
}

#[test]
fn every_corpus_is_replayed() {
    for (target, check) in TARGETS {
        let files = corpus(target);
        assert!(!files.is_empty(), "{target} has no corpus");
        for file in files {
            let input = fs::read(&file).unwrap();
            let result = std::panic::catch_unwind(|| check(&input));
            assert!(result.is_ok(), "{target} fails on {}", file.display());
        }
    }
}

/// For people who read it, and for the time that the replay takes.
#[test]
fn the_corpora_are_small() {
    let files: Vec<PathBuf> = TARGETS.iter().flat_map(|(target, _)| corpus(target)).collect();
    let bytes: u64 = files.iter().map(|file| fs::metadata(file).unwrap().len()).sum();
    assert!(files.len() <= 100 && bytes <= 200 << 10, "{} files, {bytes} bytes", files.len());
}

#[test]
fn random_input() {
    for (target, check) in TARGETS {
        let pieces = prop::collection::vec(prop::sample::select(pieces(target)), 0..24);
        let input = prop_oneof![
            9 => pieces.prop_map(|pieces| pieces.concat().into_bytes()),
            1 => any::<String>().prop_map(String::into_bytes),
            1 => any::<Vec<u8>>(),
        ];
        let mut runner = TestRunner::new(ProptestConfig {
            cases: 1000,
            failure_persistence: None,
            ..ProptestConfig::default()
        });
        let run = |input: Vec<u8>| fails(*check, &input).map_or(Ok(()), |why| Err(TestCaseError::fail(why)));
        if let Err(error) = runner.run(&input, run) {
            panic!("{target}: {error}");
        }
    }
}

/// Why a check fails, if it does: the runner then looks for a smaller input that does too.
fn fails(check: Check, input: &[u8]) -> Option<String> {
    let payload = std::panic::catch_unwind(|| check(input)).err()?;
    let text = payload.downcast_ref::<String>().cloned();
    Some(text.unwrap_or_else(|| format!("{:?}", payload.downcast_ref::<&str>())))
}
