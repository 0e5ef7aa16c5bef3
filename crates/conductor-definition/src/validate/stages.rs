//! The stages of a release: `canary` and `bake` of `[deploy]`, `dark` of `[proxy]`.

use std::ops::Range;

use conductor_timespan::TimeSpan;

use super::Check;
use crate::value::ListenAddress;
use crate::written::{self, DriverWord, Pause, Spanned, Timer, default};
use crate::{Canary, Diagnostic, Door, Promotion};

/// What is written about stages, and what of the rest they depend on.
pub(super) struct Staging {
    pub(super) canary: Option<Spanned<written::Canary>>,
    pub(super) bake: Option<Spanned<Pause>>,
    /// Where it says that the old release is stopped first.
    pub(super) recreate: Option<Range<usize>>,
    pub(super) has_proxy: bool,
    pub(super) has_health: bool,
    pub(super) instances: u16,
}

impl Check {
    /// The canary, and the time for which the old release stays.
    pub(super) fn stages(&mut self, written: Staging) -> (Option<Canary>, TimeSpan) {
        let Staging { canary, bake, recreate, has_proxy, has_health, instances } = written;
        let bake = bake.and_then(|bake| {
            let place = bake.span();
            self.pause(&bake).filter(|time| *time > default::BAKE).map(|time| (time, place))
        });
        let wanted = [
            ("canary", "a canary", canary.as_ref().map(Spanned::span)),
            ("bake", "bake", bake.as_ref().map(|(_, place)| place.clone())),
        ];
        for (key, what, place) in
            wanted.into_iter().filter_map(|(key, what, place)| Some((key, what, place?)))
        {
            self.has_two_releases(key, what, place, recreate.as_ref(), has_proxy);
        }
        let canary = canary.map(|canary| self.canary(canary, instances, has_health));
        (canary, bake.map_or(default::BAKE, |(time, _)| time))
    }

    /// For both there have to be two releases at a time, and somebody who can pass requests on to either.
    fn has_two_releases(
        &mut self,
        key: &str,
        what: &str,
        place: Range<usize>,
        recreate: Option<&Range<usize>>,
        has_proxy: bool,
    ) {
        if let Some(recreate) = recreate {
            let diagnostic = Diagnostic::error(
                "contradiction",
                format!(
                    "with recreate there is no {key}: the old release is stopped before the new one starts"
                ),
            );
            self.report(
                diagnostic
                    .at(place, "needs two releases that run beside each other")
                    .and(recreate.clone(), "there is one at a time")
                    .help(format!("write strategy = \"blue-green\", or leave `{key}` out")),
            );
        } else if !has_proxy {
            let diagnostic = Diagnostic::error(
                "contradiction",
                format!("{what} needs a proxy that passes requests on to one release or the other"),
            );
            self.report(
                diagnostic
                    .at(place, "there is no [proxy]")
                    .help(format!("add [proxy] with upstream = …, or leave `{key}` out")),
            );
        }
    }

    fn canary(&mut self, written: Spanned<written::Canary>, all: u16, has_health: bool) -> Canary {
        let table = written.span();
        let written::Canary { instances, share, bake, promote } = written.into_inner();
        let place = instances.as_ref().map(Spanned::span);
        let number = instances.and_then(|n| self.number(&n)).unwrap_or(default::INSTANCES);
        if let Some(place) = place.filter(|_| number > all) {
            self.report(
                Diagnostic::error(
                    "contradiction",
                    format!("the canary would have {number} instances, and the service has {all}"),
                )
                .at(place, "more than there are")
                .help(format!("write at most {all}, or raise `instances` of the service")),
            );
        }
        let promotion = promote.as_ref().map(|promote| *promote.get_ref()).unwrap_or_default();
        match (promotion, &bake) {
            (Promotion::Manual, Some(bake)) => self.report(
                Diagnostic::error("contradiction", "with promote = \"manual\" no time promotes the canary")
                    .at(bake.span(), "has no meaning here")
                    .help("leave `bake` out, or write promote = \"auto\""),
            ),
            (Promotion::Auto, _) if !has_health => self.report(
                Diagnostic::error("contradiction", "nothing says whether the canary is healthy")
                    .at(table, "would be promoted without a check")
                    .help("add [health], or write promote = \"manual\""),
            ),
            _ => {}
        }
        Canary {
            instances: number,
            share: share.and_then(|n| self.number(&n)),
            bake: self.timer(bake, default::CANARY_BAKE),
            promotion,
        }
    }

    /// A span that may be nothing, but not for ever.
    fn pause(&mut self, span: &Spanned<Pause>) -> Option<TimeSpan> {
        let Pause(value) = *span.get_ref();
        if value <= Timer::LONGEST {
            return Some(value);
        }
        self.report(
            Diagnostic::error("out-of-range", format!("`{value}` is not between 0 and {}", Timer::LONGEST))
                .at(span.span(), "out of range"),
        );
        None
    }

    /// `dark` of `[proxy]`; `taken` are the host's ports of all instances.
    pub(super) fn dark(
        &mut self,
        written: Spanned<written::Dark>,
        driver: DriverWord,
        taken: &[(u16, u16)],
    ) -> Option<Door> {
        let table = written.span();
        let written::Dark { header, cookie, listen } = written.into_inner();
        let places: Vec<Range<usize>> = [
            header.as_ref().map(Spanned::span),
            cookie.as_ref().map(Spanned::span),
            listen.as_ref().map(Spanned::span),
        ]
        .into_iter()
        .flatten()
        .collect();
        let header = header.map(|header| self.password("proxy.dark.header", header, driver, false));
        let cookie = cookie.map(|cookie| self.password("proxy.dark.cookie", cookie, driver, true));
        if let [first, second, ..] = places.as_slice() {
            self.report(
                Diagnostic::error("contradiction", "a release in the dark has one door")
                    .at(second.clone(), "a second one")
                    .and(first.clone(), "the first one")
                    .help("keep one of `header`, `cookie` and `listen`"),
            );
            return None;
        }
        match (header, cookie, listen) {
            (Some(header), _, _) => header.map(|(name, value)| Door::Header(name, value)),
            (_, Some(cookie), _) => cookie.map(|(name, value)| Door::Cookie(name, value)),
            (_, _, Some(listen)) => self.listen(&listen, driver, taken),
            (None, None, None) => {
                let keys = ["header", "cookie", "listen"];
                if !keys.iter().any(|key| self.removed.contains(&format!("proxy.dark.{key}"))) {
                    self.report(
                        Diagnostic::error("missing-key", "nothing says how a release in the dark is reached")
                            .at(table, "has no door")
                            .help(
                                "write `header`, `cookie` or `listen`, such as listen = \"127.0.0.1:20999\"",
                            ),
                    );
                }
                None
            }
        }
    }

    fn password(
        &mut self,
        path: &str,
        written: Spanned<written::Password>,
        driver: DriverWord,
        is_cookie: bool,
    ) -> Option<(crate::DoorWord, crate::DoorWord)> {
        let table = written.span();
        let written::Password { name, value } = written.into_inner();
        if name.is_none() {
            self.missing(&format!("{path}.name"), "name", Some(table.clone()), "say what it is called");
        }
        if value.is_none() {
            self.missing(&format!("{path}.value"), "value", Some(table), "say which value opens");
        }
        if let Some(name) = name.as_ref().filter(|name| is_cookie && name.get_ref().as_str().contains('-'))
            && driver == DriverWord::Nginx
        {
            self.report(
                Diagnostic::error("contradiction", "nginx knows only cookies without `-` in their names")
                    .at(name.span(), "cannot be told by nginx")
                    .help("write `_` instead, or use a header"),
            );
        }
        Some((name?.into_inner(), value?))
    }

    fn listen(
        &mut self,
        written: &Spanned<ListenAddress>,
        driver: DriverWord,
        taken: &[(u16, u16)],
    ) -> Option<Door> {
        let ListenAddress(address) = *written.get_ref();
        if driver == DriverWord::Haproxy {
            self.report(
                Diagnostic::error("contradiction", "HAProxy listens only where its own configuration says")
                    .at(written.span(), "has no meaning with haproxy")
                    .help("write `header` or `cookie`, and a rule in HAProxy's configuration"),
            );
            return None;
        }
        if taken.iter().any(|(first, last)| (*first..=*last).contains(&address.port())) {
            self.report(
                Diagnostic::error(
                    "contradiction",
                    format!("port {} is one of the service's own instances", address.port()),
                )
                .at(written.span(), "taken by [[ports]], in one of the two slots")
                .help("give the proxy a port of its own"),
            );
        }
        // Others look here when they want the same.
        self.port_places.push(written.span());
        Some(Door::Listen(address))
    }
}
