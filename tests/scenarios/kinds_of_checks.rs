//! How a container is asked, and who answers: options of `[health]`, and nginx as a server that is not ours, asked from
//! inside the sidecar's sandbox.

use std::time::{Duration, SystemTime};

use conductor_tests::Host;

use crate::common::{SOON, WEB, define, host_with, invocation, journal, tell, undisturbed};

const CHECKER: &str = "web-health.service";

/// The definition of `web`, with these keys in `[health]`.
fn asked(keys: &str) -> String {
    WEB.replace("[health]\n", &format!("[health]\n{keys}\n"))
}

/// A run is judged by the check that let it through. Another one may fail because it is another one.
#[test]
fn another_check_waits_for_the_next_start() {
    let host = host_with(WEB);
    let web = invocation(&host, "web.service");
    let mut log = journal(&host);
    define(
        &host,
        "web",
        &asked("expect-body = \"what it never says\"\nstart-within = \"3s\"").replacen(
            "start-within = \"20s\"\n",
            "",
            1,
        ),
    );
    log.until_message(
        SOON,
        CHECKER,
        "it was started under another check, failures count from its next start",
    )
    .unwrap();
    log.until_message(SOON, CHECKER, "its body lacks \"what it never says\"; this counts neither way")
        .unwrap();
    undisturbed(&host, "web.service", Duration::from_secs(4));
    assert_eq!(invocation(&host, "web.service"), web);
    assert!(host.run(["systemctl", "restart", "web.service"]).unwrap().code != Some(0), "now it has to pass");

    define(&host, "web", &asked("expect-body = \"ok\"\nexpect-status = 200\nheaders = { X-A = \"$b %n\" }"));
    host.sh("systemctl reset-failed web.service; systemctl start web.service").unwrap();
    let status = host.property("web.service", "StatusText").unwrap();
    assert!(status.starts_with("Healthy at http://127.0.0.1:20000/healthz after "), "{status}");
    assert!(status.contains(" (check ") && status.ends_with(')'), "{status}");
    let mut log = journal(&host);
    tell(&host, "/mode/500");
    log.until_message(SOON, CHECKER, "answered 500 Internal Server Error instead of 200").unwrap();
    log.until_message(SOON, "web.service", "Started ").unwrap();
}

/// nginx with everything that a check can ask for.
const NGINX: &str = "
events {}
http {
    server {
        listen 127.0.0.2:8443 ssl http2;
        ssl_certificate /etc/nginx/own.pem;
        ssl_certificate_key /etc/nginx/own.key;
        location / { return 200 'over $server_protocol, asked for $host\n'; }
        location /away { return 302 https://elsewhere.example/; }
        location /round { return 301 /there; }
    }
    server {
        listen 127.0.0.2:8444 ssl;
        ssl_certificate /etc/nginx/own.pem;
        ssl_certificate_key /etc/nginx/own.key;
        ssl_client_certificate /etc/nginx/own.pem;
        ssl_verify_client on;
        location / { return 204; }
    }
    server {
        listen unix:/run/web/web.sock;
        location / { return 200 'over a socket\n'; }
    }
}
";

/// Runs a command as the sidecar runs: its user, and every restriction of its unit.
fn in_the_sandbox(host: &Host, command: &str) -> (Option<i32>, String) {
    let unit = host.ok(["systemctl", "cat", CHECKER]).unwrap();
    let (_, restrictions) = unit.split_once("\nSyslogIdentifier=").unwrap();
    let mut words =
        vec!["systemd-run", "--quiet", "--wait", "--pipe", "--collect", "-p", "User=conductor-health"];
    for line in restrictions.lines().skip(1).take_while(|line| !line.is_empty() && !line.starts_with('[')) {
        if !line.starts_with("LogExtraFields=") {
            words.extend(["-p", line]);
        }
    }
    words.extend(["/usr/bin/conductor-health", "probe"]);
    words.extend(command.split(' '));
    let output = host.run(&words).unwrap();
    (output.code, output.stdout + &output.stderr)
}

#[test]
fn nginx_from_inside_the_sandbox() {
    let host = host_with(WEB);
    let key = rcgen::KeyPair::generate().unwrap();
    let mut params = rcgen::CertificateParams::new(vec!["web.test".to_owned()]).unwrap();
    params.not_after = (SystemTime::now() + Duration::from_secs(86400 * 10)).into();
    let certificate = params.self_signed(&key).unwrap();
    host.write("/etc/nginx/own.pem", &certificate.pem()).unwrap();
    host.write("/etc/nginx/own.key", &key.serialize_pem()).unwrap();
    host.write("/etc/nginx/nginx.conf", NGINX).unwrap();
    host.sh("echo '127.0.0.2 web.test' >>/etc/hosts; install -d /run/web; rm -f /etc/ssl/certs/ca-certificates.crt
        install -m 644 -o conductor-health /etc/nginx/own.key /etc/checker.key
        systemctl restart nginx; chmod 666 /run/web/web.sock; chmod 600 /etc/nginx/own.key").unwrap();
    let asks = |command: &str, status: i32, said: &str| {
        let (code, text) = in_the_sandbox(&host, command);
        assert_eq!(code, Some(status), "{command}: {text}");
        assert!(text.contains(said), "{command}: {text}");
    };
    let tls = "https://web.test:8443";
    asks("http://127.0.0.1:20000/healthz", 0, "answered 200");
    // A name: the machine's resolver, a thread for it, and its sockets are let through.
    asks(&format!("--ca /etc/nginx/own.pem --expect-body over.HTTP/1.1,.asked {tls}/"), 2, "body lacks");
    asks(&format!("--ca /etc/nginx/own.pem --expect-body HTTP/1.1, {tls}/"), 0, "TLSv1.3");
    asks(&format!("--ca /etc/nginx/own.pem --http2 --expect-body HTTP/2.0, {tls}/"), 0, "HTTP/2.0, TLSv1.3");
    asks(
        &format!("--ca /etc/nginx/own.pem --header Host:shop.test --expect-body shop.test {tls}/"),
        0,
        "answered 200",
    );
    asks(&format!("--ca /etc/nginx/own.pem {tls}/round"), 0, "redirected to https://web.test:8443/there");
    asks(
        &format!("--ca /etc/nginx/own.pem {tls}/away"),
        2,
        "redirects to another server (https://elsewhere.example/)",
    );
    asks(&format!("--ca /etc/nginx/own.pem --warn-expiry 11d {tls}/"), 1, "the certificate expires ");
    asks(&format!("{tls}/"), 3, "install the package ca-certificates, or name a file with --ca");
    asks("--no-tls-verify https://127.0.0.2:8443/", 0, "answered 200");
    asks(
        "--ca /etc/nginx/own.pem https://127.0.0.2:8443/",
        2,
        "its certificate is not for 127.0.0.2 but for web.test",
    );
    let twice = "--ca /etc/nginx/own.pem https://web.test:8444/";
    asks(twice, 2, "answered 400 Bad Request");
    asks(&format!("--cert /etc/nginx/own.pem --key /etc/checker.key {twice}"), 0, "answered 204");
    asks(
        &format!("--cert /etc/nginx/own.pem --key /etc/nginx/own.key {twice}"),
        3,
        "cannot read /etc/nginx/own.key: permission denied",
    );
    asks("http://unix:/run/web/web.sock:/x", 0, "asked /run/web/web.sock");
    asks("tcp://unix:/run/web/web.sock", 0, "takes connections");
    host.sh("chmod 600 /run/web/web.sock; chown root /run/web/web.sock").unwrap();
    asks("http://unix:/run/web/web.sock:/x", 3, "could not check: permission denied");
    asks("http://no-such-name.invalid/", 3, "does not resolve");
    // A server of names that says nothing: the deadline counts from before.
    let silent = "use IO::Socket::INET;
        my $socket = IO::Socket::INET->new(LocalAddr => '127.0.0.9:53', Proto => 'udp') or die;
        open(my $ready, '>', '/run/silent'); sleep";
    host.ok(["systemd-run", "--quiet", "perl", "-e", silent]).unwrap();
    host.eventually(SOON, "it listens", || Ok(host.run(["test", "-e", "/run/silent"])?.success())).unwrap();
    host.sh("rm -f /etc/resolv.conf; echo nameserver 127.0.0.9 >/etc/resolv.conf
        sed -i 's/^hosts:.*/hosts: files dns/' /etc/nsswitch.conf")
        .unwrap();
    asks("--timeout 700ms http://shop.example/", 3, "its name did not resolve within 700ms");
}
