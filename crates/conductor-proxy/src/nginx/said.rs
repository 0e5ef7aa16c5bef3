//! What nginx says about its configuration.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use crate::{Error, Kind};

/// The first complaint in what `nginx -t` wrote, and the place that it names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Complaint {
    /// In nginx's words, without the place.
    pub(crate) words: String,
    /// The file and its line.
    pub(crate) place: Option<(PathBuf, u32)>,
}

impl Complaint {
    /// Reads standard error. Levels below `error` are remarks: nginx goes on.
    pub(crate) fn find(said: &str) -> Self {
        let worst = said.lines().find_map(|line| {
            let (_, words) =
                ["[emerg] ", "[alert] ", "[crit] ", "[error] "].iter().find_map(|at| line.split_once(at))?;
            Some(without_process(words))
        });
        // Without a level it is about the command line: then all it says, in one line.
        let Some(words) = worst else {
            let words = said.split_ascii_whitespace().collect::<Vec<_>>().join(" ");
            return Self { words, place: None };
        };
        // `in /etc/nginx/nginx.conf:3` is at the end of it, if it is about a line.
        let place = words.rsplit_once(" in ").and_then(|(words, place)| {
            let (path, line) = place.rsplit_once(':')?;
            let line = line.trim().parse().ok()?;
            path.starts_with('/').then(|| (words, (PathBuf::from(path), line)))
        });
        match place {
            Some((words, place)) => Self { words: words.to_owned(), place: Some(place) },
            None => Self { words: words.to_owned(), place: None },
        }
    }

    /// Whether the `http` block has the timeout of [`super::render::HTTP`] twice.
    pub(crate) fn is_second_timeout(&self) -> bool {
        self.words == "\"keepalive_min_timeout\" directive is duplicate"
    }

    /// The whole story. `directory` is ours; `already` says that nginx refuses its configuration without our change
    /// as well.
    pub(crate) fn error(&self, directory: &Path, already: bool) -> Error {
        let Self { words, place } = self;
        let place_text = place
            .as_ref()
            .map_or_else(String::new, |(path, line)| format!(", in {} line {line}", path.display()));
        let ours = place.as_ref().is_some_and(|(path, _)| path.starts_with(directory));
        let whose = match (ours, already) {
            (_, true) => {
                "It is so without this change too, and nginx could not be restarted as it is: correct it until \
                 `nginx -t` is content, then repeat this"
            }
            (true, false) => {
                "The file is Conductor's: look for an upstream, a variable or an address that is in another file of \
                 nginx too, and rename one of them"
            }
            (false, false) => {
                "Without this change nginx takes its configuration: what is said there and this upstream do not go \
                 together"
            }
        };
        let text = format!(
            "nginx does not take its configuration: {words}{place_text}. {whose}. Nothing was changed"
        );
        Error::new(Kind::Configuration, text)
    }
}

/// Where nginx's error log ended, to find later what came after.
#[derive(Debug)]
pub(crate) struct LogEnd {
    log: PathBuf,
    length: u64,
}

impl LogEnd {
    /// From what `nginx -T` wrote: the first log that is named, or Debian's.
    pub(crate) fn of(dump: &str) -> Self {
        let named = dump.lines().find_map(|line| {
            let words = line.trim_start().strip_prefix("error_log ")?;
            words.split([' ', ';']).find(|word| word.starts_with('/'))
        });
        let log = PathBuf::from(named.unwrap_or("/var/log/nginx/error.log"));
        let length = log.metadata().map(|log| log.len()).unwrap_or_default();
        Self { log, length }
    }

    /// The last complaint since then.
    pub(crate) fn complaint(&self) -> Option<String> {
        let mut file = File::open(&self.log).ok()?;
        file.seek(SeekFrom::Start(self.length)).ok()?;
        let mut said = Vec::new();
        // A log at level `debug` may be large.
        file.take(1 << 20).read_to_end(&mut said).ok()?;
        let said = String::from_utf8_lossy(&said);
        // `still could not bind()` comes after the lines that say to what.
        let worst = said.lines().rev().filter_map(|line| line.split_once("[emerg] "));
        let words = worst.map(|(_, words)| without_process(words));
        words
            .fold(None, |best: Option<&str>, words| match best {
                Some(best) if !best.starts_with("still could not") => Some(best),
                _ => Some(words),
            })
            .map(ToOwned::to_owned)
    }
}

/// A complaint without `PID#TID: ` before it, which it has in logs.
fn without_process(words: &str) -> &str {
    let is_process = |text: &str| text.chars().all(|c| c.is_ascii_digit() || c == '#');
    words.split_once(": ").filter(|(process, _)| is_process(process)).map_or(words, |(_, words)| words)
}

/// The files that `nginx -T` read.
pub(crate) fn files(dump: &str) -> impl Iterator<Item = &Path> {
    dump.lines()
        .filter_map(|line| line.strip_prefix("# configuration file ")?.strip_suffix(':'))
        .map(Path::new)
}

#[cfg(test)]
mod tests {
    use super::*;
    use snapbox::{assert_data_eq, str};

    #[test]
    fn complaints() {
        let find = |said: &str| {
            let Complaint { words, place } = Complaint::find(said);
            (words, place.map(|(path, line)| format!("{}:{line}", path.display())))
        };
        let said = "\
nginx: [warn] conflicting server name \"a\" on 0.0.0.0:80, ignored
nginx: [emerg] unknown directive \"in\" in /etc/nginx/conf.d/a b.conf:3
nginx: configuration file /etc/nginx/nginx.conf test failed
";
        assert_eq!(
            find(said),
            ("unknown directive \"in\"".into(), Some("/etc/nginx/conf.d/a b.conf:3".into()))
        );
        let said =
            "nginx: [emerg] cannot load certificate \"/x\": BIO_new_file() failed (No such file in it: 2)\n";
        assert_eq!(find(said).1, None);
        assert_eq!(find("nginx: invalid option:\n \"z\"\n"), ("nginx: invalid option: \"z\"".into(), None));
    }

    #[test]
    fn what_to_do_about_complaints() {
        let error = |said: &str, already| {
            let error = Complaint::find(said).error(Path::new("/run/conductor/nginx"), already);
            assert_eq!(error.kind(), Kind::Configuration);
            error.to_string()
        };
        assert_data_eq!(
            error(
                "2026/11/25 20:48:00 [emerg] 7#7: unknown directive \"foo\" in /etc/nginx/conf.d/x.conf:3\n",
                true
            ),
            str![
                "nginx does not take its configuration: unknown directive \"foo\", in /etc/nginx/conf.d/x.conf line 3. It is so without this change too, and nginx could not be restarted as it is: correct it until `nginx -t` is content, then repeat this. Nothing was changed"
            ]
        );
        assert_data_eq!(
            error("nginx: [emerg] duplicate upstream \"web\" in /run/conductor/nginx/web.conf:2\n", false),
            str![
                "nginx does not take its configuration: duplicate upstream \"web\", in /run/conductor/nginx/web.conf line 2. The file is Conductor's: look for an upstream, a variable or an address that is in another file of nginx too, and rename one of them. Nothing was changed"
            ]
        );
        assert_data_eq!(
            error("nginx: [emerg] host not found in upstream \"web\" in /etc/nginx/x.conf:7\n", false),
            str![
                "nginx does not take its configuration: host not found in upstream \"web\", in /etc/nginx/x.conf line 7. Without this change nginx takes its configuration: what is said there and this upstream do not go together. Nothing was changed"
            ]
        );
    }

    #[test]
    fn the_log_says_which_port() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("error.log");
        std::fs::write(&path, "old [emerg] 1#1: from before\n").unwrap();
        let end = LogEnd::of(&format!("http {{\n  error_log {} warn;\n", path.display()));
        assert_eq!(end.complaint(), None);
        let mut log = std::fs::read_to_string(&path).unwrap();
        log += "x [emerg] 7#7: bind() to 127.0.0.1:80 failed (98: Address already in use)\n\
                x [notice] 7#7: try again\nx [emerg] 7#7: still could not bind()\n";
        std::fs::write(&path, log).unwrap();
        assert_eq!(end.complaint().unwrap(), "bind() to 127.0.0.1:80 failed (98: Address already in use)");
    }

    #[test]
    fn files_of_a_dump() {
        let dump =
            "# configuration file /etc/nginx/nginx.conf:\nevents {}\n# configuration file /run/c/a.conf:\n";
        assert_eq!(
            files(dump).collect::<Vec<_>>(),
            [Path::new("/etc/nginx/nginx.conf"), Path::new("/run/c/a.conf")]
        );
    }
}
