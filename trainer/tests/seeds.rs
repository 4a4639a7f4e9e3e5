//! `evaluate --seeds`: what is missing is trained, what was cut short is gone on with, what is there is loaded or refused.

use clap::Parser;
use metrics::Record;
use std::path::Path;

fn run(line: &str) -> anyhow::Result<()> {
    let words = ["trainer"].into_iter().chain(line.split_whitespace());
    trainer::run(trainer::Args::try_parse_from(words).map_err(|e| anyhow::anyhow!("{e}"))?)
}

fn evaluate(folder: &Path, options: &str) -> anyhow::Result<Vec<Record>> {
    let json = folder.join("results.json");
    run(&format!(
        "evaluate --weights {} --corpus builtin --split valid --channel awgn --snr -6 --draws 2 --json {} {options}",
        folder.display(),
        json.display()
    ))?;
    Ok(serde_json::from_slice(&std::fs::read(json)?)?)
}

fn epochs(folder: &Path) -> usize {
    std::fs::read_to_string(folder.join("metrics.csv")).unwrap().lines().count() - 1
}

#[test]
fn seeds_are_trained_once_and_scored_each_as_on_its_own() {
    let folder = tempfile::tempdir().unwrap();
    let seed = |index: u32| folder.path().join(format!("seed-{index}"));
    let records = evaluate(folder.path(), "--seeds 2 --epochs 7").unwrap();
    let of: Vec<_> = records.iter().map(|r| (r.training_seed, r.channel.as_str(), r.seed)).collect();
    assert_eq!(of, [(Some(0), "awgn", 0), (Some(1), "awgn", 0)]);
    assert_ne!(records[0].model_id, records[1].model_id);
    assert_eq!((epochs(&seed(0)), epochs(&seed(1))), (7, 7));

    // The same run on its own, on as many threads as it likes.
    let alone = folder.path().join("alone");
    run(&format!("train --corpus builtin --seed 1 --epochs 7 --out {}", alone.display())).unwrap();
    for half in ["transmitter/weights.safetensors", "receiver/weights.safetensors", "transmitter/manifest.json"] {
        let read = |run: &Path| std::fs::read(run.join(half)).unwrap();
        assert!(read(&alone) == read(&seed(1)), "{half}");
    }
    let one = evaluate(&alone, "").unwrap();
    assert_eq!(one[0].acc2_pos, records[1].acc2_pos);
    assert_eq!(one[0].training_seed, None);

    // Once more, of which one is there and one was cut short before its halves were written.
    let written = |path: &Path| path.join("checkpoint.safetensors").metadata().unwrap().modified().unwrap();
    let before = written(&seed(0));
    std::fs::remove_dir_all(seed(1).join("transmitter")).unwrap();
    std::fs::remove_dir_all(seed(1).join("receiver")).unwrap();
    assert_eq!(evaluate(folder.path(), "--seeds 2 --epochs 7").unwrap(), records);
    assert_eq!(written(&seed(0)), before);

    let error = format!("{:#}", evaluate(folder.path(), "--seeds 2 --epochs 8").unwrap_err());
    assert!(error.contains("seed-0") && error.contains("another `schedule.epochs`"), "{error}");
}

#[test]
fn options_that_make_no_sense_together_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let error = |options: &str| format!("{:#}", evaluate(folder.path(), options).unwrap_err());
    assert!(error("--lambda-red 0").contains("without --seeds"));
    assert!(error("--seeds 2 --predictions rows.csv").contains("--predictions with --seeds"));
    assert!(error("--seeds 2 --set seed=3").contains("--set seed with --seeds"));
    assert!(error("--seeds 0").contains("--seeds"));
    let line = format!("evaluate --weights {} --corpus builtin --seeds 2 --split dev", folder.path().display());
    assert!(format!("{:#}", run(&line).unwrap_err()).contains("dev"));
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0, "nothing was trained");
}
