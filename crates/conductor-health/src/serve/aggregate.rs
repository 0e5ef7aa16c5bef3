//! `serve-status`: all checkers of a machine behind one port.
//!
//! It knows nothing itself: it asks the checker that is concerned, over the socket that each of them has in a
//! directory of its service's name.

use super::checkers::{Checker, absent, is_name};
use super::exposition::{Exposition, Kind, merged};
use super::{Answer, Listener, Question, inherited, serve, traffic};
use crate::cli::ServeArgs;
use crate::notify::Notifier;
use std::path::PathBuf;
use tokio::signal::unix::{SignalKind, signal};
use tokio::task::JoinSet;

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

/// The file that takes all services out at once; no service can be called like this.
const ALL: &str = "_all";
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
                    "/health" => self.all_healthy().await.unwrap_or_else(down),
                    "/metrics" => self.metrics().await.unwrap_or_else(down),
                    "/status" => self.status().await.unwrap_or_else(down),
                    _ => Answer::text(404, "not here: ask for /health/NAME, /health, /metrics or /status\n"),
                },
            },
        }
    }

    async fn agent(&self, name: &str) -> Answer {
        if let Some(why) = self.drained(name) {
            return Answer::text(200, format!("drain #{why}"));
        }
        match self.ask_about(name, "/agent").await {
            Ok(answer) => answer,
            Err(said) => Answer::text(200, format!("ready down #{said}")),
        }
    }

    async fn health(&self, name: &str) -> Answer {
        if let Some(why) = self.drained(name) {
            return Answer::text(503, format!("drain, because {why}\n"));
        }
        self.ask_about(name, "/health").await.unwrap_or_else(down)
    }

    async fn all_healthy(&self) -> Result<Answer, String> {
        let mut names: Vec<String> = self.checkers()?.into_iter().map(|checker| checker.service).collect();
        names.dedup();
        if names.is_empty() {
            return Err("no service is checked here".to_owned());
        }
        let answers = together(names.into_iter().map(|name| {
            let places = self.clone();
            async move { (places.health(&name).await, name) }
        }))
        .await;
        let all = answers.iter().all(|(answer, _)| answer.status == 200);
        let lines = answers.iter().map(|(answer, name)| format!("{name}: {}", answer.body));
        Ok(Answer::text(if all { 200 } else { 503 }, lines.collect::<String>()))
    }

    async fn metrics(&self) -> Result<Answer, String> {
        let answers = self.ask_all("/metrics").await?;
        let mut own = Exposition::default();
        own.family(
            "conductor_health_checker_up",
            Kind::Gauge,
            "Whether the health checker of the service answered.",
        );
        for (Checker { service, slot, .. }, answer) in &answers {
            let slot = slot.as_deref().map(|slot| ("slot", slot));
            let labels: Vec<_> = [("service", service.as_str())].into_iter().chain(slot).collect();
            own.sample("conductor_health_checker_up", &labels, u8::from(answer.is_ok()));
        }
        let own = own.into_text();
        let texts = answers.iter().filter_map(|(_, answer)| answer.as_ref().ok());
        Ok(Answer::metrics(merged(texts.map(|answer| answer.body.as_str()).chain([own.as_str()]))))
    }

    async fn status(&self) -> Result<Answer, String> {
        let services: serde_json::Map<String, serde_json::Value> = self
            .ask_all("/status")
            .await?
            .into_iter()
            .map(|(checker, answer)| {
                let parsed = answer.and_then(|answer| {
                    serde_json::from_str(&answer.body)
                        .map_err(|error| format!("its checker talks nonsense: {error}"))
                });
                let drained = self.drained(&checker.service).is_some();
                let mut value: serde_json::Value =
                    parsed.unwrap_or_else(|said| serde_json::json!({ "traffic": "down", "error": said }));
                if let (true, Some(fields)) = (drained, value.as_object_mut()) {
                    fields.insert("traffic".to_owned(), "drain".into());
                }
                (checker.directory, value)
            })
            .collect();
        Ok(Answer::json(serde_json::json!({ "services": services }).to_string() + "\n"))
    }

    async fn ask_all(&self, path: &'static str) -> Result<Vec<(Checker, Result<Answer, String>)>, String> {
        Ok(self.ask_each(self.checkers()?, path).await)
    }

    async fn ask_each(
        &self,
        checkers: Vec<Checker>,
        path: &'static str,
    ) -> Vec<(Checker, Result<Answer, String>)> {
        together(checkers.into_iter().map(|checker| {
            let root = self.checkers.clone();
            async move { (checker.ask(&root, path).await, checker) }
        }))
        .await
        .into_iter()
        .map(|(answer, checker)| (checker, answer))
        .collect()
    }

    /// All checkers that there are, in the order of their services.
    fn checkers(&self) -> Result<Vec<Checker>, String> {
        Checker::all(&self.checkers)
    }

    /// Why this service is taken out, if it is: a file is there, or nobody can tell.
    fn drained(&self, name: &str) -> Option<String> {
        let files = [Some(ALL), is_name(name).then_some(name)];
        files.into_iter().flatten().map(|file| self.drain.join(file)).find_map(|file| {
            match file.try_exists() {
                Ok(false) => None,
                Ok(true) => Some(format!("{} is there", file.display())),
                Err(error) => Some(format!("{} cannot be looked for: {error}", file.display())),
            }
        })
    }

    /// Asks those who check this service. Of two releases, as during a deploy, the one counts that is better off:
    /// the one that is starting or ending says nothing about the service.
    async fn ask_about(&self, name: &str, path: &'static str) -> Result<Answer, String> {
        if !is_name(name) {
            let shown: String = name.chars().take(64).collect();
            return Err(format!("{shown:?} is not the name of a service"));
        }
        let mut checkers = self.checkers()?;
        checkers.retain(|checker| checker.service == name);
        let answers = self.ask_each(checkers, path).await.into_iter().map(|(_, answer)| answer);
        answers
            .max_by_key(|answer| answer.as_ref().ok().map(traffic::rank))
            .unwrap_or_else(|| Err(absent(name)))
    }
}

/// What is said where nobody can say better.
fn down(mut said: String) -> Answer {
    said.insert_str(0, "down, ");
    said.push('\n');
    Answer::text(503, said)
}

/// Waits for all of them at once; the results are in their order.
async fn together<F>(futures: impl IntoIterator<Item = F>) -> Vec<F::Output>
where
    F: Future + Send + 'static,
    F::Output: Send + 'static,
{
    let numbered = futures.into_iter().enumerate().map(|(at, future)| async move { (at, future.await) });
    let mut results = numbered.collect::<JoinSet<_>>().join_all().await;
    results.sort_by_key(|(at, _)| *at);
    results.into_iter().map(|(_, result)| result).collect()
}

#[cfg(test)]
mod tests {
    use super::super::checkers::{PATIENCE, PAUSE, SOCKET};
    use super::*;
    use crate::serve::{Address, Traffic};
    use tokio::time::Instant;

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
    async fn of_two_releases_the_better_one_counts() {
        let (_root, places) = machine(&[("web@blue", Traffic::Up(1, 2)), ("web@green", Traffic::Down(2))]);
        assert_eq!(get(&places, "/health/web").await.body, "up, 1 of 2 instances are healthy\n");
        assert_eq!(agent(&places, "web").await, "ready up 50%");
        assert_eq!(get(&places, "/health").await.body, "web: up, 1 of 2 instances are healthy\n");
        assert!(get(&places, "/health/web@blue").await.body.contains("is not the name of a service"));
        let metrics = get(&places, "/metrics").await.body;
        assert!(metrics.contains("checker_up{service=\"web\",slot=\"green\"} 1\n"), "{metrics}");
        let status = get(&places, "/status").await.body;
        assert!(status.contains("\"web@blue\":{") && status.contains("\"web@green\":{"), "{status}");
        let (_other, places) = machine(&[("web@blue", Traffic::Drain(1)), ("web@green", Traffic::Up(2, 2))]);
        assert_eq!(agent(&places, "web").await, "ready up 100%");
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

    #[tokio::test]
    async fn what_cannot_be_told_is_down() {
        let (_root, places) = machine(&[]);
        let all = get(&places, "/health").await;
        assert_eq!((all.status, all.body.as_str()), (503, "down, no service is checked here\n"));
        std::fs::write(&places.checkers, "").unwrap();
        for path in ["/health", "/health/web", "/metrics", "/status"] {
            let answer = get(&places, path).await;
            assert!(
                answer.status == 503 && answer.body.contains("health cannot be read: "),
                "{path}: {answer:?}"
            );
        }
        let said = agent(&places, "web").await;
        assert!(said.starts_with("ready down #") && said.contains("health cannot be read: "), "{said}");

        let (_root, places) = machine(&[("web", Traffic::Up(1, 1))]);
        assert_eq!(get(&places, "/health/web").await.status, 200);
        std::fs::write(&places.drain, "").unwrap();
        let answer = get(&places, "/health/web").await;
        assert!(answer.status == 503 && answer.body.contains("cannot be looked for: "), "{answer:?}");
        assert!(agent(&places, "web").await.starts_with("drain #"));
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
