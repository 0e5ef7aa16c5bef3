//! A real HAProxy in a directory of its own.

use std::net::SocketAddr;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use conductor_proxy::{Haproxy, Others, Upstream};

use super::nginx::{free, wait_for};

#[derive(Debug)]
pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    pub(crate) directory: tempfile::TempDir,
    /// Whether it is started with `-f` for the driver's directory.
    reads: bool,
    process: Child,
}

/// What differs from one test to another.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Config {
    pub(crate) level: &'static str,
    pub(crate) defaults: &'static str,
    /// Backends of the administrator's own.
    pub(crate) backends: &'static str,
    pub(crate) reads: bool,
}

impl Config {
    pub(crate) const USUAL: Self = Self { level: "admin", defaults: "", backends: "", reads: true };
}

/// The socket for commands is there later than the one for customers.
fn wait_for_socket(root: &Path) {
    let begun = Instant::now();
    while UnixStream::connect(root.join("api.sock")).is_err() {
        assert!(begun.elapsed() < Duration::from_secs(30), "nobody listens on api.sock");
        std::thread::sleep(Duration::from_millis(5));
    }
}

impl Server {
    /// Starts one that passes everything on to the backend `web`, which the driver has written as it does at boot.
    pub(crate) fn start(upstream: &Upstream, config: Config) -> Self {
        let directory = tempfile::Builder::new().prefix("conductor-haproxy-").tempdir().unwrap();
        let root = directory.path();
        let address = free();
        let Config { level, defaults, backends, reads } = config;
        let text = format!(
            "\
global
    stats socket {socket} level {level}
defaults
    mode http
    timeout connect 5s
    timeout client 60s
    timeout server 60s
    {defaults}
frontend all
    bind {address}
    use_backend web_dark if {{ req.hdr(x-dark) -m str s3cret }}
    default_backend web
{backends}
",
            socket = root.join("api.sock").display()
        );
        std::fs::write(root.join("haproxy.cfg"), text).unwrap();
        driver(root).write_all(std::slice::from_ref(upstream), Others::Remove).unwrap();
        let mut process = spawn(root, reads);
        wait_for(address, &mut process);
        wait_for_socket(root);
        Self { address, directory, reads, process }
    }

    pub(crate) fn haproxy(&self) -> Haproxy {
        driver(self.directory.path())
    }

    /// What the driver has written down.
    pub(crate) fn file(&self) -> String {
        std::fs::read_to_string(self.directory.path().join("backends/web.cfg")).unwrap()
    }

    /// Ends it at once and starts another.
    pub(crate) fn restart(&mut self) {
        self.kill();
        self.process = spawn(self.directory.path(), self.reads);
        wait_for(self.address, &mut self.process);
        wait_for_socket(self.directory.path());
    }

    pub(crate) fn kill(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn spawn(root: &std::path::Path, reads: bool) -> Child {
    let mut command = Command::new("/usr/sbin/haproxy");
    command.arg("-db").arg("-f").arg(root.join("haproxy.cfg"));
    if reads {
        command.arg("-f").arg(root.join("backends"));
    }
    // It reports every change of a server.
    command.stderr(Stdio::null());
    command.spawn().expect("HAProxy is needed: apt-get install haproxy")
}

fn driver(root: &std::path::Path) -> Haproxy {
    Haproxy::new(root.join("api.sock")).directory(&root.join("backends"))
}
