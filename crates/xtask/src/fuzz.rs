//! `cargo xtask fuzz`: libFuzzer thinks of input, `conductor-properties` says what must hold for it.
//!
//! The flags are those that cargo-fuzz sets, as far as a stable compiler has them: coverage by LLVM's own pass, and no
//! sanitizer, for there is no unsafe code of ours that one would watch. So nothing has to be installed but a C++
//! compiler, which libFuzzer is built with. Whoever has cargo-fuzz can use that: `cargo fuzz run --fuzz-dir tests/fuzz`.

use std::fs;
use std::path::{Path, PathBuf};

use conductor_tests::{Context, Error, Result, repository, stdout_of};

use crate::shell::{cargo, command, run, say};

/// What makes a program tell libFuzzer where it has been
/// (<https://llvm.org/docs/LibFuzzer.html>, <https://clang.llvm.org/docs/SanitizerCoverage.html>).
const FLAGS: &[&str] = &[
    "--cfg=fuzzing",
    "-Cpasses=sancov-module",
    "-Cllvm-args=-sanitizer-coverage-level=4",
    "-Cllvm-args=-sanitizer-coverage-inline-8bit-counters",
    "-Cllvm-args=-sanitizer-coverage-pc-table",
    "-Cllvm-args=-sanitizer-coverage-trace-compares",
    "-Cdebug-assertions",
];

/// Limits of one input: what takes longer, or needs more, is a finding too.
const LIMITS: &[&str] = &["-max_len=8192", "-timeout=10", "-rss_limit_mb=2048", "-print_final_stats=1"];

/// Fuzzes one target, or all one after the other, each for so many seconds.
pub(crate) fn fuzz(target: Option<&str>, seconds: u32) -> Result<()> {
    let targets = targets()?;
    let chosen: Vec<&String> =
        targets.iter().filter(|name| target.is_none_or(|target| target == *name)).collect();
    if chosen.is_empty() {
        return Err(Error::new(format!("there is no such target; there are {}", targets.join(", "))));
    }
    let programs = build()?;
    for name in chosen {
        say(format_args!("\n==> {name}"));
        one(name, &programs.join(name), seconds)?;
    }
    Ok(())
}

/// The targets, by the directories of what is fed to them.
fn targets() -> Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in fs::read_dir(directory().join("corpus"))? {
        names.push(entry?.file_name().to_string_lossy().into_owned());
    }
    names.sort();
    Ok(names)
}

fn directory() -> PathBuf {
    repository().join("tests/fuzz")
}

fn scratch() -> PathBuf {
    repository().join("target/fuzz")
}

/// Builds all targets; returns the directory that they are in.
fn build() -> Result<PathBuf> {
    let version = stdout_of(&mut command("rustc", ["-vV"]))?;
    let host =
        version.lines().find_map(|line| line.strip_prefix("host: ")).context("rustc -vV names no host")?;
    // The versions of everything are the product's own.
    fs::copy(repository().join("Cargo.lock"), directory().join("Cargo.lock"))?;
    // With a target of their own, flags are not for build scripts and macros.
    let mut cargo = cargo(["build", "--release", "--target", host, "--manifest-path"]);
    cargo.arg(directory().join("Cargo.toml")).arg("--target-dir").arg(scratch());
    run(cargo.env("RUSTFLAGS", FLAGS.join(" ")).env_remove("CARGO_TARGET_DIR"))?;
    Ok(scratch().join(host).join("release"))
}

fn one(name: &str, program: &Path, seconds: u32) -> Result<()> {
    // What is found on the way is kept, so that the next run goes on from there.
    let [found, failed] = ["found", "failed"].map(|kind| scratch().join(kind).join(name));
    for directory in [&found, &failed] {
        fs::create_dir_all(directory)?;
    }
    let mut fuzzer = command(&program.to_string_lossy(), LIMITS);
    fuzzer.arg(format!("-max_total_time={seconds}"));
    fuzzer.arg(format!("-artifact_prefix={}/", failed.display()));
    let words = directory().join(format!("{name}.dict"));
    if words.exists() {
        fuzzer.arg(format!("-dict={}", words.display()));
    }
    fuzzer.arg(&found).arg(directory().join("corpus").join(name));
    run(&mut fuzzer).map_err(|_| {
        Error::new(format!(
            "{name} fails; the input is in {0}. Run `{1} FILE` to see it again, `{1} -minimize_crash=1 FILE` to make \
             it smaller; mend what it shows, and put it into tests/fuzz/corpus/{name}, where every `cargo test` replays it",
            failed.display(),
            program.display()
        ))
    })
}
