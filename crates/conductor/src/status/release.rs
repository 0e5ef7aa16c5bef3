//! Which release a container was started with.
//!
//! A unit file says what the next start would run. Of the current run systemd keeps the log fields, for journald, from
//! the start to the stop and over daemon-reload and daemon-reexec (src/core/unit.c, `unit_export_log_extra_fields`; seen
//! on 252 and 257). A user's manager keeps none.

use conductor_definition::Site;

/// Where systemd keeps them, below the runtime directory.
const FIELDS: &str = "systemd/units/log-extra-fields:";

const FIELD: &str = "CONDUCTOR_RELEASE=";

/// The release of the current run of a unit, if systemd tells.
pub(super) fn running(site: &Site, unit: &str) -> Option<String> {
    read(&std::fs::read(site.real(&site.runtime().join(format!("{FIELDS}{unit}")))).ok()?)
}

/// Each field is its length, in eight bytes of the machine's own order, and its text.
fn read(mut fields: &[u8]) -> Option<String> {
    while let Some((length, rest)) = fields.split_first_chunk() {
        let length = usize::try_from(u64::from_ne_bytes(*length)).ok()?;
        let (field, rest) = rest.split_at_checked(length)?;
        if let Some(release) = field.strip_prefix(FIELD.as_bytes()) {
            return String::from_utf8(release.to_vec()).ok();
        }
        fields = rest;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields(texts: &[&str]) -> Vec<u8> {
        let field = |text: &&str| [&(text.len() as u64).to_ne_bytes()[..], text.as_bytes()].concat();
        texts.iter().flat_map(field).collect()
    }

    #[test]
    fn the_field_is_found_wherever_it_is() {
        let both = fields(&["CONDUCTOR_SERVICE=web", "CONDUCTOR_RELEASE=3f 2a"]);
        assert_eq!(read(&both).as_deref(), Some("3f 2a"));
        assert_eq!(read(&fields(&["CONDUCTOR_SERVICE=web"])), None);
        // Another format, should there ever be one, is no release.
        assert_eq!(read(&both[..both.len() - 1]), None);
        assert_eq!(read(b"\xff\xff\xff\xff\xff\xff\xff\xffCONDUCTOR_RELEASE=1"), None);
        assert_eq!(read(b"x"), None);
    }
}
