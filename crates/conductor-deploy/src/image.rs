//! Images: fetched and pinned before anything else happens.

use std::process::{Command, Stdio};

use conductor_definition::{Image, PullPolicy, Runtime, Service};

use crate::Failure;

/// Fetches the image that a definition names, as its `[pull]` says, and finds the name under which exactly this image
/// is found again: by its digest if it came from a registry, and by its id otherwise.
pub(crate) async fn pin(service: &Service) -> Result<Image, Failure> {
    let (engine, image) = (program(service.runtime), service.process.image.as_str().to_owned());
    let policy = service.pull.policy;
    tokio::task::spawn_blocking(move || pinned(engine, &image, policy))
        .await
        .map_err(|error| Failure::system("fetching the image", error))?
}

/// What is known of the image without fetching anything: its pinned name if it is on this machine.
pub(crate) async fn look(service: &Service) -> Result<Option<Image>, Failure> {
    let (engine, image) = (program(service.runtime), service.process.image.as_str().to_owned());
    let policy = service.pull.policy;
    let look = move || match inspect(engine, &image) {
        Ok(found) => name_of(&image, found).0.parse().map(Some).map_err(|error| unnamed(&image, error)),
        Err(_) if policy == PullPolicy::Never => Err(missing(&image)),
        Err(_) => Ok(None),
    };
    tokio::task::spawn_blocking(look).await.map_err(|error| Failure::system("looking at the image", error))?
}

/// Removes an image if nothing uses it; whether it was there.
pub(crate) async fn remove(runtime: Runtime, image: String) -> Result<bool, Failure> {
    let remove = move || {
        let engine = program(runtime);
        // Somebody may have been there before us.
        if inspect(engine, &image).is_err() {
            return Ok(false);
        }
        run(engine, &["rmi", &image]).map(|_| true)
    };
    tokio::task::spawn_blocking(remove).await.map_err(|error| Failure::system("removing an image", error))?
}

fn program(runtime: Runtime) -> &'static str {
    match runtime {
        Runtime::Podman => "podman",
        Runtime::Docker => "docker",
    }
}

fn pinned(engine: &str, image: &str, policy: PullPolicy) -> Result<Image, Failure> {
    let mut found = inspect(engine, image);
    // What a digest names cannot have become another image since, whatever the registry has, or whether there is one.
    let is_exact = image.contains("@sha256:");
    if found.is_err() || policy == PullPolicy::Always && !is_exact {
        if policy == PullPolicy::Never {
            return Err(missing(image));
        }
        run(engine, &["pull", "--quiet", image]).map_err(|failure| {
            Failure::configuration(format!(
                "the image {image} cannot be fetched: {failure}: check its name and the registry"
            ))
        })?;
        found = inspect(engine, image);
    }
    let (name, by_digest) = name_of(image, found?);
    // A tag that moves takes the name along, and an image is found by a digest only under its name.
    if by_digest && inspect(engine, &name).is_err() {
        run(engine, &["pull", "--quiet", &name])?;
    }
    name.parse().map_err(|error| unnamed(image, error))
}

fn missing(image: &str) -> Failure {
    Failure::configuration(format!(
        "the image {image} is not on this machine, and [pull] policy = \"never\": load it first"
    ))
}

fn unnamed(image: &str, error: impl std::fmt::Display) -> Failure {
    Failure::system(format!("the image {image}"), error)
}

/// The name under which exactly this image is found again, and whether it is one with a digest.
fn name_of(image: &str, Inspected { id, digests }: Inspected) -> (String, bool) {
    let own = |name: &String| image.contains('@') || repository(name) == repository(image);
    let digest = digests.into_iter().find(own).filter(|name| !name.starts_with("localhost/"));
    digest.map_or((id, false), |name| (name, true))
}

struct Inspected {
    id: String,
    digests: Vec<String>,
}

fn inspect(engine: &str, image: &str) -> Result<Inspected, Failure> {
    let format = "{{.Id}}{{range .RepoDigests}} {{.}}{{end}}";
    let answer = run(engine, &["image", "inspect", "--format", format, image])?;
    let mut words = answer.split_whitespace().map(str::to_owned);
    let id = words.next().ok_or_else(|| Failure::system(format!("inspecting {image}"), "no answer"))?;
    Ok(Inspected { id, digests: words.collect() })
}

/// A name without tag and digest.
fn repository(image: &str) -> &str {
    let name = image.split('@').next().unwrap_or(image);
    match name.rsplit_once(':') {
        // A colon before a slash is one of a port.
        Some((repository, tag)) if !tag.contains('/') => repository,
        _ => name,
    }
}

/// What the program says; an error is what it says of that.
fn run(program: &str, arguments: &[&str]) -> Result<String, Failure> {
    let output = Command::new(program).args(arguments).stdin(Stdio::null()).output();
    let output = output.map_err(|error| Failure::system(format!("running {program}"), error))?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    let said = said.trim().lines().next_back().unwrap_or_default().to_owned();
    Err(Failure::system(format!("{program} {}", arguments.join(" ")), said))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn repositories() {
        for (image, expected) in [
            ("web", "web"),
            ("r.example.com:5000/a/b", "r.example.com:5000/a/b"),
            ("r.example.com:5000/a/b:1", "r.example.com:5000/a/b"),
            ("a/b:1@sha256:0123", "a/b"),
        ] {
            assert_eq!(repository(image), expected);
        }
    }
}
