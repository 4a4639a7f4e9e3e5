//! `reproduce`: the grid is done once, in one piece or in shards, and its report says what its records do.

use clap::Parser;
use serde_json::Value;
use std::path::Path;

fn run(line: &str) -> anyhow::Result<()> {
    let words = ["trainer"].into_iter().chain(line.split_whitespace());
    trainer::run(trainer::Args::try_parse_from(words).map_err(|e| anyhow::anyhow!("{e}"))?)
}

const GRID: &str = "reproduce --corpus builtin --quick --split valid --snr -9,9 --draws 1 --seeds 2 --epochs 6 \
                    --only proposed,proposed-watching,t-deepsc-published,sign-repetition";

fn grid(out: &Path, more: &str) -> anyhow::Result<()> {
    run(&format!("{GRID} --out {} {more}", out.display()))
}

/// The grid with another setting.
fn changed(out: &Path, from: &str, to: &str) -> anyhow::Result<()> {
    run(&format!("{} --out {}", GRID.replace(from, to), out.display()))
}

fn bytes(file: &Path) -> Vec<u8> {
    std::fs::read(file).unwrap_or_else(|e| panic!("{}: {e}", file.display()))
}

#[test]
fn shards_put_together_are_the_same_bytes_as_one_run() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    grid(&at("whole"), "").unwrap();
    for (shard, name) in [("0/2", "a"), ("1/2", "b")] {
        grid(&at(name), &format!("--shard {shard}")).unwrap();
        assert!(!at(name).join("results.json").exists(), "a part has no results yet");
    }
    let merge = |parts: &[&str]| {
        let parts: Vec<String> = parts.iter().map(|part| at(part).display().to_string()).collect();
        run(&format!("reproduce merge --out {} {}", at("merged").display(), parts.join(" ")))
    };
    let missing = merge(&["a"]).unwrap_err().to_string();
    assert!(missing.ends_with("in none of the parts; is a shard still to be done?"), "{missing}");
    merge(&["a", "b"]).unwrap();
    assert_eq!(bytes(&at("merged").join("results.json")), bytes(&at("whole").join("results.json")));
    for file in ["figures/acc2-rayleigh.svg", "figures/mae-awgn.png", "figures/bce-ta.csv", "figures/pairs-iv.csv"] {
        let (merged, whole) = (at("merged").join(file), at("whole").join(file));
        if whole.exists() || merged.exists() {
            assert_eq!(bytes(&merged), bytes(&whole), "{file}");
        }
    }
    what_the_report_says(&at("whole"));
    nothing_is_done_twice(&at("whole"));
    changed(&at("c"), "--split valid", "--split test --shard 0/2").unwrap();
    let other = merge(&["a", "c"]).unwrap_err().to_string();
    assert!(other.contains("of another grid than"), "{other}");
}

/// The curves are the means of the records.
fn what_the_report_says(out: &Path) {
    let results: Value = serde_json::from_slice(&bytes(&out.join("results.json"))).unwrap();
    let cells = results["cells"].as_array().unwrap();
    let names: Vec<&str> = cells.iter().map(|cell| cell["entry"].as_str().unwrap()).collect();
    let expected = ["proposed", "proposed-watching", "t-deepsc-published", "sign-repetition"];
    assert_eq!(names, expected.map(|name| [name; 2]).concat());
    let records = |cell: &Value| cell["records"].as_array().unwrap().clone();
    assert!(cells.iter().all(|cell| records(cell).len() == 5), "noiseless, and two SNRs over two channels");
    let accuracy = |cell: &Value| {
        let at = |r: &&Value| r["channel"] == "rayleigh" && r["snr_db"] == -9.0;
        records(cell).iter().find(at).unwrap()["acc2_pos"].as_f64().unwrap()
    };
    let table = String::from_utf8(bytes(&out.join("figures/acc2-rayleigh.csv"))).unwrap();
    for (index, label) in [(0, "proposed (25 uses)"), (4, "\"T-DeepSC, as published (19 uses)\"")] {
        let mean = (accuracy(&cells[index]) + accuracy(&cells[index + 1])) / 2.0;
        let line = table.lines().find(|line| line.starts_with(&format!("{label},-9,"))).unwrap();
        let drawn: f64 = line[label.len()..].split(',').nth(2).unwrap().parse().unwrap();
        assert!((drawn - mean).abs() < 1e-12, "{line}: {mean}");
    }
    // What sends decisions without noise decides as the network that it stands on.
    let noiseless = |cell: &Value| records(cell).iter().find(|r| r["channel"] == "none").unwrap()["acc2_pos"].clone();
    assert_eq!(noiseless(&cells[0]), noiseless(&cells[6]));
    let report = String::from_utf8(bytes(&out.join("report.html"))).unwrap();
    let ids = cells.iter().map(|cell| cell["model_id"].as_str().unwrap());
    assert!(ids.into_iter().all(|id| report.contains(id)) && report.contains("<svg"));
    assert!(!report.contains("http://") || !report.contains("src="), "nothing is fetched");
}

fn nothing_is_done_twice(out: &Path) {
    let files = ["runs/proposed/seed-0/checkpoint.safetensors", "cells/t-deepsc-published/seed-1.json"];
    let times = || files.map(|file| std::fs::metadata(out.join(file)).unwrap().modified().unwrap());
    let (before, results) = (times(), bytes(&out.join("results.json")));
    // One cell was lost: it alone is made anew.
    std::fs::remove_file(out.join("cells/sign-repetition/seed-1.json")).unwrap();
    grid(out, "").unwrap();
    assert_eq!((times(), bytes(&out.join("results.json"))), (before, results));
    let error = format!("{:#}", changed(out, "--epochs 6", "--epochs 7").unwrap_err());
    assert!(error.contains("another `schedule.epochs`; give another --out"), "{error}");
    let error = format!("{:#}", changed(out, "--draws 1", "--draws 2").unwrap_err());
    assert!(error.contains("another `sweep`; give another --out"), "{error}");
}
