//! Secrets: from systemd, which reads or decrypts them, into the container.
//!
//! systemd keeps credentials in files that root alone can read (systemd.exec(5), "Credentials"). Programs in containers
//! are seldom root, so copies are made for them: in a directory of the unit's own that only root can enter, and that
//! systemd removes when the unit stops. A secret that is meant for root alone is not copied. Those that the program
//! wants in variables go into a file there that the engine reads (`--env-file`): so they are neither in the unit nor on
//! a command line.

use std::collections::BTreeMap;

use conductor_definition::{EnvironmentName, FileMode, Scope, Secret, SecretName, SecretPlace, Service};

use crate::exec::{Exec, Word};
use crate::unit_file::UnitFile;

/// The directive, and the property, for a secret that is plain or encrypted.
pub(crate) fn directive(secret: &Secret) -> &'static str {
    if secret.encrypted { "LoadCredentialEncrypted" } else { "LoadCredential" }
}

/// Where the copies are, below /run or the user's runtime directory; `owner` is the unit's own name for it.
pub(crate) fn directory(owner: &str) -> String {
    ["conductor/secrets/", owner].concat()
}

/// What the unit has to have; `owner` with specifiers.
pub(crate) fn in_unit(unit: UnitFile, service: &Service, owner: &str, scope: Scope) -> UnitFile {
    let unit = service
        .secrets
        .iter()
        .fold(unit, |unit, (name, secret)| unit.text(directive(secret), &format!("{name}:{}", secret.path)));
    if !need_directory(service) {
        return unit;
    }
    let unit = unit
        .set("RuntimeDirectory", directory(owner))
        .set("RuntimeDirectoryMode", format!("{DIRECTORY_MODE:04o}"));
    let before = before(service, &place(owner), Exec::new, scope);
    before.iter().fold(unit, |unit, exec| unit.exec("ExecStartPre", exec))
}

/// The directory that [`in_unit`] makes, for the commands of that unit. Not `$RUNTIME_DIRECTORY`, which has all of
/// them if the user asks for more.
pub(crate) fn place(owner: &str) -> Word {
    Word::expanding("%t/").then(&Word::expanding(&directory(owner)))
}

/// Nobody else may look for the copies, whatever their own modes are.
pub(crate) const DIRECTORY_MODE: u32 = 0o700;

/// Whether any secret is in that directory.
pub(crate) fn need_directory(service: &Service) -> bool {
    service.secrets.values().any(|secret| match secret.place {
        SecretPlace::File { .. } => is_copied(secret),
        SecretPlace::Variable(_) => true,
    })
}

fn is_copied(secret: &Secret) -> bool {
    let Secret { path: _, encrypted: _, place } = secret;
    match place {
        SecretPlace::File { target: _, uid, gid, mode } => {
            (*uid, *gid, *mode) != (0, 0, FileMode::OWNER_READS)
        }
        SecretPlace::Variable(_) => false,
    }
}

/// What the container sees of a secret that it has as a file: the host's file, where `directory` holds the copies, and
/// its place.
pub(crate) fn file(name: &SecretName, secret: &Secret, directory: &Word) -> Option<Word> {
    let SecretPlace::File { target, uid: _, gid: _, mode: _ } = &secret.place else { return None };
    let source = if is_copied(secret) {
        directory.clone().then_literal(format_args!("/{name}"))
    } else {
        credential(name)
    };
    Some(source.then(&format!(":{target}:ro").into()))
}

/// The file with the variables, if there are any: no secret has such a name.
pub(crate) fn environment_file(service: &Service, directory: &Word) -> Option<Word> {
    variables(service).next().map(|_| directory.clone().then_literal("/.environment"))
}

fn variables(service: &Service) -> impl Iterator<Item = (&SecretName, &EnvironmentName)> {
    service.secrets.iter().filter_map(|(name, secret)| match &secret.place {
        SecretPlace::Variable(variable) => Some((name, variable)),
        SecretPlace::File { .. } => None,
    })
}

/// Writes file `$1` with a line for each two arguments that follow: a variable, and the file that has its value.
/// `printf` and `case` are the shell's own, so that no value is ever on a command line. Engines end a value at the end
/// of the line, and would take the next for another variable.
const VARIABLES: &str = "\
file=$1; shift; umask 077; lines=$(printf '\\nx'); lines=${lines%x}; : >\"$file\" || exit; \
while [ $# -gt 0 ]; do \
value=$(cat \"$2\") || exit; \
case $value in *\"$lines\"*) \
echo \"secret ${2##*/} has several lines, and variable $1 can have one: leave \\`environment\\` out and read the file\" >&2; \
exit 1;; esac; \
printf '%s=%s\\n' \"$1\" \"$value\" >>\"$file\" || exit; \
shift 2; \
done";

/// systemd sets the variable for each command of the unit.
fn credential(name: &SecretName) -> Word {
    Word::expanding("${CREDENTIALS_DIRECTORY}/").then_literal(name)
}

/// The commands that fill the directory, `begin` with their program.
pub(crate) fn before(
    service: &Service,
    directory: &Word,
    begin: fn(&'static str) -> Exec,
    scope: Scope,
) -> Vec<Exec> {
    let mut all = copies(service, directory, begin, scope);
    if let Some(file) = environment_file(service, directory) {
        let exec = begin("/bin/sh").args(["-c", VARIABLES, "secrets"]).arg(file);
        all.push(
            variables(service)
                .fold(exec, |exec, (name, variable)| exec.arg(variable.as_str()).arg(credential(name))),
        );
    }
    all
}

/// Those that copy, one for each owner and mode.
fn copies(service: &Service, directory: &Word, begin: fn(&'static str) -> Exec, scope: Scope) -> Vec<Exec> {
    let mut alike: BTreeMap<_, Vec<&SecretName>> = BTreeMap::new();
    for (name, secret) in service.secrets.iter().filter(|(_, secret)| is_copied(secret)) {
        if let SecretPlace::File { target: _, uid, gid, mode } = &secret.place {
            alike.entry((*uid, *gid, *mode)).or_default().push(name);
        }
    }
    let copy = |((uid, gid, mode), names): ((u32, u32, FileMode), Vec<&SecretName>)| {
        let is_roots = (uid, gid) == (0, 0);
        let exec = match scope {
            // The numbers are the container's, and mean nobody but in its user namespace (podman-unshare(1)).
            Scope::User if !is_roots => begin("/usr/bin/podman").args(["unshare", "install"]),
            Scope::User | Scope::System => begin("/usr/bin/install"),
        };
        let exec = exec.arg("--mode").arg(mode.to_string().as_str());
        let exec = if is_roots {
            exec
        } else {
            exec.arg("--owner").arg(uid.to_string().as_str()).arg("--group").arg(gid.to_string().as_str())
        };
        let exec = exec.arg("--target-directory").arg(directory.clone());
        names.into_iter().fold(exec, |exec, name| exec.arg(credential(name)))
    };
    alike.into_iter().map(copy).collect()
}
