//! Secrets: from systemd, which reads or decrypts them, into the container.
//!
//! systemd keeps credentials in files that root alone can read (systemd.exec(5), "Credentials"). Programs in containers
//! are seldom root, so copies are made for them: in a directory of the unit's own that only root can enter, and that
//! systemd removes when the unit stops. A secret that is meant for root alone is not copied.

use std::collections::BTreeMap;

use conductor_definition::{FileMode, Scope, Secret, SecretName, Service};

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
    if !are_copied(service) {
        return unit;
    }
    let unit = unit
        .set("RuntimeDirectory", directory(owner))
        .set("RuntimeDirectoryMode", format!("{DIRECTORY_MODE:04o}"));
    let copies = copies(service, &place(owner), Exec::new, scope);
    copies.iter().fold(unit, |unit, copy| unit.exec("ExecStartPre", copy))
}

/// The directory that [`in_unit`] makes, for the commands of that unit. Not `$RUNTIME_DIRECTORY`, which has all of
/// them if the user asks for more.
pub(crate) fn place(owner: &str) -> Word {
    Word::expanding("%t/").then(&Word::expanding(&directory(owner)))
}

/// Nobody else may look for the copies, whatever their own modes are.
pub(crate) const DIRECTORY_MODE: u32 = 0o700;

/// Whether any secret is copied.
pub(crate) fn are_copied(service: &Service) -> bool {
    service.secrets.values().any(is_copied)
}

fn is_copied(secret: &Secret) -> bool {
    let Secret { path: _, encrypted: _, uid, gid, mode } = secret;
    (*uid, *gid, *mode) != (0, 0, FileMode::OWNER_READS)
}

/// The file that the container sees; `directory` holds the copies.
pub(crate) fn file(name: &SecretName, secret: &Secret, directory: &Word) -> Word {
    if is_copied(secret) { directory.clone().then_literal(format_args!("/{name}")) } else { credential(name) }
}

/// systemd sets the variable for each command of the unit.
fn credential(name: &SecretName) -> Word {
    Word::expanding("${CREDENTIALS_DIRECTORY}/").then_literal(name)
}

/// The commands that copy, one for each owner and mode; `begin` with their program.
pub(crate) fn copies(
    service: &Service,
    directory: &Word,
    begin: fn(&'static str) -> Exec,
    scope: Scope,
) -> Vec<Exec> {
    let mut alike: BTreeMap<_, Vec<&SecretName>> = BTreeMap::new();
    for (name, secret) in service.secrets.iter().filter(|(_, secret)| is_copied(secret)) {
        alike.entry((secret.uid, secret.gid, secret.mode)).or_default().push(name);
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
