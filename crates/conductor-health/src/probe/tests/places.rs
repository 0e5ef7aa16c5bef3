//! Where a server can be.

use super::*;
use std::os::unix::fs::PermissionsExt;
use tokio::net::UnixListener;

/// A scratch directory that goes with the test.
fn scratch() -> tempfile::TempDir {
    tempfile::tempdir().unwrap()
}

#[tokio::test]
async fn in_the_file_system() {
    let directory = scratch();
    let path = directory.path().join("web app.sock");
    let url = format!("http://unix:{}:/healthz?a=b", path.to_str().unwrap().replace(' ', "%20"));
    assert_eq!(words(&check(&url, LONG).await), "there is no such socket");
    let listener = UnixListener::bind(&path).unwrap();
    let serving = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let request = head(&mut stream).await;
        stream.write_all(OK).await.unwrap();
        request
    });
    let seen = check(&url, LONG).await;
    assert_eq!(words(&seen), "healthy");
    assert_eq!(seen.address.unwrap().to_string(), path.to_str().unwrap());
    let request = serving.await.unwrap();
    assert!(
        request.starts_with("GET /healthz?a=b HTTP/1.1\r\n") && request.contains("Host: localhost\r\n"),
        "{request}"
    );
    // The listener is gone and its file is still there.
    assert_eq!(words(&check(&url, LONG).await), "connection refused");
    let tcp = format!("tcp://unix:{}", path.to_str().unwrap().replace(' ', "%20"));
    assert_eq!(words(&check(&tcp, LONG).await), "connection refused");
}

#[tokio::test]
async fn a_full_backlog_of_a_unix_socket_is_waited_for() {
    let directory = scratch();
    let path = directory.path().join("full.sock");
    let socket =
        rustix::net::socket(rustix::net::AddressFamily::UNIX, rustix::net::SocketType::STREAM, None).unwrap();
    rustix::net::bind(&socket, &rustix::net::SocketAddrUnix::new(&path).unwrap()).unwrap();
    rustix::net::listen(&socket, 0).unwrap();
    let _first = std::os::unix::net::UnixStream::connect(&path).unwrap();
    let url = format!("http://unix:{}:/", path.to_str().unwrap());
    assert_eq!(words(&check(&url, SHORT).await), "no answer within 200ms (no connection)");
}

/// As on another machine, the handshake is not over when connect(2) returns.
#[tokio::test]
async fn a_handshake_may_take_its_time() {
    let socket =
        rustix::net::socket(rustix::net::AddressFamily::INET, rustix::net::SocketType::STREAM, None).unwrap();
    rustix::net::bind(&socket, &std::net::SocketAddr::from(([127, 0, 0, 1], 0))).unwrap();
    rustix::net::listen(&socket, 0).unwrap();
    let listener = std::net::TcpListener::from(socket);
    let address = listener.local_addr().unwrap();
    // There is room for one that nobody has accepted; the next one's SYN is dropped, and sent again after a second.
    let _first = std::net::TcpStream::connect(address).unwrap();
    let url = format!("http://{address}/healthz");
    assert_eq!(words(&check(&url, SHORT).await), "no answer within 200ms (no connection)");
    let asked = tokio::spawn(async move { check(&url, LONG).await });
    tokio::task::yield_now().await;
    listener.set_nonblocking(true).unwrap();
    let listener = TcpListener::from_std(listener).unwrap();
    drop(listener.accept().await.unwrap());
    let (mut stream, _) = listener.accept().await.unwrap();
    head(&mut stream).await;
    stream.write_all(OK).await.unwrap();
    let seen = asked.await.unwrap();
    assert_eq!(words(&seen), "healthy");
    assert!(seen.timings.connect.unwrap() > SHORT, "{:?}", seen.timings);
}

#[tokio::test]
async fn a_socket_that_we_may_not_use_is_our_own_trouble() {
    if rustix::process::geteuid().is_root() {
        // Root may use any.
        return;
    }
    let directory = scratch();
    let path = directory.path().join("secret.sock");
    let _listener = UnixListener::bind(&path).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o000)).unwrap();
    let said = words(&check(&format!("http://unix:{}:/", path.to_str().unwrap()), LONG).await);
    assert_eq!(said, "unknown: could not check: permission denied");
}

#[tokio::test]
async fn names_resolve_and_bad_names_are_our_own_trouble() {
    let url = says(OK).await.replace("127.0.0.1", "localhost");
    let seen = check(&url, LONG).await;
    assert_eq!(words(&seen), "healthy");
    assert!(seen.address.unwrap().to_string().starts_with("127.0.0.1:"));
    let said = words(&check("http://no-such-host.invalid/", LONG).await);
    assert_eq!(said, "unknown: could not check: the name no-such-host.invalid does not resolve");
}

#[tokio::test]
async fn at_an_address_of_ipv6() {
    let listener = TcpListener::bind("[::1]:0").await.unwrap();
    let authority = listener.local_addr().unwrap().to_string();
    let serving = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let request = head(&mut stream).await;
        stream.write_all(OK).await.unwrap();
        request
    });
    let seen = check(&format!("http://{authority}/healthz"), LONG).await;
    assert_eq!(words(&seen), "healthy");
    assert_eq!(seen.address.unwrap().to_string(), authority);
    assert!(serving.await.unwrap().contains(&format!("Host: {authority}\r\n")));
    assert_eq!(words(&check(&format!("tcp://{authority}"), LONG).await), "connection refused");
}

#[tokio::test]
async fn the_second_address_of_a_name_serves_as_well() {
    let listener = TcpListener::bind("[::1]:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        head(&mut stream).await;
        stream.write_all(OK).await.unwrap();
    });
    let seen = check(&format!("http://localhost:{port}/"), LONG).await;
    assert_eq!(words(&seen), "healthy");
    assert_eq!(seen.address.unwrap().to_string(), format!("[::1]:{port}"));
    // And a service that is down is down, whatever IPv6 is like on this machine.
    let free = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap().port();
    let seen = check(&format!("http://localhost:{free}/"), LONG).await;
    assert_eq!(words(&seen), "connection refused");
    assert_eq!(seen.address.unwrap().to_string(), format!("127.0.0.1:{free}"));
}

#[test]
fn a_name_that_hangs_is_our_own_trouble() {
    let reason = Reason::TimedOut { after: SHORT, phase: Phase::Resolve, bytes: 0 };
    assert!(reason.is_our_own());
    assert_eq!(reason.to_string(), "could not check: its name did not resolve within 200ms");
}
