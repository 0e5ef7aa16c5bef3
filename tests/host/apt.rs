//! Finds the machine's own Debian mirror, so that no host name is written in this repository.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::preflight::os_release;
use crate::{Context, Result, stdout_of};

const KEYRING: &str = "/usr/share/keyrings/debian-archive-keyring.gpg";

/// One suite of one repository, as sources.list(5) describes it.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Source {
    uri: String,
    suite: String,
    components: Vec<String>,
    signed_by: Option<String>,
}

/// A one-line source for `suite` on the mirror this machine installs its own packages from.
pub(crate) fn source_line(suite: &str) -> Result<String> {
    let codename = os_release("VERSION_CODENAME").context("os-release has no VERSION_CODENAME")?;
    let sources = read_sources(Path::new("/etc/apt"))?;
    let mirror = main_mirror(&sources, &codename)
        .context(format!("no apt source for Debian's main archive ({codename} main) under /etc/apt"))?;
    Ok(format!("deb [signed-by={KEYRING}] {} {suite} main", mirror.uri))
}

/// apt settings of this machine that decide whether its mirror can be used at all.
pub(crate) fn options() -> Result<Vec<String>> {
    let dump = stdout_of(Command::new("apt-config").arg("dump"))?;
    let wanted = ["Acquire::Check-Valid-Until ", "Acquire::http::Proxy ", "Acquire::https::Proxy "];
    Ok(dump
        .lines()
        .filter(|line| wanted.iter().any(|key| line.starts_with(key)))
        .map(|line| line.trim_end_matches(';').to_owned())
        .collect())
}

fn read_sources(etc_apt: &Path) -> Result<Vec<Source>> {
    let mut files = vec![etc_apt.join("sources.list")];
    if let Ok(entries) = fs::read_dir(etc_apt.join("sources.list.d")) {
        files.extend(entries.filter_map(|entry| Some(entry.ok()?.path())));
    }
    files.sort();
    let mut sources = Vec::new();
    for file in files.iter().filter(|file| file.is_file()) {
        let text = fs::read_to_string(file).context(file.display())?;
        match file.extension().and_then(|ext| ext.to_str()) {
            Some("list") => sources.extend(text.lines().filter_map(one_line)),
            Some("sources") => sources.extend(stanzas(&text)),
            _ => {}
        }
    }
    Ok(sources)
}

/// The repository that carries `codename` main. Others do too (vendors like the name "main"), so one that is
/// signed with Debian's archive key, or that also carries `codename-updates`, comes first.
fn main_mirror<'a>(sources: &'a [Source], codename: &str) -> Option<&'a Source> {
    let updates = format!("{codename}-updates");
    let usable = |source: &&Source| {
        source.suite == codename
            && source.components.iter().any(|component| component == "main")
            && ["http:", "https:", "file:"].iter().any(|scheme| source.uri.starts_with(scheme))
    };
    sources.iter().filter(usable).max_by_key(|source| {
        let by_debian = source.signed_by.as_ref().is_some_and(|key| key.contains("debian-archive"));
        let complete = sources.iter().any(|other| other.uri == source.uri && other.suite == updates);
        (by_debian, complete)
    })
}

/// `deb [options] uri suite component...`
fn one_line(line: &str) -> Option<Source> {
    let rest = line.trim().strip_prefix("deb")?.strip_prefix([' ', '\t'])?.trim_start();
    let (options, rest) = match rest.strip_prefix('[') {
        Some(bracketed) => bracketed.split_once(']')?,
        None => ("", rest),
    };
    let rest = rest.split('#').next().unwrap_or_default();
    let mut words = rest.split_whitespace().map(str::to_owned);
    let (uri, suite) = (words.next()?, words.next()?);
    let signed_by = options.split_whitespace().find_map(|option| option.strip_prefix("signed-by="));
    Some(Source { uri, suite, components: words.collect(), signed_by: signed_by.map(str::to_owned) })
}

/// The deb822 form: paragraphs of `Field: values`, continued on indented lines, `#` lines dropped.
fn stanzas(text: &str) -> Vec<Source> {
    let text = text.lines().filter(|line| !line.starts_with('#')).collect::<Vec<_>>().join(
        "
",
    );
    text.split("\n\n").flat_map(stanza).collect()
}

fn stanza(paragraph: &str) -> Vec<Source> {
    let mut fields: Vec<(String, String)> = Vec::new();
    for line in paragraph.lines() {
        if line.starts_with([' ', '\t']) {
            if let Some((_, value)) = fields.last_mut() {
                value.push_str(line);
            }
        } else if let Some((name, value)) = line.split_once(':') {
            fields.push((name.trim().to_lowercase(), value.to_owned()));
        }
    }
    let field = |name: &str| -> Vec<String> {
        let value = fields.iter().find(|(field, _)| field == name).map_or("", |(_, value)| value);
        value.split_whitespace().map(str::to_owned).collect()
    };
    let enabled = !field("enabled").iter().any(|value| value == "no");
    if !enabled || !field("types").iter().any(|kind| kind == "deb") {
        return Vec::new();
    }
    let signed_by = field("signed-by").first().cloned();
    let mut sources = Vec::new();
    for uri in field("uris") {
        for suite in field("suites") {
            let components = field("components");
            sources.push(Source { uri: uri.clone(), suite, components, signed_by: signed_by.clone() });
        }
    }
    sources
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_formats_name_the_same_mirror() {
        let line =
            "deb [arch=amd64 signed-by=/k/debian-archive-keyring.gpg] http://m.test/debian bookworm main # c";
        let deb822 = "Types: deb deb-src\n# a comment inside\nURIs: http://m.test/debian\nSuites: bookworm\n \
                      bookworm-updates\nComponents: main\nSigned-By: /k/debian-archive-keyring.gpg\n";
        let a = one_line(line).unwrap();
        let b = stanzas(deb822);
        assert_eq!(a, b[0]);
        assert_eq!(b[1].suite, "bookworm-updates");
    }

    #[test]
    fn vendors_and_disabled_sources_are_not_the_mirror() {
        let text = "Types: deb\nURIs: https://vendor.test/apt\nSuites: bookworm\nComponents: main\n\n\
                    Types: deb\nURIs: http://m.test/debian\nSuites: bookworm\nComponents: main contrib\n\
                    Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg\n\n\
                    Types: deb\nEnabled: no\nURIs: http://off.test/debian\nSuites: bookworm\nComponents: main\n";
        let sources = stanzas(text);
        assert_eq!(sources.len(), 2);
        assert_eq!(main_mirror(&sources, "bookworm").unwrap().uri, "http://m.test/debian");
        assert_eq!(main_mirror(&sources, "trixie"), None);
    }

    #[test]
    fn comments_and_source_packages_are_skipped() {
        assert_eq!(one_line("# deb http://m.test/debian bookworm main"), None);
        assert_eq!(one_line("deb-src http://m.test/debian bookworm main"), None);
    }
}
