//! Which definition would make a unit: [`crate::names`], read in the other direction.

use conductor_definition::Slot;

/// What a unit is to the service that makes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// All there is of a service that is no group.
    Alone,
    /// What stands for a group.
    Whole,
    /// A container of a group; without a number, one that no group has.
    Instance(Option<u16>),
    /// The release in a slot, or one of its containers.
    InSlot {
        /// Whether it is one of several, by its template.
        instance: bool,
    },
    /// What checks a service; of a release in a slot, that one.
    Health {
        /// Whether it is that of a slot.
        slot: bool,
    },
}

/// The services that would make a unit of this name, if they are defined, and as what. A unit that fetches an image is
/// not here: it waits for nobody that a definition names.
pub fn origins(unit: &str) -> Vec<(&str, Role)> {
    let mut found = Vec::new();
    if let Some(name) = unit.strip_suffix(".target") {
        found.push((name, Role::Whole));
        found.extend(in_slot(name).map(|name| (name, Role::InSlot { instance: false })));
    } else if let Some(stem) = unit.strip_suffix(".service") {
        if let Some((name, instance)) = stem.split_once('@') {
            found.push((name, Role::Instance(number(instance))));
            found.extend(in_slot(name).map(|name| (name, Role::InSlot { instance: true })));
        } else {
            found.push((stem, Role::Alone));
            if let Some(name) = stem.strip_suffix("-health") {
                found.push((name, Role::Health { slot: false }));
                found.extend(in_slot(name).map(|name| (name, Role::Health { slot: true })));
            }
        }
    }
    found
}

/// The service, if the name is that of its release in a slot.
fn in_slot(name: &str) -> Option<&str> {
    Slot::ALL.into_iter().find_map(|slot| name.strip_suffix(slot.as_str())?.strip_suffix('-'))
}

/// The number as the names of instances have it.
fn number(text: &str) -> Option<u16> {
    text.parse().ok().filter(|number: &u16| *number > 0 && number.to_string() == text)
}

#[cfg(test)]
mod tests {
    use conductor_definition::{Source, parse};

    use super::*;
    use crate::{Context, render};

    /// What the units of a definition are to it; the template is no unit that could be named, and stands for one.
    fn roles(text: &str) -> Vec<String> {
        let text = format!("image = \"x\"\nports = [{{ container = 80, host = 2000 }}]\n{text}");
        let service = parse(&Source::new("web.toml", text)).unwrap().service;
        let tree = render(&service, &Context::default());
        let role = |unit: &str| {
            let unit = unit.replace("@.", "@2.");
            let found = origins(&unit).into_iter().filter(|(name, _)| *name == "web");
            let roles: Vec<String> = found.map(|(_, role)| format!("{role:?}")).collect();
            format!("{unit}: {}", roles.join(" "))
        };
        tree.unit_names().map(role).collect()
    }

    #[test]
    fn every_unit_but_the_download_leads_back_to_its_service() {
        assert_eq!(
            roles("health.path = \"/\""),
            ["web-health.service: Health { slot: false }", "web-pull.service: ", "web.service: Alone"]
        );
        assert_eq!(
            roles("instances = 3\nhealth.path = \"/\""),
            [
                "web-health.service: Health { slot: false }",
                "web-pull.service: ",
                "web.target: Whole",
                "web@2.service: Instance(Some(2))"
            ]
        );
        assert_eq!(
            roles("health.path = \"/\"\ndeploy.strategy = \"blue-green\""),
            [
                "web-blue-health.service: Health { slot: true }",
                "web-blue-pull.service: ",
                "web-blue.target: InSlot { instance: false }",
                "web-blue@2.service: InSlot { instance: true }",
                "web.target: Whole",
            ]
        );
    }

    #[test]
    fn names_that_are_several_things_at_once() {
        assert_eq!(
            origins("a-green-health.service"),
            [
                ("a-green-health", Role::Alone),
                ("a-green", Role::Health { slot: false }),
                ("a", Role::Health { slot: true })
            ]
        );
        assert_eq!(origins("a@01.service"), [("a", Role::Instance(None))]);
        assert!(origins("a.mount").is_empty() && origins("a").is_empty());
    }
}
