//! `conductor-generator NORMAL EARLY LATE`: see systemd.generator(7).

use std::ffi::OsString;
use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use conductor_definition::{Site, UserDirectories};
use conductor_generator::log::SystemLog;
use conductor_generator::{Log, Outcome, Priority, Roots, run};

const USAGE: &str = "\
Usage: conductor-generator NORMAL [EARLY LATE]

Turns the service definitions in /etc/conductor/services, /run/conductor/services and
/usr/lib/conductor/services into systemd units in the directory NORMAL.
systemd runs it at boot and at every daemon-reload; `conductor generate` shows its output.
A user's systemd (SYSTEMD_SCOPE=user) runs it for the definitions in ~/.config/conductor/services
and /etc/conductor/users/services.

Exit status: 0 all converted, 1 some did not (the others are written), 2 wrong usage.
Environment: CONDUCTOR_ROOT prefixes all paths that are read; SYSTEMD_SCOPE and SYSTEMD_IN_INITRD
are set by systemd; XDG_CONFIG_HOME, XDG_RUNTIME_DIR and HOME say where a user's files are.
";

fn main() -> ExitCode {
    let arguments: Vec<OsString> = std::env::args_os().skip(1).collect();
    if arguments.iter().any(|argument| argument == "--help" || argument == "-h") {
        drop(std::io::stdout().write_all(USAGE.as_bytes()));
        return ExitCode::SUCCESS;
    }
    // systemd calls with three directories; one is enough for people (systemd.generator(7)).
    let output = match arguments.as_slice() {
        [normal] | [normal, _, _] if !normal.as_encoded_bytes().starts_with(b"-") => PathBuf::from(normal),
        _ => {
            drop(std::io::stderr().write_all(USAGE.as_bytes()));
            return ExitCode::from(2);
        }
    };
    // The definitions are on the real root file system; systemd runs generators there again.
    if environment_is("SYSTEMD_IN_INITRD", "1") {
        return ExitCode::SUCCESS;
    }
    let mut log = SystemLog::open(environment_is("SYSTEMD_SCOPE", "system"));
    // A caught panic is reported as a diagnostic of its definition; the default hook would write it to
    // a console where nobody knows what it belongs to.
    std::panic::set_hook(Box::new(|_| {}));
    let site = match site() {
        Ok(site) => site,
        Err(error) => {
            log.log(Priority::Error, &error);
            return ExitCode::FAILURE;
        }
    };
    match std::panic::catch_unwind(move || run(&Roots { site, output }, &mut log)) {
        Ok(Outcome::Complete) => ExitCode::SUCCESS,
        Ok(Outcome::Incomplete) => ExitCode::FAILURE,
        Err(_) => {
            let mut log = SystemLog::open(environment_is("SYSTEMD_SCOPE", "system"));
            log.log(Priority::Error, "stopped by a mistake in Conductor itself: please report it");
            ExitCode::FAILURE
        }
    }
}

/// The name of the program does not tell whose generator it is: it is one file under two names.
fn site() -> Result<Site, String> {
    let root = std::env::var_os("CONDUCTOR_ROOT").map_or_else(|| PathBuf::from("/"), PathBuf::from);
    let is_users = environment_is("SYSTEMD_SCOPE", "user");
    let user = is_users.then(|| UserDirectories::from_environment(|name| std::env::var_os(name)));
    Ok(Site { root, user: user.transpose()? })
}

fn environment_is(name: &str, value: &str) -> bool {
    std::env::var_os(name).is_some_and(|found| found == value)
}
