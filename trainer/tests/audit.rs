//! `audit`: one seed gives one result, which names the audited weights, corpus and split.

mod support;

use clap::Parser;
use corpus::Corpus;
use serde_json::Value;
use support::clip;

fn run(line: &str) -> anyhow::Result<()> {
    let words = ["trainer"].into_iter().chain(line.split_whitespace());
    trainer::run(trainer::Args::try_parse_from(words).map_err(|e| anyhow::anyhow!("{e}"))?)
}

/// A corpus whose clips have all modalities, each of which predicts the label: 200 clips to train on, 40 held out, 120
/// to audit.
fn corpus() -> Corpus {
    let split = |i: usize| ["train", "valid", "test"][usize::from(i >= 200) + usize::from(i >= 240)];
    let clips = (0..).filter(|row| row % 5 >= 3).take(360).enumerate().map(|(i, row)| clip(row, split(i)));
    Corpus::new("told thrice", clips.collect()).unwrap()
}

#[test]
fn an_audit_of_trained_weights() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).display().to_string();
    corpus().save(&folder.path().join("corpus")).unwrap();
    let corpus = path("corpus");
    run(&format!("train --corpus {corpus} --preset small --validation valid --epochs 7 --out {}", path("run")))
        .unwrap();
    let audit = |json: &str| {
        let line = format!("audit --weights {} --corpus {corpus} --permutations 2 --json {}", path("run"), path(json));
        run(&line).unwrap();
        std::fs::read_to_string(path(json)).unwrap()
    };
    let text = audit("one.json");
    assert_eq!(text, audit("two.json"));
    let found: Value = serde_json::from_str(&text).unwrap();
    let names = |list: &str, field: &str| -> Vec<String> {
        found[list].as_array().unwrap().iter().map(|v| v[field].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(names("pairs", "pair"), ["text-audio", "text-visual", "audio-visual"]);
    assert_eq!(names("modalities", "modality"), ["text", "audio", "visual"]);
    assert_eq!((&found["split"], &found["clips"], &found["train_clips"]), (&"test".into(), &120.into(), &200.into()));
    for pair in found["pairs"].as_array().unwrap() {
        // The features all predict the label, so those of each pair are dependent; after shuffling they are not.
        let j = |kind: &str, field: &str| pair[kind]["j"][field].as_f64().unwrap();
        assert!(j("features", "low") > 0.1, "{pair}");
        assert!(pair["features"]["null_max"].as_f64().unwrap() < 0.1, "{pair}");
        assert!(j("z", "low") < j("z", "estimate") && j("z", "estimate") < j("z", "high"), "{pair}");
        assert!(pair["decisions"].as_f64().unwrap() > 0.1, "{pair}");
    }
    for modality in found["modalities"].as_array().unwrap() {
        assert!(modality["features_accuracy"].as_f64().unwrap() > 0.85, "{modality}");
    }
    let line = format!("audit --weights {} --corpus {corpus}", path("nowhere"));
    let error = format!("{:#}", run(&line).unwrap_err());
    assert!(error.contains("nowhere"), "{error}");
}
