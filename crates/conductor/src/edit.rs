//! Changes one key of a definition that a person wrote.

use std::fs::File;
use std::io::Write as _;
use std::os::unix::fs::{MetadataExt as _, fchown};
use std::path::Path;

use conductor_definition::Scope;
use toml_edit::{DocumentMut, Item, Value};

use crate::whose::conductor;

/// What an edit did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Edit {
    Changed,
    /// It says so already.
    Same,
}

/// Sets `enabled` in the file, which is the administrator's or the user's.
pub(crate) fn set_enabled(file: &Path, enabled: bool, scope: Scope) -> Result<Edit, String> {
    let cure = match scope {
        Scope::System => "run it as root",
        Scope::User => "it has to be yours",
    };
    // A link stays a link: what it leads to is changed.
    let file = file.canonicalize().map_err(|error| format!("cannot be found: {error}"))?;
    let text = std::fs::read_to_string(&file).map_err(|error| format!("cannot be read: {error}: {cure}"))?;
    let changed = with_enabled(&text, enabled)
        .map_err(|why| format!("{why}: `{} check` shows what to mend", conductor(scope)))?;
    let Some(new) = changed else { return Ok(Edit::Same) };
    replace(&file, &new).map_err(|error| format!("cannot be written: {error}: {cure}"))?;
    Ok(Edit::Changed)
}

/// The text with `enabled` set, or none if it is set already. A service is enabled unless it says otherwise.
fn with_enabled(text: &str, enabled: bool) -> Result<Option<String>, String> {
    let mut document: DocumentMut = text.parse().map_err(|_| "is not TOML".to_owned())?;
    match document.get_mut("enabled") {
        None if enabled => return Ok(None),
        Some(Item::Value(value @ Value::Boolean(_))) => {
            if value.as_bool() == Some(enabled) {
                return Ok(None);
            }
            // The comment behind it stays.
            let decor = value.decor().clone();
            *value = Value::from(enabled);
            *value.decor_mut() = decor;
        }
        Some(_) => {
            return Err("`enabled` is neither true nor false".to_owned());
        }
        None => {
            document.insert("enabled", Item::Value(Value::from(enabled)));
        }
    }
    Ok(Some(document.to_string()))
}

/// Writes beside the file and renames, so that a generator that runs meanwhile reads all or nothing,
/// and a loss of power leaves one of the two.
fn replace(file: &Path, text: &str) -> std::io::Result<()> {
    let directory = file.parent().unwrap_or(Path::new("/"));
    let metadata = file.metadata()?;
    // The generator passes over names that begin with a dot.
    let mut aside = tempfile::Builder::new().prefix(".").suffix(".new").tempfile_in(directory)?;
    aside.write_all(text.as_bytes())?;
    let opened = aside.as_file();
    let (owner, new) = ((metadata.uid(), metadata.gid()), opened.metadata()?);
    if owner != (new.uid(), new.gid()) {
        fchown(opened, Some(owner.0), Some(owner.1))?;
    }
    opened.set_permissions(metadata.permissions())?;
    opened.sync_all()?;
    aside.persist(file)?;
    File::open(directory)?.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs::Permissions;

    #[test]
    fn changes_one_word() {
        let text =
            "# ours\nimage = \"web\"   # the image\nenabled  =  true # at boot\n\n[health]\npath='/'\n";
        assert_eq!(with_enabled(text, true), Ok(None));
        let disabled = with_enabled(text, false).unwrap().unwrap();
        assert_eq!(disabled, text.replace("true", "false"));
        assert_eq!(with_enabled(&disabled, true).unwrap().unwrap(), text);
    }

    #[test]
    fn adds_a_line_before_the_tables() {
        let text = "image = \"web\"\n\n# asked often\n[health]\npath = \"/\"\n";
        assert_eq!(with_enabled(text, true), Ok(None), "the default");
        assert_eq!(
            with_enabled(text, false).unwrap().unwrap(),
            "image = \"web\"\nenabled = false\n\n# asked often\n[health]\npath = \"/\"\n"
        );
    }

    #[test]
    fn leaves_alone_what_it_does_not_understand() {
        assert!(with_enabled("image =", false).unwrap_err().contains("not TOML"));
        assert!(with_enabled("enabled = \"yes\"", false).unwrap_err().contains("neither"));
    }

    #[test]
    fn the_file_keeps_its_mode_and_a_link_stays_one() {
        use std::os::unix::fs::PermissionsExt as _;
        let directory = tempfile::tempdir().unwrap();
        let (real, link) = (directory.path().join("web.real"), directory.path().join("web.toml"));
        std::fs::write(&real, "image = \"web\"\n").unwrap();
        std::fs::set_permissions(&real, Permissions::from_mode(0o640)).unwrap();
        std::os::unix::fs::symlink("web.real", &link).unwrap();
        assert_eq!(set_enabled(&link, false, Scope::System), Ok(Edit::Changed));
        assert_eq!(set_enabled(&link, false, Scope::System), Ok(Edit::Same));
        assert!(link.is_symlink());
        assert_eq!(std::fs::read_to_string(&real).unwrap(), "image = \"web\"\nenabled = false\n");
        assert_eq!(real.metadata().unwrap().permissions().mode() & 0o777, 0o640);
        assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 2);
    }
}
