//! Where redirects lead, and where not.

use super::*;
use hyper::Method;

fn to(status: u16, location: &str) -> String {
    format!("HTTP/1.1 {status} X\r\nLocation: {location}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
}

fn ok() -> String {
    String::from_utf8(OK.to_vec()).unwrap()
}

fn following(follow: Follow) -> Options {
    Options { follow, ..Options::default() }
}

#[tokio::test]
async fn on_the_same_server() {
    let (url, mut told) =
        answers(|request| if request.starts_with("GET /healthz ") { to(307, "up?deep=1") } else { ok() })
            .await;
    let check = check(&url, LONG).await;
    assert_eq!(words(&check), "healthy");
    assert_eq!(check.redirects, [url.replace("healthz", "up?deep=1")]);
    told.recv().await.unwrap();
    assert!(told.recv().await.unwrap().starts_with("GET /up?deep=1 "));
}

#[tokio::test]
async fn ten_and_no_more() {
    let count = |request: &str| request.split(['/', ' ']).nth(2).unwrap().parse().unwrap_or(0);
    let (url, _told) = answers(move |request| {
        let n: u32 = count(request);
        if n < 10 { to(302, &format!("/{}", n + 1)) } else { ok() }
    })
    .await;
    let all = check(&url, LONG).await;
    assert_eq!((words(&all), all.redirects.len()), ("healthy".to_owned(), MAX_REDIRECTS));
    let (url, _told) = answers(move |request| to(302, &format!("/{}", count(request) + 1))).await;
    let all = check(&url, LONG).await;
    assert_eq!(
        (words(&all), all.redirects.len()),
        ("redirected more than 10 times".to_owned(), MAX_REDIRECTS)
    );
}

#[tokio::test]
async fn another_port_or_scheme_is_another_server() {
    let other = says(OK).await;
    let away = says(to(302, &other)).await;
    let said = words(&check(&away, LONG).await);
    assert_eq!(said, format!("redirects to another server ({other}), which is not followed"));
    let same = says("").await;
    let tls = says(to(301, &same.replace("http:", "https:"))).await;
    assert!(words(&check(&tls, LONG).await).starts_with("redirects to another server (https://"));
    let any = ask(&away, following(Follow::Any)).await;
    assert_eq!((words(&any), any.redirects), ("healthy".to_owned(), vec![other]));
}

#[tokio::test]
async fn not_at_all() {
    let url = says(to(302, "http://192.0.2.1/")).await;
    let check = ask(&url, following(Follow::None)).await;
    assert_eq!((words(&check), check.status, check.redirects.len()), ("healthy".to_owned(), Some(302), 0));
    let options = Options { expect_status: Some("200".parse().unwrap()), ..following(Follow::None) };
    assert_eq!(words(&ask(&url, options).await), "answered 302 Found instead of 200");
    let nowhere = says("HTTP/1.1 302 Found\r\nContent-Length: 0\r\n\r\n").await;
    assert_eq!(words(&ask(&nowhere, Options::default()).await), "healthy", "it does not say where to");
}

#[tokio::test]
async fn one_that_is_expected_is_the_answer() {
    let url = says(to(302, "http://192.0.2.1/login")).await;
    let expect = |list: &str| Options { expect_status: Some(list.parse().unwrap()), ..Options::default() };
    for list in ["302", "200-399"] {
        let check = ask(&url, expect(list)).await;
        assert_eq!(
            (words(&check), check.status, check.redirects.len()),
            ("healthy".to_owned(), Some(302), 0)
        );
    }
    assert!(words(&ask(&url, expect("200")).await).starts_with("redirects to another server"));
}

/// Behind a proxy it knows itself by another name, and believes the `Host` that we send.
#[tokio::test]
async fn a_server_may_call_itself_what_we_call_it() {
    let (url, mut told) =
        answers(
            |request| {
                if request.starts_with("GET /healthz ") { to(301, "http://Shop.Example/up") } else { ok() }
            },
        )
        .await;
    let host = |host: &str| Options {
        headers: vec![format!("Host: {host}").parse().unwrap()],
        ..Options::default()
    };
    assert_eq!(words(&ask(&url, host("shop.example")).await), "healthy");
    told.recv().await.unwrap();
    let second = told.recv().await.unwrap();
    assert!(second.starts_with("GET /up ") && second.contains("\r\nHost: shop.example\r\n"), "{second}");
    assert!(words(&ask(&url, host("other.example")).await).starts_with("redirects to another server"));
}

#[tokio::test]
async fn nothing_of_the_users_goes_to_a_server_that_the_user_did_not_name() {
    let (other, mut told) = answers(|_| ok()).await;
    for status in [302, 307] {
        let url = says(to(status, &other)).await;
        let options = Options {
            method: Some(Method::POST),
            headers: vec!["Authorization: Bearer secret".parse().unwrap(), "Host: a".parse().unwrap()],
            body: Some("secret".to_owned()),
            ..following(Follow::Any)
        };
        assert_eq!(words(&ask(&url, options).await), "healthy");
        let request = told.recv().await.unwrap();
        assert!(!request.contains("secret") && !request.contains("Host: a\r\n"), "{request}");
        assert!(request.starts_with(if status == 302 { "GET " } else { "POST " }), "{request}");
    }
}

#[tokio::test]
async fn methods_change_as_everybody_has_them_change() {
    for (status, method, body) in [(301, "GET", ""), (303, "GET", ""), (307, "POST", "x"), (308, "POST", "x")]
    {
        let (url, mut told) =
            answers(move |request| if request.contains(" /healthz ") { to(status, "/up") } else { ok() })
                .await;
        let options = Options { body: Some("x".to_owned()), ..Options::default() };
        assert_eq!(words(&ask(&url, options).await), "healthy");
        told.recv().await.unwrap();
        let second = told.recv().await.unwrap();
        assert!(
            second.starts_with(&format!("{method} /up ")) && second.ends_with(&format!("\r\n\r\n{body}")),
            "{second}"
        );
    }
}

#[tokio::test]
async fn to_what_cannot_be_asked() {
    for location in
        ["http://unix:/run/docker.sock:/", "tcp://127.0.0.1:1", "ftp://a/", "http://", "http://a:b/", "/a b"]
    {
        for follow in [Follow::SameHost, Follow::Any] {
            let url = says(to(302, location)).await;
            let said = words(&ask(&url, following(follow)).await);
            assert_eq!(said, format!("redirects to something that cannot be asked ({location})"));
        }
    }
}
