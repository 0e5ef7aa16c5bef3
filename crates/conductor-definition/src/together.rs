//! What only shows when all definitions are looked at together.

use std::collections::BTreeMap;

use crate::Service;

/// Two services that cannot both run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Clash {
    /// Index of the service that keeps what both claim.
    pub first: usize,
    /// Index of the service that cannot have it.
    pub second: usize,
    /// What both claim, in words.
    pub message: String,
}

/// Host ports that two services claim. The earlier service in the list wins, so that one mistake
/// stops one service, and always the same.
pub fn clashes(services: &[&Service]) -> Vec<Clash> {
    let mut taken: BTreeMap<u16, usize> = BTreeMap::new();
    let mut clashes = Vec::new();
    for (second, service) in services.iter().enumerate() {
        let claimed: Vec<u16> = service.host_ports().collect();
        match claimed.iter().find_map(|port| taken.get(port).map(|first| (*port, *first))) {
            Some((port, first)) => clashes.push(Clash {
                first,
                second,
                message: format!(
                    "host port {port} is taken by {}",
                    services
                        .get(first)
                        .map_or_else(String::new, |service| service.source_path.display().to_string())
                ),
            }),
            None => taken.extend(claimed.into_iter().map(|port| (port, second))),
        }
    }
    clashes
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Source, parse};

    fn service(name: &str, text: &str) -> Service {
        let source = Source { path: format!("{name}.toml").into(), text: format!("image = \"x\"\n{text}") };
        parse(&source).unwrap().service
    }

    #[test]
    fn ports_of_all_instances_count() {
        let a = service("a", "instances = 3\n[[ports]]\ncontainer = 80\nhost = 100");
        let b = service("b", "[[ports]]\ncontainer = 80\nhost = 102");
        let c = service("c", "[[ports]]\ncontainer = 80\nhost = 103");
        let found = clashes(&[&a, &b, &c]);
        assert_eq!(found.len(), 1);
        assert_eq!((found[0].first, found[0].second), (0, 1));
        assert_eq!(found[0].message, "host port 102 is taken by a.toml");
    }

    #[test]
    fn a_loser_takes_nothing() {
        let a = service("a", "[[ports]]\ncontainer = 80\nhost = 100");
        let b = service("b", "instances = 2\n[[ports]]\ncontainer = 80\nhost = 100");
        let c = service("c", "[[ports]]\ncontainer = 80\nhost = 101");
        assert_eq!(clashes(&[&a, &b, &c]).len(), 1);
    }
}
