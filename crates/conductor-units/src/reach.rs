//! How commands for people reach containers that run.

use std::collections::BTreeMap;

use conductor_definition::Runtime;

use crate::InstanceUnit;
use crate::runtime::engine;

impl InstanceUnit {
    /// Whether what systemd counts for the unit is what the container uses. If not, see [`Whereabouts`].
    pub fn has_container_inside(&self) -> bool {
        engine(self.engine).is_in_unit()
    }

    /// The program that runs `command` in the container, and its arguments. On a `terminal` the command gets one.
    pub fn exec(&self, terminal: bool, command: &[String]) -> (&'static str, Vec<String>) {
        let options = ["exec", "--interactive"].into_iter().chain(terminal.then_some("--tty"));
        let arguments =
            options.map(str::to_owned).chain([self.container.clone()]).chain(command.iter().cloned());
        (name(engine(self.engine).program()), arguments.collect())
    }
}

/// Where containers are that are not in their units' control groups: systemd counts their memory and processor time
/// for another unit, and only the engine knows for which.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Whereabouts {
    engine: Runtime,
    containers: Vec<String>,
}

impl Whereabouts {
    /// One question for each engine that has to be asked; none, as a rule.
    pub fn of<'a>(instances: impl IntoIterator<Item = &'a InstanceUnit>) -> Vec<Self> {
        let mut questions: Vec<Self> = Vec::new();
        for instance in instances {
            if engine(instance.engine).whereabouts().is_none() {
                continue;
            }
            let container = instance.container.clone();
            match questions.iter_mut().find(|question| question.engine == instance.engine) {
                Some(question) => question.containers.push(container),
                None => questions.push(Self { engine: instance.engine, containers: vec![container] }),
            }
        }
        questions
    }

    /// Units without which the engine cannot be asked: asking would start them.
    pub fn needs(&self) -> &'static [&'static str] {
        engine(self.engine).needs()
    }

    /// The program to ask, and its arguments. It fails if one of the containers is not there, and answers for the
    /// others.
    pub fn question(&self) -> (&'static str, Vec<String>) {
        let engine = engine(self.engine);
        let arguments = engine.whereabouts().unwrap_or_default().iter().map(ToString::to_string);
        (name(engine.program()), arguments.chain(self.containers.iter().cloned()).collect())
    }

    /// Reads the answer: containers, and for each the unit that has its control group.
    pub fn read(&self, answer: &str) -> BTreeMap<String, String> {
        let engine = engine(self.engine);
        let lines = answer.lines().filter_map(|line| engine.scope(line));
        lines.map(|(container, unit)| (container.to_owned(), unit)).collect()
    }
}

/// People's commands look a program up in `PATH`, as they would themselves.
fn name(program: &'static str) -> &'static str {
    program.rsplit('/').next().unwrap_or(program)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn instance(container: &str, engine: Runtime) -> InstanceUnit {
        let (number, unit) = (None, String::new());
        InstanceUnit { number, unit, container: container.to_owned(), engine, release: None }
    }

    #[test]
    fn podmans_containers_are_in_their_units() {
        assert_eq!(Whereabouts::of(&[instance("conductor-web", Runtime::Podman)]), []);
    }

    #[test]
    fn docker_is_asked_once_for_all() {
        let both = [instance("conductor-a", Runtime::Docker), instance("conductor-b.2", Runtime::Docker)];
        let [question] = Whereabouts::of(&both).try_into().unwrap();
        let (program, arguments) = question.question();
        assert_eq!(program, "docker");
        assert_eq!(arguments.last().map(String::as_str), Some("conductor-b.2"));
        let read = question.read("/conductor-b.2 0a1b\n\nnonsense\n");
        assert_eq!(
            read.into_iter().collect::<Vec<_>>(),
            [("conductor-b.2".into(), "docker-0a1b.scope".into())]
        );
    }
}
