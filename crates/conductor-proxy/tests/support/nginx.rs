//! A real nginx in a directory of its own.

use std::ffi::OsString;
use std::fs;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::time::{Duration, Instant};

use conductor_proxy::{Nginx, Others, Runner};
use rustix::process::{Pid, Signal, kill_process};

#[derive(Debug)]
pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    pub(crate) directory: tempfile::TempDir,
    process: Child,
}

/// A port that was free a moment ago.
pub(crate) fn free() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap()
}

/// Waits until somebody listens there.
pub(crate) fn wait_for(address: SocketAddr, process: &mut Child) {
    let begun = Instant::now();
    while TcpStream::connect(address).is_err() {
        assert_eq!(process.try_wait().unwrap(), None, "it has ended");
        assert!(begun.elapsed() < Duration::from_secs(30), "nobody listens on {address}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

impl Server {
    /// Starts one that passes everything on to the upstream `web`, which the driver has written as it does at boot.
    pub(crate) async fn start(upstream: &conductor_proxy::Upstream) -> Self {
        let directory = tempfile::Builder::new().prefix("conductor-nginx-").tempdir().unwrap();
        let address = free();
        let root = directory.path();
        fs::create_dir(root.join("conf.d")).unwrap();
        fs::write(
            root.join("conf.d/conductor.conf"),
            format!("include {}/conductor/*.conf;\n", root.display()),
        )
        .unwrap();
        fs::write(root.join("nginx.conf"), main_file(root, address)).unwrap();
        let nginx = driver(root, rustix::process::getpid());
        nginx.write_all(std::slice::from_ref(upstream), Others::Remove).await.unwrap();
        let process = spawn(root);
        let mut server = Self { address, directory, process };
        wait_for(address, &mut server.process);
        server
    }

    /// Kills it with its workers, so that it cleans nothing up.
    pub(crate) fn kill(&mut self) {
        let pid = self.process.id();
        let workers = fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).unwrap();
        self.process.kill().unwrap();
        self.process.wait().unwrap();
        for worker in workers.split_whitespace() {
            let pid = Pid::from_raw(worker.parse().unwrap()).unwrap();
            // Of workers that finish one may have ended by itself.
            let _ = kill_process(pid, Signal::KILL);
        }
        let begun = Instant::now();
        while TcpStream::connect(self.address).is_ok() {
            assert!(begun.elapsed() < Duration::from_secs(30), "a worker is left");
        }
    }

    /// Starts it anew with the files as they are.
    pub(crate) fn start_again(&mut self) {
        self.process = spawn(self.directory.path());
        wait_for(self.address, &mut self.process);
    }

    pub(crate) fn pid(&self) -> Pid {
        Pid::from_raw(i32::try_from(self.process.id()).unwrap()).unwrap()
    }

    pub(crate) fn nginx(&self) -> Nginx {
        driver(self.directory.path(), self.pid())
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, content: &str) {
        fs::write(self.path(name), content).unwrap();
    }

    /// Everything in the driver's directory.
    pub(crate) fn files(&self) -> Vec<(String, String)> {
        let mut files: Vec<_> = fs::read_dir(self.path("conductor"))
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .map(|path| {
                let name = path.file_name().unwrap().to_str().unwrap().to_owned();
                (name, fs::read_to_string(path).unwrap())
            })
            .collect();
        files.sort();
        files
    }

    /// Whether nginx itself takes its configuration as it lies there.
    pub(crate) fn is_valid(&self) -> bool {
        let mut command = Command::new("/usr/sbin/nginx");
        command.args(arguments(self.directory.path())).arg("-t").output().unwrap().status.success()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // SIGTERM and not SIGKILL: the main process takes its workers with it.
        let _ = kill_process(self.pid(), Signal::TERM);
        let _ = self.process.wait();
    }
}

pub(crate) fn driver(root: &Path, pid: Pid) -> Nginx {
    Nginx::new(Runner::Process(pid))
        .program("/usr/sbin/nginx", arguments(root))
        .directory(&root.join("conductor"))
}

fn spawn(root: &Path) -> Child {
    let mut command = Command::new("/usr/sbin/nginx");
    command.args(arguments(root)).args(["-g", "daemon off; master_process on;"]);
    command.spawn().expect("nginx is needed: apt-get install nginx-light")
}

fn arguments(root: &Path) -> [OsString; 4] {
    ["-c".into(), root.join("nginx.conf").into(), "-p".into(), root.into()]
}

/// `conf.d/*.conf` is relative, as people write it: the check must read what nginx reads.
fn main_file(root: &Path, address: SocketAddr) -> String {
    let root = root.display();
    format!(
        "\
worker_processes 2;
pid {root}/nginx.pid;
error_log {root}/error.log notice;
events {{ worker_connections 1024; }}
http {{
    access_log off;
    client_body_temp_path {root}/body;
    proxy_temp_path {root}/proxy;
    fastcgi_temp_path {root}/fastcgi;
    uwsgi_temp_path {root}/uwsgi;
    scgi_temp_path {root}/scgi;
    include conf.d/*.conf;
    server {{
        listen {address};
        location / {{
            proxy_pass http://$web_pool;
            proxy_http_version 1.1;
            proxy_set_header Connection \"\";
        }}
    }}
}}
"
    )
}
