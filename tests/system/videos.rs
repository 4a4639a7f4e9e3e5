//! Tests of media files, from the file to the prediction: extracted into a corpus, trained on, and sent over the three
//! processes.

use std::path::{Path, PathBuf};

use latentlink_tests::{Process, Stack, rows_of, shared};
use serde_json::Value;

use crate::{SITE, text};

/// Ids of three speakers of the recordings; the last one is the test split.
const SPEAKERS: [&str; 3] = ["03", "08", "09"];
const OF_EACH: usize = 5;

/// Writes a table of recordings, with their valence as label, to `out`; returns the ids of the test split.
fn labels(shared: &Path, out: &Path) -> Vec<String> {
    let all = std::fs::read_to_string(shared.join("data/emodb-dev/clips.csv")).unwrap();
    let mut table = "id,speaker,split,label,text\n".to_owned();
    let mut tested = Vec::new();
    for (speaker, split) in SPEAKERS.into_iter().zip(["train", "train", "test"]) {
        let lines = all.lines().map(|line| line.splitn(6, ',').collect::<Vec<_>>());
        for fields in lines.filter(|fields| fields[1] == speaker).take(OF_EACH) {
            table += &format!("{},{speaker},{split},{},{}\n", fields[0], fields[4], fields[5]);
            tested.extend((split == "test").then(|| fields[0].to_owned()));
        }
    }
    std::fs::write(out, table).unwrap();
    assert_eq!(tested.len(), OF_EACH);
    tested
}

/// Extracts a corpus of recordings and trains weights on it; returns the folders of corpus and weights, and the ids of
/// the test split.
fn extracted_and_trained(shared: &Path, folder: &Path) -> (PathBuf, PathBuf, Vec<String>) {
    let (table, corpus, weights) = (folder.join("labels.csv"), folder.join("corpus"), folder.join("weights"));
    let tested = labels(shared, &table);
    let (clips, models) = (shared.join("data/emodb-dev/wav"), shared.join("models"));
    let extract = ["trainer", "corpus", "extract", "--clips", text(&clips), "--labels", text(&table), "--out"];
    let options = ["--extractors", text(&models), "--only", "audio", "--video-column", "speaker"];
    let args = [&extract[..], &[text(&corpus)], &options].concat();
    let said = Process::run(SITE.binary(), &args).succeeded().stdout;
    assert!(said.contains("15 clips (train 10, test 5), audio of width 384"), "{said}");
    let again = Process::run(SITE.binary(), &args);
    assert!(again.failed().contains("is there already"), "{}", again.stderr);
    let train = ["trainer", "train", "--corpus", text(&corpus), "--preset", "small", "--epochs", "2", "--out"];
    Process::run(SITE.binary(), &[&train[..], &[text(&weights), "--validation", "fold:0/2"]].concat()).succeeded();
    (corpus, weights, tested)
}

fn outcomes(stdout: &str) -> Vec<Value> {
    stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn a_recording_is_predicted_as_its_features_are() {
    let Some(shared) = shared("videos") else { return };
    let folder = SITE.folder("videos-corpus");
    let (corpus, weights, tested) = extracted_and_trained(&shared, &folder);
    let models = shared.join("models");

    let stack = Stack::down(&SITE, "videos", &weights, &weights).with("LATENTLINK_EXTRACTORS", text(&models)).started();
    let recordings: Vec<PathBuf> =
        tested.iter().map(|id| shared.join(format!("data/emodb-dev/wav/{id}.wav"))).collect();
    let broken = stack.folder().join("broken.wav");
    std::fs::write(&broken, b"RIFF and nothing more").unwrap();
    let table = folder.join("labels.csv");
    let (csv, from_corpus) = (stack.folder().join("sent.csv"), stack.folder().join("corpus.csv"));
    let paths: Vec<&str> = recordings.iter().chain([&broken]).map(|path| text(path)).collect();
    let options = ["--transcripts", text(&table), "--channel", "none,awgn", "--snr", "0", "--predictions", text(&csv)];
    let sent = stack.send(&[&paths[..], &options].concat());
    assert!(sent.reason().contains("10 predicted, 2 answered with an error, 0 unreadable"), "{}", sent.stderr);
    let errors: Vec<Value> = outcomes(&sent.stdout).into_iter().filter(|o| !o["error"].is_null()).collect();
    assert!(errors.iter().all(|o| o["id"] == "broken" && o["error"]["field"] == "media"), "{errors:?}");

    // Over the noiseless channel a recording gets the same prediction as its features in the corpus.
    let sweep = ["--channel", "none", "--predictions", text(&from_corpus)];
    stack.send(&[&["--corpus", text(&corpus)], &sweep[..]].concat()).succeeded();
    let mut noiseless: Vec<String> = rows_of(&csv).into_iter().filter(|row| row.contains(",none,")).collect();
    let mut expected = rows_of(&from_corpus);
    noiseless.sort();
    expected.sort();
    assert_eq!(noiseless.len(), OF_EACH);
    assert_eq!(noiseless, expected);

    // If the weights have no text encoder, a transcript is ignored and the sound is still used.
    let one = stack.send(&[text(&recordings[0]), "--text", "Der Lappen liegt auf dem Eisschrank."]).succeeded();
    assert_eq!(outcomes(&one.stdout).len(), 1, "{}", one.stdout);

    // Features of another provenance are refused, even if their width agrees.
    let named = corpus.join("extractors.json");
    let origins = std::fs::read_to_string(&named).unwrap();
    std::fs::write(&named, origins.replace("windows of 30 s", "windows of 10 s")).unwrap();
    let args = ["trainer", "evaluate", "--weights", text(&weights), "--corpus", text(&corpus), "--channel", "none"];
    let refused = Process::run(SITE.binary(), &args);
    assert!(refused.failed().contains("windows of 10 s"), "{}", refused.stderr);
    let refused = stack.send(&["--corpus", text(&corpus), "--channel", "none"]);
    assert!(refused.failed().contains("audio.features.provenance"), "{}", refused.stderr);
}

#[test]
fn without_extractors_a_recording_is_refused_and_features_are_taken() {
    let Some(shared) = shared("videos without extractors") else { return };
    let stack = Stack::up(&SITE, "videos-without");
    let recording = shared.join("media/speech-16k.wav");
    let sent = stack.send(&[text(&recording)]);
    let outcome = &outcomes(&sent.stdout)[0];
    assert_eq!((&outcome["error"]["code"], &outcome["error"]["field"]), (&"UNSUPPORTED".into(), &"media".into()));
    assert!(outcome["error"]["message"].as_str().unwrap().contains("send features"), "{outcome}");
    stack.send(&["--corpus", text(SITE.corpus()), "--channel", "none"]).succeeded();
}

/// The conventional scheme sends the video itself as bits, and the receiver extracts the features. Above the cliff the
/// predictions differ, below it all are the same constant, and a receiver without extractors refuses videos with a
/// message that names the option.
#[cfg(feature = "video")]
#[test]
fn a_video_crosses_whole_or_not_at_all_by_the_conventional_scheme() {
    let Some(shared) = shared("videos, conventional") else { return };
    let folder = SITE.folder("videos-conventional-corpus");
    let (corpus, _, tested) = extracted_and_trained(&shared, &folder);
    let (weights, models) = (folder.join("conventional"), shared.join("models"));
    let train = ["trainer", "train", "--scheme", "conventional", "--corpus", text(&corpus), "--preset", "small"];
    let options = ["--epochs", "2", "--validation", "fold:0/2", "--out", text(&weights)];
    Process::run(SITE.binary(), &[&train[..], &options].concat()).succeeded();
    let recordings: Vec<PathBuf> =
        tested.iter().map(|id| shared.join(format!("data/emodb-dev/wav/{id}.wav"))).collect();
    let paths: Vec<&str> = recordings.iter().map(|path| text(path)).collect();

    let stack = Stack::down(&SITE, "videos-conventional", &weights, &weights);
    let stack = stack.with("LATENTLINK_EXTRACTORS", text(&models)).started();
    let scores = |snr: &str| -> Vec<String> {
        let sent = stack.send(&[&paths[..], &["--channel", "awgn", "--snr", snr, "--jsonl"]].concat()).succeeded();
        let score = |outcome: Value| outcome["score"].to_string();
        outcomes(&sent.stdout).into_iter().map(score).collect()
    };
    let (mut heard, lost) = (scores("15"), scores("-20"));
    assert_eq!((heard.len(), lost.len()), (OF_EACH, OF_EACH));
    assert!(lost.iter().all(|score| *score == lost[0]), "{lost:?}");
    heard.sort();
    heard.dedup();
    assert!(heard.len() > OF_EACH / 2, "{heard:?}");

    let without = Stack::down(&SITE, "videos-conventional-without", &weights, &weights).started();
    let sent = without.send(&[paths[0], "--channel", "none"]);
    let outcome = &outcomes(&sent.stdout)[0];
    assert!(outcome["error"]["message"].as_str().unwrap().contains("--extractors"), "{outcome}");
    assert_eq!(outcome["error"]["code"], "UNSUPPORTED", "{outcome}");
    // Features are sent without extractors.
    without.send(&["--corpus", text(&corpus), "--channel", "none"]).succeeded();
}
