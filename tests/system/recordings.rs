//! Tests of recordings of a real run: a replay gives the same predictions and the same symbols.

use std::path::{Path, PathBuf};
use std::process::Command;

use latentlink_tests::{Journal, Process, Role, Stack, free_port};

use crate::{SITE, sweep_args, text};

/// Starts a channel emulator on the port `listen`, in front of `receiver`, that records to files beginning with `stem`.
fn recording(receiver: &str, listen: u16, stem: &Path, more: &[&str]) -> Process {
    let listen = format!("127.0.0.1:{listen}");
    let args = ["channel-emulator", "serve", "--receiver", receiver, "--listen", &listen, "--record", text(stem)];
    Process::serve(SITE.binary(), &[&args[..], more].concat(), &stem.with_extension("log"))
}

/// Ends a channel emulator by SIGTERM and waits for its end.
fn closed(mut emulator: Process) {
    emulator.terminate();
    assert!(emulator.ended().success(), "{}", emulator.log());
}

fn replay(stem: &Path, args: &[&str]) -> serde_json::Value {
    let fixed = ["channel-emulator", "replay", text(stem), "--json"];
    let finished = Process::run(SITE.binary(), &[&fixed[..], args].concat()).succeeded();
    serde_json::from_str(&finished.stdout).unwrap()
}

fn data(stem: &Path, side: &str) -> Vec<u8> {
    std::fs::read(PathBuf::from(format!("{}-{side}.sigmf-data", stem.display()))).unwrap()
}

/// Starts a further receiver with an empty journal.
fn fresh_receiver(folder: &Path, name: &str) -> (Process, Journal) {
    let journal = folder.join(format!("{name}.sqlite"));
    let args = ["receiver", "serve", "--listen", "127.0.0.1:0", "--weights", text(SITE.weights())];
    let args = [&args[..], &["--journal", text(&journal)]].concat();
    (Process::serve(SITE.binary(), &args, &folder.join(format!("{name}.log"))), Journal::new(journal))
}

/// Waits until both sides of a recording have annotations on the disk; returns the number of annotations of the side
/// that has fewer.
fn wait_for_annotations(stem: &Path) -> usize {
    let count = |side: &str| {
        let file = format!("{}-{side}.sigmf-meta", stem.display());
        std::fs::read_to_string(file).unwrap_or_default().matches("core:sample_start").count()
    };
    // A capture has this key too.
    for _ in 0..3000 {
        let fewer = count("in").min(count("out")).saturating_sub(1);
        if fewer > 0 {
            return fewer;
        }
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
    panic!("nothing is recorded in {}", stem.display());
}

#[test]
fn a_recorded_run_is_replayed_bit_for_bit() {
    let mut stack = Stack::down(&SITE, "recordings", SITE.weights(), SITE.weights());
    stack.start(Role::Receiver);
    stack.start(Role::Transmitter);
    let folder = stack.folder().to_owned();
    let stem = folder.join("run");
    let url = stack.url(Role::Emulator);
    let port = url.rsplit(':').next().unwrap().parse().unwrap();
    let emulator = recording(&stack.url(Role::Receiver), port, &stem, &[]);
    let sweep = ["--channel", "none,rayleigh", "--snr", "-6,12", "--draws", "2", "--seed", "5"];
    stack.send(&sweep_args(&sweep, &folder.join("sent.csv"))).succeeded();
    // Also once over the live channel, for which the client adds a noiseless pass for the reference.
    stack.send(&["--corpus", text(SITE.corpus()), "--split", "test", "--draws", "1"]).succeeded();
    let original = stack.journal().answers();
    let bursts = SITE.test_clips() * (1 + 2 * 2 + 2);
    assert_eq!(original.len(), bursts);
    closed(emulator);

    let (receiver, journal) = fresh_receiver(&folder, "again");
    let done = replay(&stem, &["--receiver", receiver.url()]);
    assert_eq!((&done["predictions"], &done["labelled"]), (&bursts.into(), &bursts.into()));
    assert_eq!(journal.answers(), original, "what the receiver makes of the recording");
    // A second replay is counted again; within one replay each key of the run counts once.
    replay(&stem, &["--receiver", receiver.url(), "--rate", "2000"]);
    assert_eq!(journal.len(), 2 * bursts);
    for _ in 0..2 {
        let same = replay(&stem, &["--receiver", receiver.url(), "--same-keys"]);
        assert_eq!((&same["predictions"], &same["acc2_pos"]), (&done["predictions"], &done["acc2_pos"]));
        assert_eq!(journal.len(), 3 * bursts);
    }

    // The emulator has another seed and other live conditions: the result depends on the recording alone.
    let through = folder.join("through");
    let more = ["--channel", "awgn", "--snr", "0", "--seed", "77"];
    let emulator = recording(receiver.url(), free_port(), &through, &more);
    let pinned = replay(&stem, &["--emulator", emulator.url(), "--pinned"]);
    assert_eq!(pinned["acc2_pos"], done["acc2_pos"]);
    closed(emulator);
    assert!(data(&through, "in") == data(&stem, "in") && data(&through, "out") == data(&stem, "out"));
    assert_ne!(data(&stem, "in"), data(&stem, "out"));

    check_with_sigmf(&[&stem, &through]);
}

/// Checks recordings with the SigMF reference library, if the variable `LATENTLINK_SIGMF_PYTHON` names a Python that
/// has it.
fn check_with_sigmf(stems: &[&Path]) {
    let Some(python) = std::env::var_os("LATENTLINK_SIGMF_PYTHON") else {
        use std::io::Write;
        let _ = writeln!(std::io::stderr(), "skipped: check_with_sigmf needs LATENTLINK_SIGMF_PYTHON");
        return;
    };
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/../scripts/check_sigmf.py");
    let checked = Command::new(python).arg(script).args(stems).output().unwrap();
    assert!(checked.status.success(), "{}", String::from_utf8_lossy(&checked.stderr));
}

#[test]
fn a_killed_emulator_leaves_a_recording_that_is_valid_and_replays() {
    let mut stack = Stack::down(&SITE, "killed-recording", SITE.weights(), SITE.weights());
    stack.start(Role::Receiver);
    stack.start(Role::Transmitter);
    let folder = stack.folder().to_owned();
    let stem = folder.join("run");
    let port = stack.url(Role::Emulator).rsplit(':').next().unwrap().parse().unwrap();
    let emulator = recording(&stack.url(Role::Receiver), port, &stem, &[]);
    stack.send(&["--corpus", text(SITE.corpus()), "--split", "test", "--draws", "1"]).succeeded();
    let written = wait_for_annotations(&stem);
    emulator.kill_9();
    check_with_sigmf(&[&stem]);
    let (receiver, journal) = fresh_receiver(&folder, "again");
    let done = replay(&stem, &["--receiver", receiver.url()]);
    let bursts = done["bursts"].as_u64().unwrap() as usize;
    // Bursts that were queued when the process died are missing from the recording.
    let sent = stack.journal().len();
    assert!(written <= bursts && bursts <= sent, "{written} written, {bursts} replayed, {sent} sent");
    assert_eq!(journal.len(), bursts);

    // After a restart the emulator records to further files beside the existing ones.
    closed(recording(&stack.url(Role::Receiver), port, &stem, &[]));
    assert!(folder.join("run-2.sigmf-collection").exists());
}
