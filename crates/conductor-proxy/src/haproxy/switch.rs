//! From the wanted upstream to servers that get requests, and back if that fails.

use std::io;
use std::time::Duration;

use similar::TextDiff;
use tokio::time::Instant;

use super::Haproxy;
use super::plan::{Command, commands, file, others, undo};
use super::state::{Known, requests, servers};
use crate::files::{self, Kept};
use crate::{Ask, Difference, Drain, Error, Kind, Proxy, Server, Switch, Upstream, UpstreamName, Verified};

/// From one look to the next: the runtime API tells nothing by itself.
const LOOK: Duration = Duration::from_millis(10);

/// A backend of one upstream: what is in effect, and what is wanted.
struct Backend<'a> {
    name: String,
    wanted: &'a [Server],
    known: Vec<Known>,
}

impl Backend<'_> {
    fn commands(&self) -> Vec<Command> {
        commands(&self.name, &self.known, self.wanted)
    }
}

impl Proxy for Haproxy {
    async fn difference(&self, wanted: &Upstream) -> Result<Difference, Error> {
        let kept = self.kept(&wanted.name);
        let now = kept.read().map_err(|error| on_file(&kept, error))?.unwrap_or_default();
        let text = file(wanted);
        if now != text {
            let path = kept.path().display().to_string();
            let diff = TextDiff::from_lines(&now, &text);
            return Ok(Difference::Text(diff.unified_diff().header(&path, &path).to_string()));
        }
        let backends = self.backends(wanted).await?;
        let same = backends.iter().all(|backend| backend.commands().is_empty());
        Ok(if same { Difference::None } else { Difference::Unproved })
    }

    async fn check(&self, wanted: &Upstream) -> Result<(), Error> {
        self.can_tell().await?;
        self.will_read().await?;
        self.backends(wanted).await.map(drop)
    }

    async fn switch(&self, wanted: &Upstream) -> Result<Switch, Error> {
        self.check(wanted).await?;
        let backends = self.backends(wanted).await?;
        let kept = self.kept(&wanted.name);
        let before = kept.read().map_err(|error| on_file(&kept, error))?;
        let text = file(wanted);
        // First the file: what a restart reads has to hold at least what is told.
        if before.as_deref() != Some(&text) {
            files::write(kept.path(), &text).map_err(|error| on_file(&kept, error))?;
        }
        let begun = Instant::now();
        match self.tell_all(&backends, wanted).await {
            Ok(0) => Ok(Switch::Unchanged),
            Ok(_) => Ok(Switch::Moved { took: begun.elapsed() }),
            Err(error) => {
                let file = before
                    .map_or_else(|| files::remove(kept.path()), |text| files::write(kept.path(), &text));
                Err(self.back(&backends, file, error).await)
            }
        }
    }

    /// HAProxy has no way in but the administrator's frontends, of which it cannot be told which leads where. It says of
    /// each server what it does with it, and that is asked anew here.
    async fn verify(&self, wanted: &Upstream, _: &Ask) -> Result<Verified, Error> {
        let backends = self.backends(wanted).await?;
        match backends.iter().flat_map(Backend::commands).next() {
            None => Ok(Verified::Said),
            Some(Command { text, worked: _ }) => Err(Error::new(
                Kind::Refused,
                format!("HAProxy was switched, and yet `{text}` is to be done"),
            )),
        }
    }

    async fn remove(&self, name: &UpstreamName) -> Result<Switch, Error> {
        self.switch(&Upstream::even(name.clone(), [])).await
    }

    async fn drain(&self, wanted: &Upstream, limit: Duration) -> Result<Drain, Error> {
        let begun = Instant::now();
        let backends = self.backends(wanted).await?;
        loop {
            let mut left = Vec::new();
            for backend in &backends {
                left.extend(self.busy(backend).await?);
            }
            let took = begun.elapsed();
            if left.is_empty() {
                self.forget(&backends).await?;
            } else if took < limit {
                tokio::time::sleep(LOOK.min(limit)).await;
                continue;
            }
            return Ok(Drain { took, left });
        }
    }
}

impl Haproxy {
    pub(super) fn kept(&self, name: &UpstreamName) -> Kept {
        Kept::new(&self.directory, &format!("{name}.cfg"))
    }

    /// The backends of an upstream as they are. The dark one has to be there only if it is wanted.
    async fn backends<'a>(&self, wanted: &'a Upstream) -> Result<Vec<Backend<'a>>, Error> {
        let Upstream { name, servers, dark } = wanted;
        let main =
            Backend { name: name.to_string(), wanted: servers, known: self.known(name.as_str()).await? };
        let dark = dark.as_ref().map(|dark| dark.servers.as_slice()).unwrap_or_default();
        let known = match self.known(&name.dark()).await {
            Ok(known) => known,
            Err(error) if error.kind() == Kind::Configuration && dark.is_empty() => return Ok(vec![main]),
            Err(error) => return Err(error),
        };
        Ok(vec![main, Backend { name: name.dark(), wanted: dark, known }])
    }

    async fn known(&self, backend: &str) -> Result<Vec<Known>, Error> {
        let answer = self.ask(&format!("show servers state {backend}")).await?;
        servers(&answer).ok_or_else(|| {
            let directory = self.directory.display();
            let text = format!(
                "HAProxy has no backend {backend} ({answer}). Nothing was changed: the backends of services are in \
                 {directory}, which it has to be started with (`-f {directory}`) and reloaded for a new service"
            );
            Error::new(Kind::Configuration, text)
        })
    }

    /// Tells everything that has to be told, and makes sure that it is in effect; how many commands it took.
    async fn tell_all(&self, backends: &[Backend<'_>], wanted: &Upstream) -> Result<usize, Error> {
        let mut told = 0;
        for command in backends.iter().flat_map(Backend::commands) {
            self.tell(&command.text, command.worked).await?;
            told += 1;
        }
        let now = self.backends(wanted).await?;
        match now.iter().flat_map(Backend::commands).next() {
            None => Ok(told),
            Some(Command { text, worked: _ }) => {
                let text = format!("HAProxy took all commands, and yet `{text}` is still to be done");
                Err(Error::new(Kind::Refused, text))
            }
        }
    }

    /// Undoes what was told. `file` says whether the file is as it was.
    async fn back(&self, backends: &[Backend<'_>], file: io::Result<()>, error: Error) -> Error {
        let mut undone = file.map_err(|error| Error::system("putting back the file", error));
        for Backend { name, wanted: _, known } in backends {
            let commands = self.known(name).await.map(|now| undo(name, known, &now));
            match commands {
                Ok(commands) => {
                    for command in commands {
                        undone = undone.and(self.tell(&command.text, command.worked).await);
                    }
                }
                Err(error) => undone = undone.and(Err(error)),
            }
        }
        match undone {
            Ok(()) => error.and("Everything is as it was"),
            Err(why) => error.and(format_args!("Putting everything back failed: {why}")).not_restored(),
        }
    }

    /// Servers that are not wanted and have requests.
    async fn busy(&self, backend: &Backend<'_>) -> Result<Vec<String>, Error> {
        let answer = self.ask(&format!("show stat {} 4 -1", backend.name)).await?;
        let requests = requests(&answer).ok_or_else(|| {
            Error::new(
                Kind::Refused,
                format!("HAProxy does not say what {} has to do: {answer}", backend.name),
            )
        })?;
        let is_wanted = |name: &str| backend.wanted.iter().any(|server| server.address.server_name() == name);
        let busy = requests.into_iter().filter(|(name, requests)| *requests > 0 && !is_wanted(name));
        Ok(busy.map(|(name, requests)| format!("{requests} at {}/{name}", backend.name)).collect())
    }

    /// Removes servers that have nothing to do any more, if they are ours: others are the administrator's. HAProxy
    /// refuses while it still has idle connections to one; in maintenance it does no harm, and the next drain tries
    /// again.
    async fn forget(&self, backends: &[Backend<'_>]) -> Result<(), Error> {
        for Backend { name, wanted, .. } in backends {
            for known in
                others(&self.known(name).await?, wanted).filter(|known| known.is_out && is_ours(&known.name))
            {
                self.ask(&format!("del server {name}/{}", known.name)).await?;
            }
        }
        Ok(())
    }

    /// Whether the socket lets us change anything.
    async fn can_tell(&self) -> Result<(), Error> {
        let level = self.ask("show cli level").await?;
        if level == "admin" {
            return Ok(());
        }
        let socket = self.socket.display();
        let text = format!(
            "HAProxy allows no changes over {socket}, whose level is {level:?}. Nothing was changed: write `stats \
             socket {socket} level admin` into the `global` section of its configuration and reload it"
        );
        Err(Error::new(Kind::Configuration, text))
    }
}

/// Whether a server has a name that we gave it, after its address.
fn is_ours(name: &str) -> bool {
    let tcp = |text: &str| text.parse::<crate::Address>().is_ok_and(|address| address.server_name() == name);
    let v6 = || name.rsplit_once('-').is_some_and(|(ip, port)| tcp(&format!("[{ip}]:{port}")));
    let path =
        || name.strip_prefix("unix:").is_some_and(|path| tcp(&format!("unix:/{}", path.replace(':', "/"))));
    tcp(name) || v6() || path()
}

pub(super) fn on_file(kept: &Kept, error: io::Error) -> Error {
    Error::system(kept.path().display(), error)
}

#[cfg(test)]
mod tests {
    use super::is_ours;

    #[test]
    fn whose_servers() {
        for name in ["127.0.0.1:80", "::1-80", "unix:run:a.sock"] {
            assert!(is_ours(name), "{name}");
        }
        for name in ["web1", "127.0.0.1", "web-80", "unix", "[::1]:80"] {
            assert!(!is_ours(name), "{name}");
        }
    }
}
