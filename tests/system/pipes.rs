//! Tests of readers that stop early: every command that prints takes a closed pipe as the end of its output.

use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;

use latentlink_tests::{Process, Role, Stack, eventually};

use crate::{SITE, text};

/// The writing end of a pipe whose reading end is closed.
fn closed() -> Stdio {
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    writer.into()
}

/// Whether a process ended as other tools do on a closed pipe: with 0, or with the exit code of a shell for SIGPIPE
/// (141).
fn is_quiet(status: ExitStatus) -> bool {
    matches!(status.code(), Some(0 | 141))
}

fn latentlink(args: &[&str]) -> Command {
    let mut command = Command::new(SITE.binary());
    command.args(args).stdin(Stdio::null());
    command
}

#[test]
fn a_closed_pipe_ends_every_command_that_prints_quietly() {
    let stack = Stack::up(&SITE, "pipes");
    let folder = stack.folder();
    let (emulator, transmitter) = (stack.url(Role::Emulator), stack.url(Role::Transmitter));
    let (corpus, weights) = (text(SITE.corpus()), text(SITE.weights()));
    let (run, man, demo, json) =
        (folder.join("run"), folder.join("man"), folder.join("demo"), folder.join("sent.json"));
    let sweep = ["--channel", "awgn", "--snr", "0", "--draws", "1"];
    let send = ["transmitter", "send", "--to", &transmitter, "--corpus", corpus, "--json", text(&json)];
    let commands = [
        vec!["--help"],
        vec!["completions", "zsh"],
        vec!["man", "--out", text(&man)],
        vec!["health", &emulator],
        vec!["channel-emulator", "get", "--emulator", &emulator],
        vec!["channel-emulator", "get", "--emulator", &emulator, "--json"],
        vec!["channel-emulator", "set", "--emulator", &emulator, "--channel", "awgn"],
        vec!["trainer", "corpus", "inspect", "--corpus", corpus],
        vec!["trainer", "corpus", "inspect", "--corpus", corpus, "--json"],
        [&["trainer", "evaluate", "--weights", weights, "--corpus", corpus], &sweep[..]].concat(),
        vec!["trainer", "train", "--corpus", corpus, "--preset", "small", "--epochs", "1", "--out", text(&run)],
        [&send[..], &sweep].concat(),
        vec!["demo", "--corpus", corpus, "--weights", weights, "--snr", "0", "--out", text(&demo)],
    ];
    for command in commands {
        let ended = latentlink(&command).stdout(closed()).stderr(Stdio::piped()).output().unwrap();
        let said = String::from_utf8_lossy(&ended.stderr);
        assert!(is_quiet(ended.status), "{command:?}: {}: {said}", ended.status);
        assert!(!said.contains("panic") && !said.contains("error"), "{command:?}: {said}");
        // `latentlink … 2>&1 | head -1`
        // Training needs a new folder; with an existing one it stops and asks for an option.
        let _ = std::fs::remove_dir_all(&run);
        let status = latentlink(&command).stdout(closed()).stderr(closed()).status().unwrap();
        assert!(is_quiet(status), "{command:?} with both closed: {status}");
    }
    assert!(json.exists() && demo.join("results.json").exists(), "files are written all the same");
}

#[test]
fn a_failure_that_nobody_hears_is_still_a_failure() {
    let status = latentlink(&["trainer", "corpus", "inspect", "--corpus", "/nowhere"]).stderr(closed()).status();
    assert_eq!(status.unwrap().code(), Some(1));
    // A full disk is still an error, unlike a closed pipe.
    if let Ok(full) = std::fs::File::options().write(true).open("/dev/full") {
        let ended = latentlink(&["completions", "bash"]).stdout(full).stderr(Stdio::piped()).output().unwrap();
        let said = String::from_utf8_lossy(&ended.stderr);
        assert_eq!(ended.status.code(), Some(1), "{said}");
        assert!(said.starts_with("error: cannot write to standard output"), "{said}");
    }
}

/// A process that is killed when this is dropped.
struct Served(Child);

impl Drop for Served {
    fn drop(&mut self) {
        // Both calls fail only if the process is gone already.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn a_service_whose_log_nobody_reads_any_more_serves_on() {
    let listen = format!("127.0.0.1:{}", latentlink_tests::free_port());
    let url = format!("http://{listen}");
    let mut command =
        latentlink(&["channel-emulator", "serve", "--listen", &listen, "--receiver", "http://127.0.0.1:9"]);
    let mut served = Served(command.env("RUST_LOG", "debug").stdout(closed()).stderr(closed()).spawn().unwrap());
    let set = ["channel-emulator", "set", "--emulator", &url, "--channel", "awgn", "--snr", "-6"];
    let answered = || Process::run(SITE.binary(), &set).status.success().then_some(());
    eventually("an answer", Duration::from_secs(60), answered);
    for _ in 0..3 {
        Process::run(SITE.binary(), &set).succeeded();
    }
    assert_eq!(served.0.try_wait().unwrap(), None, "it has ended");
}
