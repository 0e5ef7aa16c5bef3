//! The unit that explains why there is no unit.

use std::path::Path;

use conductor_definition::{Scope, ServiceName};

use crate::exec::Exec;
use crate::manager::systemctl;
use crate::names::start_unit;
use crate::tree::Tree;
use crate::unit_file::UnitFile;

/// Units under which administrators look for a service.
pub fn unit_names(name: &ServiceName) -> [String; 1] {
    [start_unit(name.as_str(), false)]
}

/// Stands in for a definition that does not convert and never did since boot: its start fails at once
/// and prints what is wrong, so that `systemctl status web` explains itself instead of "Unit not found".
pub fn stub(name: &ServiceName, definition: &Path, problems: &[String], scope: Scope) -> Tree {
    let [unit_name] = unit_names(name);
    let systemctl = systemctl(scope);
    let first = problems.first().map_or("it does not convert", String::as_str);
    let unit = UnitFile::generated_from(definition, &[], scope)
        .section("Unit")
        .text("Description", &format!("{name} cannot run: {first}"))
        .set("Documentation", "man:conductor-service(5)")
        .source_path(definition)
        .set("PartOf", "conductor.target")
        .section("Service")
        .set("Type", "oneshot")
        .set("SyslogIdentifier", name)
        .set("SyslogLevel", "err");
    let unit = problems
        .iter()
        .fold(unit, |unit, problem| unit.exec("ExecStart", &Exec::new("/bin/echo").arg(problem.as_str())))
        .exec(
            "ExecStart",
            &Exec::new("/bin/echo").arg(format!(
                "Mend {}, then run {systemctl} daemon-reload and {systemctl} start {name}.",
                definition.display()
            )),
        )
        .exec("ExecStart", &Exec::new("/bin/false"));
    let mut tree = Tree::default();
    tree.link(format!("conductor.target.wants/{unit_name}"), format!("../{unit_name}"));
    tree.file(unit_name, unit.finish_plain());
    tree
}
