//! Tests of `latentlink demo`, from its first training to its last file, and of its interruption.

use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use latentlink_tests::{
    Finished, Job, Signal, command_line, eventually, free_port, http_get, kill_9, rows_of, running, write_corpus,
};
use serde_json::Value;

use crate::{SITE, text};

/// Options of a training that takes about a second.
const TRAINING: [&str; 4] = ["--preset", "small", "--epochs", "1"];

fn demo(name: &str, corpus: &Path, out: &Path, more: &[&str]) -> Job {
    let args = [&["demo", "--corpus", text(corpus), "--out", text(out)], more].concat();
    Job::start(SITE.binary(), &args, out.parent().unwrap(), name)
}

fn trained<'a>(more: &[&'a str]) -> Vec<&'a str> {
    [&TRAINING[..], more].concat()
}

fn records(out: &Path) -> Vec<Value> {
    serde_json::from_slice(&std::fs::read(out.join("results.json")).unwrap()).unwrap()
}

/// The weight files below a folder, with their modification times.
fn weights(folder: &Path) -> Vec<(PathBuf, SystemTime)> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap().flatten() {
        if entry.path().is_dir() {
            found.extend(weights(&entry.path()));
        } else if entry.file_name() == "weights.safetensors" {
            found.push((entry.path(), entry.metadata().unwrap().modified().unwrap()));
        }
    }
    found.sort();
    found
}

#[test]
fn it_leaves_results_and_reuses_its_weights_for_the_same_corpus_alone() {
    let folder = SITE.folder("demo");
    let out = folder.join("out");
    let first = demo("demo-first", SITE.corpus(), &out, &trained(&["--snr", "-12,0,12"])).finish().succeeded();
    assert!(first.stdout.contains("equal"), "says that streamed equals in-process: {}", first.stdout);
    for word in ["awgn", "rayleigh", "none", "best constant", "matched filter"] {
        assert!(first.stdout.to_lowercase().contains(word), "no '{word}' in {}", first.stdout);
    }

    let found = records(&out);
    let points: Vec<(&str, Option<f64>)> =
        found.iter().map(|r| (r["channel"].as_str().unwrap(), r["snr_db"].as_f64())).collect();
    let swept = |channel| [-12.0, 0.0, 12.0].map(|snr| (channel, Some(snr)));
    let expected = [&[("none", None)], &swept("awgn")[..], &swept("rayleigh")[..]].concat();
    assert_eq!(points, expected);
    assert!(found.iter().all(|r| r["clips"] == 48 && r["split"] == "test" && r["acc2_pos"].is_f64()), "{found:?}");
    assert!(
        found.iter().all(|r| r["symbols"] == 25 && r["channel_uses"] == 25.0 && r["training_seed"] == 0),
        "{found:?}"
    );
    assert_eq!(rows_of(&out.join("predictions.csv")).len(), 48 * 7);
    let files: Vec<String> =
        std::fs::read_dir(&out).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
    for extension in [".png", ".svg"] {
        assert_eq!(files.iter().filter(|f| f.ends_with(extension)).count(), 1, "{files:?}");
    }

    let written = weights(&out);
    assert_eq!(written.len(), 2, "two halves: {written:?}");
    demo("demo-second", SITE.corpus(), &out, &trained(&["--snr", "0"])).finish().succeeded();
    assert_eq!(weights(&out), written, "the second run trained again");
    assert_eq!(records(&out).len(), 3);

    let other = folder.join("other");
    write_corpus(&other, 64, 16, 16);
    demo("demo-other", &other, &out, &trained(&["--snr", "0"])).finish().succeeded();
    assert_eq!(weights(&out).len(), 4, "another corpus has weights of its own");
    assert!(records(&out).iter().all(|r| r["clips"] == 16));
}

/// Starts a demo with the site's weights and waits until the launcher and three child processes run.
fn started(name: &str) -> (PathBuf, Job) {
    let folder = SITE.folder(name);
    let job = demo(name, SITE.corpus(), &folder.join("out"), &["--weights", text(SITE.weights())]);
    eventually("launcher and three children", Duration::from_secs(120), || (running(name).len() == 4).then_some(()));
    (folder, job)
}

/// Waits for the end of a demo that was interrupted, and of its child processes.
fn ended(name: &str, folder: &Path, job: Job) -> Finished {
    let finished = job.finish();
    eventually("the end of all children", Duration::from_secs(30), || running(name).is_empty().then_some(()));
    assert!(!folder.join("out/results.json").exists(), "no results of a run that was cut short");
    finished
}

/// Sends a signal to the launcher of a running demo and waits until no process is left.
fn interrupted(name: &str, signal: Signal) -> Finished {
    let (folder, job) = started(name);
    job.signal(signal);
    ended(name, &folder, job)
}

#[test]
fn the_death_of_a_child_ends_the_demo_and_is_named() {
    let name = "demo-child";
    let (folder, job) = started(name);
    let children = running(name).into_iter().filter(|&id| id != job.id());
    let receiver = children.filter(|&id| command_line(id).contains("receiver serve")).collect::<Vec<_>>();
    assert_eq!(receiver.len(), 1);
    kill_9(receiver[0]);
    let finished = ended(name, &folder, job);
    finished.failed();
    assert!(finished.stderr.contains("the receiver ended with signal: 9"), "{}", finished.stderr);
    assert!(finished.stderr.contains("listening"), "the end of its log: {}", finished.stderr);
}

#[test]
fn ctrl_c_leaves_no_process() {
    assert_eq!(interrupted("demo-ctrl-c", Signal::INT).code(), Some(130));
}

#[test]
fn sigterm_leaves_no_process() {
    assert_eq!(interrupted("demo-sigterm", Signal::TERM).code(), Some(143));
}

#[test]
fn sigkill_leaves_no_process() {
    assert_eq!(interrupted("demo-sigkill", Signal::KILL).code(), None);
}

/// The first of three consecutive free ports.
fn three_ports() -> u16 {
    let mut last = [free_port(), free_port(), free_port()];
    while last[0] + 2 != last[2] || last[0] + 1 != last[1] {
        last = [last[1], last[2], free_port()];
    }
    last[0]
}

#[test]
fn live_serves_a_page_of_both_clients_until_ctrl_c() {
    let name = "demo-live";
    let folder = SITE.folder(name);
    let (port, http) = (three_ports().to_string(), format!("127.0.0.1:{}", free_port()));
    let weights = text(SITE.weights());
    let more = ["--weights", weights, "--live", "--port", &port, "--http", &http, "--snr", "-6,3", "--rate", "200"];
    let job = demo(name, SITE.corpus(), &folder.join("out"), &more);
    let page = format!("http://{http}");
    let state = || serde_json::from_str::<Value>(&http_get(&page, "/api/state")?.1).ok();
    // 48 clips at Rayleigh 12 dB, the current conditions, and as many at each point of the sweep.
    let points = eventually("clips at every point", Duration::from_secs(120), || {
        let state = state()?;
        let points = state["curve"].as_array()?.len();
        (state["clips"].as_u64()? > 48 * 6 && points >= 5).then_some(points)
    });
    assert_eq!(points, 5, "the live point and two SNRs on two channels: {:?}", state());
    let (code, html) = http_get(&page, "/").unwrap();
    assert!(code == 200 && html.contains("Latentlink"), "{code}");
    job.signal(Signal::INT);
    ended(name, &folder, job).succeeded();
}

#[test]
fn weights_that_are_not_there_are_named_and_nothing_runs() {
    let folder = SITE.folder("demo-none");
    let out = folder.join("out");
    let missing = folder.join("no-weights");
    let ended = demo("demo-none", SITE.corpus(), &out, &["--weights", text(&missing)]).finish();
    assert!(ended.failed().contains("no-weights"), "{}", ended.stderr);
    assert!(running("demo-none").is_empty());
    let ended = demo("demo-split", SITE.corpus(), &out, &["--split", "dev"]).finish();
    let reason = ended.failed();
    assert!(["dev", "train", "valid", "test"].iter().all(|split| reason.contains(split)), "{reason}");
    assert!(!out.join("results.json").exists());
}
