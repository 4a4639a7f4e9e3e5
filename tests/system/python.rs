//! Tests with Python: the examples, run unchanged, and peers written with standard grpcio.

use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use latentlink_tests::{Client, Role, Stack, corpus_of, eventually, request};
use proto::v1::outcome::Result as Outcome;
use proto::v1::transmitter_client::TransmitterClient;
use proto::v1::{ChannelKind, Conditions, SendRequest, SendResponse};
use serde_json::json;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::Streaming;

use crate::SITE;

/// The Python interpreter of the variable `LATENTLINK_PYTHON`, else `python3`, if it has grpcio and its reflection.
/// Otherwise reports that `test` is skipped and returns `None`.
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

    // The site's weights have no text encoder, and the example must report that.
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

/// The process of `tests/python/stand_in.py` in place of a role; killed when this is dropped.
struct StandIn {
    child: Child,
    log: PathBuf,
}

impl StandIn {
    /// Starts the stand-in for `role` and waits until it listens.
    fn start(python: &Path, stack: &Stack, role: Role) -> StandIn {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
        let log = stack.folder().join("stand-in.log");
        let mut command = Command::new(python);
        let what = if role == Role::Receiver { "receiver" } else { "emulator" };
        command
            .arg(folder.join("../tests/python/stand_in.py"))
            .arg(what)
            .arg(folder.join("../proto/latentlink/v1.binpb"));
        command.arg(address(stack, role)).arg(address(stack, Role::Receiver));
        let child = command.stdin(Stdio::null()).stdout(File::create(&log).unwrap()).spawn().unwrap();
        let stand_in = StandIn { child, log };
        eventually("a stand-in that listens", Duration::from_secs(60), || stand_in.lines("listening").then_some(()));
        stand_in
    }

    fn text(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap()
    }

    fn lines(&self, line: &str) -> bool {
        self.text().lines().any(|printed| printed == line)
    }

    /// Number of streams of bursts that were opened so far.
    fn streams(&self) -> usize {
        self.text().lines().filter(|line| *line == "stream").count()
    }
}

impl Drop for StandIn {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// One client stream through a stack, on which clips follow each other after a pause.
struct Slowly<'a> {
    client: &'a Client,
    requests: mpsc::Sender<SendRequest>,
    answers: Streaming<SendResponse>,
    sequence: u64,
}

impl<'a> Slowly<'a> {
    fn open(client: &'a Client) -> Slowly<'a> {
        let (requests, outgoing) = mpsc::channel(4);
        let mut service = TransmitterClient::new(client.channel());
        let answers = client.block_on(service.send(ReceiverStream::new(outgoing))).unwrap().into_inner();
        Slowly { client, requests, answers, sequence: 0 }
    }

    /// Sends one clip over the noiseless channel; returns the predicted median.
    fn predict(&mut self, clip: &corpus::Clip) -> f32 {
        let none = Conditions { kind: ChannelKind::None.into(), ..Conditions::default() };
        let clip = self.client.clip(self.sequence, clip, none);
        self.sequence += 1;
        let answer = self.client.block_on(async {
            self.requests.send(request(clip)).await.unwrap();
            self.answers.message().await.unwrap().expect("an answer")
        });
        match answer.outcome.unwrap().result {
            Some(Outcome::Prediction(prediction)) => prediction.score.unwrap().median,
            other => panic!("expected a prediction, got {other:?}"),
        }
    }
}

/// A pause without messages, longer than two intervals of ten seconds: an HTTP/2 client that pings every ten seconds
/// would be disconnected at its second ping.
const QUIET: Duration = Duration::from_secs(25);

#[test]
fn a_receiver_written_with_grpcio_stands_in_for_ours() {
    let Some(python) = python("a_receiver_written_with_grpcio_stands_in_for_ours") else { return };
    let mut stack = Stack::down(&SITE, "python-receiver", SITE.weights(), SITE.weights());
    stack.start(Role::Emulator);
    stack.start(Role::Transmitter);
    let receiver = StandIn::start(&python, &stack, Role::Receiver);
    let clips = corpus_of(1, 1, 2).clips;
    let client = Client::connect(&stack.url(Role::Transmitter));
    let mut slowly = Slowly::open(&client);
    assert_eq!(slowly.predict(&clips[2]), 1.5);
    std::thread::sleep(QUIET);
    assert_eq!(slowly.predict(&clips[3]), 1.5);
    assert_eq!(receiver.streams(), 1, "a quiet stream was lost: {}", receiver.text());
}

#[test]
fn an_emulator_written_with_grpcio_stands_in_for_ours() {
    let Some(python) = python("an_emulator_written_with_grpcio_stands_in_for_ours") else { return };
    let mut stack = Stack::down(&SITE, "python-emulator", SITE.weights(), SITE.weights());
    stack.start(Role::Receiver);
    stack.start(Role::Transmitter);
    let emulator = StandIn::start(&python, &stack, Role::Emulator);
    let clips = corpus_of(1, 1, 2).clips;
    let client = Client::connect(&stack.url(Role::Transmitter));
    let mut slowly = Slowly::open(&client);
    let first = slowly.predict(&clips[2]);
    std::thread::sleep(QUIET);
    assert_eq!(slowly.predict(&clips[2]), first);
    assert_eq!(emulator.streams(), 1, "a quiet stream was lost: {}", emulator.text());
    assert_eq!(stack.journal().len(), 2);
}
