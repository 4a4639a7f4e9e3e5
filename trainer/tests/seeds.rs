//! `evaluate --seeds`: missing runs are trained, interrupted ones are resumed, and finished ones are loaded, or
//! refused if their settings differ.

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

    // The same run trained by itself, on any number of threads.
    let alone = folder.path().join("alone");
    run(&format!("train --corpus builtin --seed 1 --epochs 7 --out {}", alone.display())).unwrap();
    for half in ["transmitter/weights.safetensors", "receiver/weights.safetensors", "transmitter/manifest.json"] {
        let read = |run: &Path| std::fs::read(run.join(half)).unwrap();
        assert!(read(&alone) == read(&seed(1)), "{half}");
    }
    let one = evaluate(&alone, "").unwrap();
    assert_eq!(one[0].acc2_pos, records[1].acc2_pos);
    // The manifest holds the training seed, whether one run or several are scored.
    assert_eq!(one[0].training_seed, Some(1));
    assert_eq!((one[0].symbols, one[0].channel_uses), (Some(25), Some(25.0)));

    // A second time, with one run finished and one interrupted before its halves were written.
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

/// The scored clips are those that training held out, cut with each run's own seed, and no others.
#[test]
fn a_fold_is_scored_by_weights_that_have_not_been_trained_on_it() {
    let folder = tempfile::tempdir().unwrap();
    let (json, rows) = (folder.path().join("results.json"), folder.path().join("rows.csv"));
    let score = |weights: &Path, options: &str| -> anyhow::Result<Vec<Record>> {
        let fixed = "--corpus builtin --channel awgn --snr -6 --draws 2 --json";
        run(&format!("evaluate --weights {} {fixed} {} {options}", weights.display(), json.display()))?;
        Ok(serde_json::from_slice(&std::fs::read(&json)?)?)
    };
    let both = score(folder.path(), "--seeds 2 --epochs 7 --validation fold:1/5 --split fold:1/5").unwrap();
    assert_ne!(both[0].acc2_pos, both[1].acc2_pos);
    let seed_1 = folder.path().join("seed-1");
    let alone = score(&seed_1, &format!("--split fold:1/5 --predictions {}", rows.display())).unwrap();
    assert_eq!((alone[0].acc2_pos, alone[0].mae), (both[1].acc2_pos, both[1].mae));
    assert_eq!(alone[0].split, "fold:1/5");

    let corpus = corpus::Corpus::load(&corpus::CorpusSpec::BUILTIN).unwrap();
    let (_, held_out) = corpus::folds_by_video(&corpus.split("train").unwrap(), 5, 1, 1).unwrap();
    assert_eq!(alone[0].clips, held_out.len());
    let expected: Vec<&str> = held_out.iter().map(|row| corpus.clips[*row].id.as_str()).collect();
    let table = std::fs::read_to_string(&rows).unwrap();
    let scored: Vec<&str> = table.lines().skip(1).take(held_out.len()).filter_map(|l| l.split(',').next()).collect();
    assert_eq!(scored, expected);

    let error = |weights: &Path, options: &str| format!("{:#}", score(weights, options).unwrap_err());
    let message = error(&seed_1, "--split fold:0/5");
    assert!(message.contains("expected weights of --validation fold:0/5, got fold:1/5"), "{message}");
    let message = error(folder.path(), "--seeds 2 --epochs 7 --validation fold:1/5 --split fold:1/4");
    assert!(message.contains("expected weights of --validation fold:1/4"), "{message}");
    std::fs::remove_file(seed_1.join("config.json")).unwrap();
    let message = error(&seed_1, "--split fold:1/5");
    assert!(message.contains("config.json: cannot tell what was trained"), "{message}");
    assert!(error(&seed_1, "--split fold:5/5").contains("fold:5/5"));
}
