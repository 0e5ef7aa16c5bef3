//! `serve-status`: all checkers of a machine behind one port.
//!
//! It knows nothing itself: it asks the checker that is concerned, over the socket that each of them has in a
//! directory of its service's name.

use super::exposition::{Exposition, Kind, merged};
use super::{Answer, Listener, Question, inherited, serve};
use crate::cli::ServeArgs;
use crate::notify::Notifier;
use std::path::{Path, PathBuf};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::UnixStream;
use tokio::signal::unix::{SignalKind, signal};
use tokio::task::JoinSet;
use tokio::time::Instant;

/// Answers until SIGTERM or SIGINT. The error is why it cannot.
pub async fn run(args: ServeArgs) -> Result<(), String> {
    let listen = |kind| signal(kind).map_err(|error| format!("cannot listen for signals: {error}"));
    let mut terminate = listen(SignalKind::terminate())?;
    let mut interrupt = listen(SignalKind::interrupt())?;
    let ServeArgs { listen: addresses, checkers, drain } = args;
    let mut listeners = inherited()?;
    if listeners.is_empty() {
        listeners = addresses.iter().map(Listener::bind).collect::<Result<_, _>>()?;
    }
    let places = Places { checkers, drain };
    for listener in listeners {
        let places = places.clone();
        tokio::spawn(serve(listener, move |question| places.clone().answer(question)));
    }
    let mut notifier = Notifier::default();
    notifier.ready();
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    notifier.stopping();
    Ok(())
}

/// The name of a checker's socket in its directory.
pub const SOCKET: &str = "socket";
/// The file that takes all services out at once; no service can be called like this.
const ALL: &str = "_all";
/// How long a checker may take. One that is restarted, as by an upgrade, is back within a second.
const PATIENCE: Duration = Duration::from_secs(3);
/// The time between attempts to reach one that is being restarted.
const PAUSE: Duration = Duration::from_millis(100);
/// The longest answer: some thousand instances.
const LONGEST: u64 = 16 * 1024 * 1024;

/// Where to look.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Places {
    /// The directories of the checkers, by the name of their service.
    pub checkers: PathBuf,
    /// A file in it takes the service of its name out of the load balancer.
    pub drain: PathBuf,
}

impl Places {
    /// Answers a question.
    pub async fn answer(self, question: Question) -> Answer {
        match &question {
            Question::Agent(name) => self.agent(name).await,
            Question::Http { path, .. } => match path.trim_end_matches('/').strip_prefix("/health/") {
                Some(name) => self.health(name).await,
                None => match path.as_str() {
                    "/health" => self.all_healthy().await,
                    "/metrics" => self.metrics().await,
                    "/status" => self.status().await,
                    _ => Answer::text(404, "not here: ask for /health/NAME, /health, /metrics or /status\n"),
                },
            },
        }
    }

    async fn agent(&self, name: &str) -> Answer {
        if let Some(file) = self.drained(name) {
            return Answer::text(200, format!("drain #{} is there", file.display()));
        }
        match self.ask(name, "/agent").await {
            Ok(answer) => answer,
            Err(said) => Answer::text(200, format!("ready down #{said}")),
        }
    }

    async fn health(&self, name: &str) -> Answer {
        if let Some(file) = self.drained(name) {
            return Answer::text(503, format!("drain, because {} is there\n", file.display()));
        }
        self.ask(name, "/health").await.unwrap_or_else(|said| Answer::text(503, format!("down, {said}\n")))
    }

    async fn all_healthy(&self) -> Answer {
        let names = self.names();
        let mut asked = JoinSet::new();
        for name in names {
            let places = self.clone();
            asked.spawn(async move {
                let answer = places.health(&name).await;
                (name, answer)
            });
        }
        let mut answers = asked.join_all().await;
        answers.sort_by(|(one, _), (other, _)| one.cmp(other));
        let all = answers.iter().all(|(_, answer)| answer.status == 200);
        let lines = answers.iter().map(|(name, answer)| format!("{name}: {}", answer.body));
        Answer::text(if all { 200 } else { 503 }, lines.collect::<String>())
    }

    async fn metrics(&self) -> Answer {
        let answers = self.ask_all("/metrics").await;
        let mut own = Exposition::default();
        own.family(
            "conductor_health_checker_up",
            Kind::Gauge,
            "Whether the health checker of the service answered.",
        );
        for (name, answer) in &answers {
            own.sample("conductor_health_checker_up", &[("service", name)], u8::from(answer.is_ok()));
        }
        let own = own.into_text();
        let texts = answers.iter().filter_map(|(_, answer)| answer.as_ref().ok());
        Answer::metrics(merged(texts.map(|answer| answer.body.as_str()).chain([own.as_str()])))
    }

    async fn status(&self) -> Answer {
        let services: serde_json::Map<String, serde_json::Value> = self
            .ask_all("/status")
            .await
            .into_iter()
            .map(|(name, answer)| {
                let parsed = answer.and_then(|answer| {
                    serde_json::from_str(&answer.body)
                        .map_err(|error| format!("its checker talks nonsense: {error}"))
                });
                let drained = self.drained(&name).is_some();
                let mut value: serde_json::Value =
                    parsed.unwrap_or_else(|said| serde_json::json!({ "traffic": "down", "error": said }));
                if let (true, Some(fields)) = (drained, value.as_object_mut()) {
                    fields.insert("traffic".to_owned(), "drain".into());
                }
                (name, value)
            })
            .collect();
        Answer::json(serde_json::json!({ "services": services }).to_string() + "\n")
    }

    async fn ask_all(&self, path: &'static str) -> Vec<(String, Result<Answer, String>)> {
        let mut asked = JoinSet::new();
        for name in self.names() {
            let places = self.clone();
            asked.spawn(async move {
                let answer = places.ask(&name, path).await;
                (name, answer)
            });
        }
        let mut answers = asked.join_all().await;
        answers.sort_by(|(one, _), (other, _)| one.cmp(other));
        answers
    }

    /// Services that have a checker, in order.
    fn names(&self) -> Vec<String> {
        let entries = std::fs::read_dir(&self.checkers).into_iter().flatten().flatten();
        let mut names: Vec<String> =
            entries.filter_map(|entry| entry.file_name().into_string().ok()).collect();
        names.retain(|name| is_name(name));
        names.sort();
        names
    }

    /// The file that takes this service out, if there is one.
    fn drained(&self, name: &str) -> Option<PathBuf> {
        let files = [Some(ALL), is_name(name).then_some(name)];
        files.into_iter().flatten().map(|file| self.drain.join(file)).find(|file| file.exists())
    }

    /// Asks one checker. While its directory is there it is running, or is being restarted.
    async fn ask(&self, name: &str, path: &str) -> Result<Answer, String> {
        if !is_name(name) {
            return Err(format!(
                "{:?} is not the name of a service",
                name.chars().take(64).collect::<String>()
            ));
        }
        let directory = self.checkers.join(name);
        let deadline = Instant::now() + PATIENCE;
        loop {
            let asked = tokio::time::timeout_at(deadline, exchange(&directory.join(SOCKET), path)).await;
            match asked {
                Ok(Ok(answer)) => return Ok(answer),
                Ok(Err(_)) if !directory.exists() => {
                    return Err(format!(
                        "no checker of {name} runs here: the service is stopped, or has no health check"
                    ));
                }
                Ok(Err(_)) if Instant::now() + PAUSE < deadline => tokio::time::sleep(PAUSE).await,
                Ok(Err(said)) => return Err(format!("the checker of {name} does not answer: {said}")),
                Err(_) => return Err(format!("the checker of {name} does not answer in time")),
            }
        }
    }
}

/// Letters, digits, `-`, `_` and `.`, but no path and nothing hidden.
fn is_name(name: &str) -> bool {
    let fits = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '-' | '_' | '.');
    !name.is_empty() && !name.starts_with(['.', '_']) && name.len() <= 255 && name.chars().all(fits)
}

async fn exchange(socket: &Path, path: &str) -> Result<Answer, String> {
    let said = |error: std::io::Error| error.to_string();
    let mut stream = UnixStream::connect(socket).await.map_err(said)?;
    stream.write_all(format!("GET {path} HTTP/1.1\r\n\r\n").as_bytes()).await.map_err(said)?;
    let mut text = String::new();
    stream.take(LONGEST).read_to_string(&mut text).await.map_err(said)?;
    let (head, body) = text.split_once("\r\n\r\n").ok_or("it broke off")?;
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).ok_or("it is not HTTP")?;
    Ok(Answer::text(status, body))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::serve::{Address, Traffic};

    /// A machine with a checker of each of these services.
    fn machine(services: &[(&'static str, Traffic)]) -> (tempfile::TempDir, Places) {
        let root = tempfile::tempdir().unwrap();
        let places = Places { checkers: root.path().join("health"), drain: root.path().join("drain") };
        for (name, traffic) in services {
            let directory = places.checkers.join(name);
            std::fs::create_dir_all(&directory).unwrap();
            let listener = Listener::bind(&Address::Unix(directory.join(SOCKET))).unwrap();
            let (name, traffic) = (*name, *traffic);
            tokio::spawn(serve(listener, move |question| async move {
                match question {
                    Question::Http { path, .. } if path == "/health" => traffic.http(),
                    Question::Http { path, .. } if path == "/agent" => traffic.agent(),
                    Question::Http { path, .. } if path == "/status" => {
                        Answer::json(format!("{{\"traffic\":\"{}\"}}", traffic.word()))
                    }
                    Question::Http { path, .. } if path == "/metrics" => Answer::metrics(format!(
                        "# HELP x_total Help.\n# TYPE x_total counter\nx_total{{service=\"{name}\"}} 1\n"
                    )),
                    _ => Answer::not_found(),
                }
            }));
        }
        (root, places)
    }

    async fn get(places: &Places, path: &str) -> Answer {
        places.clone().answer(Question::Http { path: path.to_owned(), body: true }).await
    }

    async fn agent(places: &Places, name: &str) -> String {
        places.clone().answer(Question::Agent(name.to_owned())).await.body
    }

    #[tokio::test]
    async fn each_service_for_itself_and_all_together() {
        let (_root, places) = machine(&[("api", Traffic::Up(1, 2)), ("web", Traffic::Down(1))]);
        assert_eq!(get(&places, "/health/api").await.status, 200);
        assert_eq!(get(&places, "/health/web").await.status, 503);
        assert_eq!(agent(&places, "api").await, "ready up 50%");
        let all = get(&places, "/health").await;
        assert_eq!(
            (all.status, all.body.as_str()),
            (503, "api: up, 1 of 2 instances are healthy\nweb: down, none of 1 instances is healthy\n")
        );
        let metrics = get(&places, "/metrics").await.body;
        assert!(metrics.contains("x_total{service=\"api\"} 1\nx_total{service=\"web\"} 1\n"), "{metrics}");
        assert!(metrics.contains("conductor_health_checker_up{service=\"web\"} 1\n"), "{metrics}");
        let status = get(&places, "/status").await.body;
        assert_eq!(status, "{\"services\":{\"api\":{\"traffic\":\"up\"},\"web\":{\"traffic\":\"down\"}}}\n");
        assert_eq!(get(&places, "/").await.status, 404);
    }

    #[tokio::test]
    async fn a_file_takes_a_service_out() {
        let (_root, places) = machine(&[("api", Traffic::Up(2, 2)), ("web", Traffic::Up(2, 2))]);
        std::fs::create_dir_all(&places.drain).unwrap();
        std::fs::write(places.drain.join("web"), "").unwrap();
        assert_eq!(get(&places, "/health/web").await.status, 503);
        assert!(agent(&places, "web").await.starts_with("drain #"));
        assert_eq!(agent(&places, "api").await, "ready up 100%");
        assert!(get(&places, "/status").await.body.contains("\"web\":{\"traffic\":\"drain\"}"));
        std::fs::write(places.drain.join(ALL), "").unwrap();
        assert!(agent(&places, "api").await.starts_with("drain #"));
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_not_there_is_down_and_what_is_being_restarted_is_waited_for() {
        let (_root, places) = machine(&[]);
        assert_eq!(
            get(&places, "/health/web").await.body,
            "down, no checker of web runs here: the service is stopped, or has no health check\n"
        );
        assert!(agent(&places, "../web").await.contains("is not the name of a service"));
        std::fs::create_dir_all(places.checkers.join("web")).unwrap();
        let begun = Instant::now();
        assert!(get(&places, "/health/web").await.body.contains("does not answer"));
        assert!(begun.elapsed() + PAUSE * 2 > PATIENCE);
    }
}
