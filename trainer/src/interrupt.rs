//! Message of a training command that is interrupted by a signal: where its checkpoints are, and how to resume.

use anyhow::{Context, Result};
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::iterator::{Handle, Signals};
use signal_hook::low_level::emulate_default_handler;
use std::path::Path;
use std::thread::JoinHandle;

use crate::checkpoint;

/// While this value exists, the process prints a message on SIGINT or SIGTERM before it ends.
#[must_use = "nothing is said once it is dropped"]
pub struct Advice {
    handle: Handle,
    thread: Option<JoinHandle<()>>,
}

impl Advice {
    /// Prints `advice()` on standard error at the first SIGINT or SIGTERM. The process then ends as the signal's
    /// default action ends it.
    ///
    /// # Errors
    /// If signal handlers cannot be installed.
    pub fn new(advice: impl Fn() -> String + Send + 'static) -> Result<Advice> {
        let mut signals = Signals::new([SIGINT, SIGTERM]).context("cannot listen for signals")?;
        let handle = signals.handle();
        let listen = move || {
            // Ends with the first signal, or when the handle is closed.
            if let Some(signal) = signals.forever().next() {
                console::note(advice());
                let _ = emulate_default_handler(signal);
            }
        };
        let thread = std::thread::Builder::new().name("interrupt".into()).spawn(listen)?;
        Ok(Advice { handle, thread: Some(thread) })
    }
}

impl Drop for Advice {
    fn drop(&mut self) {
        self.handle.close();
        if let Some(thread) = self.thread.take() {
            // The thread only listens, so it has no result.
            let _ = thread.join();
        }
    }
}

/// The message on how to resume the run in `folder`, which a command with these arguments trains.
pub fn of_run(folder: &Path, arguments: &[String]) -> String {
    let file = folder.join(checkpoint::FILE);
    if !file.exists() {
        return format!("interrupted before an epoch was done; to start again: {}", shell(arguments));
    }
    // Commands that train as part of other work resume from the checkpoint by themselves.
    let goes_on = |argument: &String| argument == "--resume" || argument == "--if-missing";
    let resume = arguments.iter().any(|argument| argument == "train") && !arguments.iter().any(goes_on);
    let more = if resume { " --resume" } else { "" };
    format!("interrupted; {} holds the epochs that were done; to go on: {}{more}", file.display(), shell(arguments))
}

/// The message on how to resume the runs in the folders below `folder`, which a command with these arguments
/// trains.
pub fn of_runs(folder: &Path, arguments: &[String]) -> String {
    format!(
        "interrupted; each run below {} keeps the epochs that were done in its {}; to go on: {}",
        folder.display(),
        checkpoint::FILE,
        shell(arguments)
    )
}

/// The command line of this process, with the program's name first.
pub fn arguments() -> Vec<String> {
    std::env::args_os().map(|argument| argument.to_string_lossy().into_owned()).collect()
}

/// Arguments as a command line, quoted for a POSIX shell.
fn shell(arguments: &[String]) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:=,+@%".contains(c);
    let quoted = |argument: &String| match !argument.is_empty() && argument.chars().all(plain) {
        true => argument.clone(),
        false => format!("'{}'", argument.replace('\'', r"'\''")),
    };
    arguments.iter().map(quoted).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(text: &str) -> Vec<String> {
        text.split(' ').map(String::from).collect()
    }

    #[test]
    fn the_command_to_go_on_with_is_named_as_far_as_there_is_something_to_go_on_with() {
        let folder = tempfile::tempdir().unwrap();
        let train = line("latentlink trainer train --corpus builtin --out runs/a");
        let advice = of_run(folder.path(), &train);
        assert!(advice.ends_with("to start again: latentlink trainer train --corpus builtin --out runs/a"), "{advice}");
        std::fs::write(folder.path().join(checkpoint::FILE), "").unwrap();
        let advice = of_run(folder.path(), &train);
        assert!(advice.contains(&folder.path().join(checkpoint::FILE).display().to_string()), "{advice}");
        assert!(advice.ends_with("--out runs/a --resume"), "{advice}");
        for again in ["trainer train --out a --resume", "trainer train --out a --if-missing", "latentlink demo"] {
            let advice = of_run(folder.path(), &line(again));
            assert!(advice.ends_with(&format!("to go on: {again}")), "{advice}");
        }
    }

    #[test]
    fn what_a_shell_would_read_otherwise_is_quoted() {
        let arguments = ["train", "--set", "law.snr_db=[0, 21]", "it's", ""].map(String::from);
        assert_eq!(shell(&arguments), r"train --set 'law.snr_db=[0, 21]' 'it'\''s' ''");
    }
}
