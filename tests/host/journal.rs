//! The machine's journal: what happened, and waiting for something to happen.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::time::{Duration, Instant};

use crate::cgroup::Cgroup;
use crate::{Context, Error, Host, Result};

/// One journal entry, with all its fields (systemd.journal-fields(7)).
#[derive(Debug, Clone, Default)]
pub struct Entry(BTreeMap<String, String>);

impl Entry {
    /// A field, or the empty string.
    pub fn get(&self, field: &str) -> &str {
        self.0.get(field).map_or("", String::as_str)
    }

    /// The text.
    pub fn message(&self) -> &str {
        self.get("MESSAGE")
    }

    /// The unit it is about: what PID 1 says about a unit, or else the unit whose process said it.
    pub fn unit(&self) -> &str {
        // Anybody can say that something is about a unit; journalctl believes it of PID 1 alone, too.
        let about = self.get("UNIT");
        if about.is_empty() || self.get("_PID") != "1" { self.get("_SYSTEMD_UNIT") } else { about }
    }

    /// The same of users' managers and their units.
    pub fn user_unit(&self) -> &str {
        let about = self.get("USER_UNIT");
        let is_of_manager = self.get("_SYSTEMD_USER_UNIT") == "init.scope";
        if about.is_empty() || !is_of_manager { self.get("_SYSTEMD_USER_UNIT") } else { about }
    }

    /// When, on the machine's monotonic clock: for the time between two entries of one boot.
    pub fn at(&self) -> Duration {
        Duration::from_micros(self.number("__MONOTONIC_TIMESTAMP"))
    }

    /// When it was sent, on the same clock. A journal that has much to do notes entries later than that, and not all
    /// of them equally late.
    pub fn sent(&self) -> Duration {
        let sent = Some(self.number("_SOURCE_REALTIME_TIMESTAMP")).filter(|sent| *sent > 0);
        let late = sent.map_or(0, |sent| self.number("__REALTIME_TIMESTAMP").saturating_sub(sent));
        self.at().saturating_sub(Duration::from_micros(late))
    }

    fn number(&self, field: &str) -> u64 {
        self.get(field).parse().unwrap_or_default()
    }
}

/// Of fields and their values.
impl FromIterator<(String, String)> for Entry {
    fn from_iter<I: IntoIterator<Item = (String, String)>>(fields: I) -> Self {
        Self(fields.into_iter().collect())
    }
}

/// Entries as they come in. Ends its `journalctl` when dropped.
#[derive(Debug)]
pub struct Follower {
    entries: Receiver<Entry>,
    seen: Vec<String>,
    child: Child,
    cgroup: Cgroup,
}

impl Follower {
    /// Waits for the first entry that `wanted` accepts. Entries before it are used up.
    pub fn until(&mut self, within: Duration, what: &str, wanted: impl Fn(&Entry) -> bool) -> Result<Entry> {
        let deadline = Instant::now() + within;
        while let Ok(entry) = self.entries.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
            self.seen.push(format!("{}: {}", entry.unit(), entry.message()));
            if wanted(&entry) {
                return Ok(entry);
            }
        }
        let last = self.seen.get(self.seen.len().saturating_sub(20)..).unwrap_or_default().join("\n  ");
        Err(Error::new(format!(
            "waited {:.1} s in vain for {what}; last entries:\n  {last}",
            within.as_secs_f32()
        )))
    }

    /// Waits for a message of, or about, `unit` that contains `text`.
    pub fn until_message(&mut self, within: Duration, unit: &str, text: &str) -> Result<Entry> {
        let what = format!("{unit} saying {text:?}");
        self.until(within, &what, |entry| entry.unit() == unit && entry.message().contains(text))
    }
}

impl Drop for Follower {
    fn drop(&mut self) {
        self.cgroup.kill();
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Host {
    /// A place in the journal: now. Take it before doing what is to be observed.
    pub fn mark(&self) -> Result<String> {
        let shown = self.sh("journalctl --sync; journalctl --quiet --lines=1 --show-cursor --output=cat")?;
        let cursor = shown.lines().rev().find_map(|line| line.strip_prefix("-- cursor: "));
        Ok(cursor.context("the journal is empty")?.to_owned())
    }

    /// Entries after `mark`, as they come in; those already there come first, so nothing is missed.
    pub fn follow(&self, mark: &str) -> Result<Follower> {
        let cursor = format!("--after-cursor={mark}");
        let (mut command, cgroup) = self.place_apart([
            "journalctl",
            "--quiet",
            "--follow",
            "--lines=all",
            "--output=export",
            &cursor,
        ])?;
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn()?;
        let output = child.stdout.take().context("stdout was asked for")?;
        let (sender, entries) = mpsc::channel();
        std::thread::spawn(move || {
            let mut reader = BufReader::new(output);
            while let Some(entry) = read_entry(&mut reader) {
                if sender.send(entry).is_err() {
                    break;
                }
            }
        });
        Ok(Follower { entries, seen: Vec::new(), child, cgroup })
    }

    /// Everything after `mark` so far.
    pub fn entries_since(&self, mark: &str) -> Result<Vec<Entry>> {
        let script = r#"journalctl --sync; exec journalctl --quiet --output=export --after-cursor="$0""#;
        let text = self.run(["sh", "-euc", script, mark])?;
        let mut reader = text.stdout.as_bytes();
        Ok(std::iter::from_fn(|| read_entry(&mut reader)).collect())
    }

    /// What `unit` said and what was said about it, since the machine was made; one line per entry.
    pub fn journal(&self, unit: &str) -> Result<String> {
        self.ok([
            "sh",
            "-euc",
            r#"journalctl --sync; journalctl --quiet --output=short-monotonic --unit="$0""#,
            unit,
        ])
    }
}

/// Reads one entry of the journal export format: `FIELD=text` lines up to an empty one; a field that is not plain
/// text comes as its name alone, a 64-bit little-endian length, the bytes and a newline.
fn read_entry(reader: &mut impl BufRead) -> Option<Entry> {
    let mut entry = Entry::default();
    loop {
        let mut line = Vec::new();
        if reader.read_until(b'\n', &mut line).ok()? == 0 {
            return None;
        }
        line.pop();
        let text = String::from_utf8_lossy(&line).into_owned();
        match text.split_once('=') {
            Some((field, value)) => drop(entry.0.insert(field.to_owned(), value.to_owned())),
            None if text.is_empty() && !entry.0.is_empty() => return Some(entry),
            None if text.is_empty() => {}
            None => {
                let mut length = [0; 8];
                reader.read_exact(&mut length).ok()?;
                let mut value = Vec::new();
                reader.take(u64::from_le_bytes(length)).read_to_end(&mut value).ok()?;
                reader.read_exact(&mut [0]).ok()?;
                entry.0.insert(text, String::from_utf8_lossy(&value).into_owned());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_that_was_noted_late_was_sent_before() {
        let fields = [
            ("__MONOTONIC_TIMESTAMP", "1500000"),
            ("__REALTIME_TIMESTAMP", "1700000000300000"),
            ("_SOURCE_REALTIME_TIMESTAMP", "1700000000100000"),
        ];
        let entry: Entry =
            fields.map(|(field, value)| (field.to_owned(), value.to_owned())).into_iter().collect();
        assert_eq!(entry.sent(), Duration::from_millis(1300));
    }

    #[test]
    fn export_format_with_a_binary_field() {
        let mut bytes = b"_PID=1\n__MONOTONIC_TIMESTAMP=1500000\nUNIT=web.service\nMESSAGE\n".to_vec();
        bytes.extend(3_u64.to_le_bytes());
        bytes.extend(b"a\nb\n\nMESSAGE=next\n\n");
        let mut reader = bytes.as_slice();
        let first = read_entry(&mut reader).unwrap();
        assert_eq!((first.message(), first.unit()), ("a\nb", "web.service"));
        assert_eq!(first.at(), Duration::from_millis(1500));
        assert_eq!(first.sent(), Duration::from_millis(1500));
        assert_eq!(read_entry(&mut reader).unwrap().message(), "next");
        assert!(read_entry(&mut reader).is_none());
    }
}
