//! One child process that plays a role, from its start to its end.

use std::ffi::OsString;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, anyhow, bail};
use rustix::process::{Pid, Signal, kill_process};
use tokio::io::{AsyncBufReadExt, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};

use crate::tether;

/// Loading weights on a slow disk takes a while; longer than this is a hang.
const START_LIMIT: Duration = Duration::from_secs(120);
/// Longer than the services take to drain.
const STOP_LIMIT: Duration = Duration::from_secs(10);
/// Lines of a log to show when its process failed.
const LOG_LINES: usize = 12;

/// A running child. Dropping it kills it; [`Service::stop`] lets it drain.
pub struct Service {
    role: &'static str,
    child: Child,
    url: String,
    log: PathBuf,
    /// Open as long as this process lives, see [`tether`].
    _tether: Option<ChildStdin>,
    /// Kept open, for a line to a closed pipe is an error in the child.
    _stdout: Lines<BufReader<ChildStdout>>,
}

impl Service {
    /// Starts `latentlink ROLE serve --listen LISTEN ARGS…` and waits until it listens. It logs to
    /// `LOGS/ROLE.log`.
    ///
    /// # Errors
    /// If it cannot be started, or ends before it listens; then with the last lines of its log.
    pub async fn start(role: &'static str, listen: &str, args: &[OsString], logs: &Path) -> Result<Service> {
        let log = logs.join(format!("{role}.log"));
        let file = File::create(&log).with_context(|| log.display().to_string())?;
        let binary = std::env::current_exe().context("finding the launcher's own binary")?;
        let mut command = Command::new(binary);
        command.arg(tether::OPTION).args([role, "serve", "--listen", listen]).args(args);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(file);
        // A group of its own: Ctrl-C reaches the launcher alone, which then stops its children in order.
        command.process_group(0).kill_on_drop(true);
        let mut child = command.spawn().with_context(|| format!("starting the {role}"))?;
        let tether = child.stdin.take();
        let stdout = child.stdout.take().with_context(|| format!("{role}: no standard output"))?;
        let mut stdout = BufReader::new(stdout).lines();
        let url = match tokio::time::timeout(START_LIMIT, listening(&mut stdout)).await {
            Ok(Ok(Some(url))) => url,
            Ok(Ok(None)) => {
                let status = child.wait().await?;
                bail!("the {role} ended with {status} before it listened{}", tail(&log));
            }
            Ok(Err(error)) => return Err(error).with_context(|| format!("reading from the {role}")),
            Err(_) => bail!("the {role} does not listen after {} s{}", START_LIMIT.as_secs(), tail(&log)),
        };
        Ok(Service { role, child, url, log, _tether: tether, _stdout: stdout })
    }

    /// Where it serves, `http://127.0.0.1:PORT`.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Returns when the process ends by itself, which it should not. Safe to cancel.
    pub async fn ended(&mut self) -> anyhow::Error {
        match self.child.wait().await {
            Ok(status) => anyhow!("the {} ended with {status} while it was needed{}", self.role, tail(&self.log)),
            Err(error) => anyhow!(error).context(format!("waiting for the {}", self.role)),
        }
    }

    /// SIGTERM, time to drain, then SIGKILL.
    ///
    /// # Errors
    /// If the process does not end by itself with exit code 0.
    pub async fn stop(mut self) -> Result<()> {
        // No id: it has ended already, and `wait` knows how.
        if let Some(id) = self.child.id().and_then(|id| Pid::from_raw(id as i32)) {
            kill_process(id, Signal::TERM).with_context(|| format!("stopping the {}", self.role))?;
        }
        let status: ExitStatus = match tokio::time::timeout(STOP_LIMIT, self.child.wait()).await {
            Ok(status) => status.with_context(|| format!("waiting for the {}", self.role))?,
            Err(_) => {
                self.child.kill().await.with_context(|| format!("killing the {}", self.role))?;
                bail!("the {} did not stop within {} s{}", self.role, STOP_LIMIT.as_secs(), tail(&self.log));
            }
        };
        if !status.success() {
            bail!("the {} ended with {status} when it was asked to stop{}", self.role, tail(&self.log));
        }
        Ok(())
    }
}

/// The address from the line that announces it; none if the output ends first.
async fn listening(stdout: &mut Lines<BufReader<ChildStdout>>) -> std::io::Result<Option<String>> {
    while let Some(line) = stdout.next_line().await? {
        if let Some(url) = line.strip_prefix("listening on ") {
            return Ok(Some(url.trim().to_owned()));
        }
    }
    Ok(None)
}

/// The end of a log, ready to follow a message.
fn tail(log: &Path) -> String {
    let Ok(text) = std::fs::read_to_string(log) else { return format!("; no log at {}", log.display()) };
    let lines: Vec<&str> = text.lines().collect();
    if lines.is_empty() {
        return format!("; {} is empty", log.display());
    }
    let last = lines[lines.len().saturating_sub(LOG_LINES)..].join("\n  ");
    format!("; {} ends with\n  {last}", log.display())
}
