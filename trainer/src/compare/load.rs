//! Reads files of results into systems: a scheme scored with one or several training seeds.

use crate::scheme_name;
use anyhow::{Context, Result, bail, ensure};
use metrics::Record;
use serde::Deserialize;
use std::path::{Path, PathBuf};

/// The results of one scheme in one file, over its training seeds.
#[derive(Clone, Debug, PartialEq)]
pub struct System {
    /// Name of the system in table and figures; no two systems have the same.
    pub label: String,
    /// Name of the scheme in the records.
    pub scheme: String,
    /// The file that the records were read from.
    pub file: PathBuf,
    /// The runs, one for each training seed.
    pub runs: Vec<Run>,
}

/// The results of one set of weights.
#[derive(Clone, Debug, PartialEq)]
pub struct Run {
    /// Model id of the weights.
    pub model_id: String,
    /// Training seed of the weights; `None` if unknown.
    pub training_seed: Option<u64>,
    /// The scores, one record for each point.
    pub records: Vec<Record>,
}

/// The part of a grid's `results.json` that is compared; other fields are ignored.
#[derive(Deserialize)]
struct Grid {
    cells: Vec<GridCell>,
}

#[derive(Deserialize)]
struct GridCell {
    entry: String,
    seed: u64,
    records: Vec<Record>,
}

/// The systems of all files, in the order of the files; `only` restricts them to these schemes unless it is empty.
///
/// # Errors
/// If a file is missing, holds no results, or has none of these schemes.
pub fn systems(files: &[PathBuf], only: &[String]) -> Result<Vec<System>> {
    let mut systems = Vec::new();
    for path in files {
        let file = results_file(path)?;
        let mut found = grouped(&file, records(&file)?)?;
        if !only.is_empty() {
            let names: Vec<String> = found.iter().map(|system| system.scheme.clone()).collect();
            found.retain(|system| only.contains(&system.scheme));
            ensure!(
                !found.is_empty(),
                "{}: has none of the schemes of --only; it has {}",
                file.display(),
                names.join(", ")
            );
        }
        systems.extend(found);
    }
    name_apart(&mut systems, files.len());
    Ok(systems)
}

/// The path itself if it is a file; of a folder, `results.json` in it.
fn results_file(path: &Path) -> Result<PathBuf> {
    let metadata = std::fs::metadata(path).with_context(|| path.display().to_string())?;
    if !metadata.is_dir() {
        return Ok(path.to_owned());
    }
    let file = path.join("results.json");
    ensure!(
        file.is_file(),
        "{}: holds no results.json; give the folder of a demo or of reproduce, or a file that `evaluate --json` or `send --json` wrote",
        path.display()
    );
    Ok(file)
}

/// All records of a file. Records of a grid get the name of their entry as scheme, and their training seed.
fn records(file: &Path) -> Result<Vec<Record>> {
    let bytes = std::fs::read(file).with_context(|| file.display().to_string())?;
    let value: serde_json::Value =
        serde_json::from_slice(&bytes).with_context(|| format!("{}: not JSON", file.display()))?;
    let wrong = || {
        format!(
            "{}: no results: expected an array of records, as demo, evaluate and send write, or results.json of reproduce",
            file.display()
        )
    };
    let records = match value {
        serde_json::Value::Array(_) => serde_json::from_value::<Vec<Record>>(value).with_context(wrong)?,
        _ => {
            let grid: Grid = serde_json::from_value(value).with_context(wrong)?;
            let of = |cell: GridCell| {
                let named = move |record: Record| Record {
                    scheme: cell.entry.clone(),
                    training_seed: Some(cell.seed),
                    ..record
                };
                cell.records.into_iter().map(named)
            };
            grid.cells.into_iter().flat_map(of).collect()
        }
    };
    if records.is_empty() {
        bail!("{}: holds no record", file.display());
    }
    Ok(records)
}

fn grouped(file: &Path, records: Vec<Record>) -> Result<Vec<System>> {
    let mut systems: Vec<System> = Vec::new();
    for record in records {
        let at = match systems.iter().position(|system| system.scheme == record.scheme) {
            Some(at) => at,
            None => {
                let (label, scheme) = (scheme_name::label(&record.scheme), record.scheme.clone());
                systems.push(System { label, scheme, file: file.to_owned(), runs: Vec::new() });
                systems.len() - 1
            }
        };
        let runs = &mut systems[at].runs;
        let same = |run: &&mut Run| run.model_id == record.model_id && run.training_seed == record.training_seed;
        match runs.iter_mut().find(same) {
            None => {
                let (model_id, training_seed) = (record.model_id.clone(), record.training_seed);
                runs.push(Run { model_id, training_seed, records: vec![record] });
            }
            Some(run) => {
                let twice = |there: &&Record| there.channel == record.channel && there.snr_db == record.snr_db;
                if let Some(there) = run.records.iter().find(twice) {
                    let (channel, snr) = (&there.channel, there.snr_db);
                    bail!("{}: {} has two records of {channel} at {snr:?} dB", file.display(), there.scheme);
                }
                run.records.push(record);
            }
        }
    }
    Ok(systems)
}

/// Where systems of several files have the same label, adds to each label the shortest end of its path that
/// distinguishes the files.
fn name_apart(systems: &mut [System], files: usize) {
    let shared = |system: &System, all: &[System]| {
        files > 1 && all.iter().filter(|other| other.label == system.label).count() > 1
    };
    let all = systems.to_vec();
    for (index, system) in systems.iter_mut().enumerate() {
        if !shared(&all[index], &all) {
            continue;
        }
        let rivals: Vec<&System> = all.iter().filter(|other| other.label == all[index].label).collect();
        let parts = |system: &System| -> Vec<String> {
            let file = system.file.with_extension("");
            let names = file.components().map(|part| part.as_os_str().to_string_lossy().into_owned());
            // A folder is named by its own name, without `results.json`.
            names.filter(|name| name != "results" && name != "/" && name != ".").collect()
        };
        let own = parts(&all[index]);
        let end = |parts: &[String], count: usize| parts[parts.len().saturating_sub(count)..].join("/");
        let alone =
            |count: &usize| rivals.iter().filter(|rival| end(&parts(rival), *count) == end(&own, *count)).count() == 1;
        let name = match (1..=own.len()).find(alone) {
            Some(count) => end(&own, count),
            // The same file was given twice.
            None => format!("{}, {}", end(&own, 1), index + 1),
        };
        system.label = format!("{} ({name})", system.label);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metric::tests::record;

    fn write(folder: &Path, name: &str, value: &impl serde::Serialize) -> PathBuf {
        let file = folder.join(name);
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(&file, serde_json::to_vec(value).unwrap()).unwrap();
        file
    }

    #[test]
    fn runs_of_one_scheme_are_one_system_and_files_are_told_apart() {
        let folder = tempfile::tempdir().unwrap();
        let records: Vec<Record> =
            [0, 1].iter().flat_map(|s| [None, Some(3.0)].map(|snr| record("proposed", Some(*s), snr, 8))).collect();
        let one = write(folder.path(), "a/one/results.json", &records);
        let grid = serde_json::json!({
            "plan": {}, "audits": [],
            "cells": [
                {"entry": "proposed", "seed": 4, "records": [record("proposed", None, None, 7)], "model_id": "m"},
                {"entry": "t-deepsc-published", "seed": 4, "records": [record("t-deepsc", None, None, 6)]},
            ]
        });
        write(folder.path(), "b/results.json", &grid);
        let systems = systems(&[one, folder.path().join("b")], &[]).unwrap();
        let labels: Vec<&str> = systems.iter().map(|system| system.label.as_str()).collect();
        assert_eq!(labels, ["proposed (one)", "proposed (b)", "T-DeepSC, as published"]);
        let runs: Vec<usize> = systems.iter().map(|system| system.runs.len()).collect();
        assert_eq!(runs, [2, 1, 1]);
        assert_eq!(systems[0].runs[1].records.len(), 2);
        assert_eq!(systems[1].runs[0].training_seed, Some(4));
        let only = super::systems(&[folder.path().join("b")], &["t-deepsc-published".into()]).unwrap();
        assert_eq!(only.len(), 1);
        let none = super::systems(&[folder.path().join("b")], &["x".into()]).unwrap_err().to_string();
        assert!(none.ends_with("it has proposed, t-deepsc-published"), "{none}");
    }

    #[test]
    fn what_holds_no_results_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let error = |path: PathBuf| format!("{:#}", systems(&[path], &[]).unwrap_err());
        assert!(error(folder.path().join("gone.json")).contains("gone.json"));
        assert!(error(folder.path().to_owned()).contains("holds no results.json"));
        let file = |name: &str, text: &str| {
            std::fs::write(folder.path().join(name), text).unwrap();
            folder.path().join(name)
        };
        let text = error(file("text.json", "nothing"));
        assert!(text.contains("text.json: not JSON"), "{text}");
        let other = error(file("config.json", "{\"seed\": 0}"));
        assert!(other.contains("config.json: no results") && other.contains("cells"), "{other}");
        let array = error(file("array.json", "[{\"scheme\": \"x\"}]"));
        assert!(array.contains("array.json: no results") && array.contains("corpus"), "{array}");
        assert!(error(file("empty.json", "[]")).contains("empty.json: holds no record"));
        let twice = [record("s", None, None, 5), record("s", None, None, 5)];
        let twice = error(write(folder.path(), "twice.json", &twice));
        assert!(twice.contains("s has two records of none"), "{twice}");
    }
}
