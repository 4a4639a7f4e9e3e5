//! `reproduce`: a grid has the same results in one process and in shards, finished cells are kept, and the report
//! agrees with the records.

use clap::Parser;
use corpus::{Corpus, CorpusSpec};
use serde_json::Value;
use std::path::{Path, PathBuf};

fn run(line: &str) -> anyhow::Result<()> {
    let words = ["trainer"].into_iter().chain(line.split_whitespace());
    trainer::run(trainer::Args::try_parse_from(words).map_err(|e| anyhow::anyhow!("{e}"))?)
}

/// Splits of the test corpus and their numbers of clips, which determine the time of the audits.
const CLIPS: [(&str, usize); 2] = [("train", 160), ("valid", 110)];

/// Writes a corpus folder with some clips of `builtin`.
fn small_corpus(folder: &Path) {
    let all = Corpus::load(&CorpusSpec::BUILTIN).unwrap();
    let clips = CLIPS.iter().flat_map(|(split, clips)| all.split(split).unwrap().into_iter().take(*clips));
    Corpus::new("small", clips.map(|(_, clip)| clip.clone()).collect()).unwrap().save(folder).unwrap();
}

const GRID: &str = "reproduce --quick --split valid --snr -12,12 --draws 1 --seeds 2 --epochs 6 \
                    --permutations 1 --only proposed,proposed-watching,t-deepsc-published,sign-repetition,reals-10";

fn grid(out: &Path, more: &str) -> anyhow::Result<()> {
    run(&format!("{GRID} --corpus {} --out {} {more}", corpus(out).display(), out.display()))
}

/// The corpus folder of a test, beside its output folders.
fn corpus(out: &Path) -> PathBuf {
    out.with_file_name("small")
}

/// Runs the grid into `out` with `from` in its options replaced by `to`.
fn changed(out: &Path, from: &str, to: &str) -> anyhow::Result<()> {
    run(&format!("{} --corpus {} --out {}", GRID.replace(from, to), corpus(out).display(), out.display()))
}

fn bytes(file: &Path) -> Vec<u8> {
    std::fs::read(file).unwrap_or_else(|e| panic!("{}: {e}", file.display()))
}

#[test]
fn shards_put_together_are_the_same_bytes_as_one_run() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    small_corpus(&at("small"));
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
    let mut drawn: Vec<_> =
        std::fs::read_dir(at("whole").join("figures")).unwrap().map(|f| f.unwrap().file_name()).collect();
    drawn.sort();
    for file in &drawn {
        let file = Path::new("figures").join(file);
        assert_eq!(bytes(&at("merged").join(&file)), bytes(&at("whole").join(&file)), "{}", file.display());
    }
    let stems =
        ["acc2", "f1", "acc7", "mae", "ece", "bce", "pairs", "audit", "table-1", "uses", "latents", "reliability"];
    for stem in stems.iter().chain(&["confusion-proposed", "confusion-t-deepsc-published"]) {
        for extension in ["svg", "png", "csv"] {
            let name = format!("{stem}.{extension}");
            assert!(drawn.iter().any(|file| *file == name.as_str()), "no {name} in {drawn:?}");
        }
    }
    let commands: Vec<String> = serde_json::from_slice(&bytes(&at("merged").join("commands.json"))).unwrap();
    assert!(!commands.is_empty());
    what_the_report_says(&at("whole"));
    nothing_is_done_twice(&at("whole"));
    changed(&at("c"), "--split valid", "--split train --shard 0/2").unwrap();
    let other = merge(&["a", "c"]).unwrap_err().to_string();
    assert!(other.contains("of another grid than"), "{other}");
}

/// The values in the figures' tables are the means of the records.
fn what_the_report_says(out: &Path) {
    let results: Value = serde_json::from_slice(&bytes(&out.join("results.json"))).unwrap();
    let cells = results["cells"].as_array().unwrap();
    let names: Vec<&str> = cells.iter().map(|cell| cell["entry"].as_str().unwrap()).collect();
    let expected = ["proposed", "proposed-watching", "t-deepsc-published", "sign-repetition", "reals-10"];
    assert_eq!(names, expected.map(|name| [name; 2]).concat());
    let records = |cell: &Value| cell["records"].as_array().unwrap().clone();
    assert!(cells.iter().all(|cell| records(cell).len() == 5), "noiseless, and two SNRs over two channels");
    let record = |cell: &Value, channel: &str, snr: Value| -> Value {
        let at = |r: &&Value| r["channel"] == channel && r["snr_db"] == snr;
        records(cell).iter().find(at).unwrap().clone()
    };
    let accuracy = |cell: &Value| record(cell, "rayleigh", (-12.0).into())["acc2_pos"].as_f64().unwrap();
    let table = String::from_utf8(bytes(&out.join("figures/acc2.csv"))).unwrap();
    for (index, label) in [(0, "proposed (25 uses)"), (4, "\"T-DeepSC, as published (19 uses)\"")] {
        let mean = (accuracy(&cells[index]) + accuracy(&cells[index + 1])) / 2.0;
        let of = |line: &&str| line.starts_with("Rayleigh fading,") && line.contains(&format!(",{label},-12,"));
        let line = table.lines().find(of).unwrap();
        let drawn: f64 = line.rsplit(',').nth(3).unwrap().parse().unwrap();
        assert!((drawn - mean).abs() < 1e-12, "{line}: {mean}");
    }
    cells.iter().for_each(|cell| views_agree_with_records(cell, &record));
    audits_are_there(&results, cells);
    let projected: Vec<(&str, u64)> = cells
        .iter()
        .filter(|cell| cell["projection"]["clips"].as_array().is_some_and(|clips| clips.len() > 100))
        .map(|cell| (cell["entry"].as_str().unwrap(), cell["seed"].as_u64().unwrap()))
        .collect();
    assert_eq!(projected, [("proposed", 0), ("t-deepsc-published", 0)]);
    // Without noise, a scheme that transmits decisions is as accurate as the network that makes them.
    let noiseless = |cell: &Value| records(cell).iter().find(|r| r["channel"] == "none").unwrap()["acc2_pos"].clone();
    assert_eq!(noiseless(&cells[0]), noiseless(&cells[6]));
    let report = String::from_utf8(bytes(&out.join("report.html"))).unwrap();
    let ids = cells.iter().map(|cell| cell["model_id"].as_str().unwrap());
    assert!(ids.into_iter().all(|id| report.contains(id)) && report.contains("<svg"));
    for said in ["like for like?", "no: corpus small", "Table I: transmitted dimension", "rustc", "The audit", "0.8423"]
    {
        assert!(report.contains(said), "the report does not say {said}");
    }
    assert_eq!(report.matches("<svg").count(), 14, "every figure");
    assert!(!report.contains("http://") || !report.contains("src="), "nothing is fetched");
    how_the_report_reads(&report, &cells[0]);
}

/// The report has the findings first, then the contents, then the sections. Its numbers are those of the records, its
/// tables are folded, and it fits light and dark, wide and narrow screens.
fn how_the_report_reads(report: &str, proposed: &Value) {
    let place = |text: &str| report.find(text).unwrap_or_else(|| panic!("the report does not have {text}"));
    let marks = ["class=\"findings\"", "<nav", "id=\"paper\"", "id=\"figures\"", "id=\"tables\"", "id=\"made\""];
    assert!(marks.map(place).windows(2).all(|pair| pair[0] < pair[1]), "{marks:?}");
    let findings = &report[place("class=\"findings\"")..place("<nav")];
    assert_eq!(findings.matches("<li>").count(), 5, "{findings}");
    for said in [
        "Without noise the proposed scheme",
        "T-DeepSC, as published",
        "paired by seed",
        "The paper prints",
        "matched-filter",
    ] {
        assert!(findings.contains(said), "{said}: {findings}");
    }
    let hardest = proposed["records"].as_array().unwrap().iter().find(|r| r["channel"] == "rayleigh").unwrap();
    assert_eq!(hardest["snr_db"], -12.0);
    assert!(findings.contains("At \u{2212}12 dB over Rayleigh fading it reaches"), "{findings}");
    assert_eq!(
        (&hardest["symbols"], &hardest["channel_uses"], &hardest["training_seed"]),
        (&25.into(), &25.0.into(), &0.into())
    );
    // Five metrics and the differences over two channels, dependence and probes, and the weights.
    assert_eq!(report.matches("<details>").count(), 5 * 2 + 2 + 2 + 1);
    for row in ["<td>paper</td><td>0.8423</td>", "<td>ours</td>", "<td>difference</td>"] {
        assert!(report.contains(row), "Table I has no {row}");
    }
    assert!(report.contains("prefers-color-scheme:dark") && report.contains("width=device-width"));
    assert!(!report.contains("best constant</text>") && report.contains("majority/median baseline</text>"));
}

/// The numbers of right classes and right signs in the views agree with the records.
fn views_agree_with_records(cell: &Value, record: &dyn Fn(&Value, &str, Value) -> Value) {
    let views = cell["views"].as_array().unwrap();
    assert_eq!(views.len(), 3, "noiseless and two SNRs");
    for view in views {
        let record = record(cell, view["channel"].as_str().unwrap(), view["snr_db"].clone());
        let count = |row: usize, column: usize| view["confusion"][row][column].as_u64().unwrap();
        let all: u64 = (0..7).flat_map(|row| (0..7).map(move |column| (row, column))).map(|(r, c)| count(r, c)).sum();
        let right: u64 = (0..7).map(|class| count(class, class)).sum();
        assert!((right as f64 / all as f64 - record["acc7"].as_f64().unwrap()).abs() < 1e-12);
        let sum = |field: &str| -> f64 {
            view["confidence"].as_array().unwrap().iter().map(|bin| bin[field].as_f64().unwrap()).sum()
        };
        assert!((sum("right") / sum("count") - record["acc2_pos"].as_f64().unwrap()).abs() < 1e-12);
    }
}

/// There are audits of both seeds of both networks with discriminators, of the weights that were scored.
fn audits_are_there(results: &Value, cells: &[Value]) {
    let audits = results["audits"].as_array().unwrap();
    let named: Vec<(&str, u64)> =
        audits.iter().map(|audit| (audit["entry"].as_str().unwrap(), audit["seed"].as_u64().unwrap())).collect();
    assert_eq!(named, [("proposed", 0), ("proposed", 1), ("proposed-watching", 0), ("proposed-watching", 1)]);
    for (audit, cell) in audits.iter().zip(cells) {
        assert_eq!(audit["audit"]["model_id"], cell["model_id"]);
        assert_eq!(audit["audit"]["pairs"].as_array().unwrap().len(), 3);
    }
}

fn nothing_is_done_twice(out: &Path) {
    let files = [
        "runs/proposed/seed-0/checkpoint.safetensors",
        "cells/t-deepsc-published/seed-1.json",
        "cells/proposed/seed-0.audit.json",
    ];
    let times = || files.map(|file| std::fs::metadata(out.join(file)).unwrap().modified().unwrap());
    let (before, results) = (times(), bytes(&out.join("results.json")));
    // Without the files of one cell and one audit, these alone are made anew.
    for lost in ["cells/sign-repetition/seed-1.json", "cells/proposed-watching/seed-1.audit.json"] {
        std::fs::remove_file(out.join(lost)).unwrap();
    }
    grid(out, "").unwrap();
    assert_eq!((times(), bytes(&out.join("results.json"))), (before, results));
    let error = format!("{:#}", changed(out, "--epochs 6", "--epochs 7").unwrap_err());
    assert!(error.contains("another `schedule.epochs`; give another --out"), "{error}");
    let error = format!("{:#}", changed(out, "--draws 1", "--draws 2").unwrap_err());
    assert!(error.contains("another `sweep`; give another --out"), "{error}");
}

/// All entries that this build lacks are named in one message, before anything is trained.
#[test]
fn a_build_without_pictures_says_once_that_it_lacks_the_conventional_scheme() {
    if cfg!(feature = "video") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("out");
    let only = "--only conventional,conventional-diverse";
    let error = run(&format!("reproduce --quick --corpus builtin {only} --out {}", out.display())).unwrap_err();
    assert_eq!(
        format!("{error:#}"),
        format!("{only}: this build has no codecs for pictures and sound; build with --features video")
    );
    assert!(!out.exists());
}
