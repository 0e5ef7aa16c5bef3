//! The examples of the package work as they are shipped, byte for byte. Their images are the test server under the
//! names that they have.

use conductor_tests::Host;

use crate::common::{SOON, ask, host, state};

/// What the examples' images have of their own: the programs that commands name, and the port that each listens on.
const IMAGES: &str = r#"
like_payload() {
    name=$1; shift
    podman run --name=change localhost/web:1 sh -c '
        for name in web worker rails; do ln -s payload /bin/$name; done; mkdir -p /app/storage'
    podman commit --quiet "$@" --change 'CMD ["payload"]' change "$name"
    podman rm change
}
like_payload registry.example.com/storefront:1.4.2
like_payload registry.example.com/shop:2026-11-20
like_payload registry.example.com/search:7 --change ENV=PORT=9200
like_payload docker.io/library/postgres:17.2 --change ENV=PORT=5432
"#;

/// A machine with the images, on which nothing runs.
fn prepared() -> Host {
    let host = host();
    host.sh(IMAGES).unwrap();
    host
}

/// Puts shipped files where the administrator would, and starts the last.
fn start(host: &Host, names: &[&str], unit: &str) {
    for name in names {
        let shipped = format!("/usr/share/doc/conductor/examples/{name}.toml");
        let directory = name.split_once('/').map_or("services", |(directory, _)| directory);
        host.ok(["cp", &shipped, &format!("/etc/conductor/{directory}/")]).unwrap();
    }
    host.ok(["conductor", "check"]).unwrap();
    host.ok(["systemctl", "daemon-reload"]).unwrap();
    host.ok(["systemctl", "start", unit]).unwrap();
}

/// The containers that there are, running or not.
fn containers(host: &Host) -> Vec<String> {
    let names = host.ok(["podman", "ps", "--all", "--sort=names", "--format", "{{.Names}}"]).unwrap();
    names.lines().map(str::to_owned).collect()
}

/// A script in a container.
fn inside(host: &Host, container: &str, script: &str) -> String {
    host.ok(["podman", "exec", container, "sh", "-c", script]).unwrap()
}

/// The arguments that the test server has got, from its first line.
fn arguments(host: &Host, unit: &str) -> String {
    let line = || {
        let log = host.journal(unit).unwrap();
        log.lines().find_map(|line| Some(line.split_once("starting with arguments ")?.1.to_owned()))
    };
    host.eventually(SOON, "it has begun", || Ok(line().is_some())).unwrap();
    line().unwrap()
}

#[test]
fn every_shipped_file_is_started_here() {
    let shipped =
        host().sh("cd /usr/share/doc/conductor/examples && find -type f | sed 's|^./||' | sort").unwrap();
    let known = [
        "minimal.toml",
        // See `seen`.
        "monitoring/alerts.yml",
        "monitoring/haproxy.cfg",
        "monitoring/prometheus.yml",
        "networks/backend.toml",
        "postgres.toml",
        "rails.toml",
        "storefront.toml",
        "team.toml",
        "volumes/media.toml",
        "volumes/postgres-data.toml",
        "web.toml",
        "worker.toml",
    ];
    assert_eq!(shipped.lines().collect::<Vec<_>>(), known, "a new example wants a scenario");
}

#[test]
fn web_runs_twice_and_answers() {
    let host = prepared();
    start(&host, &["web"], "web.target");
    assert_eq!(containers(&host), ["conductor-web.1", "conductor-web.2"]);
    for (port, instance) in [(20000, "1"), (20001, "2")] {
        assert_eq!(ask(&host, port, "/healthz").unwrap(), "ok");
        assert_eq!(ask(&host, port, "/instance").unwrap(), instance);
    }
    let both = || Ok(host.property("web-health.service", "StatusText")?.contains("2/2 healthy"));
    host.eventually(SOON, "both are healthy", both).unwrap();
    assert_eq!(arguments(&host, "web@1.service"), r#"["--port", "8080"]"#);
    assert_eq!(
        inside(&host, "conductor-web.1", "touch /x 2>/dev/null || echo no; touch /tmp/x; echo $LOG_LEVEL"),
        "no\ninfo"
    );
    assert_eq!(host.property("web@1.service", "MemoryMax").unwrap(), (512 << 20).to_string());
    assert!(host.ok(["journalctl", "CONDUCTOR_RELEASE=1.4.2"]).unwrap().contains("payload: listening"));
}

#[test]
fn storefront_waits_in_the_dark() {
    let host = prepared();
    start(&host, &["storefront"], "storefront.target");
    let site = "server { listen 127.0.0.1:8000; location / { proxy_pass http://storefront; } }\n";
    host.write("/etc/nginx/conf.d/site.conf", site).unwrap();
    host.ok(["systemctl", "restart", "nginx"]).unwrap();
    let release = ["--revision", "1.4.3", "--image", "registry.example.com/storefront:1.4.2", "--dark"];
    host.ok(["conductor", "deploy", "storefront"].into_iter().chain(release)).unwrap();
    assert_eq!([ask(&host, 20999, "/instance").unwrap(), ask(&host, 8000, "/healthz").unwrap()], ["1", "ok"]);
    let live = ["1", "2", "3"].map(|number| format!("conductor-storefront-blue.{number}"));
    let all = [&live[..], &["conductor-storefront-green.1".to_owned()]].concat();
    assert_eq!(containers(&host), all);
    host.ok(["conductor", "abort", "storefront"]).unwrap();
    assert_eq!(containers(&host), live);
    assert!(ask(&host, 20999, "/instance").is_err());
}

#[test]
fn worker_and_minimal_run_without_ports() {
    let host = prepared();
    start(&host, &["minimal", "worker"], "worker.service");
    host.ok(["systemctl", "start", "minimal.service"]).unwrap();
    assert_eq!(arguments(&host, "worker.service"), r#"["--queue", "mail"]"#);
    assert_eq!(containers(&host), ["conductor-minimal", "conductor-worker"]);
    assert_eq!(host.property("worker.service", "TimeoutStopUSec").unwrap(), "1min 20s");
    host.ok(["systemctl", "stop", "worker.service"]).unwrap();
    assert!(host.journal("worker.service").unwrap().contains("payload: ending on SIGTERM"));
    assert_eq!(containers(&host), ["conductor-minimal"]);
}

#[test]
fn rails_and_its_database_have_secrets_and_volumes() {
    let host = prepared();
    // What the files say that has to be there: made as the comment in rails.toml says.
    host.sh("mkdir -p /etc/credstore /etc/credstore.encrypted; umask 077
         echo hunter2 > /etc/credstore/postgres-password
         echo postgres://db > /etc/credstore/shop-database-url
         printf abcdef | systemd-creds encrypt --name=master-key - /etc/credstore.encrypted/shop-master-key")
        .unwrap();
    // The database comes with it.
    let files = ["networks/backend", "volumes/postgres-data", "postgres", "rails"];
    start(&host, &files, "rails.service");
    assert_eq!(state(&host, "postgres.service"), "active");
    assert_eq!(containers(&host), ["conductor-postgres", "conductor-rails"]);

    assert_eq!(ask(&host, 20010, "/up").unwrap(), "ok");
    assert_eq!(
        inside(&host, "conductor-rails", "cat $DATABASE_URL_FILE /run/secrets/master-key"),
        "postgres://db\nabcdef"
    );
    host.eventually(SOON, "the database answers", || Ok(ask(&host, 5432, "/").is_ok())).unwrap();
    assert_eq!(inside(&host, "conductor-postgres", "cat $POSTGRES_PASSWORD_FILE"), "hunter2");
    assert_eq!(inside(&host, "conductor-postgres", "df -m /dev/shm | awk 'NR>1{print $2}'"), "256");

    // They are in a network of their own, in which the one finds the other by name.
    let format = "{{(index .Subnets 0).Subnet}}";
    assert_eq!(
        host.ok(["podman", "network", "inspect", "--format", format, "backend"]).unwrap(),
        "10.89.20.0/24"
    );
    assert_eq!(inside(&host, "conductor-rails", "wget -qO- http://postgres:5432/healthz"), "ok");
    let format = "{{index .Labels \"backup\"}}";
    assert_eq!(
        host.ok(["podman", "volume", "inspect", "--format", format, "postgres-data"]).unwrap(),
        "daily"
    );

    // What is in the volumes outlives the containers.
    inside(&host, "conductor-postgres", "echo row > /var/lib/postgresql/data/table");
    inside(&host, "conductor-rails", "echo picture > /app/storage/upload");
    host.ok(["systemctl", "stop", "postgres.service"]).unwrap();
    assert!(host.journal("postgres.service").unwrap().contains("payload: ending on SIGINT"));
    assert_eq!(state(&host, "rails.service"), "inactive", "it requires the database");
    host.ok(["systemctl", "start", "rails.service"]).unwrap();
    assert_eq!(inside(&host, "conductor-postgres", "cat /var/lib/postgresql/data/table"), "row");
    assert_eq!(inside(&host, "conductor-rails", "cat /app/storage/upload"), "picture");
}

#[test]
fn media_is_a_volume_on_a_file_server() {
    let host = host();
    start(&host, &["volumes/media"], "media-volume.service");
    let options = host.ok(["podman", "volume", "inspect", "--format", "{{.Options}}", "media"]).unwrap();
    assert_eq!(options, "map[device:nas.example.com:/export/media o:nfsvers=4.2,ro type:nfs]");
}

#[test]
fn team_runs_on_its_machines_only_and_in_its_slice() {
    let host = prepared();
    start(&host, &["team"], "team.service");
    assert_eq!(state(&host, "team.service"), "inactive", "not on a machine called conductor-test");
    host.ok(["hostname", "search-1"]).unwrap();
    host.ok(["systemctl", "start", "team.service"]).unwrap();
    assert_eq!(ask(&host, 20020, "/_cluster/health").unwrap(), "ok");
    let group = host.property("team.service", "ControlGroup").unwrap();
    assert_eq!(group, "/team.slice/team-search.slice/team.service");
}
