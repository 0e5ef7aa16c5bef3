//! What is asked for, and what becomes of it.

use std::time::Duration;

use conductor_definition::{Promotion, Service, Source, parse};

use crate::{Asked, CanaryRecord, DoorRecord, Record, Request, Rollback, Stage, Stages, StagesRecord};

fn service(rest: &str) -> Service {
    let text =
        format!("image = \"web:1\"\ninstances = 3\nports = [{{ container = 80, host = 2000 }}]\n{rest}");
    parse(&Source::new("web.toml", text)).unwrap().service
}

fn asked(dark: bool, canary: Option<bool>) -> Request {
    Request { stages: Asked { dark, canary }, ..Request::about("web", "me") }
}

fn of(service: &Service, request: &Request) -> Result<StagesRecord, String> {
    StagesRecord::of(service, request).map_err(|failure| failure.text)
}

const ALL: &str = "health = { path = \"/\" }\n\
    deploy = { canary = { instances = 2, share = 5, promote = \"manual\" }, bake = \"1min\" }\n\
    proxy = { upstream = \"web\", dark.cookie = { name = \"dark\", value = \"yes\" } }\n";

#[test]
fn stages_are_those_of_the_definition_and_of_the_options() {
    let service = service(ALL);
    let canary = CanaryRecord { instances: 2, share: Some(5), bake: Duration::from_secs(600), manual: true };
    let bake = Duration::from_secs(60);
    let defined = StagesRecord { dark: None, canary: Some(canary), bake };
    assert_eq!(of(&service, &asked(false, None)).unwrap(), defined);
    assert_eq!(defined.plan(), Stages { dark: false, canary: Some(Promotion::Manual), bake: true });
    let door = Some(DoorRecord::Cookie("dark".to_owned(), "yes".to_owned()));
    assert_eq!(
        of(&service, &asked(true, Some(false))).unwrap(),
        StagesRecord { dark: door.clone(), canary: None, bake }
    );
    // What is not written is the default, whoever asks.
    let plain = StagesRecord::of(
        &self::service("health.path = \"/\"\nproxy.upstream = \"web\""),
        &asked(false, Some(true)),
    );
    let default = CanaryRecord { instances: 1, share: None, bake: Duration::from_secs(600), manual: false };
    assert_eq!(plain.unwrap(), StagesRecord { canary: Some(default), ..StagesRecord::default() });
    // Who goes back has no time, and who is alone has nothing to compare with.
    let back = Request { rollback: Some(Rollback::Previous), ..asked(false, None) };
    assert_eq!(of(&service, &back).unwrap(), StagesRecord::default());
    let alone = of(&service, &asked(true, None)).unwrap().alone();
    assert_eq!(alone, StagesRecord { dark: door, ..StagesRecord::default() });
}

#[test]
fn what_cannot_be_asked_for() {
    let unchecked = service("proxy.upstream = \"web\"");
    let no_proxy = service("health.path = \"/\"");
    for (service, request, said) in [
        (
            &unchecked,
            asked(true, None),
            "--dark needs a way to the release: write it as `dark` into [proxy] of web, such as dark.listen = \"127.0.0.1:20999\"",
        ),
        (
            &unchecked,
            asked(false, Some(true)),
            "nothing says whether the canary is healthy: add [health] to web, or write canary = { promote = \"manual\" } into [deploy]",
        ),
        (
            &no_proxy,
            asked(true, None),
            "--dark needs a proxy that passes requests on to one release or the other: add [proxy] to web",
        ),
        (
            &no_proxy,
            asked(false, Some(true)),
            "--canary needs a proxy that passes requests on to one release or the other: add [proxy] to web",
        ),
    ] {
        assert_eq!(of(service, &request), Err(said.to_owned()));
    }
    assert_eq!(of(&no_proxy, &asked(false, Some(false))), Ok(StagesRecord::default()));
}

/// As it was written before there were stages.
const RECORD: &str = r#"{"id":"1","revision":"2","image":"web:1","rollback":false,"by":"me","started":5,
    "strategy":"blue-green","before":false,"proxy":{"upstream":"web","socket":null},"to":"green",
    "new":{"start":"web-green.target","service":"web.target","instances":["web-green@1.service","web-green@2.service"],
    "servers":["127.0.0.1:2001","127.0.0.1:2003"],"runs":false},"from":"blue",
    "old":{"start":"web-blue.target","service":"web.target","instances":["web-blue@1.service"],
    "servers":["127.0.0.1:2000"],"runs":true},"displaced":null,"reached":"settle"}"#;

fn record(stages: StagesRecord) -> Record {
    Record { stages, ..serde_json::from_str(RECORD).unwrap() }
}

#[test]
fn records_of_before_have_no_stages_and_others_are_read_as_written() {
    let before = record(StagesRecord::default());
    assert_eq!((before.plan().stages, before.waits), (Stages::default(), None));
    let stages = of(&service(ALL), &asked(true, None)).unwrap();
    let written = Record { waits: Some(Stage::Dark), runs: vec!["a".to_owned()], ..record(stages.clone()) };
    let read: Record = serde_json::from_str(&serde_json::to_string(&written).unwrap()).unwrap();
    assert_eq!((read.stages, read.waits, read.runs), (stages, written.waits, written.runs));
}

#[test]
fn a_stage_is_an_upstream() {
    let canary = CanaryRecord { instances: 1, share: None, bake: Duration::ZERO, manual: false };
    let door = Some(DoorRecord::Listen("127.0.0.1:9".to_owned()));
    let record = record(StagesRecord { dark: door, canary: Some(canary), bake: Duration::ZERO });
    let servers = |stage| {
        let shown = record.shown(stage).unwrap();
        let all = shown.servers.iter().map(|server| format!("{}*{}", server.address, server.weight));
        let dark = shown
            .dark
            .into_iter()
            .flat_map(|dark| dark.servers)
            .map(|server| format!("dark {}", server.address));
        all.chain(dark).collect::<Vec<_>>().join(" ")
    };
    assert_eq!(servers(Stage::Dark), "127.0.0.1:2000*1 dark 127.0.0.1:2001");
    assert_eq!(servers(Stage::Canary), "127.0.0.1:2000*1 127.0.0.1:2001*1");
    let mut record = record.clone();
    record.stages.canary.as_mut().unwrap().share = Some(10);
    let shown = record.shown(Stage::Canary).unwrap();
    assert_eq!(shown.servers.iter().map(|server| server.weight.get()).collect::<Vec<_>>(), [9, 1]);
    // Without a canary the whole of it is in the dark.
    record.stages.canary = None;
    assert_eq!(record.first().instances.len(), 2);
    assert_eq!(record.shown(Stage::Canary).unwrap_err().text, "the proxy: this deploy is never as a canary");
}
