//! Definitions of networks and volumes.

use conductor_definition::{
    Abilities, Diagnostic, Object, ParsedObject, Scope, Source, parse_network, parse_volume,
};
use conductor_units::{Entry, Tree, render_object, too_long};

use crate::definition::{drop_ins, hold};
use crate::text;
use crate::units::{OURS, understood};

type Parse = fn(&Source, Abilities) -> Result<ParsedObject, Vec<Diagnostic>>;

/// One definition, read as a network's and as a volume's; a NUL separates the main file from its drop-ins.
pub fn object(input: &[u8]) {
    let Some(text) = text(input) else { return };
    let kinds: [(&str, Parse); 2] = [("networks", parse_network), ("volumes", parse_volume)];
    for (directory, parse) in kinds {
        let mut files = text.split('\0');
        let path = format!("/etc/conductor/{directory}/data.toml");
        let mut source = Source::new(&path, files.next().unwrap_or_default());
        drop_ins(&mut source, &path, files);
        match parse(&source, Abilities::ROOT) {
            Ok(parsed) => {
                hold(&source, &parsed.warnings);
                assert_eq!(parsed.object, parse(&source, Abilities::ROOT).unwrap().object);
                sound(&parsed.object);
            }
            Err(found) => hold(&source, &found),
        }
    }
}

/// The unit holds what the definition says and nothing else.
fn sound(object: &Object) {
    let tree = render_object(object, Scope::System);
    if too_long(&tree).is_some() {
        return;
    }
    assert_eq!(Tree::parse(&tree.to_string()).as_ref(), Ok(&tree));
    let [(_, Entry::File(text))] = tree.iter().collect::<Vec<_>>()[..] else { panic!("one unit: {tree}") };
    let understood = understood(text);
    let sections: Vec<&str> = understood.iter().map(|one| one.section.as_str()).collect();
    let sections: Vec<&str> = sections.chunk_by(PartialEq::eq).map(|same| same[0]).collect();
    assert_eq!(sections, ["Unit", "Service", OURS], "{text}");
    let commands: Vec<&Vec<String>> =
        understood.iter().filter(|one| one.key.starts_with("Exec")).map(|one| &one.value).collect();
    let [command] = commands[..] else { panic!("one command: {text}") };
    let labels = object.labels.iter().map(|(name, value)| format!("--label={name}={value}"));
    let options = object.options.iter().map(|(name, value)| format!("--opt={name}={value}"));
    for word in labels.chain(options).chain(object.runtime_args.iter().cloned()) {
        assert!(command.contains(&word), "{word:?} is not in {command:?}");
    }
}
