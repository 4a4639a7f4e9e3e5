//! `compare` over the results of two trained runs: the numbers of the files, their differences, and the figures.

use clap::Parser;
use corpus::{Corpus, CorpusSpec};
use metrics::Record;
use serde_json::Value;
use std::path::Path;

fn run(line: &str) -> anyhow::Result<()> {
    let words = ["trainer"].into_iter().chain(line.split_whitespace());
    trainer::run(trainer::Args::try_parse_from(words).map_err(|e| anyhow::anyhow!("{e}"))?)
}

/// Writes a corpus folder with some clips of `builtin`.
fn small_corpus(folder: &Path) {
    let all = Corpus::load(&CorpusSpec::BUILTIN).unwrap();
    let clips = [("train", 96), ("valid", 60)];
    let clips = clips.iter().flat_map(|(split, clips)| all.split(split).unwrap().into_iter().take(*clips));
    Corpus::new("small", clips.map(|(_, clip)| clip.clone()).collect()).unwrap().save(folder).unwrap();
}

fn read(file: &Path) -> Vec<Record> {
    serde_json::from_slice(&std::fs::read(file).unwrap()).unwrap()
}

#[test]
fn two_runs_are_held_against_each_other() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let shown = |name: &str| at(name).display().to_string();
    small_corpus(&at("small"));
    for (name, scheme) in [("ours", "proposed"), ("theirs", "t-deepsc")] {
        let corpus = shown("small");
        let training = "--preset small --epochs 6 --validation valid";
        run(&format!("train --corpus {corpus} --scheme {scheme} {training} --seed 3 --out {}", shown(name))).unwrap();
        let sweep = "--split valid --channel none,awgn,rayleigh --snr -6,6 --draws 2";
        let json = shown(&format!("{name}.json"));
        run(&format!("evaluate --weights {} --corpus {corpus} {sweep} --json {json}", shown(name))).unwrap();
    }
    let files = format!("{} {}", shown("ours.json"), shown("theirs.json"));
    run(&format!("compare {files} --out {} --json {}", shown("drawn"), shown("compared.json"))).unwrap();

    let compared: Value = serde_json::from_slice(&std::fs::read(at("compared.json")).unwrap()).unwrap();
    let labels: Vec<&str> =
        compared["systems"].as_array().unwrap().iter().map(|s| s["label"].as_str().unwrap()).collect();
    assert_eq!(labels, ["proposed", "T-DeepSC, our protocol and head"]);
    assert_eq!(compared["systems"][0]["training_seeds"], serde_json::json!([3]));
    let (ours, theirs) = (read(&at("ours.json")), read(&at("theirs.json")));
    let points = compared["points"].as_array().unwrap();
    assert_eq!(points.len(), 5, "noiseless, and two SNRs over two channels");
    for ((point, a), b) in points.iter().zip(&ours).zip(&theirs) {
        assert_eq!((point["channel"].as_str(), point["snr_db"].as_f64()), (Some(a.channel.as_str()), a.snr_db));
        let second = &point["values"][1];
        assert_eq!(second["channel_uses"].as_f64(), b.channel_uses);
        let scored = |name: &str| second["metrics"].as_array().unwrap().iter().find(|m| m["metric"] == name).unwrap();
        let acc2 = scored("acc2");
        assert_eq!(acc2["level"]["mean"].as_f64(), b.acc2_pos);
        let mean = acc2["difference"]["mean"].as_f64().unwrap();
        assert!((mean - (b.acc2_pos.unwrap() - a.acc2_pos.unwrap())).abs() < 1e-12);
        let ends = |at: usize| acc2["difference"]["interval"][at].as_f64().unwrap();
        assert!(ends(0) < mean && mean < ends(1) && acc2["difference"]["basis"] == "binomial");
        assert!(
            scored("mae")["difference"]["interval"].is_null(),
            "no interval over clips can be had from the mean alone"
        );
    }
    for metric in ["acc2", "f1", "acc7", "mae", "ece"] {
        for extension in ["svg", "png", "csv"] {
            let file = at("drawn").join(format!("{metric}.{extension}"));
            assert!(file.metadata().unwrap().len() > 100, "{}", file.display());
        }
    }
    let csv = std::fs::read_to_string(at("drawn/mae.csv")).unwrap();
    let mae = ours.iter().find(|r| r.channel == "rayleigh" && r.snr_db == Some(-6.0)).unwrap().mae.unwrap();
    assert!(csv.lines().any(|line| line.contains(",proposed,-6,") && line.contains(&mae.to_string())), "{csv}");

    what_cannot_be_compared_is_refused(folder.path(), &ours);
}

fn what_cannot_be_compared_is_refused(folder: &Path, ours: &[Record]) {
    let error = |files: &str| {
        let out = folder.join("refused");
        let error = run(&format!("compare {files} --out {}", out.display())).unwrap_err();
        assert!(!out.exists(), "nothing is written");
        format!("{error:#}")
    };
    let file = |name: &str| folder.join(name).display().to_string();
    let ours_file = file("ours.json");
    assert!(error(&ours_file).contains("nothing to compare proposed with"));
    let alone = error(&format!("{ours_file} {}", file("ours")));
    assert!(alone.contains(&file("ours")) && alone.contains("holds no results.json"), "{alone}");
    let config = error(&format!("{ours_file} {}", file("ours/config.json")));
    assert!(config.contains("config.json: no results"), "{config}");
    let other: Vec<Record> = ours.iter().map(|r| Record { split: "test".into(), ..r.clone() }).collect();
    std::fs::write(folder.join("other.json"), serde_json::to_vec(&other).unwrap()).unwrap();
    let other = error(&format!("{ours_file} {}", file("other.json")));
    assert!(other.contains("other.json") && other.contains("split valid against test"), "{other}");
}
