//! Verified: after the switch, the health check is answered through the proxy as well, by the new instances.
//!
//! This takes nothing of the administrator's own servers: nginx has a way in for us (`conductor-proxy`, `door.rs`), and
//! HAProxy is asked what it does. So what is shown is that the workers of the new configuration are there, and that they
//! reach the instances of the new release and no other. What host names, certificates and rules the administrator's
//! servers have is not.

use conductor_definition::{HttpQuestion, Question, Service};
use conductor_proxy::{Ask, Driver, Proxy as _, Upstream};

use crate::Failure;

/// What is asked; or why nothing is.
pub(crate) fn ask(service: &Service) -> Result<Ask, String> {
    let Some(health) = &service.health else { return Err("the service has no health check".to_owned()) };
    if service.proxy.as_ref().is_none_or(|proxy| proxy.port.container != health.port.container) {
        return Err("the health check is on another port than the requests".to_owned());
    }
    let Question::Http(question) = &health.question else {
        return Err("the health check is none of HTTP".to_owned());
    };
    let HttpQuestion { path, tls, http2, method, headers, body, expect_status, expect_body: _ } = &**question;
    if tls.is_some() || *http2 || body.is_some() {
        return Err("the health check is more than a request of HTTP/1.1 without a body".to_owned());
    }
    let expect =
        expect_status.as_ref().map_or_else(|| vec![200..=399], |statuses| statuses.ranges().to_vec());
    // An empty one is one that the checker leaves out.
    let headers = headers.iter().filter(|(_, value)| !value.is_empty());
    Ok(Ask {
        method: method.to_string(),
        path: path.as_str().to_owned(),
        headers: headers.map(|(name, value)| (name.to_string(), value.clone())).collect(),
        expect,
    })
}

/// What was seen, in words.
pub(crate) async fn through(
    proxy: &Driver,
    upstream: &Upstream,
    ask: &Result<Ask, String>,
) -> Result<String, Failure> {
    match ask {
        Ok(ask) => match proxy.verify(upstream, ask).await {
            Ok(verified) => Ok(verified.to_string()),
            // The proxy does as it was told: what does not work is the release.
            Err(error) => Err(Failure::gate(format!("after the switch, {error}"))),
        },
        Err(why) => Ok(format!("not asked through the proxy: {why}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use conductor_definition::{Source, parse};

    fn of(health: &str) -> Result<Ask, String> {
        let text = format!(
            "image = \"web:1\"\nproxy.upstream = \"web\"\n[[ports]]\ncontainer = 80\nhost = 2000\n[[ports]]\n\
             container = 81\nhost = 2100\n{health}"
        );
        ask(&parse(&Source::new("web.toml", text)).unwrap_or_else(|found| panic!("{found:?}")).service)
    }

    #[test]
    fn what_is_asked() {
        let plain = of("[health]\npath = \"/up\"\nheaders = { host = \"shop\" }\n").unwrap();
        assert_eq!((plain.method.as_str(), plain.path.as_str()), ("GET", "/up"));
        assert_eq!(plain.headers, [("host".to_owned(), "shop".to_owned())]);
        assert_eq!(plain.expect, [200..=399]);
        assert_eq!(
            of("[health]\npath = \"/up\"\nexpect-status = \"204,401\"\n").unwrap().expect,
            [204..=204, 401..=401]
        );
        for (health, why) in [
            ("", "has no health check"),
            ("[health]\npath = \"/\"\nport = 81\n", "another port"),
            ("[health]\nprotocol = \"tcp\"\n", "none of HTTP"),
            ("[health]\npath = \"/\"\nprotocol = \"https\"\n", "more than a request"),
        ] {
            let said = of(health).unwrap_err();
            assert!(said.contains(why), "{health}: {said}");
        }
    }
}
