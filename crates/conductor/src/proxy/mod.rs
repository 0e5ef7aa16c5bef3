//! `conductor proxy`

mod live;

use std::path::Path;
use std::process::ExitCode;

use conductor_definition::{ProxyDriver, Scope, Site};
use conductor_proxy::{Haproxy, Nginx, Others, Runner, Upstream};

use crate::ask::wait_for;
use crate::services::Root;
use crate::terminal::{FAILURE, say};
use crate::whose::Whose;

use live::Live;

/// What nginx and HAProxy are told of services.
///
/// A service with a [proxy] is an upstream of nginx, or a backend of HAProxy, with the instances of its live release.
#[derive(Debug, clap::Args)]
pub(crate) struct Proxy {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, clap::Subcommand)]
enum What {
    Render(Render),
}

/// Write the files that nginx and HAProxy read when they start.
///
/// There is one for each service with a [proxy], in /run/conductor/nginx or /run/conductor/haproxy, with the instances
/// of the live release; of a service that was never deployed, with those of its definition. Neither program is told:
/// conductor-proxy.service calls this before they start.
///
/// Exit status: 0 written, 1 something could not be read or written, 2 wrong usage.
#[derive(Debug, clap::Args)]
struct Render {
    #[command(flatten)]
    root: Root,
}

impl Proxy {
    pub(crate) fn run(&self, whose: Whose) -> ExitCode {
        let Self { what: What::Render(Render { root }) } = self;
        let problems = match root.site(whose) {
            Ok(site) => render(&site),
            Err(error) => vec![error],
        };
        for problem in &problems {
            say(&format!("error: {problem}"));
        }
        if problems.is_empty() { ExitCode::SUCCESS } else { ExitCode::from(FAILURE) }
    }
}

/// Writes what can be written, and says what could not.
fn render(site: &Site) -> Vec<String> {
    if site.scope() == Scope::User {
        return vec!["nginx and HAProxy are the machine's: leave out --user".to_owned()];
    }
    let (services, mut problems) = live::look(site);
    // What is not known may be the upstream of a file that is there, and that the proxy's configuration names.
    let others = if problems.is_empty() { Others::Remove } else { Others::Keep };
    let (mut nginx, mut haproxy) = (Vec::new(), Vec::new());
    for Live { driver, upstream } in services {
        match driver {
            ProxyDriver::Nginx => nginx.push(upstream),
            ProxyDriver::Haproxy { socket: _ } => haproxy.push(upstream),
        }
    }
    problems.extend(write_nginx(&site.real(Path::new("/run/conductor/nginx")), &nginx, others).err());
    // Its socket is not asked. The directory has to be there even if it is empty.
    let backends = Haproxy::new("").directory(&site.real(Path::new("/run/conductor/haproxy")));
    problems.extend(backends.write_all(&haproxy, others).err().map(|error| error.to_string()));
    problems
}

fn write_nginx(directory: &Path, upstreams: &[Upstream], others: Others) -> Result<(), String> {
    let nginx = Nginx::new(Runner::NotYet).directory(directory);
    wait_for(async { nginx.write_all(upstreams, others).await.map_err(|error| error.to_string()) })
}
