//! Values reach the program in the container exactly as they stand in the definition.

use conductor_properties::toml;

use crate::common::{WEB, ask, define, host};

const HOSTILE: &[&str] = &[
    "",
    ";",
    "a b",
    " lead",
    "%n %i %%",
    "$HOME ${PATH} $$",
    "back\\slash\\",
    "quote\"s",
    "it's",
    "tab\tend",
    "#no comment",
    "\u{1b}[31m",
    "ü €",
    "-x",
    "@y",
    "{} [Install]",
    "ends in \\",
    "\\x41 \\n",
    "!a && b | c > d",
];

#[test]
fn arguments_and_environment_are_literal() {
    let host = host();
    let list = HOSTILE.iter().map(|text| toml::string(text)).collect::<Vec<_>>().join(", ");
    let variables: Vec<String> =
        HOSTILE.iter().enumerate().map(|(n, text)| format!("V{n} = {}", toml::string(text))).collect();
    let definition = WEB.replace("[\"payload\"]", &format!("[\"payload\", {list}]"));
    define(&host, "web", &format!("{definition}\n[environment]\n{}\n", variables.join("\n")));
    host.ok(["systemctl", "start", "web.service"]).unwrap();

    let arguments = ask(&host, 20000, "/args").unwrap();
    let expected: Vec<&str> = ["payload"].iter().chain(HOSTILE).copied().collect();
    assert_eq!(arguments.split('\n').collect::<Vec<_>>(), expected);
    let environment = ask(&host, 20000, "/env").unwrap();
    for (n, text) in HOSTILE.iter().enumerate() {
        assert!(
            environment.lines().any(|line| line == format!("V{n}={text}")),
            "V{n}={text}:\n{environment}"
        );
    }
}

#[test]
fn line_breaks_inject_no_directive() {
    let host = host();
    let value = "x\n[Service]\nExecStartPre=/bin/touch /root/injected\n";
    let definition =
        format!("description = \"100% of $$HOME\"\n{WEB}\n[environment]\nV = {}\n", toml::string(value));
    define(&host, "web", &definition);
    host.ok(["systemctl", "start", "web.service"]).unwrap();
    assert_eq!(host.property("web.service", "Description").unwrap(), "100% of $HOME");
    assert_eq!(host.property("web.service", "ExecStartPre").unwrap(), "");
    host.sh("! test -e /root/injected").unwrap();
    assert!(ask(&host, 20000, "/env").unwrap().contains(&format!("V={value}")));
}
