//! `${NAME}` and `$$`.

use conductor_definition::{Source, parse};

use crate::{text, toml};

/// A text with references is filled in by the rule in the manual, or refused.
pub fn interpolate(input: &[u8]) {
    let Some(text) = text(input) else { return };
    let definition = format!(
        "image = \"web:1\"\ndescription = '5 $$ {{x}}'\nrevision = {}\ninstances = 2\nruntime = \"pod$${{\"",
        toml::string(text)
    );
    // The runtime is a mistake of its own if it is filled in, so that errors and values both show.
    let good = definition.replace("runtime = \"pod$${\"", "runtime = \"podman\"");
    let expected = filled_in(text);
    match (parse(&Source::new("web.toml", good)), &expected) {
        (Ok(parsed), Some(expected)) => assert_eq!(parsed.service.revision.as_ref(), Some(expected)),
        (Ok(parsed), None) => panic!("{text:?} is wrong and became {:?}", parsed.service.revision),
        (Err(_), None) => {}
        // What no program could be given is refused for that reason.
        (Err(found), Some(expected)) => {
            assert!(expected.contains('\0') || expected.len() > 100_000, "{text:?} is right: {found:?}");
        }
    }
    let found = parse(&Source::new("web.toml", definition)).unwrap_err();
    assert!(found.iter().any(|diagnostic| diagnostic.message.starts_with("`pod${` ")), "{found:?}");
}

/// The rule, written down once more and as simply as possible.
fn filled_in(text: &str) -> Option<String> {
    let mut value = String::new();
    let mut rest = text;
    while let Some(at) = rest.find('$') {
        value.push_str(&rest[..at]);
        rest = &rest[at + 1..];
        if let Some(after) = rest.strip_prefix('$') {
            value.push('$');
            rest = after;
            continue;
        }
        let (name, after) = rest.strip_prefix('{')?.split_once('}')?;
        value.push_str(match name {
            "image" => "web:1",
            "description" => "5 $ {x}",
            // It is a text, but one that is made with `$` itself; or not a text; or nothing.
            _ => return None,
        });
        rest = after;
    }
    value.push_str(rest);
    Some(value)
}
