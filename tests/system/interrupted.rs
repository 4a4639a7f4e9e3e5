//! Tests of Ctrl-C while a network is trained: the message names the checkpoint and the command that resumes.

use std::os::unix::process::ExitStatusExt;
use std::process::Command;
use std::time::Duration;

use latentlink_tests::{Job, Signal, eventually};

use crate::{SITE, text};

#[test]
fn training_that_is_interrupted_says_how_it_goes_on_and_that_command_goes_on() {
    let folder = SITE.folder("interrupted");
    let out = folder.join("run");
    let train = ["trainer", "train", "--corpus", text(SITE.corpus()), "--preset", "small", "--epochs", "14"];
    let job = Job::start(SITE.binary(), &[&train[..], &["--out", text(&out)]].concat(), &folder, "training");
    let checkpoint = out.join("checkpoint.safetensors");
    eventually("a checkpoint", Duration::from_secs(120), || checkpoint.exists().then_some(()));
    job.signal(Signal::INT);
    let ended = job.finish();
    assert_eq!(ended.status.signal(), Some(Signal::INT.as_raw()), "{}", ended.stderr);
    let advice = ended.reason();
    let expected = format!("interrupted; {} holds the epochs that were done; to go on: ", checkpoint.display());
    let command = advice.strip_prefix(&expected).unwrap_or_else(|| panic!("{}", ended.stderr));
    assert!(command.ends_with(" --resume"), "{command}");
    assert!(!out.join("receiver").exists());

    // The command is run as a user copies it into a shell.
    let resumed = Command::new("sh").args(["-c", command]).output().unwrap();
    assert!(resumed.status.success(), "{}", String::from_utf8_lossy(&resumed.stderr));
    assert!(out.join("transmitter/manifest.json").exists() && out.join("receiver/manifest.json").exists());
    let epochs = std::fs::read_to_string(out.join("metrics.csv")).unwrap().lines().count() - 1;
    assert!((1..=14).contains(&epochs), "{epochs}");
}
