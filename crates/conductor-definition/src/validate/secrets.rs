//! `[secrets]`

use std::collections::BTreeMap;
use std::ops::Range;

use super::Check;
use crate::value::{EnvironmentName, FileMode, SecretName, SecretTarget, Text, UserNamespace};
use crate::written::{self, Id, Spanned};
use crate::{Diagnostic, Secret, SecretPlace};

impl Check {
    pub(super) fn secrets(
        &mut self,
        written: BTreeMap<SecretName, Spanned<written::Secret>>,
        environment: Option<&BTreeMap<EnvironmentName, Text>>,
        user_namespace: Option<&Spanned<UserNamespace>>,
    ) -> BTreeMap<SecretName, Secret> {
        let namespace = user_namespace.filter(|written| written.get_ref().0 != "host");
        let mut secrets = BTreeMap::new();
        let mut taken: Vec<(String, Range<usize>)> = Vec::new();
        for (name, secret) in written {
            let span = secret.span();
            let written::Secret { path, encrypted, target, environment: variable, uid, gid, mode } =
                secret.into_inner();
            if encrypted && !self.abilities.encrypted_secrets {
                self.report(
                    Diagnostic::error("not-for-users", "this systemd does not decrypt secrets for users")
                        .at(span.clone(), "is encrypted")
                        .help(
                            "systemd 258 and later do; until then name a plain file that only you may read",
                        ),
                );
            }
            let place = if let Some(variable) = variable {
                let of_a_file = [
                    target.as_ref().map(|target| ("target", target.span())),
                    uid.as_ref().map(|uid| ("uid", uid.span())),
                    gid.as_ref().map(|gid| ("gid", gid.span())),
                    mode.as_ref().map(|mode| ("mode", mode.span())),
                ];
                for (key, place) in of_a_file.into_iter().flatten() {
                    self.report(
                        Diagnostic::error("contradiction", format!("a variable has no `{key}`"))
                            .at(place, "is of a file")
                            .and(variable.span(), "in a variable")
                            .help("leave one of them out"),
                    );
                }
                if environment.is_some_and(|environment| environment.contains_key(variable.get_ref())) {
                    self.report(
                        Diagnostic::error(
                            "contradiction",
                            format!("`{}` stands in [environment] too", variable.get_ref()),
                        )
                        .at(variable.span(), "and here it is a secret")
                        .help("leave it out there: what is in the unit is no secret"),
                    );
                }
                if variable.get_ref().as_str() == "CONDUCTOR_INSTANCE" {
                    self.report(
                        Diagnostic::error(
                            "contradiction",
                            "`CONDUCTOR_INSTANCE` is set by Conductor: it is the number of the instance",
                        )
                        .at(variable.span(), "would be lost")
                        .help("choose another name"),
                    );
                }
                SecretPlace::Variable(variable.into_inner())
            } else {
                let for_all = uid.is_none()
                    && gid.is_none()
                    && mode.as_ref().is_none_or(|mode| FileMode::is_for_all(*mode.get_ref()));
                if let Some(namespace) = namespace.filter(|_| !for_all) {
                    self.report(
                            Diagnostic::error(
                                "contradiction",
                                "in a user namespace of its own nobody has these numbers",
                            )
                            .at(span.clone(), "is for some of the container's users")
                            .and(namespace.span(), "gives them other numbers on the host")
                            .help("leave out uid, gid and mode: then all users of this container can read it, and nobody else"),
                        );
                }
                // A secret's name is always part of a path, so this is one secret in any case.
                let Some(target) = target.map(Spanned::into_inner).or_else(|| SecretTarget::of(&name).ok())
                else {
                    continue;
                };
                self.file(target, uid, gid, mode)
            };
            let what = match &place {
                SecretPlace::File { target, .. } => format!("file {target}"),
                SecretPlace::Variable(name) => format!("variable {name}"),
            };
            if let Some((_, other)) = taken.iter().find(|(taken, _)| *taken == what) {
                self.report(
                    Diagnostic::error("contradiction", format!("two secrets are the container's {what}"))
                        .at(span.clone(), "this one")
                        .and(other.clone(), "and this one")
                        .help("give one of them another `target` or `environment`"),
                );
            }
            taken.push((what, span));
            secrets.insert(name, Secret { path, encrypted, place });
        }
        secrets
    }

    fn file(
        &mut self,
        target: SecretTarget,
        uid: Option<Spanned<Id>>,
        gid: Option<Spanned<Id>>,
        mode: Option<Spanned<FileMode>>,
    ) -> SecretPlace {
        let mut id = |id: Option<Spanned<Id>>| id.and_then(|id| self.number(&id));
        let (uid, gid) = (id(uid), id(gid));
        // As the engines have it for secrets of their own, where nobody says otherwise.
        let default = match (uid, gid) {
            (None, None) => FileMode::ALL_READ,
            (Some(_), None) => FileMode::OWNER_READS,
            (_, Some(_)) => FileMode::GROUP_READS,
        };
        let [uid, gid] = [uid, gid].map(Option::unwrap_or_default);
        SecretPlace::File { target, uid, gid, mode: mode.map_or(default, Spanned::into_inner) }
    }
}
