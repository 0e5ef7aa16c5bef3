//! What goes wrong around a switch, with a real nginx: nothing changes, and somebody is told why.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout
)] // This is a test.

mod support;

use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command};
use std::time::{Duration, Instant};

use conductor_proxy::{Difference, Error, Kind, Nginx, Proxy as _, Switch, Upstream};
use rustix::process::Pid;
use support::backend::Backend;
use support::client::{Connections, Load, get};
use support::nginx::Server;
use support::web;

struct Scene {
    old: Backend,
    new: Backend,
    server: Server,
    nginx: Nginx,
}

impl Scene {
    async fn set() -> Self {
        let [old, new] = ["old", "new"].map(|name| Backend::start(name, Duration::from_millis(10)));
        let server = Server::start(&web(&[&old])).await;
        let nginx = server.nginx();
        Self { old, new, server, nginx }
    }

    fn answer(&self) -> String {
        get(self.server.address, "").unwrap()
    }

    fn wanted(&self) -> Upstream {
        web(&[&self.new])
    }

    /// A switch that must fail and leave everything as it is.
    async fn refused(&self) -> Error {
        let files = self.server.files();
        let error = self.nginx.switch(&self.wanted()).await.unwrap_err();
        assert!(error.is_restored(), "{error}");
        assert_eq!(self.server.files(), files, "{error}");
        assert_eq!(self.answer(), "old");
        error
    }

    async fn moves(&self) {
        let switch = self.nginx.switch(&self.wanted()).await.unwrap();
        assert!(matches!(switch, Switch::Moved { .. }), "{switch:?}");
        assert_eq!(self.answer(), "new");
    }
}

#[tokio::test]
async fn a_port_that_another_process_holds() {
    let scene = Scene::set().await;
    let holder = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = holder.local_addr().unwrap();
    // Whoever wrote this has not reloaded yet: it is our reload that fails.
    scene.server.write("conf.d/other.conf", &format!("server {{ listen {port}; }}\n"));
    scene.nginx.check(&scene.wanted()).await.expect("`nginx -t` does not see it");
    let load = Load::start(scene.server.address, 4, Connections::Fresh, "/");
    let begun = Instant::now();
    let error = scene.refused().await;
    let took = begun.elapsed();
    let tally = load.end();
    assert_eq!(error.kind(), Kind::Refused);
    let said = error.to_string();
    assert!(said.contains(&format!("bind() to {port} failed (98: Address already in use)")), "{said}");
    assert!(said.contains("works on with the workers from before"), "{said}");
    assert_eq!(tally.lost(), 0, "{tally:?}");
    // nginx itself tries for 2.5 s. The rest of 3 s is for us, and more than that for a busy machine.
    assert!(took > Duration::from_millis(2400), "nginx was still trying: {took:?}");
    assert!(took < Duration::from_secs(8), "{took:?}");
    println!("seen after {took:?}");

    drop(holder);
    scene.moves().await;
}

#[tokio::test]
async fn somebody_elses_broken_file() {
    let scene = Scene::set().await;
    scene.server.write("conf.d/other.conf", "server {\n    listen 127.0.0.1:1;\n    proxy_passs x;\n}\n");
    let error = scene.refused().await;
    assert_eq!(error.kind(), Kind::Configuration);
    assert_eq!(scene.nginx.check(&scene.wanted()).await.unwrap_err(), error);
    let path = scene.server.path("conf.d/other.conf");
    let said = error.to_string();
    assert!(said.contains(&format!("\"proxy_passs\", in {} line 3", path.display())), "{said}");
    assert!(said.contains("It is so without this change too"), "{said}");

    std::fs::remove_file(path).unwrap();
    scene.moves().await;
}

#[tokio::test]
async fn an_upstream_that_somebody_else_has() {
    let scene = Scene::set().await;
    scene.server.write("conf.d/other.conf", "upstream web_dark { server 127.0.0.1:1; }\n");
    let door = conductor_proxy::Door::Header("x-dark".parse().unwrap(), "yes".parse().unwrap());
    let servers = vec![conductor_proxy::Server::new(scene.new.address())];
    let dark = Some(conductor_proxy::Dark { servers, door });
    let wanted = Upstream { dark, ..web(&[&scene.old]) };
    let error = scene.nginx.check(&wanted).await.unwrap_err();
    let said = error.to_string();
    assert!(said.contains("duplicate upstream \"web_dark\""), "{said}");
    assert!(!said.contains("without this change too"), "{said}");
}

#[tokio::test]
async fn a_directory_that_nginx_does_not_read() {
    let scene = Scene::set().await;
    scene.server.write(
        "conf.d/conductor.conf",
        "upstream web { server 127.0.0.1:1; }\nmap $host $web_pool { default web; }\n",
    );
    let error = scene.refused().await;
    assert_eq!(error.kind(), Kind::Configuration);
    assert!(error.to_string().contains("put `include "), "{error}");
}

#[tokio::test]
async fn an_nginx_that_does_not_run() {
    let scene = Scene::set().await;
    let files = scene.server.files();
    let mut gone = Command::new("true").spawn().unwrap();
    gone.wait().unwrap();
    let nginx = support::nginx::driver(scene.server.directory.path(), pid(&gone));
    let error = nginx.switch(&scene.wanted()).await.unwrap_err();
    assert_eq!(error.kind(), Kind::Unreachable);
    assert_eq!(scene.server.files(), files);
}

#[tokio::test]
async fn two_names_for_one_variable() {
    let scene = Scene::set().await;
    for name in ["a-b", "a_b"] {
        let upstream = Upstream::even(name.parse().unwrap(), [scene.old.address()]);
        let switch = scene.nginx.switch(&upstream).await;
        assert_eq!(switch.is_ok(), name == "a-b");
        if let Err(error) = switch {
            assert!(error.to_string().contains("a-b and a_b would both be $a_b_pool"), "{error}");
        }
    }
    // Nothing of the configuration names it, so it can go.
    let name = "a-b".parse().unwrap();
    assert!(matches!(scene.nginx.remove(&name).await.unwrap(), Switch::Moved { .. }));
    assert_eq!(scene.nginx.remove(&name).await.unwrap(), Switch::Unchanged);
    let named = scene.nginx.remove(&"web".parse().unwrap()).await.unwrap_err();
    assert!(named.to_string().contains("unknown \"web_pool\" variable"), "{named}");
    assert_eq!(scene.answer(), "old");
}

#[tokio::test]
async fn killed_between_the_swap_and_the_reload() {
    let scene = Scene::set().await;
    // A main process that never gets round to its SIGHUP: so the deployer is caught where it waits.
    let mut deaf = Command::new("env").args(["--block-signal=HUP", "sleep", "600"]).spawn().unwrap();
    let mut deployer = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "the_deployer_that_is_killed", "--nocapture"])
        .env("DEPLOYER_ROOT", scene.server.directory.path())
        .env("DEPLOYER_MAIN", deaf.id().to_string())
        .env("DEPLOYER_TO", scene.new.address().to_string())
        .spawn()
        .unwrap();
    let file = scene.server.path("conductor/web.conf");
    let begun = Instant::now();
    while !std::fs::read_to_string(&file).unwrap().contains(&scene.new.address().to_string()) {
        assert_eq!(deployer.try_wait().unwrap(), None);
        assert!(begun.elapsed() < Duration::from_secs(30));
        std::thread::sleep(Duration::from_millis(1));
    }
    deployer.kill().unwrap();
    deployer.wait().unwrap();
    deaf.kill().unwrap();
    deaf.wait().unwrap();

    assert!(scene.server.is_valid());
    assert_eq!(scene.answer(), "old", "nginx was never told");
    // The text is as wanted already, and yet there is something to do.
    assert_eq!(scene.nginx.difference(&scene.wanted()).await.unwrap(), Difference::Unproved);
    scene.moves().await;
    assert_eq!(scene.nginx.difference(&scene.wanted()).await.unwrap(), Difference::None);
    // And what a switch leaves behind is gone.
    assert_eq!(scene.server.files().len(), 1, "{:?}", scene.server.files());
}

/// The other side of the test above; nothing when it is run by itself.
#[tokio::test]
async fn the_deployer_that_is_killed() {
    let var = |name| std::env::var(name).ok();
    let (Some(root), Some(main), Some(to)) = (var("DEPLOYER_ROOT"), var("DEPLOYER_MAIN"), var("DEPLOYER_TO"))
    else {
        return;
    };
    let main = Pid::from_raw(main.parse().unwrap()).unwrap();
    let nginx = support::nginx::driver(Path::new(&root), main);
    let upstream = Upstream::even("web".parse().unwrap(), [to.parse().unwrap()]);
    let ended = nginx.switch(&upstream).await;
    panic!("it was to be killed before: {ended:?}");
}

fn pid(child: &Child) -> Pid {
    Pid::from_raw(i32::try_from(child.id()).unwrap()).unwrap()
}
