//! A cell of the grid: the scores of one scheme with one training seed, in a file of its own.

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

/// What weights are scored on: split, points of the sweep, and draws.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SweepSettings {
    /// Split of the corpus that is scored.
    pub split: String,
    /// The points of the sweep as text, each a channel and its SNR.
    pub points: Vec<String>,
    /// Channel draws for every clip at every point.
    pub draws: u32,
}

/// Everything that a cell's records depend on, except the corpus and the text encoder.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Scored {
    /// Settings that the weights were trained with.
    pub config: RunConfig,
    /// What the weights were scored on.
    pub sweep: SweepSettings,
}

/// Outputs of the discriminators in one training epoch, by position in [`PAIRS`]; `None` where the network lacks one
/// of the pair's modalities.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Watched {
    /// Discriminator loss of each pair in nats, the BCE of joint plus that of shuffled pairs: 2 ln 2 at chance.
    pub bce: [Option<f64>; 3],
    /// Mean probability that a joint pair is classified as joint.
    pub joint: [Option<f64>; 3],
    /// Mean probability that a shuffled pair is classified as joint.
    pub shuffled: [Option<f64>; 3],
}

/// The scores of one scheme of the grid with one training seed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Cell {
    /// Name of the entry of the grid.
    pub entry: String,
    /// Training seed of the weights.
    pub seed: u64,
    /// The settings of training and scoring.
    pub scored: Scored,
    /// Model id of the weights.
    pub model_id: String,
    /// Architecture and instruction set of the CPU that scored the weights.
    pub cpu: String,
    /// The scores, one record for each point of the sweep.
    pub records: Vec<Record>,
    /// Outputs of the discriminators, one element for each training epoch; empty for entries whose discriminators the
    /// report does not draw.
    pub discriminators: Vec<Watched>,
    /// Confusion matrix and reliability of the sign at the noiseless point and at a few SNRs of Rayleigh fading.
    #[serde(default)]
    pub views: Vec<View>,
    /// The transmitted bursts along their two first principal components; `None` unless the report draws those of the
    /// entry and the seed is 0.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub projection: Option<Projection>,
    /// How the clips were transported at each point, for schemes whose number of channel uses differs from point to
    /// point; empty for others.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub traffic: Vec<Traffic>,
}

/// How the conventional scheme transported its clips at one point of the sweep.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Traffic {
    /// Channel of the point: `none`, `awgn` or `rayleigh`.
    pub channel: String,
    /// Es/N0 of the point in dB; `None` (null in JSON) for the channel `none`.
    pub snr_db: Option<f64>,
    /// MCS (modulation and code rate) of the first clip: the one that link adaptation selected at this point for a
    /// clip of median size, unless the first clip is too short for it.
    pub mcs: String,
    /// Complex channel uses of a clip, the mean over clips.
    pub uses: f64,
    /// Share of the clips that arrived, between 0 and 1, over all draws.
    pub arrived: f64,
}

/// The file of a cell in the grid's folder `out`: `cells/ENTRY/seed-N.json`.
pub fn path(out: &Path, entry: &str, seed: u64) -> PathBuf {
    out.join("cells").join(entry).join(format!("seed-{seed}.json"))
}

impl Cell {
    /// Reads the cell of `entry` and `seed` from the grid's folder `out`.
    ///
    /// # Errors
    /// If the file is missing or damaged.
    pub fn load(out: &Path, entry: &str, seed: u64) -> Result<Self> {
        store::read(&path(out, entry, seed))
    }

    /// Writes the cell into the grid's folder `out`.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub fn save(&self, out: &Path) -> Result<()> {
        store::write(&path(out, &self.entry, self.seed), self)
    }
}

/// Whether the cell of `entry` and `seed` is in the grid's folder `out`, made with these settings. A cell without
/// views is of an earlier version and has to be scored again.
///
/// # Errors
/// If the cell was made with other settings, naming the first that differs.
pub fn done(out: &Path, entry: &str, seed: u64, scored: &Scored) -> Result<bool> {
    let file = path(out, entry, seed);
    if !file.exists() {
        return Ok(false);
    }
    let Cell { scored: there, views, .. } = Cell::load(out, entry, seed)?;
    let other = (there.sweep != scored.sweep).then_some("sweep");
    Ok(first_of_others(&file, &there.config, &scored.config, other)? && !views.is_empty())
}

/// Returns `true` if `file`, made with the settings `there`, was made with the `wanted` ones. `other` names a
/// differing setting that is not part of the run's settings.
///
/// # Errors
/// If a setting differs, naming the first.
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

/// Outputs of the discriminators in each training epoch of the run in the folder `run`, from its `metrics.csv`.
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
