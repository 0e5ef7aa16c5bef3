use super::*;
use proptest::prelude::*;

fn url(text: &str) -> Url {
    text.parse().unwrap()
}

#[test]
fn fills_in_what_is_usual() {
    assert_eq!(url("http://localhost").to_string(), "http://localhost/");
    assert_eq!(url("http://LOCALHOST:80?x=1").to_string(), "http://localhost/?x=1");
    assert_eq!(url("HTTPS://localhost:443/").to_string(), "https://localhost/");
    assert_eq!(url("http://localhost:443/").to_string(), "http://localhost:443/");
    assert_eq!(url("http://[::1]:8080/a").authority(), "[::1]:8080");
    assert_eq!(url("https://[::1]:8080/a").tls_name(), "::1");
    assert_eq!(url("http://127.0.0.1:20000/healthz?a=b#c").path_and_query(), "/healthz?a=b");
    assert_eq!(url("tcp://db:5432/").to_string(), "tcp://db:5432");
    assert_eq!(url("grpc://127.0.0.1:9000/").to_string(), "grpc://127.0.0.1:9000");
    assert_eq!(url("grpcs://a:1/shop.Cart").service(), "shop.Cart");
}

#[test]
fn unix_sockets_are_written_as_nginx_writes_them() {
    let socket = url("http://unix:/run/web.sock:/healthz?deep=1");
    assert_eq!(socket.server(), &Server::Unix(Path::new("/run/web.sock").into()));
    assert_eq!(socket.path_and_query(), "/healthz?deep=1");
    assert_eq!(socket.authority(), "localhost");
    for (text, shown) in [
        ("http://unix:/run/web.sock", "http://unix:/run/web.sock:/"),
        ("http://unix:/run/web.sock:", "http://unix:/run/web.sock:/"),
        ("https://unix:/run/a%20b%3ac.sock:/x", "https://unix:/run/a%20b%3Ac.sock:/x"),
        ("tcp://unix:/run/web.sock", "tcp://unix:/run/web.sock"),
        ("grpc://unix:/run/web.sock:/shop.Cart", "grpc://unix:/run/web.sock:/shop.Cart"),
        // A host of that name stays one.
        ("http://unix:8080/x", "http://unix:8080/x"),
        ("http://unix/x", "http://unix/x"),
    ] {
        assert_eq!(url(text).to_string(), shown);
        assert_eq!(url(shown), url(text));
    }
}

#[test]
fn says_what_is_wrong_and_what_to_write() {
    for (text, said) in [
        ("ftp://localhost/", "or with https://"),
        ("unix:/run/web.sock", "written as `http://unix:/run/web.sock:/healthz`"),
        ("http+unix:///run/web.sock:/up", "written as `http://unix:/run/web.sock:/healthz`"),
        ("http+unix://%2Frun%2Fweb.sock/up", "written as `http://unix:/"),
        ("http://unix:/run/:/x", "absolute path"),
        ("http://unix:/run/a b:/x", "absolute path"),
        ("http://unix:/run/a%00b:/x", "absolute path"),
        ("http://unix:/run/a%zzb:/x", "absolute path"),
        (&format!("http://unix:/{}:/x", "a".repeat(107)), "at most 107"),
        ("http://unix:/run/web.sock:healthz", "after the second colon"),
        ("127.0.0.1:80", "write it like"),
        ("/healthz", "write it like"),
        ("http:/x", "write it like"),
        ("http:///x", "names no host"),
        ("http://a b/", "%XX"),
        ("http://a/b c", "%XX"),
        ("http://a:0/", "1 to 65535"),
        ("http://a:99999/", "1 to 65535"),
        ("http://a:x/", "1 to 65535"),
        ("http://[::g]/", "names no host"),
        ("http://..[/", "names no host"),
        ("http://u:p@a/", "--header"),
        ("h2c://a/", "--http2"),
        ("tcp://a/", "names no port: write it like `tcp://"),
        ("grpc://a/", "names no port"),
        ("tcp://a:1/x", "no path"),
        ("grpc://a:1/b/c", "name of one service"),
        ("grpc://a:1/b?c", "name of one service"),
    ] {
        let error = text.parse::<Url>().unwrap_err().to_string();
        assert!(error.contains(said), "{text}: {error}");
    }
}

#[test]
fn follows_locations_as_a_browser_would() {
    let base = url("http://127.0.0.1:20000/a/b?c");
    for (location, target) in [
        ("/x?y", "http://127.0.0.1:20000/x?y"),
        ("x", "http://127.0.0.1:20000/a/x"),
        ("?z", "http://127.0.0.1:20000/a/b?z"),
        ("", "http://127.0.0.1:20000/a/b"),
        ("x#frag", "http://127.0.0.1:20000/a/x"),
        ("//example.com/x", "http://example.com/x"),
        ("http://example.com", "http://example.com/"),
    ] {
        assert_eq!(base.join(location).unwrap().to_string(), target, "{location}");
    }
    assert!(base.join("ftp://127.0.0.1/").is_err());
    assert!(base.join("/a b").is_err());
    assert!(!base.is_same_server(&url("http://127.0.0.1:20001/")));
    assert!(!base.is_same_server(&url("https://127.0.0.1:20000/")));
    let tls = url("https://web.example/");
    assert_eq!(tls.join("//web.example/x").unwrap().to_string(), "https://web.example/x");
    let socket = url("http://unix:/run/web.sock:/a/b");
    assert_eq!(socket.join("c").unwrap().to_string(), "http://unix:/run/web.sock:/a/c");
}

proptest! {
    #[test]
    fn what_is_shown_can_be_read_again(text in "(http|https|tcp|grpc)://(unix:/[ -~]{1,12}|[a-z.:0-9\\[\\]]{1,12})(:[0-9/]{0,6})?(/[ -~]{0,9})?") {
        if let Ok(url) = text.parse::<Url>() {
            prop_assert_eq!(url.to_string().parse::<Url>().unwrap(), url);
        }
    }

    #[test]
    fn any_socket_can_be_written(name in "[^/\0]{1,20}") {
        let path = Path::new("/run").join(&name);
        let text = format!("http://unix:{}:/x", unix::Encoded(&path));
        let url: Url = text.parse().unwrap();
        prop_assert_eq!(url.server(), &Server::Unix(path.into()));
    }
}
