//! Stages of releases: `canary` and `bake` of `[deploy]`, `dark` of `[proxy]`.

use snapbox::{assert_data_eq, str};

use crate::messages;

/// A service that could have all stages, with more in its tables.
fn staged(deploy: &str, proxy: &str) -> String {
    format!(
        "image = \"web:1\"\nresources.memory = \"1G\"\ninstances = 2\nports = [{{ container = 80, host = 20000 }}]\n\
         [health]\npath = \"/\"\n[deploy]\n{deploy}\n[proxy]\nupstream = \"web\"\n{proxy}\n"
    )
}

#[test]
fn stages_that_are_possible() {
    for (deploy, proxy) in [
        ("canary = {}", ""),
        ("canary = { instances = 2, share = 99, bake = \"1h\", promote = \"auto\" }", ""),
        ("canary = { promote = \"manual\" }\nbake = \"30s\"", "dark.listen = \"[::1]:19999\""),
        ("bake = \"0\"", "dark = { header = { name = \"X-Dark\", value = \"yes\" } }"),
        ("bake = \"0s\"", "dark = { cookie = { name = \"dark\", value = \"1\" } }"),
        ("", "driver = \"haproxy\"\ndark.cookie = { name = \"a-b\", value = \"1\" }"),
    ] {
        assert_eq!(messages(&staged(deploy, proxy)), "", "{deploy} {proxy}");
    }
}

#[test]
fn impossible_values_of_stages() {
    let deploy = "canary = { instances = 3, share = 100, bake = \"0\", promote = \"manuel\", wait = 1 }\nbake = \"infinity\"";
    let proxy = "dark = { header = { name = \"X Dark\", value = \"default\" }, listen = \"20999\" }";
    assert_data_eq!(
        messages(&staged(deploy, proxy)),
        str![[r#"
web.toml:8:24: the canary would have 3 instances, and the service has 2 (write at most 2, or raise `instances` of the service)
web.toml:8:35: 100 is not between 1 and 99
web.toml:8:47: `0` is not between 10ms and 1w
web.toml:8:62: `manuel` is not known here: did you mean "manual"?
web.toml:8:72: unknown key `wait` (known here: instances, share, bake, promote)
web.toml:9:8: `infinity` is not between 0 and 1w
web.toml:12:28: `X Dark` cannot be the name or the value by which a release in the dark is reached: use letters, digits, `-` and `_`, at most 40, and none of the words default, hostnames, include, volatile
web.toml:12:46: `default` cannot be the name or the value by which a release in the dark is reached: use letters, digits, `-` and `_`, at most 40, and none of the words default, hostnames, include, volatile
web.toml:12:68: `20999` is not where a proxy can listen: write an address in numbers with its port, such as 127.0.0.1:20999 or [::1]:20999

"#]]
    );
}

#[test]
fn stages_need_two_releases_and_a_proxy() {
    let recreate = "image = \"web:1\"\nresources.memory = \"1G\"\n[deploy]\nstrategy = \"recreate\"\n\
                    canary = { promote = \"manual\" }\nbake = \"1min\"\n";
    assert_data_eq!(
        messages(recreate),
        str![[r#"
web.toml:5:10: with recreate there is no canary: the old release is stopped before the new one starts (write strategy = "blue-green", or leave `canary` out)
web.toml:6:8: with recreate there is no bake: the old release is stopped before the new one starts (write strategy = "blue-green", or leave `bake` out)

"#]]
    );
    assert_data_eq!(
        messages(&recreate.replace("strategy = \"recreate\"\n", "")),
        str![[r#"
web.toml:4:10: a canary needs a proxy that passes requests on to one release or the other (add [proxy] with upstream = …, or leave `canary` out)
web.toml:5:8: bake needs a proxy that passes requests on to one release or the other (add [proxy] with upstream = …, or leave `bake` out)

"#]]
    );
    // None is what all have.
    let none = recreate.replace("canary = { promote = \"manual\" }\n", "").replace("1min", "0s");
    assert_eq!(messages(&none), "");
}

#[test]
fn canaries_contradict() {
    assert_data_eq!(
        messages(&staged("canary = { instances = 3 }", "")),
        str![[r#"
web.toml:8:24: the canary would have 3 instances, and the service has 2 (write at most 2, or raise `instances` of the service)

"#]]
    );
    assert_data_eq!(
        messages(&staged("canary = { promote = \"manual\", bake = \"1h\" }", "")),
        str![[r#"
web.toml:8:39: with promote = "manual" no time promotes the canary (leave `bake` out, or write promote = "auto")

"#]]
    );
    let unchecked = staged("canary = { instances = 1 }", "").replace("[health]\npath = \"/\"\n", "");
    assert_data_eq!(
        messages(&unchecked),
        str![[r#"
web.toml:6:10: nothing says whether the canary is healthy (add [health], or write promote = "manual")

"#]]
    );
    assert_eq!(messages(&unchecked.replace("instances = 1 }", "promote = \"manual\" }")), "");
}

#[test]
fn doors_contradict() {
    for (proxy, said) in [
        (
            "dark = {}",
            str![[r#"
web.toml:11:8: nothing says how a release in the dark is reached (write `header`, `cookie` or `listen`, such as listen = "127.0.0.1:20999")

"#]],
        ),
        (
            "dark = { header = { name = \"a\" }, cookie = { name = \"b\", value = \"c\" } }",
            str![[r#"
web.toml:11:19: `value` is missing (say which value opens)
web.toml:11:44: a release in the dark has one door (keep one of `header`, `cookie` and `listen`)

"#]],
        ),
        (
            "dark = { header = { name = \"a\" } }",
            str![[r#"
web.toml:11:19: `value` is missing (say which value opens)

"#]],
        ),
        (
            "dark = { cookie = { value = \"a\" } }",
            str![[r#"
web.toml:11:19: `name` is missing (say what it is called)

"#]],
        ),
        (
            "dark = { cookie = { name = \"a-b\", value = \"c\" } }",
            str![[r#"
web.toml:11:28: nginx knows only cookies without `-` in their names (write `_` instead, or use a header)

"#]],
        ),
        (
            "dark = { listen = \"127.0.0.1:20003\" }",
            str![[r#"
web.toml:11:19: port 20003 is one of the service's own instances (give the proxy a port of its own)

"#]],
        ),
        (
            "driver = \"haproxy\"\ndark.listen = \"127.0.0.1:80\"",
            str![[r#"
web.toml:12:15: HAProxy listens only where its own configuration says (write `header` or `cookie`, and a rule in HAProxy's configuration)

"#]],
        ),
        (
            "dark = \"X-Dark\"",
            str![[r#"
web.toml:11:8: string "X-Dark" is not a table

"#]],
        ),
        (
            "dark.header = \"X-Dark\"",
            str![[r#"
web.toml:11:15: string "X-Dark" is not a table, such as { name = "X-Dark", value = "yes" }

"#]],
        ),
    ] {
        assert_data_eq!(messages(&staged("", proxy)), said);
    }
}
