//! A cell of the grid: one scheme with one seed, scored. It is a file of its own.

use crate::checkpoint::first_difference;
use crate::config::RunConfig;
use anyhow::{Context, Result, bail};
use files::PendingFile;
use metrics::Record;
use model::discriminator::{PAIRS, pair_name};
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};

/// What is scored, beside the weights.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SweepSettings {
    /// Split of the corpus.
    pub split: String,
    /// Channels and SNRs.
    pub points: Vec<String>,
    /// Draws for every clip at every point.
    pub draws: u32,
}

/// Everything that a cell's records depend on, beside the corpus and the text encoder.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Scored {
    /// Of training.
    pub config: RunConfig,
    /// Of scoring.
    pub sweep: SweepSettings,
}

/// What the discriminators said in one epoch, by position in [`PAIRS`]; none where the network lacks one of the two.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Watched {
    /// Their loss, nats, the sum over joint and shuffled pairs.
    pub bce: [Option<f64>; 3],
    /// Mean probability that a joint pair is one.
    pub joint: [Option<f64>; 3],
    /// Mean probability that a shuffled pair is a joint one.
    pub shuffled: [Option<f64>; 3],
}

/// One scheme with one seed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Cell {
    /// The scheme of the grid.
    pub entry: String,
    /// Of training.
    pub seed: u64,
    /// The settings.
    pub scored: Scored,
    /// Of the weights.
    pub model_id: String,
    /// CPU features in use.
    pub cpu: String,
    /// One a point.
    pub records: Vec<Record>,
    /// One an epoch.
    pub discriminators: Vec<Watched>,
}

/// Where a cell is kept.
pub fn path(out: &Path, entry: &str, seed: u64) -> PathBuf {
    out.join("cells").join(entry).join(format!("seed-{seed}.json"))
}

impl Cell {
    /// Reads a cell.
    ///
    /// # Errors
    /// If the file is missing or damaged.
    pub fn load(out: &Path, entry: &str, seed: u64) -> Result<Self> {
        let file = path(out, entry, seed);
        let bytes = std::fs::read(&file).with_context(|| file.display().to_string())?;
        serde_json::from_slice(&bytes).with_context(|| file.display().to_string())
    }

    /// Writes it.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub fn save(&self, out: &Path) -> Result<()> {
        let file = path(out, &self.entry, self.seed);
        let folder = file.parent().expect("a cell lies in a folder");
        std::fs::create_dir_all(folder).with_context(|| format!("cannot create {}", folder.display()))?;
        let json = serde_json::to_vec_pretty(self)?;
        Ok(PendingFile::create(&file)?.commit(|out| out.write_all(&json))?)
    }
}

/// Whether the cell is there with these settings.
///
/// # Errors
/// If it is there with others, naming the first that differs.
pub fn done(out: &Path, entry: &str, seed: u64, scored: &Scored) -> Result<bool> {
    if !path(out, entry, seed).exists() {
        return Ok(false);
    }
    let there = Cell::load(out, entry, seed)?.scored;
    let field = match first_difference(&there.config, &scored.config)? {
        Some(field) => field,
        None if there.sweep != scored.sweep => "sweep".into(),
        None => return Ok(true),
    };
    bail!("{}: was made with another `{field}`; give another --out", path(out, entry, seed).display())
}

/// What the discriminators of the run in this folder said, from its `metrics.csv`.
///
/// # Errors
/// If the table is missing or damaged.
pub fn discriminators(run: &Path) -> Result<Vec<Watched>> {
    let file = run.join("metrics.csv");
    let mut table = csv::Reader::from_path(&file).with_context(|| file.display().to_string())?;
    let header = table.headers()?.clone();
    let column = |name: String| header.iter().position(|column| column == name);
    let columns =
        ["bce", "joint", "shuffled"].map(|what| PAIRS.map(|pair| column(format!("{what}_{}", pair_name(pair)))));
    let mut rows = Vec::new();
    for row in table.records() {
        let row = row.with_context(|| file.display().to_string())?;
        let [bce, joint, shuffled] = columns.map(|of| of.map(|at| row.get(at?)?.parse().ok()));
        rows.push(Watched { bce, joint, shuffled });
    }
    Ok(rows)
}
