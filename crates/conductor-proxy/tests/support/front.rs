//! Either proxy, as a deploy has it: one driver.

use std::net::SocketAddr;
use std::time::Duration;

use conductor_proxy::{Driver, Proxy as _, Switch, Upstream};

use super::backend::Backend;
use super::client::{Connections, Load, Tally, get};
use super::{haproxy, nginx, web};

const ANSWER: Duration = Duration::from_millis(30);
const DRAIN: Duration = Duration::from_secs(30);
const LOOK: Duration = Duration::from_millis(1);

/// Which program.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Front {
    Nginx,
    Haproxy,
}

/// It ends with the value.
#[derive(Debug)]
#[expect(dead_code, reason = "kept, to be ended")]
enum Running {
    Nginx(nginx::Server),
    Haproxy(haproxy::Server),
}

impl Front {
    /// Starts one that passes everything on to `upstream`.
    async fn start(self, upstream: &Upstream) -> (Running, SocketAddr, Driver) {
        match self {
            Self::Nginx => {
                let server = nginx::Server::start(upstream).await;
                let (address, driver) = (server.address, Driver::Nginx(server.nginx()));
                (Running::Nginx(server), address, driver)
            }
            Self::Haproxy => {
                let server = haproxy::Server::start(upstream, haproxy::Config::USUAL);
                let (address, driver) = (server.address, Driver::Haproxy(server.haproxy()));
                (Running::Haproxy(server), address, driver)
            }
        }
    }

    /// Moves the traffic so often from one release to the next, and kills each old one: after the drain, or at once.
    pub(crate) async fn switches(self, count: usize, connections: Connections, drained: bool) -> Tally {
        let mut live = Backend::start("release 0", ANSWER);
        let (_running, address, driver) = self.start(&web(&[&live])).await;
        let load = Load::start(address, 8, connections, "/");
        for release in 1..=count {
            let next = Backend::start(&format!("release {release}"), ANSWER);
            let wanted = web(&[&next]);
            let switch = driver.switch(&wanted).await.unwrap();
            assert!(matches!(switch, Switch::Moved { .. }), "{switch:?}");
            if drained {
                let drain = driver.drain(&wanted, DRAIN).await.unwrap();
                assert!(drain.is_complete(), "{drain}");
            }
            std::mem::replace(&mut live, next).kill();
            while live.answered() == 0 {
                tokio::time::sleep(LOOK).await;
            }
        }
        let tally = load.end();
        assert!(tally.answered.contains_key(&format!("release {count}")), "{tally:?}");
        assert!(tally.total() + tally.lost() > 5 * count as u64, "that was no load: {tally:?}");
        tally
    }

    /// A drain ends with the slowest request, or says what is left when it may last no longer.
    pub(crate) async fn drains(self, left: impl Fn(&Backend) -> String) {
        let slow = Backend::start("slow", Duration::from_secs(2));
        let next = Backend::start("next", LOOK);
        let (_running, address, driver) = self.start(&web(&[&slow])).await;
        let request = std::thread::spawn(move || get(address, ""));
        // It has reached the old release when that has a connection.
        while slow.connected() == 0 {
            tokio::time::sleep(LOOK).await;
        }
        let wanted = web(&[&next]);
        driver.switch(&wanted).await.unwrap();
        assert_eq!(get(address, "").unwrap(), "next");
        let drain = driver.drain(&wanted, Duration::from_millis(50)).await.unwrap();
        assert!(!drain.is_complete(), "the request goes on: {drain}");
        assert!(drain.to_string().contains(&left(&slow)), "{drain}");
        // Whoever carries on after a crash finds what is left as well.
        let drain = driver.drain(&wanted, Duration::from_secs(60)).await.unwrap();
        assert!(drain.is_complete(), "{drain}");
        slow.kill();
        assert_eq!(request.join().unwrap().unwrap(), "slow");
    }
}
