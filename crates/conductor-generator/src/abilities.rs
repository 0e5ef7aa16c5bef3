//! What whoever runs the services is able to do on this machine: read from files, as everything is.

use std::path::Path;

use conductor_definition::{Abilities, Controllers, Site, UserDirectories};
use conductor_units::SystemdVersion;

/// Ports from here on are everybody's (ip(7)).
const PORT_START: &str = "/proc/sys/net/ipv4/ip_unprivileged_port_start";
const USUAL_PORT_START: u16 = 1024;

pub(crate) fn abilities(site: &Site, systemd: SystemdVersion) -> Abilities {
    let Some(user) = &site.user else { return Abilities::ROOT };
    let port = std::fs::read_to_string(site.real(Path::new(PORT_START)));
    let port = port.ok().and_then(|text| text.trim().parse().ok());
    Abilities {
        docker: false,
        proxy: false,
        encrypted_secrets: systemd.decrypts_for_users(),
        lowest_port: port.unwrap_or(USUAL_PORT_START),
        // An image, or a machine that does not say, has the benefit of the doubt.
        controllers: delegated(site, user).unwrap_or(Controllers::ALL),
    }
}

/// What PID 1 has passed on to the user's manager (`Delegate=` of user@.service), while that runs.
fn delegated(site: &Site, user: &UserDirectories) -> Option<Controllers> {
    // The runtime directory is called by the user's number.
    let uid = user.runtime.file_name()?.to_str()?;
    let group = format!("/sys/fs/cgroup/user.slice/user-{uid}.slice/user@{uid}.service/cgroup.controllers");
    std::fs::read_to_string(site.real(Path::new(&group))).ok().map(|names| Controllers::named(&names))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_machine_says_of_a_user() {
        let root = tempfile::tempdir().unwrap();
        let write = |path: &str, text: &str| {
            let path = root.path().join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        };
        let environment = |name: &str| match name {
            "HOME" => Some("/home/alice".into()),
            "XDG_RUNTIME_DIR" => Some("/run/user/1001".into()),
            _ => None,
        };
        let user = UserDirectories::from_environment(environment).unwrap();
        let site = Site { root: root.path().to_owned(), user: Some(user) };
        let usual = Abilities {
            docker: false,
            proxy: false,
            encrypted_secrets: false,
            lowest_port: 1024,
            controllers: Controllers::ALL,
        };
        assert_eq!(abilities(&site, SystemdVersion(257)), usual);

        write("proc/sys/net/ipv4/ip_unprivileged_port_start", "80\n");
        write(
            "sys/fs/cgroup/user.slice/user-1001.slice/user@1001.service/cgroup.controllers",
            "cpu memory\n",
        );
        let controllers = Controllers { cpu: true, io: false, memory: true, pids: false };
        let changed = Abilities { encrypted_secrets: true, lowest_port: 80, controllers, ..usual };
        assert_eq!(abilities(&site, SystemdVersion(258)), changed);
        assert_eq!(abilities(&Site::system(root.path()), SystemdVersion(252)), Abilities::ROOT);
    }
}
