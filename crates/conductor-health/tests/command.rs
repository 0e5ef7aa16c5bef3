//! The program as units and monitoring systems call it: exit statuses and what is printed.

// The helpers below are no tests themselves, and their panics are a test's failure all the same.
#![allow(clippy::unwrap_used)]

use snapbox::cmd::{Command, cargo_bin};
use snapbox::str;
use std::io::{Read, Write};
use std::net::TcpListener;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

/// The program, in an environment without a service manager.
fn program(arguments: &[&str]) -> Command {
    Command::new(cargo_bin!("conductor-health"))
        .args(arguments)
        .env_remove("NOTIFY_SOCKET")
        .env_remove("WATCHDOG_USEC")
        .env_remove("MAINPID")
        .env("JOURNAL_STREAM", "8:1")
}

/// A port on which nobody listens, and one on which every request is answered with this status.
fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

fn answering(status: u16) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let _ = stream.read(&mut [0; 1024]);
            let _ = write!(stream, "HTTP/1.1 {status} X\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
        }
    });
    port
}

#[test]
fn probe_exits_by_the_convention_of_monitoring_plugins() {
    program(&["probe", &format!("http://127.0.0.1:{}/", answering(200))]).assert().code(0);
    program(&["probe", &format!("http://127.0.0.1:{}/", answering(500))]).assert().code(2);
    program(&["probe", &format!("http://127.0.0.1:{}/", free_port())]).assert().code(2).stdout_eq(str![[r"
unhealthy: http://127.0.0.1:[..]/: connection refused
  asked 127.0.0.1:[..]
  took [..]ms (resolve [..]ms)

"]]);
    program(&["probe", "http://no-such-host.invalid/"]).assert().code(3);
    program(&["probe", "ftp://localhost/"]).assert().code(3).stderr_eq(str![[r"
error: invalid value 'ftp://localhost/' for '<URL>': `ftp://localhost/` is no URL that can be asked: write it like `http://127.0.0.1:8080/healthz`, or with https://, tcp://, grpc:// or grpcs://

For more information, try '--help'.

"]]);
}

#[test]
fn no_proxy_is_asked() {
    let mut probe = program(&["probe", &format!("http://127.0.0.1:{}/", answering(200))]);
    for name in ["http_proxy", "HTTP_PROXY", "https_proxy", "all_proxy", "ALL_PROXY"] {
        probe = probe.env(name, format!("http://127.0.0.1:{}/", free_port()));
    }
    probe.assert().code(0);
}

#[test]
fn probe_warns() {
    let url = format!("http://127.0.0.1:{}/", answering(200));
    program(&["probe", "--warn-after", "1us", &url]).assert().code(1).stdout_eq(str![[r"
warning: http://127.0.0.1:[..]/ answered 200, took [..]ms, which is more than 1us
  asked 127.0.0.1:[..] (HTTP/1.1)
  took [..]

"]]);
    program(&["probe", "--warn-after", "1min", &url]).assert().code(0);
    let (url, certificate) = encrypted();
    let ca = certificate.path().to_str().unwrap();
    let probe = |within: &str| program(&["probe", "--ca", ca, "--warn-expiry", within, &url]);
    probe("2d").assert().code(0);
    probe("4d").assert().code(1).stdout_eq(str![[r"
warning: https://localhost:[..]/ answered 200, the certificate expires [..]Z, in 2 days
  asked 127.0.0.1:[..] (HTTP/1.1, TLSv1.3, certificate expires [..]Z, in 2 days)
  took [..]ms (resolve [..]ms, connect [..]ms, tls [..]ms, first byte [..]ms, headers [..]ms, body [..]ms); 2 bytes of body

"]]);
    let output = program(&["probe", "--json", "--ca", ca, "--warn-expiry", "4d", &url])
        .assert()
        .code(1)
        .get_output()
        .clone();
    let value: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(value["result"], "warning");
    assert_eq!(value["tls"]["version"], "TLSv1.3");
    let left = value["tls"]["certificate_expires_in_s"].as_u64().unwrap();
    assert!((2 * 86400..3 * 86400).contains(&left), "{left}");
    // Every step of it was timed, and together they took no longer than the whole.
    let timings = value["timings"].as_object().unwrap();
    let of =
        |name: &str| timings[&format!("{name}_us")].as_u64().unwrap_or_else(|| panic!("no {name}: {value}"));
    let steps: u64 = ["resolve", "connect", "tls", "first_byte", "headers", "body"].into_iter().map(of).sum();
    assert!(of("connect") > 0 && of("tls") > 0 && of("first_byte") > 0, "{value}");
    assert!(steps <= of("total"), "{value}");
    assert_eq!(timings.len(), 7, "{value}");
}

/// A server with a certificate of its own that expires in less than three days; the URL, and the certificate.
fn encrypted() -> (String, tempfile::NamedTempFile) {
    use tokio_rustls::rustls::crypto::ring;
    use tokio_rustls::rustls::pki_types::PrivateKeyDer;
    use tokio_rustls::rustls::{ServerConfig, ServerConnection, Stream};
    let mut params = rcgen::CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
    params.not_after = (SystemTime::now() + Duration::from_secs(86400 * 3)).into();
    let key = rcgen::KeyPair::generate().unwrap();
    let certificate = params.self_signed(&key).unwrap();
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(certificate.pem().as_bytes()).unwrap();
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(
            vec![certificate.der().clone()],
            PrivateKeyDer::try_from(key.serialize_der()).unwrap(),
        )
        .unwrap();
    let config = Arc::new(config);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut connection = ServerConnection::new(Arc::clone(&config)).unwrap();
            let mut stream = stream.unwrap();
            let mut stream = Stream::new(&mut connection, &mut stream);
            let _ = stream.read(&mut [0; 1024]);
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
            stream.conn.send_close_notify();
            let _ = stream.flush();
        }
    });
    (format!("https://localhost:{port}/"), file)
}

#[test]
fn options_that_do_not_fit_are_refused() {
    for (arguments, status) in [
        (&["probe", "--http2", "tcp://127.0.0.1:1"][..], 3),
        (&["wait", "--http2", "tcp://127.0.0.1:1"], 64),
        (&["watch", "--http2", "--unit", "a.service=http://a/", "--unit", "b.service=tcp://b:1"], 64),
    ] {
        program(arguments).assert().code(status).stdout_eq("").stderr_eq(str![[r"
error: --http2 means nothing to tcp://: leave it out

Usage: [..]

For more information, try '--help'.

"]]);
    }
}

/// Too few descriptors for a connection are no failure of the service, however few there are.
#[test]
fn our_own_lack_of_descriptors_is_unknown() {
    let url = format!("http://127.0.0.1:{}/", answering(200));
    let mut said = Vec::new();
    for limit in 3..16 {
        let output = std::process::Command::new("sh")
            .args(["-c", &format!("ulimit -n {limit}; exec \"$0\" probe {url}")])
            .arg(cargo_bin!("conductor-health"))
            .output()
            .unwrap();
        // Below seven or so no program starts, or the event loop does not.
        assert!(matches!(output.status.code(), Some(0 | 3 | 101 | 127)), "{limit}: {output:?}");
        said.push(String::from_utf8(output.stdout).unwrap());
    }
    let unknown = format!("unknown: {url}: could not check: too many open files\n");
    assert!(said.iter().any(|said| said.starts_with(&unknown)), "{said:?}");
    assert!(said.iter().any(|said| said.starts_with("healthy")), "{said:?}");
}

#[test]
fn probe_prints_one_json_object() {
    let output = program(&["probe", "--json", &format!("http://127.0.0.1:{}/", answering(204))])
        .assert()
        .code(0)
        .get_output()
        .stdout
        .clone();
    let value: serde_json::Value = serde_json::from_slice(&output).unwrap();
    assert_eq!(value["result"], "healthy");
    assert_eq!(value["status"], 204);
    assert!(value["timings"]["total_us"].as_u64().unwrap() > 0);
    // The steps that it did not get to have no time, and the reason is in words.
    let refused = format!("http://127.0.0.1:{}/", free_port());
    for (url, status, result, reason) in [
        (&*refused, 2, "unhealthy", "connection refused"),
        ("http://no.invalid/", 3, "unknown", "could not check: the name no.invalid does not resolve"),
    ] {
        let output = program(&["probe", "--json", url]).assert().code(status).get_output().stdout.clone();
        let value: serde_json::Value = serde_json::from_slice(&output).unwrap();
        assert_eq!((&value["result"], &value["reason"]), (&result.into(), &reason.into()), "{value}");
        for step in ["connect_us", "tls_us", "first_byte_us", "headers_us", "body_us"] {
            assert_eq!(value["timings"][step], serde_json::Value::Null, "{value}");
        }
    }
}

#[test]
fn wait_fails_with_one_line() {
    let url = format!("http://127.0.0.1:{}/healthz", answering(503));
    program(&["wait", "--unit", "web.service", "--within", "300ms", "--interval", "100ms", &url])
        .assert()
        .code(1)
        .stdout_eq("")
        .stderr_eq(str![[r"
<3>web.service did not become healthy within 300ms: [..] checks, the last: http://127.0.0.1:[..]/healthz answered 503 Service Unavailable. Look at the container's own log above (journalctl -u web.service), or raise start-within.

"]]);
    let url = format!("http://127.0.0.1:{}/healthz", answering(200));
    program(&["wait", "--within", "10s", &url]).assert().code(0).stderr_eq("");
}

#[test]
fn wait_ends_with_the_main_process() {
    let mut child = std::process::Command::new("true").spawn().unwrap();
    child.wait().unwrap();
    // Takes connections and never answers.
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/healthz", silent.local_addr().unwrap());
    program(&["wait", "--unit", "web.service", "--within", "1min", &url])
        .env("MAINPID", child.id().to_string())
        .assert()
        .code(1)
        .stderr_eq(str![[r"
<3>web.service: its main process ended before it was healthy: no check of http://127.0.0.1:[..]/healthz had ended yet. Look at the container's own log above (journalctl -u web.service).

"]]);
}

#[test]
fn wait_does_not_start_as_the_wrong_user() {
    program(&["wait", "--user", "no-such-user-here", "http://127.0.0.1:1/"]).assert().code(1).stderr_eq(str![[r"
<3>there is no user `no-such-user-here` to run the checks as: run systemd-sysusers, or name another one with --user

"]]);
}

#[test]
fn watch_refuses_what_makes_no_sense() {
    program(&["watch"]).assert().code(64);
    program(&["watch", "--unit", "web.service=http://a/", "--unit", "web.service=http://b/"])
        .assert()
        .code(1)
        .stderr_eq("<3>web.service is given twice: each unit can have one URL\n");
}

#[test]
fn watch_lives_without_a_bus_and_ends_on_sigterm() {
    let mut child = std::process::Command::new(cargo_bin!("conductor-health"))
        .args(["watch", "--unit", "web.service=http://127.0.0.1:1/"])
        .env("DBUS_SYSTEM_BUS_ADDRESS", "unix:path=/nonexistent")
        .env("JOURNAL_STREAM", "8:1")
        .stderr(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    let mut stderr = child.stderr.take().unwrap();
    let mut said = [0; 512];
    let length = stderr.read(&mut said).unwrap();
    let said = String::from_utf8_lossy(&said[..length]).into_owned();
    assert!(said.starts_with("<4>connecting to the system bus: "), "{said}");
    let pid = i32::try_from(child.id()).unwrap();
    nix::sys::signal::kill(nix::unistd::Pid::from_raw(pid), nix::sys::signal::Signal::SIGTERM).unwrap();
    assert!(child.wait().unwrap().success());
}
