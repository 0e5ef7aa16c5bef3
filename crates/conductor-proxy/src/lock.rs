//! One at a time, on the whole host (flock(2)).

use std::fs::{File, OpenOptions};
use std::io::{Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::time::Duration;

use rustix::fs::{FlockOperation, flock};
use rustix::io::Errno;
use tokio::sync::oneshot;

use crate::{Error, Kind};

/// Held until dropped, or until its holder dies, which no lock directory can do.
#[derive(Debug)]
pub(crate) struct Lock {
    _file: File,
}

impl Lock {
    /// Waits for the lock, so long at most.
    pub(crate) async fn take(path: &Path, doing: &str, limit: Duration) -> Result<Self, Error> {
        let fail = |error: std::io::Error| Error::system(format_args!("locking {}", path.display()), error);
        if let Some(directory) = path.parent() {
            std::fs::create_dir_all(directory).map_err(fail)?;
        }
        let mut options = OpenOptions::new();
        let file = options
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(path)
            .map_err(fail)?;
        let mut file = match flock(&file, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => file,
            Err(Errno::WOULDBLOCK) => match tokio::time::timeout(limit, locked(file)).await {
                Ok(file) => file.map_err(fail)?,
                Err(_) => return Err(held(path)),
            },
            Err(error) => return Err(fail(error.into())),
        };
        // For the message of whoever waits in vain.
        let written =
            file.set_len(0).and_then(|()| writeln!(file, "process {}: {doing}", std::process::id()));
        written.map_err(fail)?;
        Ok(Self { _file: file })
    }
}

/// Waits in a thread, since flock(2) has no other way to be told. The thread is nobody's: a future that is dropped, or
/// a runtime that ends, does not wait for it, and a lock that it still gets is released at once.
async fn locked(file: File) -> std::io::Result<File> {
    let (sender, receiver) = oneshot::channel();
    std::thread::Builder::new().name("lock".into()).spawn(move || {
        let locked = loop {
            match flock(&file, FlockOperation::LockExclusive) {
                Err(Errno::INTR) => {}
                Err(error) => break Err(error.into()),
                Ok(()) => break Ok(file),
            }
        };
        // Nobody waits any more: then it is dropped here.
        drop(sender.send(locked));
    })?;
    receiver.await.unwrap_or_else(|_| Err(std::io::Error::other("the thread that waits for it has died")))
}

fn held(path: &Path) -> Error {
    let mut holder = String::new();
    let read = File::open(path).and_then(|file| file.take(200).read_to_string(&mut holder));
    let holder = match read {
        Ok(_) if !holder.trim().is_empty() => holder.trim().to_owned(),
        _ => "somebody".to_owned(),
    };
    let path = path.display();
    Error::new(
        Kind::Locked,
        format!(
            "{holder} holds {path}, and has for long. Nothing was changed: see what it does, then try again"
        ),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    const LONG: Duration = Duration::from_secs(30);

    #[tokio::test]
    async fn one_holds_it_and_the_next_gets_it() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("sub/nginx.lock");
        let first = Lock::take(&path, "switching web", LONG).await.unwrap();
        let refused = Lock::take(&path, "", Duration::from_millis(20)).await.unwrap_err();
        assert_eq!(refused.kind(), Kind::Locked);
        let said = refused.to_string();
        assert!(said.contains(&format!("process {}: switching web holds", std::process::id())), "{said}");
        let (second, ()) = tokio::join!(Lock::take(&path, "switching api", LONG), async {
            tokio::task::yield_now().await;
            drop(first);
        });
        second.unwrap();
    }
}
