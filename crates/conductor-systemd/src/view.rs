//! What one unit looked like at one moment.

use crate::InvocationId;
use zbus::OwnedObjectPath;

/// The properties of `org.freedesktop.systemd1.Unit` that a [`UnitView`] is made of.
///
/// All optional: a later systemd may drop one, an earlier one may lack it, and neither is a reason to
/// lose the others. `GetAll` sends some hundred properties; the rest are skipped unread.
#[derive(Debug, Default, zbus::DeserializeDict, zbus::Type)]
#[zbus(signature = "a{sv}", rename_all = "PascalCase")]
pub(crate) struct UnitProperties {
    id: Option<String>,
    load_state: Option<String>,
    active_state: Option<String>,
    sub_state: Option<String>,
    freezer_state: Option<String>,
    job: Option<(u32, OwnedObjectPath)>,
    #[zbus(rename = "InvocationID")]
    invocation_id: Option<Vec<u8>>,
}

/// The properties of `org.freedesktop.systemd1.Service` that a [`Definition`] is made of.
#[derive(Debug, Default, zbus::DeserializeDict, zbus::Type)]
#[zbus(signature = "a{sv}", rename_all = "PascalCase")]
pub(crate) struct ServiceProperties {
    exec_start: Option<Vec<ExecCommand>>,
    restart: Option<String>,
}

/// Path, arguments, whether failure is ignored, and when, as which process and with which result it ran.
type ExecCommand = (String, Vec<String>, bool, u64, u64, u64, u64, u32, i32, i32);

/// What a service's unit file says, as far as the service itself may want to know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Definition {
    /// The arguments of `ExecStart=`, the program's own name first. Quotes and specifiers are gone;
    /// variables are not expanded yet, so that `$$` still stands for `$`.
    pub command: Vec<String>,
    /// Whether systemd starts the service again when it ends with success.
    pub restarts_on_success: bool,
}

impl Definition {
    /// None unless there is exactly one command.
    pub(crate) fn new(read: ServiceProperties) -> Option<Self> {
        let mut commands = read.exec_start?.into_iter();
        let ((_, command, ..), None) = (commands.next()?, commands.next()) else {
            return None;
        };
        let restarts_on_success = matches!(read.restart.as_deref(), Some("always" | "on-success"));
        Some(Self { command, restarts_on_success })
    }
}

/// Declares an enum of systemd's state words that keeps words it does not know.
macro_rules! states {
    ($(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident = $word:literal,)* }) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq)]
        pub enum $name {
            $($(#[$variant_doc])* $variant,)*
            /// A word that this version does not know.
            Other(Box<str>),
        }

        impl From<&str> for $name {
            fn from(word: &str) -> Self {
                match word {
                    $($word => Self::$variant,)*
                    other => Self::Other(other.into()),
                }
            }
        }

        impl $name {
            /// The word that systemd uses.
            pub fn as_str(&self) -> &str {
                match self {
                    $(Self::$variant => $word,)*
                    Self::Other(word) => word,
                }
            }
        }
    };
}

states! {
    /// `LoadState`: whether the unit has a file.
    LoadState {
        /// The file was read.
        Loaded = "loaded",
        /// There is no such unit.
        NotFound = "not-found",
        /// An administrator masked it.
        Masked = "masked",
        /// The file does not parse.
        BadSetting = "bad-setting",
        /// The file could not be read.
        Error = "error",
    }
}

states! {
    /// `ActiveState`: the state that all types of unit share.
    ActiveState {
        /// Started.
        Active = "active",
        /// Started, and reloading its configuration.
        Reloading = "reloading",
        /// Not running.
        Inactive = "inactive",
        /// Not running, and the last run failed.
        Failed = "failed",
        /// Being started; a service that waits for its automatic restart is here, too.
        Activating = "activating",
        /// Being stopped.
        Deactivating = "deactivating",
    }
}

states! {
    /// `FreezerState`: whether `systemctl freeze` halted the unit's processes.
    FreezerState {
        /// Not frozen.
        Running = "running",
        /// On the way to frozen.
        Freezing = "freezing",
        /// Halted.
        Frozen = "frozen",
        /// On the way back.
        Thawing = "thawing",
    }
}

/// A snapshot of a unit. All but the status text is taken by one call, so that its parts belong together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnitView {
    /// The unit's primary name, which is not the one asked for if that was an alias.
    pub id: String,
    /// Whether the unit has a file.
    pub load_state: LoadState,
    /// The state that all types of unit share.
    pub active_state: ActiveState,
    /// The state of its own type, such as `running` or `auto-restart` of a service.
    pub sub_state: String,
    /// The id of the job that is queued or running for the unit, if there is one.
    pub job: Option<u32>,
    /// Whether the unit is frozen.
    pub freezer_state: FreezerState,
    /// The current run, or the last one; none if it never ran.
    pub invocation: Option<InvocationId>,
    /// What a service last said about itself (`STATUS=`), if its current or last run said anything. Read
    /// by a call of its own, beside the other: what changes between the two is signalled, and read again.
    pub status_text: Option<String>,
}

impl UnitView {
    pub(crate) fn new(read: UnitProperties, status_text: Option<String>) -> Self {
        let word = |text: Option<String>| text.unwrap_or_default();
        Self {
            id: word(read.id),
            load_state: word(read.load_state).as_str().into(),
            active_state: word(read.active_state).as_str().into(),
            sub_state: word(read.sub_state),
            job: read.job.map(|(id, _)| id).filter(|id| *id != 0),
            // systemd before 246 has no freezer: nothing is ever frozen there.
            freezer_state: read.freezer_state.as_deref().map_or(FreezerState::Running, FreezerState::from),
            invocation: read.invocation_id.as_deref().and_then(InvocationId::from_bytes),
            status_text: status_text.filter(|text| !text.is_empty()),
        }
    }

    /// Whether the unit is up and nothing is about to change that: it runs, no job is pending, it is
    /// not frozen. Only then does a health check say something about it, and only then may it be acted on.
    pub fn is_steady(&self) -> bool {
        self.active_state == ActiveState::Active
            && self.sub_state == "running"
            && self.job.is_none()
            && self.freezer_state == FreezerState::Running
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashMap;
    use zbus::Variant;
    use zbus::wire::{LE, serialized::Context, to_bytes};

    fn read(pairs: Vec<(&str, Variant<'_>)>) -> UnitView {
        let dict: HashMap<&str, Variant<'_>> = pairs.into_iter().collect();
        let bytes = to_bytes(Context::new(LE, 0), &dict).unwrap();
        let (read, _): (UnitProperties, _) = bytes.deserialize().unwrap();
        UnitView::new(read, Some(String::new()))
    }

    fn job(id: u32) -> Variant<'static> {
        Variant::from((id, zbus::ObjectPath::try_from("/").unwrap()))
    }

    #[test]
    fn reads_what_systemd_sends_and_skips_the_rest() {
        let view = read(vec![
            ("Id", "web.service".into()),
            ("Names", vec!["web.service"].into()),
            ("LoadState", "loaded".into()),
            ("ActiveState", "active".into()),
            ("SubState", "running".into()),
            ("FreezerState", "running".into()),
            ("Job", job(0)),
            ("InvocationID", vec![7_u8; 16].into()),
            ("CanStart", true.into()),
        ]);
        assert_eq!(view.id, "web.service");
        assert_eq!(view.job, None);
        assert_eq!(view.status_text, None);
        assert_eq!(view.invocation, InvocationId::from_bytes(&[7; 16]));
        assert!(view.is_steady());
    }

    #[test]
    fn steady_means_every_part_of_it() {
        let parts = |active, sub, freezer, id| {
            read(vec![
                ("ActiveState", Variant::from(active)),
                ("SubState", Variant::from(sub)),
                ("FreezerState", Variant::from(freezer)),
                ("Job", job(id)),
            ])
            .is_steady()
        };
        assert!(parts("active", "running", "running", 0));
        assert!(!parts("active", "exited", "running", 0));
        assert!(!parts("reloading", "running", "running", 0));
        assert!(!parts("active", "running", "frozen", 0));
        assert!(!parts("active", "running", "running", 9));
    }

    #[test]
    fn a_definition_has_one_command() {
        let definition = |commands: &[&[&str]], restart: &str| {
            let commands: Vec<ExecCommand> = commands
                .iter()
                .map(|argv| argv.iter().map(|&word| word.to_owned()).collect())
                .map(|argv| ("/bin/x".to_owned(), argv, false, 0, 0, 0, 0, 7, 0, 0))
                .collect();
            Definition::new(ServiceProperties {
                exec_start: Some(commands),
                restart: Some(restart.to_owned()),
            })
        };
        let one = definition(&[&["x", "a$$b"]], "always").unwrap();
        assert_eq!(one.command, ["x", "a$$b"]);
        assert!(one.restarts_on_success);
        assert!(!definition(&[&["x"]], "on-failure").unwrap().restarts_on_success);
        assert_eq!(definition(&[], "always"), None);
        assert_eq!(definition(&[&["x"], &["y"]], "no"), None);
    }

    #[test]
    fn an_empty_answer_is_not_steady() {
        let view = read(vec![]);
        assert!(!view.is_steady());
        assert_eq!(view.load_state, LoadState::Other("".into()));
    }
}
