//! nginx's whole configuration, checked with files that nobody else sees yet.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::Path;
use std::process::{Output, Stdio};
use std::time::Duration;

use tempfile::TempDir;
use tokio::process::Command;

use super::Nginx;
use super::said::Complaint;
use crate::{Error, Kind, files};

/// nginx resolves names while it reads, and a resolver that is away takes 30 s and more.
const LIMIT: Duration = Duration::from_secs(120);

/// In a mount namespace of its own (unshare(1)), the candidate lies over the directory that nginx includes. So it is
/// the real main file that is read, with every include and every relative path as it is, and the live files are not
/// touched.
const OVER: &str = "mount --bind \"$1\" \"$2\" && shift 2 && exec \"$@\"";

/// What the directory of a candidate is called, and then as nothing else is.
const CANDIDATE: &str = ".nginx-candidate-";

/// Names of files in our directory and what is to be in them; `None` for one that is not to be there.
pub(crate) type Files = BTreeMap<String, Option<String>>;

/// How nginx judged.
pub(crate) enum Judged {
    /// It takes it; the text is its whole configuration (`nginx -T`).
    Fine(String),
    /// It does not.
    Bad(Complaint),
}

impl Nginx {
    /// Has nginx judge its configuration as it would be with these files in our directory. The lock has to be held.
    pub(super) async fn judge(&self, files: &Files) -> Result<Judged, Error> {
        let laid = self.lay(files);
        let candidate =
            laid.map_err(|error| Error::system("copying nginx's upstreams to check them", error))?;
        let mut command = Command::new("unshare");
        command.args(["--mount", "--propagation", "private", "sh", "-c", OVER, "sh"]);
        command.arg(candidate.path()).arg(&self.directory).arg(&self.program).args(&self.arguments).arg("-T");
        judged(self.run(command, "checking nginx's configuration").await?)
    }

    /// Has nginx judge its configuration as it is.
    pub(super) async fn judge_live(&self) -> Result<Judged, Error> {
        let mut command = Command::new(&self.program);
        command.args(&self.arguments).arg("-T");
        judged(self.run(command, "checking nginx's configuration").await?)
    }

    /// Runs a program and takes what it writes.
    pub(super) async fn run(&self, mut command: Command, doing: &str) -> Result<Output, Error> {
        command.stdin(Stdio::null()).kill_on_drop(true);
        match tokio::time::timeout(LIMIT, command.output()).await {
            Ok(Ok(output)) => Ok(output),
            Ok(Err(error)) => {
                let program = command.as_std().get_program().to_string_lossy().into_owned();
                Err(Error::new(Kind::Unreachable, format!("{doing}: {program} cannot be run: {error}")))
            }
            Err(_) => {
                let seconds = LIMIT.as_secs();
                Err(Error::new(
                    Kind::System,
                    format!("{doing} took more than {seconds} s; does a resolver hang?"),
                ))
            }
        }
    }

    /// A directory beside ours with what is in ours, and these files.
    fn lay(&self, wanted: &Files) -> io::Result<TempDir> {
        fs::create_dir_all(&self.directory)?;
        self.tidy_doors()?;
        let beside = self.directory.parent().unwrap_or(Path::new("/"));
        // The lock is ours: what is there is of somebody who was killed.
        clear(beside, CANDIDATE, None)?;
        clear(&self.directory, ".", Some("new"))?;
        let candidate = tempfile::Builder::new().prefix(CANDIDATE).tempdir_in(beside)?;
        for entry in fs::read_dir(&self.directory)? {
            let entry = entry?;
            if entry.path().extension().is_some_and(|extension| extension == "conf") {
                fs::copy(entry.path(), candidate.path().join(entry.file_name()))?;
            }
        }
        for (name, content) in wanted {
            let path = candidate.path().join(name);
            content.as_ref().map_or_else(|| files::remove(&path), |content| fs::write(&path, content))?;
        }
        Ok(candidate)
    }
}

/// Removes files and directories whose names begin so and have this extension.
fn clear(directory: &Path, begin: &str, extension: Option<&str>) -> io::Result<()> {
    for entry in fs::read_dir(directory)? {
        let entry = entry?;
        let path = entry.path();
        let begins = entry.file_name().as_encoded_bytes().starts_with(begin.as_bytes());
        if !begins || extension.is_some_and(|extension| path.extension() != Some(extension.as_ref())) {
            continue;
        }
        if entry.file_type()?.is_dir() {
            fs::remove_dir_all(path)?;
        } else {
            fs::remove_file(path)?;
        }
    }
    Ok(())
}

fn judged(output: Output) -> Result<Judged, Error> {
    let Output { status, stdout, stderr } = output;
    let said = String::from_utf8_lossy(&stderr);
    if status.success() {
        return Ok(Judged::Fine(String::from_utf8_lossy(&stdout).into_owned()));
    }
    // What comes from unshare, mount or the shell says nothing of the configuration.
    match said.lines().next() {
        Some(line) if ["unshare: ", "mount: ", "sh: "].iter().any(|program| line.starts_with(program)) => {
            let doing = "checking nginx's configuration takes a mount namespace, and so root and the packages \
                         util-linux and mount";
            Err(Error::system(doing, line))
        }
        None => Err(Error::system("checking nginx's configuration", status)),
        Some(_) => Ok(Judged::Bad(Complaint::find(&said))),
    }
}
