//! From names to addresses, as the rest of the machine does it.

use super::Reason;
use std::collections::BTreeMap;
use std::net::{IpAddr, ToSocketAddrs};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::watch;

type Found = Option<Arc<[IpAddr]>>;
type Answer = watch::Receiver<Option<Found>>;

/// Names that are being looked up.
///
/// getaddrinfo(3) takes a thread for as long as the machine's resolver likes, and cannot be called
/// off when a check is over before. Checks of the same name therefore wait for the same call: a
/// name server that does not answer costs one thread per name and not one per check, and other
/// names have theirs.
static LOOKUPS: Mutex<BTreeMap<String, Answer>> = Mutex::new(BTreeMap::new());

fn lookups() -> MutexGuard<'static, BTreeMap<String, Answer>> {
    LOOKUPS.lock().unwrap_or_else(PoisonError::into_inner)
}

/// All addresses of a name, in the order in which they are to be tried (RFC 6724). A resolver that
/// fails is no fault of the service behind the name.
pub(super) async fn lookup(name: &str) -> Result<Arc<[IpAddr]>, Reason> {
    let mut answer = begin(name, |name| {
        let found = (name, 0).to_socket_addrs().ok()?;
        Some(found.map(|address| address.ip()).collect())
    });
    let found = if let Ok(found) = answer.wait_for(Option::is_some).await {
        found.clone().flatten()
    } else {
        // The call was never made: its runtime was shut down.
        lookups().remove(name);
        None
    };
    match found {
        Some(addresses) if !addresses.is_empty() => Ok(addresses),
        Some(_) => Err(Reason::Own(format!("the name {name} has no address"))),
        None => Err(Reason::Own(format!("the name {name} does not resolve"))),
    }
}

/// The call for this name that is under way, or a new one.
fn begin(name: &str, call: impl FnOnce(&str) -> Found + Send + 'static) -> Answer {
    let mut lookups = lookups();
    if let Some(answer) = lookups.get(name) {
        return answer.clone();
    }
    let (tell, answer) = watch::channel(None);
    lookups.insert(name.to_owned(), answer.clone());
    drop(lookups);
    let name = name.to_owned();
    tokio::task::spawn_blocking(move || {
        let found = call(&name);
        self::lookups().remove(&name);
        // Nobody may be waiting any more.
        let _ = tell.send(Some(found));
    });
    answer
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::Ipv4Addr;
    use std::sync::atomic::{AtomicU32, Ordering::SeqCst};
    use std::sync::mpsc;

    #[tokio::test]
    async fn checks_of_one_name_share_one_call() {
        static CALLS: AtomicU32 = AtomicU32::new(0);
        let (release, held) = mpsc::channel::<()>();
        let mut first = begin("shared.test", move |_| {
            CALLS.fetch_add(1, SeqCst);
            held.recv().ok()?;
            Some([IpAddr::from(Ipv4Addr::LOCALHOST)].into())
        });
        let again = |_: &str| {
            CALLS.fetch_add(1, SeqCst);
            None
        };
        let second = begin("shared.test", again);
        // Another name does not wait for this one.
        let mut other = begin("other.test", |_| None);
        assert_eq!(*other.wait_for(Option::is_some).await.unwrap(), Some(None));
        release.send(()).unwrap();
        let found = first.wait_for(Option::is_some).await.unwrap().clone().flatten().unwrap();
        assert_eq!(&found[..], [IpAddr::from(Ipv4Addr::LOCALHOST)]);
        assert_eq!(second.borrow().clone().flatten().unwrap(), found);
        assert_eq!(CALLS.load(SeqCst), 1);
        // And the next check asks anew.
        let mut third = begin("shared.test", again);
        assert_eq!(*third.wait_for(Option::is_some).await.unwrap(), Some(None));
    }

    #[test]
    fn a_call_that_was_never_made_does_not_block_the_name() {
        let runtime =
            || tokio::runtime::Builder::new_current_thread().max_blocking_threads(1).build().unwrap();
        let (release, held) = mpsc::channel::<()>();
        let ending = runtime();
        ending.block_on(async {
            begin("busy.test", move |_| held.recv().ok().and(None));
            begin("never.test", |_| None);
        });
        ending.shutdown_background();
        drop(release);
        assert!(runtime().block_on(lookup("never.test")).unwrap_err().is_our_own());
        assert!(!lookups().contains_key("never.test"));
    }
}
