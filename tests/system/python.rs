//! The Python examples, run as they are.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use latentlink_tests::{Role, Stack, corpus_of, eventually};
use serde_json::json;

use crate::SITE;

/// A Python that has grpcio and its reflection: `LATENTLINK_PYTHON`, else `python3`. Says that `test` is skipped if none has.
fn python(test: &str) -> Option<PathBuf> {
    let python = std::env::var_os("LATENTLINK_PYTHON").map_or("python3".into(), PathBuf::from);
    let imported = Command::new(&python).args(["-c", "import grpc, grpc_reflection"]).stderr(Stdio::null()).status();
    if imported.is_ok_and(|status| status.success()) {
        return Some(python);
    }
    let _ = writeln!(std::io::stderr(), "skipped: {test} needs LATENTLINK_PYTHON with grpcio and grpcio-reflection");
    None
}

fn example(python: &Path, name: &str, args: &[&str]) -> Command {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/python").join(name);
    let mut command = Command::new(python);
    command.arg(script).args(args).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

fn address(stack: &Stack, role: Role) -> String {
    stack.url(role).trim_start_matches("http://").to_owned()
}

#[test]
fn the_python_client_sends_sentences_and_features() {
    let Some(python) = python("the_python_client_sends_sentences_and_features") else { return };
    let stack = Stack::up(&SITE, "python-client");
    let transmitter = address(&stack, Role::Transmitter);
    let frames = |index: usize, clip: &corpus::Clip| {
        let sequence = clip.features[index].as_ref().unwrap();
        sequence.data().chunks(sequence.width()).map(<[f32]>::to_vec).collect::<Vec<_>>()
    };
    let corpus = corpus_of(1, 1, 2);
    let line = |clip: &corpus::Clip| {
        json!({"id": clip.id, "audio": frames(1, clip), "visual": frames(2, clip), "label": clip.label}).to_string()
    };
    let lines: Vec<String> = corpus.clips[2..].iter().map(line).collect();
    let mut child = example(&python, "client.py", &[&transmitter]).spawn().unwrap();
    child.stdin.take().unwrap().write_all((lines.join("\n") + "\n").as_bytes()).unwrap();
    let sent = child.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&sent.stdout);
    assert!(sent.status.success(), "{said}{}", String::from_utf8_lossy(&sent.stderr));
    for clip in &corpus.clips[2..] {
        assert!(said.lines().any(|line| line.starts_with(&format!("{}: score ", clip.id))), "{said}");
    }
    assert_eq!(stack.journal().len(), 2);

    // The site's weights hold no text encoder, which is what the example must then say.
    let sent = example(&python, "client.py", &[&transmitter, "what a wonderful film"]).output().unwrap();
    let said = String::from_utf8_lossy(&sent.stdout);
    assert!(sent.status.success() && said.starts_with("what a wonderful film: text.transcript: "), "{said}");
}

#[test]
fn the_python_watcher_prints_what_was_sent() {
    let Some(python) = python("the_python_watcher_prints_what_was_sent") else { return };
    let stack = Stack::up(&SITE, "python-watch");
    let corpus = SITE.corpus().to_str().unwrap();
    stack.send(&["--corpus", corpus, "--channel", "awgn", "--snr", "-6", "--draws", "1"]).succeeded();
    let log = stack.folder().join("watch.log");
    let mut command = example(&python, "watch.py", &[&address(&stack, Role::Receiver)]);
    let mut child = command.stdout(std::fs::File::create(&log).unwrap()).spawn().unwrap();
    let clips = SITE.test_clips();
    let met = format!("  awgn -6 dB: {clips} clips, Acc-2 pos 0.");
    let read = || std::fs::read_to_string(&log).unwrap().contains(&met).then_some(());
    eventually(&met, Duration::from_secs(60), read);
    child.kill().unwrap();
    child.wait().unwrap();
}
