//! Advice and bounds.

use snapbox::{assert_data_eq, str};

use crate::messages;

#[test]
fn what_is_probably_not_meant() {
    let text = "image = \"registry.example.com:5000/web\"\ninstances = 2\n[[ports]]\ncontainer = 80\nhost = 2000\n[health]\npath = \"/\"\ninterval = \"1s\"\ntimeout = \"3s\"\nmax-unavailable = 2\n[restart]\nlimit = \"none\"\n";
    assert_data_eq!(
        messages(text),
        str![[r#"
web.toml: warning: it may use all of the machine's memory (set a limit, such as [resources] memory = "512M", or a slice that has one)
web.toml:1:9: warning: which version runs depends on when the image was fetched (name a version, such as :1.4.2, or a digest)
web.toml:6:1: warning: all instances may be restarted at once (lower max-unavailable, so that some are left to answer)
web.toml:6:1: warning: a check may take longer than the interval (checks that are late are left out: raise interval, or lower timeout)
web.toml:12:9: warning: a service that never works restarts for ever (leave `limit` out for ten starts, or write { starts = 10, within = "auto" })

"#]]
    );
    assert_data_eq!(
        messages("image = \"web:latest\"\n[resources]\nmemory = \"64M\"\n"),
        str![[r#"
web.toml:1:9: warning: which version runs depends on when the image was fetched (name a version, such as :1.4.2, or a digest)

"#]]
    );
}

#[test]
fn bounds() {
    let port = |number: u32| format!("[[ports]]\ncontainer = 80\nhost = {number}\n");
    let ports: String = (1..=257).map(port).collect();
    assert_data_eq!(
        messages(&format!("image = \"web\"\n{ports}")),
        str![[r#"
web.toml:770:1: there are more than 256 [[ports]] (publish a range: container = "8000-8009")

"#]]
    );
    let range = |number: u32| {
        format!("[[ports]]\ncontainer = \"1-10000\"\nhost = 1\naddress = \"127.0.0.{number}\"\n")
    };
    let ranges: String = (1..=7).map(range).collect();
    assert_data_eq!(
        messages(&format!("image = \"web\"\n{ranges}")),
        str![[r#"
web.toml:28:8: its ports, those of all instances together, are more than 65535 (publish fewer ports, or have fewer instances)

"#]]
    );
    let path = "x".repeat(4096);
    assert_data_eq!(
        messages(&format!("image = \"web\"\nworking-directory = \"/{path}\"\n[health]\npath = \"/{path}\"")),
        str![[r#"
web.toml:2:21: a path of 4097 bytes is longer than the kernel takes, which is 4095
web.toml:3:1: a health check needs a port to ask (add [[ports]] with container = and host =)
web.toml:4:8: a path of 4097 bytes is longer than 1024: let a short one do for the check

"#]]
    );
    assert_data_eq!(
        messages("image = \"web\"\nsecrets.key = \"/etc/key \"\n"),
        str![[r#"
web.toml:2:15: `/etc/key ` ends in a blank, which systemd would not read: rename the file

"#]]
    );
    let deep = format!("image = {}1{}", "{ a.b = ".repeat(41), "}".repeat(41));
    assert_data_eq!(
        messages(&deep),
        str![[r#"
web.toml:1:329: tables and lists are nested too deep (this is probably another file under this name)

"#]]
    );
}

#[test]
fn units_that_systemd_would_not_take() {
    assert_data_eq!(
        messages(
            "image = \"web\"\nafter = [\".service\"]\nwants = [\"@a.service\"]\nrequires = [\"a@b.service\"]"
        ),
        str![[r#"
web.toml:2:10: `.service` names neither a unit (such as `postgresql.service`) nor a service (such as `web`)
web.toml:3:10: `@a.service` names neither a unit (such as `postgresql.service`) nor a service (such as `web`)

"#]]
    );
}
