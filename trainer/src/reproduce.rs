//! `trainer reproduce`: the paper's evaluation. It trains, scores and draws a grid of schemes and training seeds. Each
//! cell of the grid is a file of its own, so a repeated command does only what is missing, and the cells of several
//! machines can be merged.

mod audits;
mod cell;
mod conventional;
mod entries;
mod figures;
mod html;
mod plan;
mod projection;
mod provenance;
mod report;
mod scheme;
mod store;
mod views;

use crate::command::{self, TextMode, TrainOptions};
use crate::config::RunConfig;
use crate::config::Validation;
use crate::evaluate::{Subject, Sweep};
use crate::material::Material;
use crate::runs;
use crate::side_by_side::{Board, Share, run_all};
use crate::threads::Threads;
use anyhow::{Context, Result, ensure};
use audits::{AuditCell, Audited};
use cell::{Cell, Scored};
use clap::{Args, Subcommand};
use corpus::CorpusSpec;
use entries::{Entry, Family, Role, families};
use network::config::Preset;
use nr::Coherence;
use phy::{ChannelList, Conditions, SnrList};
use plan::{Plan, Shard};
use projection::Projection;
use source_coding::Codec;
use std::path::{Path, PathBuf};

/// Reproduce the paper's evaluation: train, score and draw every scheme, beside baselines and references.
#[derive(Args, Clone, Debug)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
pub struct ReproduceArgs {
    /// The subcommand `merge`, which puts the cells of several shards together; `None` to run the grid.
    #[command(subcommand)]
    pub merge: Option<Merge>,
    /// Corpus: `builtin`, `builtin:redundancy=0.5,seed=0`, or a folder
    #[arg(long, value_name = "CORPUS", required = true)]
    pub corpus: Option<CorpusSpec>,
    /// Folder of the report, the figures, results.json and the runs; runs and cells that are in it already are kept
    #[arg(long, value_name = "DIR", required = true)]
    pub out: Option<PathBuf>,
    /// Folder of a BERT-family checkpoint that encodes the transcripts
    #[arg(long, value_name = "DIR")]
    pub text_encoder: Option<PathBuf>,
    /// Whether the text encoder is frozen or trained along with the network
    #[arg(long, value_enum, default_value = "frozen")]
    pub text: TextMode,
    /// Number of training seeds of each scheme; 5, or 1 with --quick
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub seeds: Option<u32>,
    /// Small grid: one seed, three draws, preset small, fewer dimensions of Table I, a permutation null of three
    /// auditors
    #[arg(long)]
    pub quick: bool,
    /// Only these schemes of the grid, separated by commas; all of them unless given
    #[arg(long, value_name = "LIST", value_delimiter = ',')]
    pub only: Vec<String>,
    /// Split of the corpus that is scored
    #[arg(long, default_value = "test")]
    pub split: String,
    /// Es/N0 per complex symbol in dB: one value, a list -12,-6,0, or start:stop:step
    #[arg(long, value_name = "LIST", default_value = "-12:21:3", allow_hyphen_values = true)]
    pub snr: SnrList,
    /// Channel draws for every clip at every point; 10, or 3 with --quick
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub draws: Option<u32>,
    /// Auditors trained on shuffled pairs, for the permutation null of the audit; 10, or 3 with --quick. With 0 there
    /// is no audit
    #[arg(long, value_name = "N")]
    pub permutations: Option<u32>,
    /// Preset of sizes: paper or small; unless given, small for `builtin` and with --quick, else paper
    #[arg(long)]
    pub preset: Option<Preset>,
    /// Maximum number of epochs
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub epochs: Option<u32>,
    /// Clips for early stopping: a split, or fold:I/N cut by video from the training split
    #[arg(long, value_name = "SPLIT")]
    pub validation: Option<Validation>,
    /// Do part I of N of the grid, 0 <= I < N, and leave the report to `merge`
    #[arg(long, value_name = "I/N")]
    pub shard: Option<Shard>,
}

/// Subcommands of `trainer reproduce`.
#[derive(Subcommand, Clone, Debug)]
pub enum Merge {
    /// Merge the cells of several shards and write the report
    Merge {
        /// Folder to write the merged cells and the report to
        #[arg(long, value_name = "DIR")]
        out: PathBuf,
        /// Folders of the shards
        #[arg(required = true, value_name = "PART")]
        parts: Vec<PathBuf>,
    },
}

/// Trains, scores and audits what is missing of the grid, then writes the report. With `--shard` it does that shard's
/// part and writes no report; with the subcommand `merge` it merges shards and writes the report.
///
/// # Errors
/// If a scheme or a split is unknown, a run cannot be trained, a file in the folder was made with other settings, a
/// part is missing, or a file cannot be written.
pub fn run(args: &ReproduceArgs) -> Result<()> {
    if let Some(Merge::Merge { out, parts }) = &args.merge {
        let plan = plan::merged(out, parts)?;
        provenance::record(out)?;
        return report::write(&plan, out);
    }
    let (corpus, out) = (args.corpus.as_ref().context("--corpus")?, args.out.as_deref().context("--out")?);
    let mut material = Material::load(corpus, args.text_encoder.as_deref())?;
    material.corpus().split(&args.split)?;
    let entries = entries::chosen(&args.only, args.quick)?;
    if let Err(lacking) = Codec::pictures() {
        let asked =
            entries.iter().filter(|entry| matches!(entry.role, Role::Conventional { .. })).map(|entry| entry.name);
        let asked: Vec<&str> = asked.collect();
        ensure!(asked.is_empty(), "--only {}: {lacking}", asked.join(","));
        if args.only.is_empty() {
            console::note(format_args!("no conventional scheme: {lacking}"));
        }
    }
    let base = args.options().resolved(corpus, material.corpus(), 0)?;
    std::fs::create_dir_all(out).with_context(|| format!("cannot create {}", out.display()))?;
    command::read(&mut material, &base.validation)?;
    let points = phy::sweep(&"none,awgn,rayleigh".parse::<ChannelList>()?, &args.snr);
    let plan = Plan::new(args, &material, &entries, &points)?;
    plan.save(out)?;
    provenance::record(out)?;
    let grid = Grid { material: &material, base: &base, points: &points, plan: &plan, out };
    let units: Vec<(Family, u64)> = families(&entries)
        .into_iter()
        .flat_map(|family| (0..u64::from(plan.seeds)).map(move |seed| (family.clone(), seed)))
        .enumerate()
        .filter(|(index, _)| args.shard.is_none_or(|shard| shard.has(*index)))
        .map(|(_, unit)| unit)
        .collect();
    let epochs: Result<Vec<usize>> = units.iter().map(|(f, _)| Ok(f.base.of(&base)?.schedule.epochs)).collect();
    let board = Board::new(epochs?.iter().sum())?;
    let done = run_all(units.len(), |index, share| grid.unit(&units[index].0, units[index].1, share, &board));
    board.finish();
    done?;
    match args.shard {
        None => report::write(&plan, out),
        Some(shard) => {
            let line = format!("shard {shard} is done: `trainer reproduce merge --out DIR {} ...`\n", out.display());
            Ok(console::print(line)?)
        }
    }
}

impl ReproduceArgs {
    /// The training options of the base settings, from which every entry of the grid derives its own.
    fn options(&self) -> TrainOptions {
        TrainOptions {
            text_encoder: self.text_encoder.clone(),
            text: self.text,
            preset: self.preset.or(self.quick.then_some(Preset::Small)),
            epochs: self.epochs,
            validation: self.validation.clone(),
            ..TrainOptions::default()
        }
    }
}

/// What all cells of the grid share: corpus and text encoder, base settings, points of the sweep, plan, and output
/// folder.
struct Grid<'a> {
    material: &'a Material,
    base: &'a RunConfig,
    points: &'a [Conditions],
    plan: &'a Plan,
    out: &'a Path,
}

impl Grid<'_> {
    /// Trains the network of one family with one seed, scores every scheme that uses it, and audits its latents. Cells
    /// and audits that are in the folder already are kept.
    fn unit(&self, family: &Family, seed: u64, share: Share, board: &Board) -> Result<()> {
        let config = |entry: &Entry| -> Result<RunConfig> {
            Ok(RunConfig { seed, ..self.material.settled(entry.of(self.base)?) })
        };
        let trained = config(&family.base)?;
        let mut missing = Vec::new();
        for entry in &family.entries {
            let scored = Scored { config: config(entry)?, sweep: self.plan.sweep.clone() };
            if !cell::done(self.out, entry.name, seed, &scored)? {
                missing.push((entry, scored));
            }
        }
        let audit = self.audit_missing(family, seed, &trained)?;
        if missing.is_empty() && audit.is_none() {
            board.skip(trained.schedule.epochs);
            return Ok(());
        }
        let name = format!("{}/seed-{seed}", family.base.name);
        let run = self.out.join("runs").join(&name);
        share.ensure_trained(self.material, &trained, &run, &name, board)?;
        for (entry, scored) in missing {
            let weights = self.weights(family, entry, seed, &trained, &run)?;
            let cell = self.score(entry, seed, scored, &weights, &run, share)?;
            cell.save(self.out)?;
        }
        if let Some(audited) = audit {
            board.note(format!("{name}: auditing"));
            let corpus = self.material.corpus();
            AuditCell::made(family.base.name, seed, audited, &run, corpus, share.threads())?.save(self.out)?;
        }
        Ok(())
    }

    /// The settings to audit this network with, if the plan asks for an audit of it and it is missing; else `None`.
    fn audit_missing(&self, family: &Family, seed: u64, trained: &RunConfig) -> Result<Option<Audited>> {
        let name = family.base.name;
        if !self.plan.audited.iter().any(|audited| audited == name) {
            return Ok(None);
        }
        let (split, permutations) = (self.plan.sweep.split.clone(), self.plan.permutations);
        let audited = Audited { config: trained.clone(), split, permutations };
        Ok((!audits::done(self.out, name, seed, &audited)?).then_some(audited))
    }

    /// The folder of an entry's weights: the run's own, or weights derived from the run's network, with codewords
    /// fitted to its held-out predictions.
    fn weights(&self, family: &Family, entry: &Entry, seed: u64, trained: &RunConfig, run: &Path) -> Result<PathBuf> {
        if entry.name == family.base.name || matches!(entry.role, Role::Conventional { .. }) {
            return Ok(run.to_path_buf());
        }
        let folder = self.out.join("runs").join(entry.name).join(format!("seed-{seed}"));
        runs::derive(self.material, trained, run, entry.scheme, &folder, Threads::One)?;
        Ok(folder)
    }

    fn score(
        &self,
        entry: &Entry,
        seed: u64,
        scored: Scored,
        weights: &Path,
        run: &Path,
        share: Share,
    ) -> Result<Cell> {
        let sweep = Sweep {
            corpus: self.material.corpus(),
            split: &self.plan.sweep.split,
            points: self.points,
            draws: self.plan.sweep.draws,
            seed: 0,
        };
        let (subject, threads) = (Subject::load(weights)?, Some(share.threads()));
        let (evaluation, traffic) = match entry.role {
            Role::Conventional { diverse } => {
                let coherence = if diverse { Coherence::EVERY_25 } else { Coherence::Whole };
                conventional::score(&subject, &sweep, coherence, threads)?
            }
            Role::Scheme | Role::Dimension => (subject.score(&sweep, &[], threads)?, Vec::new()),
        };
        let views = views::views(&evaluation.rows);
        let projection =
            if entry.is_scattered() && seed == 0 { Projection::of(&subject.sent(&sweep, threads)?) } else { None };
        let mut records = evaluation.records;
        ensure!(!records.is_empty(), "{}: no point to score", entry.name);
        for record in &mut records {
            record.training_seed = Some(seed);
            record.scheme = entry.name.to_owned();
        }
        let model_id = records[0].model_id.clone();
        let discriminators = if entry.watches { cell::discriminators(run)? } else { Vec::new() };
        let cpu = format!("{} {:?}", std::env::consts::ARCH, nn::ops::simd::level());
        let entry = entry.name.to_owned();
        Ok(Cell { entry, seed, scored, model_id, cpu, records, discriminators, views, projection, traffic })
    }
}
