//! From the wanted upstream to proved workers, and back if that fails.

use std::collections::BTreeMap;
use std::io;
use std::path::Path;
use std::time::Duration;

use similar::TextDiff;
use tokio::time::Instant;

use super::candidate::{Files, Judged};
use super::reload::Followed;
use super::render::{HTTP, HTTP_FILE, file_name, render};
use super::{Nginx, led, said};
use crate::files::{self, Kept};
use crate::lock::Lock;
use crate::{Ask, Difference, Door, Drain, Error, Kind, Proxy, Switch, Upstream, UpstreamName, Verified};

/// Who holds the lock checks and reloads, which takes seconds at most.
pub(super) const LOCK_LIMIT: Duration = Duration::from_secs(60);
/// nginx that is restarted while it is told to reload is told again.
const RESTARTS: u32 = 3;

impl Proxy for Nginx {
    async fn difference(&self, wanted: &Upstream) -> Result<Difference, Error> {
        let text = self.text(wanted)?;
        let file = self.file(&wanted.name);
        let now = file.read().map_err(|error| reading(&file, error))?.unwrap_or_default();
        if now == text {
            return Ok(if file.is_unproved() { Difference::Unproved } else { Difference::None });
        }
        // Somebody was killed while nginx was told to reload.
        let door = self.door(&wanted.name);
        if door.is_some_and(|door| now == render(wanted, Some(&door))) {
            return Ok(Difference::Unproved);
        }
        let path = file.path().display().to_string();
        let diff = TextDiff::from_lines(&now, &text);
        Ok(Difference::Text(diff.unified_diff().header(&path, &path).to_string()))
    }

    async fn check(&self, wanted: &Upstream) -> Result<(), Error> {
        let text = self.text(wanted)?;
        self.runner.main().await?;
        let _lock = Lock::take(&self.lock, &format!("checking {}", wanted.name), LOCK_LIMIT).await?;
        let (_, dump) = self.accepted(&wanted.name, Some(text)).await?;
        led::to_the_dark(wanted, self.file(&wanted.name).path(), &dump)
    }

    async fn switch(&self, wanted: &Upstream) -> Result<Switch, Error> {
        let text = self.text(wanted)?;
        let _lock = self.moving(&wanted.name).await?;
        if self.is_in_effect(&wanted.name, Some(&text))? {
            return Ok(Switch::Unchanged);
        }
        self.apply(wanted, text).await
    }

    async fn verify(&self, wanted: &Upstream, ask: &Ask) -> Result<Verified, Error> {
        self.verified(wanted, ask).await
    }

    async fn remove(&self, name: &UpstreamName) -> Result<Switch, Error> {
        let _lock = self.moving(name).await?;
        if self.is_in_effect(name, None)? {
            return Ok(Switch::Unchanged);
        }
        self.moved(name, None, None).await
    }

    async fn drain(&self, _wanted: &Upstream, limit: Duration) -> Result<Drain, Error> {
        let begun = Instant::now();
        let finishing = self.finishing().await?;
        let mut left = Vec::new();
        for worker in finishing {
            match tokio::time::timeout_at(begun + limit, worker.ended()).await {
                Ok(Ok(())) => {}
                Ok(Err(error)) => return Err(Error::system("waiting for a worker of nginx to end", error)),
                Err(_) => left.push(format!("nginx worker {}", worker.pid().as_raw_nonzero())),
            }
        }
        Ok(Drain { took: begun.elapsed(), left })
    }
}

impl Nginx {
    pub(super) fn file(&self, name: &UpstreamName) -> Kept {
        Kept::new(&self.directory, &file_name(name))
    }

    /// The file of an upstream, if nginx can have it beside those that it has.
    pub(super) fn text(&self, wanted: &Upstream) -> Result<String, Error> {
        let name = &wanted.name;
        if let Some(Door::Cookie(cookie, _)) = wanted.dark.as_ref().map(|dark| &dark.door)
            && cookie.as_str().contains('-')
        {
            let cookie = cookie.as_str();
            let text = format!(
                "nginx cannot tell the cookie {cookie:?} of the dark release of {name}: it knows only names of \
                 letters, digits and `_`. Use one of these, or a header"
            );
            return Err(Error::new(Kind::Configuration, text));
        }
        let others = self.names().map_err(|error| Error::system("reading nginx's upstreams", error))?;
        if let Some(other) = others.iter().find(|other| *other != name && other.variable() == name.variable())
        {
            let text = format!(
                "the upstreams {other} and {name} would both be ${} to nginx. Nothing was changed: rename one of them",
                name.variable()
            );
            return Err(Error::new(Kind::Configuration, text));
        }
        Ok(render(wanted, None))
    }

    /// The upstreams that have a file.
    pub(super) fn names(&self) -> io::Result<Vec<UpstreamName>> {
        let entries = match std::fs::read_dir(&self.directory) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            entries => entries?,
        };
        let mut names = Vec::new();
        for entry in entries {
            let name = entry?.file_name();
            let name = name.to_str().and_then(|name| name.strip_suffix(".conf"));
            names.extend(name.and_then(|name| name.parse().ok()));
        }
        Ok(names)
    }

    /// The lock for moving an upstream's traffic.
    pub(super) async fn moving(&self, name: &UpstreamName) -> Result<Lock, Error> {
        Lock::take(&self.lock, &format!("moving the traffic of {name}"), LOCK_LIMIT).await
    }

    pub(super) fn is_in_effect(&self, name: &UpstreamName, text: Option<&str>) -> Result<bool, Error> {
        let file = self.file(name);
        let now = file.read().map_err(|error| reading(&file, error))?;
        Ok(now.as_deref() == text && !file.is_unproved())
    }

    /// Has nginx read the file, with a way in for us while it does.
    pub(super) async fn apply(&self, wanted: &Upstream, text: String) -> Result<Switch, Error> {
        let name = &wanted.name;
        if let Some(door) = self.door(name) {
            let with_door = render(wanted, Some(&door));
            match self.moved(name, Some(&with_door), Some(&text)).await {
                // Where nginx may not have a socket there, traffic moves all the same.
                Err(error) if error.is_restored() && is_about(&error, &door) => {}
                moved => return moved,
            }
        }
        self.moved(name, Some(&text), Some(&text)).await
    }

    /// Has nginx read a file, and then leaves another one in its place, in which the same servers are.
    async fn moved(
        &self,
        name: &UpstreamName,
        read: Option<&str>,
        left: Option<&str>,
    ) -> Result<Switch, Error> {
        let file = self.file(name);
        self.runner.main().await?;
        let (checked, dump) = self.accepted(name, read.map(str::to_owned)).await?;
        let log = said::LogEnd::of(&dump);
        if let Some(http) = checked.get(HTTP_FILE) {
            self.write_http(http.as_deref())
                .map_err(|error| Error::system("writing nginx's configuration", error))?;
        }
        let writing = |error| Error::system(format_args!("writing {}", file.path().display()), error);
        if let Err(error) = file.replace(read) {
            return Err(Self::restored(&file, writing(error)));
        }
        let error = match self.followed().await {
            Ok(Followed::Yes(took)) => {
                if let Some(left) = left.filter(|_| left != read) {
                    files::write(file.path(), left).map_err(writing)?;
                }
                file.proved().map_err(writing)?;
                return Ok(Switch::Moved { took });
            }
            // It waits for the next signal, with its workers from before: nothing will come of this one any more.
            Ok(Followed::No) => return Err(Self::restored(&file, self.refused(log.complaint()))),
            Ok(Followed::Restarted | Followed::Unclear) => {
                Error::new(Kind::Refused, format!("nginx did not reload in time; see {}", self.runner.log()))
            }
            Err(error) => error,
        };
        Err(self.back(&file, error).await)
    }

    /// Reloads until it is the same nginx before and after.
    pub(super) async fn followed(&self) -> Result<Followed, Error> {
        for _ in 0..RESTARTS {
            match self.reload().await? {
                Followed::Restarted => {}
                followed => return Ok(followed),
            }
        }
        Ok(Followed::Restarted)
    }

    /// Puts the file back. For when nginx has not read the new one, and will not without being told.
    fn restored(file: &Kept, error: Error) -> Error {
        match file.restore() {
            Ok(()) => error.and("The file is as it was, and requests go where they went"),
            Err(io) => error
                .and(format_args!(
                    "{} could not be put back ({io}): correct it before nginx is reloaded or restarted",
                    file.path().display()
                ))
                .not_restored(),
        }
    }

    /// Puts the file back and has nginx read it, for when it may have read the new one.
    async fn back(&self, file: &Kept, error: Error) -> Error {
        let error = Self::restored(file, error);
        // Without a main process nothing is in effect but what the next one reads.
        if !error.is_restored() || self.runner.main().await.is_err() {
            return error;
        }
        match self.followed().await {
            Ok(Followed::Yes(_)) => error,
            _ => error
                .and("Whether nginx has read it again is not certain: reload it, and see its log")
                .not_restored(),
        }
    }

    fn refused(&self, complaint: Option<String>) -> Error {
        let why = complaint.map_or_else(
            || format!("{} say why; often another process holds a port", self.runner.log()),
            |complaint| format!("its error log says: {complaint}"),
        );
        let text = format!("nginx was told to reload and works on with the workers from before; {why}");
        Error::new(Kind::Refused, text)
    }

    /// The files as nginx takes them, and its whole configuration with them.
    async fn accepted(&self, name: &UpstreamName, text: Option<String>) -> Result<(Files, String), Error> {
        let mut files = BTreeMap::from([(file_name(name), text.clone())]);
        if self.version().await?.is_some_and(super::Version::keeps_connections) {
            files.insert(HTTP_FILE.to_owned(), Some(HTTP.to_owned()));
        }
        let complaint = match self.judge(&files).await? {
            Judged::Fine(dump) => return self.included(name, text.is_none(), &dump).map(|()| (files, dump)),
            // The administrator has it already, and knows better.
            Judged::Bad(complaint) if complaint.is_second_timeout() => {
                files.insert(HTTP_FILE.to_owned(), None);
                match self.judge(&files).await? {
                    Judged::Fine(dump) => {
                        return self.included(name, text.is_none(), &dump).map(|()| (files, dump));
                    }
                    Judged::Bad(complaint) => complaint,
                }
            }
            Judged::Bad(complaint) => complaint,
        };
        let already = matches!(self.judge_live().await?, Judged::Bad(_));
        Err(complaint.error(&self.directory, already))
    }

    /// A file that nginx does not read moves nothing.
    fn included(&self, name: &UpstreamName, removed: bool, dump: &str) -> Result<(), Error> {
        let path = self.directory.join(file_name(name));
        if removed || said::files(dump).any(|read| read == path) {
            return Ok(());
        }
        let directory = self.directory.display();
        let text = format!(
            "nginx does not read {}. Nothing was changed: put `include {directory}/*.conf;` into its `http` block",
            path.display()
        );
        Err(Error::new(Kind::Configuration, text))
    }
}

fn is_about(error: &Error, door: &Path) -> bool {
    error.to_string().contains(&*door.to_string_lossy())
}

fn reading(file: &Kept, error: io::Error) -> Error {
    Error::system(format_args!("reading {}", file.path().display()), error)
}
