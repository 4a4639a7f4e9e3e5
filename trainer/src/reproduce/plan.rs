//! The plan of a grid: what it consists of. Every shard writes it, so that only shards of one grid are merged.

use super::ReproduceArgs;
use super::audits::{self, AuditCell};
use super::cell::{self, Cell, SweepSettings};
use super::entries::Entry;
use super::provenance::{self, RUSTC};
use super::store;
use crate::material::Material;
use anyhow::{Context, Result, bail, ensure};
use corpus::Modality;
use metrics::BestConstant;
use phy::Conditions;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

/// One of several parts of the grid, written `I/N`: the units whose number modulo N is I.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shard {
    index: usize,
    count: usize,
}

impl Shard {
    /// Whether the shard does the unit of the grid with this number.
    pub fn has(self, unit: usize) -> bool {
        unit % self.count == self.index
    }
}

impl FromStr for Shard {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("`{text}`: expected I/N with 0 <= I < N, such as 0/4");
        let (index, count) = text.split_once('/').ok_or_else(wrong)?;
        let (index, count) = (index.parse().map_err(|_| wrong())?, count.parse().map_err(|_| wrong())?);
        if index < count { Ok(Shard { index, count }) } else { Err(wrong()) }
    }
}

impl fmt::Display for Shard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.index, self.count)
    }
}

/// Scores of the majority/median baseline (best constant predictor), fitted on the training split and scored on the
/// split of the sweep.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Constant {
    /// Acc-2 "pos" of the baseline: clips with label 0 dropped.
    pub acc2_pos: Option<f64>,
    /// F1 "pos" of the baseline: clips with label 0 dropped.
    pub f1_pos: Option<f64>,
    /// Acc-7 of the baseline.
    pub acc7: Option<f64>,
    /// Mean absolute error of the baseline's score.
    pub mae: Option<f64>,
}

/// The plan of a grid: what is trained, scored and audited, and with which program.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Plan {
    /// Version of this program.
    pub version: String,
    /// Version of the compiler that built this program.
    pub rustc: String,
    /// Name of the corpus.
    pub corpus: String,
    /// Folder name of the text encoder and how it is used, such as `bert-base-uncased (Frozen)`; `None` without one.
    pub text_encoder: Option<String>,
    /// SHA-256, in hexadecimal, of the text encoder's files, by file name.
    pub text_encoder_sha256: BTreeMap<String, String>,
    /// Names of the entries of the grid.
    pub entries: Vec<String>,
    /// Number of training seeds; the seeds are 0, 1, and so on.
    pub seeds: u32,
    /// What the weights are scored on.
    pub sweep: SweepSettings,
    /// Names of the entries whose latents are audited.
    pub audited: Vec<String>,
    /// Number of auditors in the permutation null of each pair and kind of latent.
    pub permutations: u32,
    /// Scores of the majority/median baseline; `None` if it was not fitted.
    pub constant: Option<Constant>,
}

const FILE: &str = "plan.json";

impl Plan {
    /// The plan that these options ask for.
    ///
    /// # Errors
    /// If the corpus lacks the training split or the split that is scored, or a file of the text encoder cannot be
    /// read.
    pub fn new(args: &ReproduceArgs, material: &Material, entries: &[Entry], points: &[Conditions]) -> Result<Self> {
        let corpus = material.corpus();
        let labels =
            |split: &str| -> Result<Vec<f32>> { Ok(corpus.split(split)?.iter().map(|(_, clip)| clip.label).collect()) };
        let scores = BestConstant::fit(&labels("train")?)?.scores(&labels(&args.split)?);
        let permutations = args.permutations.unwrap_or(if args.quick { 3 } else { 10 });
        let widths = material.widths();
        let pair = Modality::ALL.into_iter().filter(|m| widths.get(*m).is_some()).count() >= 2;
        let audited = |entry: &&Entry| entry.watches && pair && permutations > 0;
        let name = |path: &PathBuf| path.file_name().map_or_else(String::new, |n| n.to_string_lossy().into_owned());
        Ok(Plan {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            rustc: RUSTC.to_owned(),
            corpus: corpus.name.clone(),
            text_encoder: args.text_encoder.as_ref().map(|path| format!("{} ({:?})", name(path), args.text)),
            text_encoder_sha256: args.text_encoder.as_deref().map_or(Ok(BTreeMap::new()), provenance::hashes)?,
            audited: entries.iter().filter(audited).map(|entry| entry.name.to_owned()).collect(),
            permutations,
            entries: entries.iter().map(|entry| entry.name.to_owned()).collect(),
            seeds: args.seeds.unwrap_or(if args.quick { 1 } else { 5 }),
            sweep: SweepSettings {
                split: args.split.clone(),
                points: points.iter().map(ToString::to_string).collect(),
                draws: args.draws.unwrap_or(if args.quick { 3 } else { 10 }),
            },
            constant: Some(Constant {
                acc2_pos: scores.acc2_pos,
                f1_pos: scores.f1_pos,
                acc7: scores.acc7,
                mae: scores.mae,
            }),
        })
    }

    /// A plan for tests, with this corpus and sweep and nothing else.
    #[cfg(test)]
    pub fn bare(corpus: &str, sweep: SweepSettings) -> Self {
        Plan {
            version: String::new(),
            rustc: String::new(),
            corpus: corpus.to_owned(),
            text_encoder: None,
            text_encoder_sha256: BTreeMap::new(),
            entries: Vec::new(),
            seeds: 1,
            sweep,
            audited: Vec::new(),
            permutations: 0,
            constant: None,
        }
    }

    /// Writes the plan into the grid's folder `out`.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub fn save(&self, out: &Path) -> Result<()> {
        store::write(&out.join(FILE), self)
    }

    fn load(out: &Path) -> Result<Self> {
        store::read(&out.join(FILE)).context("no part of a grid")
    }

    /// Entry and seed of every cell, in the order of results and tables.
    pub fn cells(&self) -> impl Iterator<Item = (&str, u64)> {
        self.each_seed(&self.entries)
    }

    /// Entry and seed of every audit, in the order of results and tables.
    pub fn audits(&self) -> impl Iterator<Item = (&str, u64)> {
        self.each_seed(&self.audited)
    }

    fn each_seed<'a>(&self, names: &'a [String]) -> impl Iterator<Item = (&'a str, u64)> + use<'a> {
        let seeds = u64::from(self.seeds);
        names.iter().flat_map(move |name| (0..seeds).map(move |seed| (name.as_str(), seed)))
    }
}

/// Copies the cells and audits of all parts into the folder `out`, and returns the plan of their grid.
///
/// # Errors
/// If the parts are of different grids, or together lack a cell or an audit, which the message names.
pub fn merged(out: &Path, parts: &[PathBuf]) -> Result<Plan> {
    let plan = Plan::load(&parts[0])?;
    for part in &parts[1..] {
        let shown = (part.display(), parts[0].display());
        ensure!(Plan::load(part)? == plan, "{}: of another grid than {}", shown.0, shown.1);
    }
    let part_with = |file: &dyn Fn(&Path) -> PathBuf, what: String| match parts.iter().find(|part| file(part).exists())
    {
        Some(part) => Ok(part),
        None => bail!("{what}: in none of the parts; is a shard still to be done?"),
    };
    let (mut cells, mut audits) = (Vec::new(), Vec::new());
    for (entry, seed) in plan.cells() {
        let part = part_with(&|part| cell::path(part, entry, seed), format!("{entry}, seed {seed}"))?;
        cells.push(Cell::load(part, entry, seed)?);
    }
    for (entry, seed) in plan.audits() {
        let part = part_with(&|part| audits::path(part, entry, seed), format!("audit of {entry}, seed {seed}"))?;
        audits.push(AuditCell::load(part, entry, seed)?);
    }
    std::fs::create_dir_all(out).with_context(|| format!("cannot create {}", out.display()))?;
    cells.iter().try_for_each(|cell| cell.save(out))?;
    audits.iter().try_for_each(|audit| audit.save(out))?;
    provenance::gather(out, parts)?;
    plan.save(out)?;
    Ok(plan)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_unit_is_in_one_shard() {
        let shards: Vec<Shard> = (0..3).map(|i| format!("{i}/3").parse().unwrap()).collect();
        assert!((0..20).all(|unit| shards.iter().filter(|shard| shard.has(unit)).count() == 1));
        for wrong in ["3/3", "1", "a/2", "1/0", "-1/2"] {
            assert!(wrong.parse::<Shard>().unwrap_err().starts_with(&format!("`{wrong}`: expected I/N")));
        }
    }
}
