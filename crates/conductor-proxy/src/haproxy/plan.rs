//! From what is in effect to what is wanted, in HAProxy's commands.

use super::state::Known;
use crate::{Address, Server, Upstream};

/// A command, and what HAProxy says when it has worked; nothing always will do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Command {
    pub(crate) text: String,
    pub(crate) worked: &'static str,
}

/// The commands that make the servers of a backend those that are wanted: the new ones get requests first, and only
/// then are the others taken out, so that there is always somebody who answers.
///
/// The others go into maintenance and not into drain: with drain, clients that a cookie ties to a server would keep it
/// busy for ever. In maintenance it goes on with what it has begun, and that is all.
pub(crate) fn commands(backend: &str, known: &[Known], wanted: &[Server]) -> Vec<Command> {
    let mut commands = Vec::new();
    let mut add = |text: String, worked| commands.push(Command { text, worked });
    for Server { address, weight } in wanted {
        let name = address.server_name();
        let known = known.iter().find(|known| known.name == name);
        match known {
            None => add(
                format!("add server {backend}/{name} {} weight {weight}", in_commands(address)),
                "New server registered",
            ),
            Some(known) if known.weight != weight.get() => {
                add(format!("set weight {backend}/{name} {weight}"), "");
            }
            Some(_) => {}
        }
        // One that was just added is in maintenance.
        if !known.is_some_and(|known| known.is_ready) {
            add(format!("set server {backend}/{name} state ready"), "");
        }
    }
    for known in others(known, wanted).filter(|known| !known.is_out) {
        add(format!("set server {backend}/{} state maint", known.name), "");
    }
    commands
}

/// The commands that undo those: everything as it was, except that servers which were added stay, without requests.
pub(crate) fn undo(backend: &str, before: &[Known], now: &[Known]) -> Vec<Command> {
    let command = |text| Command { text, worked: "" };
    let ready = before.iter().filter(|known| known.is_ready).flat_map(|Known { name, weight, .. }| {
        [format!("set weight {backend}/{name} {weight}"), format!("set server {backend}/{name} state ready")]
    });
    let was_ready = |name: &str| before.iter().any(|known| known.name == name && known.is_ready);
    let out = now.iter().filter(|known| known.is_ready && !was_ready(&known.name));
    let out = out.map(|known| format!("set server {backend}/{} state maint", known.name));
    ready.chain(out).map(command).collect()
}

/// Servers of the backend that are not wanted.
pub(crate) fn others<'a>(known: &'a [Known], wanted: &'a [Server]) -> impl Iterator<Item = &'a Known> {
    known.iter().filter(|known| wanted.iter().all(|server| server.address.server_name() != known.name))
}

/// A whole file with the backends of a service, for HAProxy to read when it starts. Servers have the names that they
/// have at run time, as its management guide asks for (`add server`). Everything else that a backend has comes from
/// the `defaults` section before it.
pub(crate) fn file(upstream: &Upstream) -> String {
    let Upstream { name, servers, dark } = upstream;
    // The dark backend is there without a dark release too, so that a rule which names it is valid.
    let dark_servers = dark.as_ref().map(|dark| dark.servers.as_slice()).unwrap_or_default();
    let mut lines =
        vec![format!("# Written by Conductor for the backend {name}; what is changed here is lost.")];
    for (name, servers) in [(name.to_string(), servers.as_slice()), (name.dark(), dark_servers)] {
        lines.push(format!("backend {name}"));
        lines.extend(servers.iter().map(|Server { address, weight }| {
            format!("    server {} {} weight {weight}", address.server_name(), in_commands(address))
        }));
    }
    lines.push(String::new());
    lines.join("\n")
}

/// An address as HAProxy takes it.
fn in_commands(address: &Address) -> String {
    address.path().map_or_else(|| address.to_string(), |path| format!("unix@{path}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Dark, Door, Weight};
    use snapbox::{assert_data_eq, str};

    fn server(address: &str, weight: u16) -> Server {
        Server { address: address.parse().unwrap(), weight: Weight::new(weight).unwrap() }
    }

    fn known(name: &str, weight: u16, is_ready: bool) -> Known {
        Known { name: name.to_owned(), weight, is_ready, is_out: !is_ready }
    }

    fn lines(commands: &[Command]) -> String {
        let lines: Vec<&str> = commands.iter().map(|command| command.text.as_str()).collect();
        lines.join("\n") + "\n"
    }

    #[test]
    fn a_release_after_another() {
        let before = [known("127.0.0.1:1", 1, true), known("127.0.0.1:2", 1, true)];
        let wanted = [server("127.0.0.1:3", 1), server("[::1]:4", 1), server("unix:/run/a.sock", 1)];
        let plan = commands("web", &before, &wanted);
        assert_data_eq!(
            lines(&plan),
            str![[r#"
add server web/127.0.0.1:3 127.0.0.1:3 weight 1
set server web/127.0.0.1:3 state ready
add server web/::1-4 [::1]:4 weight 1
set server web/::1-4 state ready
add server web/unix:run:a.sock unix@/run/a.sock weight 1
set server web/unix:run:a.sock state ready
set server web/127.0.0.1:1 state maint
set server web/127.0.0.1:2 state maint

"#]]
        );
        let now =
            [known("127.0.0.1:1", 1, false), known("127.0.0.1:2", 1, true), known("127.0.0.1:3", 1, true)];
        assert_data_eq!(
            lines(&undo("web", &before, &now)),
            str![[r#"
set weight web/127.0.0.1:1 1
set server web/127.0.0.1:1 state ready
set weight web/127.0.0.1:2 1
set server web/127.0.0.1:2 state ready
set server web/127.0.0.1:3 state maint

"#]]
        );
    }

    #[test]
    fn a_canary_and_the_way_back() {
        let before = [known("127.0.0.1:1", 1, true), known("127.0.0.1:2", 1, false)];
        let plan = commands("web", &before, &[server("127.0.0.1:1", 19), server("127.0.0.1:2", 1)]);
        assert_data_eq!(
            lines(&plan),
            str![[r#"
set weight web/127.0.0.1:1 19
set server web/127.0.0.1:2 state ready

"#]]
        );
        assert_eq!(commands("web", &before, &[server("127.0.0.1:1", 1)]), [], "nothing to do");
    }

    #[test]
    fn files() {
        let servers = vec![server("127.0.0.1:1", 19), server("unix:/run/a.sock", 1)];
        let door = Door::Header("x-dark".parse().unwrap(), "yes".parse().unwrap());
        let dark = Some(Dark { servers: vec![server("[::1]:4", 1)], door });
        assert_data_eq!(
            file(&Upstream { name: "web".parse().unwrap(), servers, dark }),
            str![[r#"
# Written by Conductor for the backend web; what is changed here is lost.
backend web
    server 127.0.0.1:1 127.0.0.1:1 weight 19
    server unix:run:a.sock unix@/run/a.sock weight 1
backend web_dark
    server ::1-4 [::1]:4 weight 1

"#]]
        );
        assert_data_eq!(
            file(&Upstream::even("web".parse().unwrap(), [])),
            str![[r#"
# Written by Conductor for the backend web; what is changed here is lost.
backend web
backend web_dark

"#]]
        );
    }
}
