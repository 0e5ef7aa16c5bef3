//! What works but is probably not meant. Warnings are shown by `conductor check` and never at boot.

use std::ops::Range;

use super::Check;
use crate::{Diagnostic, Health, Image, PullPolicy, Resources, Restart, Service};

/// Places of what is questioned.
#[derive(Debug, Default)]
pub(super) struct Places {
    pub(super) image: Range<usize>,
    pub(super) health: Range<usize>,
    pub(super) limit: Range<usize>,
}

impl Check {
    pub(super) fn lint(&mut self, service: &Service, places: Places) {
        let Places { image, health, limit } = places;
        self.lint_image(&service.process.image, service.pull.policy, image);
        self.lint_low_ports();
        self.lint_controllers(&service.resources);
        self.lint_limits(&service.resources, &service.restart, limit);
        if let Some(checked) = &service.health {
            if service.slots {
                self.lint_settle(&service.deploy, checked.interval, health.clone());
            }
            self.lint_health(checked, service.instances, health);
        }
    }

    /// A tag that moves is one image today and another after the next pull.
    fn lint_image(&mut self, image: &Image, policy: PullPolicy, place: Range<usize>) {
        let text = image.as_str();
        let name = text.rsplit('/').next().unwrap_or(text);
        let moves = !text.contains('@') && (!name.contains(':') || name.ends_with(":latest"));
        if moves && policy != PullPolicy::Always {
            self.report(
                Diagnostic::warning("moving-tag", "which version runs depends on when the image was fetched")
                    .at(place, "no tag of a version")
                    .help("name a version, such as :1.4.2, or a digest"),
            );
        }
    }

    fn lint_limits(&mut self, resources: &Resources, restart: &Restart, limit: Range<usize>) {
        if resources.memory.is_none() && resources.slice.is_none() {
            self.report(
                Diagnostic::warning("no-memory-limit", "it may use all of the machine's memory")
                    .help("set a limit, such as [resources] memory = \"512M\", or a slice that has one"),
            );
        }
        if restart.limit.is_none() {
            self.report(
                Diagnostic::warning("no-restart-limit", "a service that never works restarts for ever")
                    .at(limit, "no limit")
                    .help("leave `limit` out for ten starts, or write { starts = 10, within = \"auto\" }"),
            );
        }
    }

    fn lint_health(&mut self, health: &Health, instances: u16, place: Range<usize>) {
        if instances > 1 && health.max_unavailable >= u32::from(instances) {
            self.report(
                Diagnostic::warning("no-budget", "all instances may be restarted at once")
                    .at(
                        place.clone(),
                        format!("max-unavailable is {} of {instances} instances", health.max_unavailable),
                    )
                    .help("lower max-unavailable, so that some are left to answer"),
            );
        }
        if health.timeout > health.interval {
            self.report(
                Diagnostic::warning("slow-checks", "a check may take longer than the interval")
                    .at(place, format!("interval is {}, timeout is {}", health.interval, health.timeout))
                    .help("checks that are late are left out: raise interval, or lower timeout"),
            );
        }
    }
}
