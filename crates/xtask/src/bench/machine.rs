//! The machine that generators are timed on.

use std::collections::BTreeMap;
use std::path::Path;

use conductor_tests::{Context, Error, Host, Image, Result, Suite, newest_package, repository, run};

use crate::shell::say;

/// Definitions of both kinds that say the same.
const OURS: &str = include_str!("../../../../tests/bench/service.toml");
const QUADLET: &str = include_str!("../../../../tests/bench/service.container");
const OUR_HEALTH: &str = "\n[health]\npath = \"/healthz\"\n";
const QUADLET_HEALTH: &str = "\n[Container]\nHealthCmd=curl -f http://127.0.0.1:8080/healthz\nHealthInterval=5s\nHealthOnFailure=kill\n";

/// One file of each kind from `$1`, `$2` for each number up to `$3`; with `$4` each tenth has a key that nobody
/// knows.
const FILL: &str = r#"
rm -rf /etc/conductor/services /etc/containers/systemd
mkdir -p /etc/conductor/services /etc/containers/systemd
fill() {
    TEMPLATE="$1" awk -v "name=$2" -v "count=$3" -v "broken=$4" -v "mistake=$5" 'BEGIN {
        for (i = 1; i <= count; i++) {
            text = ENVIRON["TEMPLATE"]
            gsub(/@NUMBER@/, i, text)
            gsub(/@PORT@/, 20000 + i, text)
            if (broken && i % 10 == 0) text = mistake "\n" text
            file = sprintf(name, i)
            printf "%s", text > file
            close(file)
        }
    }'
}
fill "$1" /etc/conductor/services/service-%05d.toml "$3" "$4" 'imagee = "x"'
fill "$2" /etc/containers/systemd/service-%05d.container "$3" "$4" '[Container]\nImagee=x'
"#;

/// Each of them once, with an empty output directory as systemd gives it. Prints the name and what the stopwatch
/// says.
///
/// The lists for the floor come from what ours has read and written, so that it stays the floor of what ours is
/// today.
const ROUND: &str = r#"
export QUADLET_UNIT_DIRS=/etc/containers/systemd
bench=/usr/local/lib/bench out=/run/bench/out store=/run/conductor/last-good aside=/run/conductor/units
mkdir -p /run/bench
measure() {
    name=$1; shift
    rm -rf "$out"; mkdir "$out"
    printf '%s ' "$name"
    "$bench/stopwatch" "$@" 2>/dev/null
}
pair() {
    rm -rf /run/conductor
    measure "$1-first" "$2" "$out"
    if [ "$1" = ours ] && [ ! -e /run/bench/first ]; then lists; fi
    measure "$1" "$2" "$out"
}
lists() {
    find /etc/conductor/services -name '*.toml' -printf 'r %p\n' | sort >/run/bench/sources
    {
        find "$out" -mindepth 1 -type d -printf 'd %p\n'
        # Each unit is a hard link to a file that is made, or compared, under /run/conductor.
        { find "$aside" "$out" -type f -printf '%i %p\n' | sort | awk -v out="$out/" '
            $1 == inode { if (index($2, out) == 1) print "l", $2, path; else print "l", path, $2 }
            { inode = $1; path = $2 }'
          find "$out" -type l -printf 's %p %l\n'; } | sort -k 2
    } >/run/bench/units
    { echo 'd /run/conductor'; echo "d $store"; echo "d $aside"; find "$aside" "$store" -type f -printf 'w %p %s\n' | sort
    } >/run/bench/keep
    find "$aside" "$store" -type f -printf 'r %p\n' | sort >/run/bench/kept
    cat /run/bench/sources /run/bench/keep /run/bench/units >/run/bench/first
    cat /run/bench/sources /run/bench/kept /run/bench/units >/run/bench/steady
    {
        find "$out" -type f | wc -l; find "$out" -type l | wc -l; find "$store" -type f | wc -l
        rm -rf "$out"; mkdir "$out"
        "$QUADLET" "$out" 2>/dev/null || true
        find "$out" -type f | wc -l; find "$out" -type l | wc -l
    } >/run/bench/files
}
QUADLET=/usr/lib/systemd/system-generators/podman-system-generator
pair ours "$bench/generator"
measure quadlet "$QUADLET" "$out"
rm -rf /run/conductor
measure floor-first "$bench/floor" /run/bench/first
measure floor "$bench/floor" /run/bench/steady
if [ -e "$bench/other" ]; then pair other "$bench/other"; fi
rm -rf "$out"
"#;

/// The program as it comes to people.
const INSTALL: &str = "dpkg --install /root/conductor.deb >/dev/null 2>&1
mkdir -p /usr/local/lib/bench
ln -s /usr/lib/systemd/system-generators/conductor-generator /usr/local/lib/bench/generator";

/// Which definitions.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Workload {
    pub(crate) count: u32,
    pub(crate) health: bool,
    pub(crate) broken: bool,
}

/// One process.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Sample {
    /// From execve(2) until it was waited for.
    pub(crate) milliseconds: f64,
    /// What it took of all processors: says more than the time does on a machine that others use too.
    pub(crate) cpu_milliseconds: f64,
    /// Most memory it had.
    pub(crate) mebibytes: f64,
}

/// Samples by contender, one a round.
pub(crate) type Samples = BTreeMap<String, Vec<Sample>>;

/// What each side leaves on disk.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Files {
    pub(crate) our_units: u32,
    pub(crate) our_links: u32,
    pub(crate) our_last_good: u32,
    pub(crate) quadlet_units: u32,
    pub(crate) quadlet_links: u32,
}

/// A booted machine with the contenders on it.
#[derive(Debug)]
pub(crate) struct Machine(Host);

impl Machine {
    /// Boots it. Ours is `program`, or the one in the newest package.
    pub(crate) fn boot(program: Option<&Path>, other: Option<&Path>) -> Result<Self> {
        let host = Host::boot(&Image::base(Suite::Trixie)?)?;
        let place = |name: &str| format!("/usr/local/lib/bench/{name}");
        if let Some(program) = program {
            host.copy_in(program, &place("generator"))?;
        } else {
            host.copy_in(&newest_package()?, "/root/conductor.deb")?;
            host.sh(INSTALL)?;
        }
        if let Some(other) = other {
            host.copy_in(other, &place("other"))?;
        }
        for name in ["stopwatch", "floor"] {
            host.copy_in(&compiled(name)?, &place(name))?;
        }
        host.sh("chmod 755 /usr/local/lib/bench/*")?;
        Ok(Self(host))
    }

    /// So many rounds with one set of definitions.
    pub(crate) fn measure(&self, work: Workload, rounds: u32) -> Result<Samples> {
        let (mut ours, mut quadlet) = (OURS.to_owned(), QUADLET.to_owned());
        if work.health {
            ours += OUR_HEALTH;
            quadlet += QUADLET_HEALTH;
        }
        let broken = if work.broken { "1" } else { "" };
        self.0.ok(["sh", "-euc", FILL, "fill", &ours, &quadlet, &work.count.to_string(), broken])?;
        self.0.sh("rm -rf /run/bench")?;
        let mut samples = Samples::new();
        for round in 0..=rounds {
            let printed = self.0.ok(["sh", "-uc", ROUND])?;
            // The first one reads everything from the disk.
            if round > 0 {
                for line in printed.lines() {
                    let (name, sample) = read(line, work.broken)?;
                    samples.entry(name).or_default().push(sample);
                }
            }
        }
        Ok(samples)
    }

    /// What was written in the last measurement.
    pub(crate) fn files_written(&self) -> Result<Files> {
        let text = self.0.read("/run/bench/files")?;
        let mut numbers = text.lines().map_while(|line| line.trim().parse().ok());
        let mut next = || numbers.next().context("the number of files is missing");
        Ok(Files {
            our_units: next()?,
            our_links: next()?,
            our_last_good: next()?,
            quadlet_units: next()?,
            quadlet_links: next()?,
        })
    }
}

/// `NAME NANOSECONDS CPU_MICROSECONDS KIB STATUS`
fn read(line: &str, broken: bool) -> Result<(String, Sample)> {
    let words: Vec<&str> = line.split(' ').collect();
    let [name, nanoseconds, cpu, kibibytes, status] = words.as_slice() else {
        return Err(Error::new(format!("the stopwatch printed {line:?}")));
    };
    // A generator that meets a mistake says so with its status; what is measured is whether that costs.
    if *status != "0" && !(broken && *status == "1") {
        return Err(Error::new(format!("{name} ended with status {status}")));
    }
    let number = |text: &str| text.parse::<f64>().context(format_args!("the stopwatch printed {line:?}"));
    let sample = Sample {
        milliseconds: number(nanoseconds)? / 1e6,
        cpu_milliseconds: number(cpu)? / 1e3,
        mebibytes: number(kibibytes)? / 1024.0,
    };
    Ok(((*name).to_owned(), sample))
}

/// Compiles one of the small programs; static, so that it runs on any suite and starts as fast as can be.
pub(super) fn compiled(name: &str) -> Result<std::path::PathBuf> {
    let source = repository().join("tests/bench").join(format!("{name}.c"));
    let directory = repository().join("target/bench");
    std::fs::create_dir_all(&directory).context(directory.display())?;
    let program = directory.join(name);
    let paths = [program.as_os_str(), source.as_os_str()];
    let options = ["-O2", "-Wall", "-Wextra", "-static", "-o"].map(std::ffi::OsStr::new);
    run("cc", options.into_iter().chain(paths)).inspect_err(|_| say("is a C compiler installed?"))?;
    Ok(program)
}
