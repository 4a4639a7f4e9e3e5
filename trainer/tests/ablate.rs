//! `ablate`: every variation is trained with the same seeds, scored over the same draws and compared with the base.

use clap::Parser;
use serde_json::Value;

fn run(line: &str) -> anyhow::Result<()> {
    let words = ["trainer"].into_iter().chain(line.split_whitespace());
    trainer::run(trainer::Args::try_parse_from(words).map_err(|e| anyhow::anyhow!("{e}"))?)
}

#[test]
fn variations_are_trained_scored_and_compared() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("grid");
    let line = format!(
        "ablate --corpus builtin --split valid --channel none,awgn --snr -9,9 --draws 1 --seeds 2 --epochs 7 \
         --only l1-head,reals-10 --out {}",
        out.display()
    );
    run(&line).unwrap();
    let read = || -> Value { serde_json::from_slice(&std::fs::read(out.join("ablation.json")).unwrap()).unwrap() };
    let all = read();
    let names: Vec<&str> = all.as_array().unwrap().iter().map(|v| v["variation"].as_str().unwrap()).collect();
    assert_eq!(names, ["base", "l1-head", "reals-10"]);
    for variation in all.as_array().unwrap() {
        let runs = variation["runs"].as_array().unwrap();
        assert_eq!(runs.len(), 2);
        for (seed, run) in runs.iter().enumerate() {
            let run = run.as_array().unwrap();
            assert_eq!(run.len(), 3, "noiseless and two SNRs");
            assert!(run.iter().all(|record| record["training_seed"] == seed as u64 && record["seed"] == 0));
        }
    }
    let config = |name: &str| -> Value {
        serde_json::from_slice(&std::fs::read(out.join(name).join("config.json")).unwrap()).unwrap()
    };
    assert_eq!(config("l1-head/seed-1")["network"]["head"], "l1");
    assert_eq!(config("reals-10/seed-0")["network"]["reals"], 10);
    assert_eq!((&config("base/seed-1")["seed"], &config("base/seed-0")["network"]["reals"]), (&1.into(), &50.into()));

    // The difference in the table is that of the means in the records.
    let accuracy = |index: usize| -> f64 {
        let runs = all[index]["runs"].as_array().unwrap();
        runs.iter().map(|run| run[0]["acc2_pos"].as_f64().unwrap()).sum::<f64>() / runs.len() as f64
    };
    let table = std::fs::read_to_string(out.join("ablation.md")).unwrap();
    let row = table.lines().find(|line| line.starts_with("| reals-10 |")).unwrap();
    let cell = row.split('|').nth(2).unwrap();
    assert!(cell.contains(&format!("{:.3} ±", accuracy(2))), "{cell} {}", accuracy(2));
    assert!(cell.contains(&format!("{:+.3}", accuracy(2) - accuracy(0))), "{cell}");

    // A second time, when nothing is left to train.
    let before = std::fs::metadata(out.join("base/seed-0/checkpoint.safetensors")).unwrap().modified().unwrap();
    run(&line).unwrap();
    assert_eq!(read(), all);
    let after = std::fs::metadata(out.join("base/seed-0/checkpoint.safetensors")).unwrap().modified().unwrap();
    assert_eq!(before, after);
    assert!(run(&line.replace("l1-head", "l3-head")).unwrap_err().to_string().contains("unknown variation `l3-head`"));
}
