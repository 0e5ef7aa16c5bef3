//! What is done to services and to the machine.

use std::fmt;
use std::time::Duration;

use super::fleet::Fleet;

/// One instance of one service; both count from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Target {
    /// Which service.
    pub service: u32,
    /// Which of its instances.
    pub instance: u32,
}

impl Target {
    /// The service's name.
    pub fn service_name(self) -> String {
        format!("soak{:02}", self.service)
    }

    /// The instance's unit.
    pub fn unit(self) -> String {
        format!("{}@{}.service", self.service_name(), self.instance)
    }

    /// The service's checker.
    pub fn checker(self) -> String {
        format!("{}-health.service", self.service_name())
    }

    /// The instance's container.
    pub fn container(self) -> String {
        format!("conductor-{}.{}", self.service_name(), self.instance)
    }
}

/// How a container answers that is not well.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    /// With 500.
    Error,
    /// Never.
    Hang,
    /// A byte now and then.
    Slow,
}

impl Answer {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Error, Self::Hang, Self::Slow];

    /// The payload's mode.
    pub fn mode(self) -> &'static str {
        match self {
            Self::Error => "500",
            Self::Hang => "hang",
            Self::Slow => "slow",
        }
    }
}

/// One thing that goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// The unit's main process, which watches over the container, gets SIGKILL.
    Kill(Target),
    /// The program in the container exits with this status.
    Exit(Target, u8),
    /// It answers so, until it is restarted or for as long as this.
    Answers(Target, Answer, Option<Duration>),
    /// It fails, and takes no notice of SIGTERM.
    Stubborn(Target),
    /// The container is paused for so long, of which systemd knows nothing.
    Pause(Target, Duration),
    /// No packet reaches it for so long.
    Cut(Target, Duration),
    /// The service's checker gets SIGKILL; the instance means nothing.
    KillChecker(Target),
    /// `systemctl daemon-reload`
    Reload,
    /// `systemctl daemon-reexec`
    Reexec,
    /// The bus is restarted.
    RestartBus,
    /// The bus gets SIGKILL.
    KillBus,
}

impl Fault {
    /// One word.
    pub fn word(self) -> &'static str {
        match self {
            Self::Kill(_) => "kill",
            Self::Exit(..) => "exit",
            Self::Answers(_, Answer::Error, _) => "500",
            Self::Answers(_, Answer::Hang, _) => "hang",
            Self::Answers(_, Answer::Slow, _) => "slow",
            Self::Stubborn(_) => "stubborn",
            Self::Pause(..) => "pause",
            Self::Cut(..) => "cut",
            Self::KillChecker(_) => "kill-checker",
            Self::Reload => "daemon-reload",
            Self::Reexec => "daemon-reexec",
            Self::RestartBus => "restart-bus",
            Self::KillBus => "kill-bus",
        }
    }

    /// The unit that may be restarted because of it; none if no unit of ours may.
    pub fn unit(self) -> Option<String> {
        match self {
            Self::Kill(target)
            | Self::Exit(target, _)
            | Self::Answers(target, ..)
            | Self::Stubborn(target)
            | Self::Pause(target, _)
            | Self::Cut(target, _) => Some(target.unit()),
            Self::KillChecker(target) => Some(target.checker()),
            Self::Reload | Self::Reexec | Self::RestartBus | Self::KillBus => None,
        }
    }

    /// How long it lasts, if it ends by itself.
    pub fn span(self) -> Duration {
        match self {
            Self::Answers(_, _, span) => span.unwrap_or_default(),
            Self::Pause(_, span) | Self::Cut(_, span) => span,
            Self::Kill(_)
            | Self::Exit(..)
            | Self::Stubborn(_)
            | Self::KillChecker(_)
            | Self::Reload
            | Self::Reexec
            | Self::RestartBus
            | Self::KillBus => Duration::ZERO,
        }
    }

    /// A shell script that does it, and undoes it where it is to end. What it is done to may be gone already, by
    /// a fault before it: that is no error.
    pub fn script(self, fleet: Fleet) -> String {
        let ask = |target, path: &str| {
            // Who is told to exit does not answer.
            format!(
                "curl -s -o /dev/null --max-time 5 http://127.0.0.1:{}{path} || true\n",
                fleet.port(target)
            )
        };
        let kill = |unit: &str| format!("systemctl kill --kill-whom=main --signal=KILL {unit} || true\n");
        let sleep = |span: Duration| format!("sleep {:.3}\n", span.as_secs_f64());
        match self {
            Self::Kill(target) => kill(&target.unit()),
            Self::Exit(target, status) => ask(target, &format!("/exit/{status}")),
            Self::Answers(target, answer, None) => ask(target, &format!("/mode/{}", answer.mode())),
            Self::Answers(target, answer, Some(span)) => {
                ask(target, &format!("/mode/{}", answer.mode())) + &sleep(span) + &ask(target, "/mode/ok")
            }
            Self::Stubborn(target) => ask(target, "/ignore-term") + &ask(target, "/mode/500"),
            Self::Pause(target, span) => {
                let name = target.container();
                format!("podman pause {name} || true\n{}podman unpause {name} || true\n", sleep(span))
            }
            Self::Cut(target, span) => {
                let (port, span) = (fleet.port(target), span.as_millis());
                format!("nft add element inet soak cut '{{ {port} timeout {span}ms }}' || true\n")
            }
            Self::KillChecker(target) => kill(&target.checker()),
            Self::Reload => "systemctl daemon-reload\n".to_owned(),
            Self::Reexec => "systemctl daemon-reexec\n".to_owned(),
            Self::RestartBus => "systemctl restart dbus.service\n".to_owned(),
            Self::KillBus => kill("dbus.service"),
        }
    }
}

/// For people.
impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())?;
        if let Some(unit) = self.unit() {
            write!(f, " {unit}")?;
        }
        match self {
            Self::Exit(_, status) => write!(f, " with {status}"),
            Self::Answers(.., Some(span)) | Self::Pause(_, span) | Self::Cut(_, span) => {
                write!(f, " for {:.1} s", span.as_secs_f32())
            }
            Self::Answers(.., None) => f.write_str(" until it is restarted"),
            Self::Kill(_)
            | Self::Stubborn(_)
            | Self::KillChecker(_)
            | Self::Reload
            | Self::Reexec
            | Self::RestartBus
            | Self::KillBus => Ok(()),
        }
    }
}
