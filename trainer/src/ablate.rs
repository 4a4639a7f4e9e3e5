//! `trainer ablate`: measures what each part of the method contributes. Each variation changes one setting of a run,
//! is trained with the same seeds as the base, and is compared with it seed by seed.

mod report;
mod variations;

use crate::command::{self, TrainOptions};
use crate::evaluate::{Subject, Sweep, SweepOptions};
use crate::material::Material;
use crate::side_by_side::{Board, run_all};
use anyhow::{Context, Result};
use clap::Args;
use corpus::CorpusSpec;
use files::PendingFile;
use metrics::Record;
use report::{Outcome, table};
use std::path::PathBuf;
use variations::chosen;

/// Train and score a grid of variations, each of which changes one setting, and print the effect of each.
#[derive(Args, Clone, Debug)]
pub struct AblateArgs {
    /// Corpus: `builtin`, `builtin:redundancy=0.5,seed=0`, or a folder
    #[arg(long, value_name = "CORPUS")]
    pub corpus: CorpusSpec,
    /// Folder of the runs, ablation.json and ablation.md; runs in it that are finished already are kept
    #[arg(long, value_name = "DIR")]
    pub out: PathBuf,
    /// Only these variations, separated by commas; all of them unless given
    #[arg(long, value_name = "LIST", value_delimiter = ',')]
    pub only: Vec<String>,
    /// Number of training seeds of each variation
    #[arg(long, value_name = "N", default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..))]
    pub seeds: u32,
    /// The clips and the channels that the runs are scored on.
    #[command(flatten)]
    pub over: SweepOptions,
    /// Training options of the base.
    #[command(flatten, next_help_heading = "Training of the base")]
    pub training: TrainOptions,
}

/// Trains the runs that are missing, scores all, prints the table, and writes table and records.
///
/// # Errors
/// If a variation is unknown, a run cannot be trained or was trained with other settings, or a file cannot be written.
pub fn run(args: &AblateArgs) -> Result<()> {
    let mut material = Material::load(&args.corpus, args.training.text_encoder.as_deref())?;
    args.over.split.check(material.corpus())?;
    let base = args.training.resolved(&args.corpus, material.corpus(), 0)?;
    let variations = chosen(&args.only, &base)?;
    std::fs::create_dir_all(&args.out).with_context(|| format!("cannot create {}", args.out.display()))?;
    let (json, markdown) = (args.out.join("ablation.json"), args.out.join("ablation.md"));
    let (json, markdown) = (PendingFile::create(&json)?, PendingFile::create(&markdown)?);
    command::read(&mut material, &base.validation)?;

    let cells: Vec<(usize, u64)> =
        (0..variations.len()).flat_map(|v| (0..u64::from(args.seeds)).map(move |seed| (v, seed))).collect();
    let (split, points) = (args.over.split.to_string(), args.over.points());
    let board = Board::new(cells.len() * base.schedule.epochs)?;
    let scored = run_all(cells.len(), |index, share| -> Result<Vec<Record>> {
        let (variation, seed) = (&variations[cells[index].0], cells[index].1);
        let mut config = material.settled(variation.of(&base)?);
        config.seed = seed;
        let name = format!("{}/seed-{seed}", variation.name);
        let folder = args.out.join(&name);
        share.ensure_trained(&material, &config, &folder, &name, &board)?;
        let corpus = args.over.split.of(material.corpus(), || Ok(config))?;
        let sweep = Sweep { corpus: &corpus, split: &split, points: &points, draws: args.over.draws, seed: 0 };
        let mut records = Subject::load(&folder)?.score(&sweep, &[], Some(share.threads()))?.records;
        records.iter_mut().for_each(|record| record.training_seed = Some(seed));
        Ok(records)
    });
    board.finish();
    let mut scored = scored?.into_iter();
    let outcomes: Vec<Outcome> = variations
        .iter()
        .map(|variation| Outcome::new(variation, scored.by_ref().take(args.seeds as usize).collect()))
        .collect();
    let text = table(&outcomes, &variations);
    console::print(&text)?;
    markdown.commit(|out| out.write_all(text.as_bytes()))?;
    json.commit(|out| {
        serde_json::to_writer_pretty(&mut *out, &outcomes)?;
        out.write_all(b"\n")
    })?;
    Ok(())
}
