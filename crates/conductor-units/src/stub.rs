//! The unit that explains why there is no unit.

use std::path::Path;

use conductor_definition::{DefinitionName, Kind, Scope};

use crate::exec::Exec;
use crate::manager::systemctl;
use crate::names::{manual, unit_of};
use crate::object::mark;
use crate::tree::Tree;
use crate::unit_file::UnitFile;

/// Units under which administrators look for what a definition defines.
pub fn unit_names(name: &DefinitionName) -> [String; 1] {
    [unit_of(name)]
}

/// Stands in for a definition that does not convert and never did since boot: its start fails at once
/// and prints what is wrong, so that `systemctl status web` explains itself instead of "Unit not found".
///
/// Those of networks and volumes are started by what uses them, and not by themselves. They are marked as real ones
/// are: what uses a volume must know that there should be one.
pub fn stub(name: &DefinitionName, definition: &Path, problems: &[String], scope: Scope) -> Tree {
    let [unit_name] = unit_names(name);
    let systemctl = systemctl(scope);
    let first = problems.first().map_or("it does not convert", String::as_str);
    let start = unit_name.strip_suffix(".service").unwrap_or(&unit_name);
    let is_service = name.kind() == Kind::Service;
    let cannot = if is_service { "cannot run" } else { "cannot be made" };
    let unit = UnitFile::generated_from(definition, &[], scope)
        .section("Unit")
        .text("Description", &format!("{name} {cannot}: {first}"))
        .set("Documentation", manual(name.kind()))
        .source_path(definition)
        .set_some("PartOf", is_service.then_some("conductor.target"))
        .section("Service")
        .set("Type", "oneshot")
        .set("SyslogIdentifier", start)
        .set("SyslogLevel", "err");
    let unit = problems
        .iter()
        .fold(unit, |unit, problem| unit.exec("ExecStart", &Exec::new("/bin/echo").arg(problem.as_str())))
        .exec(
            "ExecStart",
            &Exec::new("/bin/echo").arg(format!(
                "Mend {}, then run {systemctl} daemon-reload and {systemctl} start {start}.",
                definition.display()
            )),
        )
        .exec("ExecStart", &Exec::new("/bin/false"));
    let mut tree = Tree::default();
    let unit = if is_service {
        tree.link(format!("conductor.target.wants/{unit_name}"), format!("../{unit_name}"));
        unit
    } else {
        mark(unit, name)
    };
    tree.file(unit_name, unit.finish_plain());
    tree
}
