//! Tests of `transmitter send --clips`: clips from files and from a pipe that stays open.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};

use latentlink_tests::{Stack, corpus_of, rows_of};
use serde_json::{Value, json};

use crate::{SITE, text};

/// The audio and visual features and the label of a clip, as the JSON of a user's own clip.
fn own(clip: &corpus::Clip) -> Value {
    let frames = |index: usize| {
        let sequence = clip.features[index].as_ref().unwrap();
        sequence.data().chunks(sequence.width()).map(<[f32]>::to_vec).collect::<Vec<_>>()
    };
    json!({"id": clip.id, "text": frames(0), "audio": frames(1), "visual": frames(2), "label": clip.label})
}

fn outcomes(stdout: &str) -> Vec<Value> {
    stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn write(folder: &Path, name: &str, content: &str) {
    std::fs::write(folder.join(name), content).unwrap();
}

#[test]
fn clips_from_a_folder_are_predicted_as_those_of_the_corpus_are() {
    let stack = Stack::up(&SITE, "own-folder");
    let clips = stack.folder().join("clips");
    std::fs::create_dir(&clips).unwrap();
    let corpus = corpus_of(96, 32, 3);
    let test: Vec<&corpus::Clip> = corpus.split("test").unwrap().into_iter().map(|(_, clip)| clip).collect();
    write(&clips, "a.json", &own(test[0]).to_string());
    let mut unlabelled = own(test[2]);
    unlabelled.as_object_mut().unwrap().remove("label");
    write(&clips, "b.jsonl", &format!("{}\n\n{{\"colour\": 1}}\n{unlabelled}\n", own(test[1])));
    write(&clips, "c.txt", "what a wonderful film");
    write(&clips, "notes.md", "");
    let (json, csv) = (stack.folder().join("sent.json"), stack.folder().join("sent.csv"));
    let files = ["--json", text(&json), "--predictions", text(&csv)];
    let args = [&["--clips", text(&clips), "--channel", "none,awgn", "--snr", "-6,3"], &files[..]].concat();
    let sent = stack.send(&args);
    assert_eq!(sent.code(), Some(1), "{}", sent.stderr);
    assert!(sent.stderr.contains("notes.md"), "{}", sent.stderr);
    // Three valid clips at three points, a transcript that these weights do not accept, and a line that is not a clip.
    assert!(sent.reason().contains("9 predicted, 3 answered with an error, 1 unreadable"), "{}", sent.stderr);

    let outcomes = outcomes(&sent.stdout);
    let of = |source: &str| outcomes.iter().filter(|o| o["source"] == source).collect::<Vec<_>>();
    assert_eq!(of("b.jsonl:3")[0]["error"]["code"], "UNREADABLE");
    assert!(of("b.jsonl:3")[0]["error"]["message"].as_str().unwrap().contains("`colour`"));
    assert!(of("c.txt").iter().all(|o| o["error"]["code"] == "UNSUPPORTED" && o["id"] == "c"), "{outcomes:?}");
    let first = of("a.json");
    assert_eq!(first.len(), 3);
    for outcome in first {
        assert_eq!((&outcome["id"], &outcome["error"]), (&json!(test[0].id), &Value::Null));
        assert!(outcome["timings"]["receiver_us"].is_u64() && outcome["model_id"].is_string(), "{outcome}");
        assert!(["positive", "negative", "undecided"].contains(&outcome["sentiment"].as_str().unwrap()));
        let sum: f64 = outcome["classes"].as_array().unwrap().iter().map(|p| p.as_f64().unwrap()).sum();
        assert!((sum - 1.0).abs() < 1e-4, "{outcome}");
    }
    let records: Vec<Value> = serde_json::from_slice(&std::fs::read(&json).unwrap()).unwrap();
    let points: Vec<_> = records.iter().map(|r| (r["channel"].as_str().unwrap(), r["snr_db"].as_f64())).collect();
    assert_eq!(points, [("none", None), ("awgn", Some(-6.0)), ("awgn", Some(3.0))]);
    assert!(records.iter().all(|r| r["clips"] == 2), "{records:?}");

    // Over the noiseless channel a user's own clip gets the same prediction as the same clip of a corpus.
    let from_corpus = stack.folder().join("corpus.csv");
    stack
        .send(&["--corpus", text(SITE.corpus()), "--channel", "none", "--predictions", text(&from_corpus)])
        .succeeded();
    let noiseless = rows_of(&csv).into_iter().filter(|row| row.contains(",none,")).collect::<Vec<_>>();
    assert_eq!(noiseless.len(), 2);
    let all = rows_of(&from_corpus);
    assert!(noiseless.iter().all(|row| all.contains(row)), "{noiseless:?}");
}

/// A `transmitter send` process that reads clips from a pipe.
struct Piped {
    child: Child,
    input: Option<ChildStdin>,
    output: BufReader<std::process::ChildStdout>,
}

impl Piped {
    fn start(stack: &Stack, more: &[&str]) -> Piped {
        let args = stack.send_command(&[&["--clips", "-"], more].concat());
        let mut command = Command::new(SITE.binary());
        command.args(args).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let output = BufReader::new(child.stdout.take().unwrap());
        Piped { input: child.stdin.take(), child, output }
    }

    fn say(&mut self, line: &str) {
        self.input.as_mut().unwrap().write_all(format!("{line}\n").as_bytes()).unwrap();
    }

    /// Reads the next outcome, which arrives without the pipe being closed.
    fn hear(&mut self) -> Value {
        let mut line = String::new();
        self.output.read_line(&mut line).unwrap();
        serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error}: {line:?}"))
    }
}

impl Drop for Piped {
    fn drop(&mut self) {
        // Both calls fail only if the process is gone already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn each_outcome_comes_while_the_pipe_stays_open() {
    let stack = Stack::up(&SITE, "own-pipe");
    let mut client = Piped::start(&stack, &["--channel", "rayleigh", "--snr", "0", "--seed", "3"]);
    let corpus = corpus_of(1, 1, 1);
    let good = own(&corpus.clips[2]).to_string();
    client.say(&good);
    let first = client.hear();
    assert_eq!((&first["id"], &first["channel"]["kind"]), (&json!(corpus.clips[2].id), &json!("rayleigh")));
    client.say("{\"audio\": [[1, 2], [3]]}");
    let bad = client.hear();
    assert_eq!((&bad["source"], &bad["error"]["code"]), (&json!("stdin:2"), &json!("UNREADABLE")));
    assert!(bad["error"]["message"].as_str().unwrap().starts_with("audio: frame 1 has 1 values"), "{bad}");
    // Much longer than a clip may be.
    client.say(&" ".repeat(40 << 20));
    let long = client.hear();
    assert!(long["error"]["message"].as_str().unwrap().contains("16777216 bytes"), "{long}");
    let pinned = good.replacen('{', "{\"conditions\": {\"channel\": \"awgn\", \"snr_db\": 9}, ", 1);
    client.say(&pinned);
    let last = client.hear();
    assert_eq!((&last["channel"]["kind"], &last["channel"]["snr_db"]), (&json!("awgn"), &json!(9.0)));
    drop(client.input.take());
    assert_eq!(client.child.wait().unwrap().code(), Some(1));
    assert_eq!(stack.journal().len(), 2);
}

#[test]
fn a_reader_that_has_had_enough_ends_the_stream_quietly() {
    let stack = Stack::up(&SITE, "own-enough");
    let mut client = Piped::start(&stack, &[]);
    let good = own(&corpus_of(1, 1, 1).clips[2]).to_string();
    client.say(&good);
    client.hear();
    // The reader closes the pipe after a line, as `| head -1` does.
    let mut input = client.input.take().unwrap();
    client.output = BufReader::new({
        let mut other = Command::new("true").stdout(Stdio::piped()).spawn().unwrap();
        other.wait().unwrap();
        other.stdout.take().unwrap()
    });
    let _ = input.write_all(format!("{good}\n").as_bytes());
    let status = client.child.wait().unwrap();
    let mut said = String::new();
    std::io::Read::read_to_string(&mut client.child.stderr.take().unwrap(), &mut said).unwrap();
    assert_eq!(status.code(), Some(0), "{said}");
    assert!(!said.contains("panic") && !said.contains("error:"), "{said}");
}
