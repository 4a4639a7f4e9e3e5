//! The three processes of the link on fixed ports; each can be killed and started again.

use std::path::{Path, PathBuf};

use crate::{Finished, Journal, Process, Site, free_port};

/// One of the three processes of the link.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// The receiver, at the end of the link.
    Receiver,
    /// The channel emulator, between transmitter and receiver.
    Emulator,
    /// The transmitter, at the beginning of the link.
    Transmitter,
}

impl Role {
    /// All three roles, from the end of the link to its beginning.
    pub const ALL: [Role; 3] = [Role::Receiver, Role::Emulator, Role::Transmitter];

    /// The role's subcommand of the `latentlink` binary.
    pub fn name(self) -> &'static str {
        match self {
            Role::Receiver => "receiver",
            Role::Emulator => "channel-emulator",
            Role::Transmitter => "transmitter",
        }
    }
}

/// Receiver, channel emulator and transmitter, each running or not.
pub struct Stack {
    binary: PathBuf,
    folder: PathBuf,
    weights: [PathBuf; 2],
    ports: [u16; 3],
    environment: Vec<(String, String)>,
    processes: [Option<Process>; 3],
    /// The port of the receiver's dashboard; `None` if it has none.
    dashboard: Option<u16>,
    /// Further options of the dashboard for the receiver's next start.
    dashboard_args: Vec<String>,
}

impl Stack {
    /// A stack that is not running, in the site's new folder `name`, with the given weights for transmitter and
    /// receiver.
    pub fn down(site: &Site, name: &str, transmitter: &Path, receiver: &Path) -> Stack {
        Stack {
            binary: site.binary().to_owned(),
            folder: site.folder(name),
            weights: [transmitter.to_owned(), receiver.to_owned()],
            ports: [free_port(), free_port(), free_port()],
            environment: Vec::new(),
            processes: [None, None, None],
            dashboard: None,
            dashboard_args: Vec::new(),
        }
    }

    /// Adds a variable to the environment of all processes that are started from now on.
    #[must_use]
    pub fn with(mut self, name: &str, value: &str) -> Stack {
        self.environment.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Gives the receiver a dashboard that knows emulator and transmitter.
    #[must_use]
    pub fn showing(self) -> Stack {
        Stack { dashboard: Some(free_port()), ..self }
    }

    /// Starts all three processes.
    #[must_use]
    pub fn started(mut self) -> Stack {
        Role::ALL.into_iter().for_each(|role| self.start(role));
        self
    }

    /// A running stack with the site's weights.
    pub fn up(site: &Site, name: &str) -> Stack {
        Stack::down(site, name, site.weights(), site.weights()).started()
    }

    /// A running stack with the given weights and a dashboard, see [`Stack::showing`].
    pub fn with_dashboard(site: &Site, name: &str, weights: &Path) -> Stack {
        Stack::down(site, name, weights, weights).showing().started()
    }

    /// The URL of the dashboard, whether the receiver runs or not.
    ///
    /// # Panics
    /// Panics if the stack has no dashboard.
    pub fn dashboard_url(&self) -> String {
        format!("http://127.0.0.1:{}", self.dashboard.expect("a stack with a dashboard"))
    }

    /// The arguments of the binary that start a role.
    pub fn command(&self, role: Role) -> Vec<String> {
        let text = |path: &Path| path.to_str().unwrap().to_owned();
        let listen = format!("127.0.0.1:{}", self.ports[role as usize]);
        let mut args = vec![role.name().to_owned(), "serve".into(), "--listen".into(), listen];
        args.extend(match role {
            Role::Receiver => {
                let mut args =
                    vec!["--weights".into(), text(&self.weights[1]), "--journal".into(), text(&self.journal_file())];
                if let Some(port) = self.dashboard {
                    args.extend(["--http".into(), format!("127.0.0.1:{port}")]);
                    args.extend(["--emulator".into(), self.url(Role::Emulator)]);
                    args.extend(["--transmitter".into(), self.url(Role::Transmitter)]);
                    args.extend_from_slice(&self.dashboard_args);
                }
                args
            }
            Role::Emulator => vec!["--receiver".into(), self.url(Role::Receiver)],
            Role::Transmitter => {
                vec!["--weights".into(), text(&self.weights[0]), "--emulator".into(), self.url(Role::Emulator)]
            }
        });
        args
    }

    /// Adds options of the dashboard for the receiver's next start.
    pub fn tell_dashboard(&mut self, args: &[&str]) {
        self.dashboard_args.extend(args.iter().map(|&arg| arg.to_owned()));
    }

    /// Starts the process of a role and waits until it listens.
    #[track_caller]
    pub fn start(&mut self, role: Role) {
        let log = self.folder.join(format!("{}.log", role.name()));
        let mut process = Process::serve_with(&self.binary, &self.command(role), &self.environment, &log);
        if role == Role::Receiver && self.dashboard.is_some() {
            assert_eq!(process.announced("dashboard on "), self.dashboard_url());
        }
        self.processes[role as usize] = Some(process);
    }

    /// Ends the process of a role by SIGKILL.
    pub fn kill_9(&mut self, role: Role) {
        self.processes[role as usize].take().expect("it is up").kill_9();
    }

    /// The running process of a role. Panics if it is not running.
    pub fn process(&mut self, role: Role) -> &mut Process {
        self.processes[role as usize].as_mut().expect("it is up")
    }

    /// The URL that a role serves at, whether it runs or not.
    pub fn url(&self, role: Role) -> String {
        format!("http://127.0.0.1:{}", self.ports[role as usize])
    }

    /// The folder of the stack's logs and journal.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The journal of the stack's receiver.
    pub fn journal(&self) -> Journal {
        Journal::new(self.journal_file())
    }

    fn journal_file(&self) -> PathBuf {
        self.folder.join("journal.sqlite")
    }

    /// The arguments of the binary for `transmitter send` to this stack, followed by `args`.
    pub fn send_command(&self, args: &[&str]) -> Vec<String> {
        let url = self.url(Role::Transmitter);
        [&["transmitter", "send", "--to", &url], args].concat().into_iter().map(str::to_owned).collect()
    }

    /// Runs `transmitter send` to this stack with the further arguments `args`, to its end.
    pub fn send(&self, args: &[&str]) -> Finished {
        Process::run(&self.binary, &self.send_command(args))
    }
}
