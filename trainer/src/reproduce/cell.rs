//! A cell of the grid: one scheme with one seed, scored. It is a file of its own.

use super::projection::Projection;
use super::store;
use super::views::View;
use crate::checkpoint::first_difference;
use crate::config::RunConfig;
use anyhow::{Context, Result, bail};
use metrics::Record;
use network::discriminator::{PAIRS, pair_name};
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
    /// Of a few points.
    #[serde(default)]
    pub views: Vec<View>,
    /// Of what crosses the channel, where it is drawn.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub projection: Option<Projection>,
    /// How clips travelled, a point each, where that differs from point to point.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub traffic: Vec<Traffic>,
}

/// How clips travelled at one point.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Traffic {
    /// `none`, `awgn`, `rayleigh`.
    pub channel: String,
    /// Es/N0; null for `none`.
    pub snr_db: Option<f64>,
    /// Modulation and code, picked for this SNR and law of fading.
    pub mcs: String,
    /// Complex symbols for each clip, the mean.
    pub uses: f64,
    /// Share of the clips that arrived, over all draws.
    pub arrived: f64,
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
        store::read(&path(out, entry, seed))
    }

    /// Writes it.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub fn save(&self, out: &Path) -> Result<()> {
        store::write(&path(out, &self.entry, self.seed), self)
    }
}

/// Whether the cell is there with these settings. One without views is of an earlier version, and is to be scored again.
///
/// # Errors
/// If it is there with others, naming the first that differs.
pub fn done(out: &Path, entry: &str, seed: u64, scored: &Scored) -> Result<bool> {
    let file = path(out, entry, seed);
    if !file.exists() {
        return Ok(false);
    }
    let Cell { scored: there, views, .. } = Cell::load(out, entry, seed)?;
    let other = (there.sweep != scored.sweep).then_some("sweep");
    Ok(first_of_others(&file, &there.config, &scored.config, other)? && !views.is_empty())
}

/// True if what the file was made with is what is wanted: the settings of training, and `other` if something beside them
/// differs.
///
/// # Errors
/// Names the first that differs.
pub fn first_of_others(file: &Path, there: &RunConfig, wanted: &RunConfig, other: Option<&str>) -> Result<bool> {
    let field = match first_difference(there, wanted)? {
        Some(field) => field.to_string(),
        None => match other {
            Some(other) => other.to_owned(),
            None => return Ok(true),
        },
    };
    bail!("{}: was made with another `{field}`; give another --out", file.display())
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
